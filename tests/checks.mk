# Checks of what stands around the program: the layers and the documents.
CHECK_TESTS = tests/layers.sh tests/docs.sh
TESTS += $(CHECK_TESTS)
EXTRA_DIST += $(CHECK_TESTS)
