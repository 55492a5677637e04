# The benchmark. The load generator is built when something needs it. Its
# smoke test is a test like others; measuring is not: make bench.
# BENCH_ARGS: options for tests/bench/bench, such as --rounds 3 (see --help).
check_PROGRAMS += tests/bench/load
tests_bench_load_SOURCES = \
	tests/bench/load.c tests/bench/load.h \
	tests/bench/load_conn.c \
	tests/bench/load_hist.c \
	tests/bench/load_net.c \
	tests/bench/load_print.c \
	tests/bench/load_proc.c \
	tests/bench/load_run.c \
	tests/bench/load_serve.c \
	tests/bench/load_stream.c
tests_bench_load_LDADD = $(LIBBSD_LIBS)

# What choosing a server costs: make bench-pick.
check_PROGRAMS += tests/bench/pick
tests_bench_pick_SOURCES = tests/bench/pick.c
tests_bench_pick_LDADD = $(BALANCER_LIBS)

# What looking a client up in lists of networks costs: make bench-cidr.
check_PROGRAMS += tests/bench/cidr
tests_bench_cidr_SOURCES = tests/bench/cidr.c
tests_bench_cidr_LDADD = $(BALANCER_LIBS)

# What limits cost a session: make bench-admit.
check_PROGRAMS += tests/bench/admit
tests_bench_admit_SOURCES = tests/bench/admit.c
tests_bench_admit_LDADD = $(BALANCER_LIBS)

BENCH_TESTS = tests/bench/smoke.sh
EXTRA_DIST += \
	tests/bench/bench \
	tests/bench/cost \
	tests/bench/failover \
	tests/bench/ports \
	tests/bench/proxies.sh \
	tests/bench/report.awk \
	tests/bench/report.sh \
	tests/bench/rows.txt \
	tests/bench/smoke.sh

BENCH = $(srcdir)/tests/bench/bench --shuttled ./shuttled \
	--load tests/bench/load

.PHONY: bench bench-quick bench-admit bench-cidr bench-cost bench-pick
# What access lists, limits by address and the session log cost.
bench-cost: shuttled tests/bench/load
	$(srcdir)/tests/bench/cost $(BENCH_ARGS)

bench-cidr: tests/bench/cidr
	tests/bench/cidr

bench-admit: tests/bench/admit
	tests/bench/admit

bench-pick: tests/bench/pick
	tests/bench/pick

bench: shuttled tests/bench/load
	$(BENCH) --out bench-results $(BENCH_ARGS)

bench-quick: shuttled tests/bench/load
	$(BENCH) --quick --out bench-quick-results $(BENCH_ARGS)
