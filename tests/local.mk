# The tests; see CONTRIBUTING.md.
AM_TESTS_ENVIRONMENT = \
	SHUTTLED="$${SHUTTLED:-$(abs_top_builddir)/shuttled}"; \
	TOOLS="$(abs_top_builddir)/tests/system/tools"; \
	export SHUTTLED TOOLS;

include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/system/local.mk
include tests/bench/local.mk
include tests/checks.mk

# Long ones first, so that none is left to run alone at the end.
TESTS += $(SYSTEM_TESTS) $(BENCH_TESTS) $(UNIT_TESTS) $(CHECK_TESTS)

# All of them, many times over, where it is hard: see there.
EXTRA_DIST += tests/torture.sh
