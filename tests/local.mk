# The tests; see CONTRIBUTING.md.
AM_TESTS_ENVIRONMENT = \
	SHUTTLED="$${SHUTTLED:-$(abs_top_builddir)/shuttled}"; \
	PEER="$(abs_top_builddir)/tests/blackbox/peer"; \
	export SHUTTLED PEER;

include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/blackbox/local.mk
include tests/process/local.mk
include tests/bench/local.mk
include tests/checks.mk

# Long ones first, so that none is left to run alone at the end.
TESTS += $(BLACKBOX_TESTS) $(PROCESS_TESTS) $(BENCH_TESTS) $(UNIT_TESTS) \
	$(CHECK_TESTS)

# All of them, many times over, where it is hard: see there.
EXTRA_DIST += tests/torture.sh
