# Checks of what stands around the program: the layers, the documents, lint.
CHECK_TESTS = tests/cycles.sh tests/layers.sh tests/docs.sh tests/lint.sh \
	tests/schema.sh tests/words.sh
EXTRA_DIST += $(CHECK_TESTS) tests/schema.py
