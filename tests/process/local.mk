# Process tests: lives and deaths of master and workers, seen from outside.
# Alone: make check TESTS='$(PROCESS_TESTS)'
check_PROGRAMS += tests/process/again tests/process/crowd tests/process/dns tests/process/echo \
	tests/process/flood tests/process/hog tests/process/liar tests/process/load tests/process/manager tests/process/mirror \
	tests/process/receiver tests/process/scribble
tests_process_again_SOURCES = tests/process/again.c
tests_process_crowd_SOURCES = tests/process/crowd.c tests/process/meet.c tests/process/meet.h
tests_process_dns_SOURCES = tests/process/dns.c
tests_process_echo_SOURCES = tests/process/echo.c
tests_process_flood_SOURCES = tests/process/flood.c tests/process/meet.c tests/process/meet.h
tests_process_hog_SOURCES = tests/process/hog.c
tests_process_liar_SOURCES = tests/process/liar.c
tests_process_manager_SOURCES = tests/process/manager.c
tests_process_manager_LDADD = $(LIBBSD_LIBS)
tests_process_mirror_SOURCES = tests/process/mirror.c
tests_process_load_SOURCES = tests/process/load.c
tests_process_receiver_SOURCES = tests/process/receiver.c
tests_process_scribble_SOURCES = tests/process/scribble.c
tests_process_load_LDADD = $(LIBBSD_LIBS)

PROCESS_TESTS = \
	tests/process/access.sh \
	tests/process/balance.sh \
	tests/process/changes.sh \
	tests/process/channel.sh \
	tests/process/check.sh \
	tests/process/chroot.sh \
	tests/process/descriptors.sh \
	tests/process/events.sh \
	tests/process/failover.sh \
	tests/process/fastopen.sh \
	tests/process/fulllog.sh \
	tests/process/initd.sh \
	tests/process/files.sh \
	tests/process/instance.sh \
	tests/process/listeners.sh \
	tests/process/kill.sh \
	tests/process/limits.sh \
	tests/process/logs.sh \
	tests/process/lookups.sh \
	tests/process/names.sh \
	tests/process/netns.sh \
	tests/process/notify.sh \
	tests/process/openrc.sh \
	tests/process/orphans.sh \
	tests/process/pace.sh \
	tests/process/priv.sh \
	tests/process/prober.sh \
	tests/process/proxy.sh \
	tests/process/proxy_real.sh \
	tests/process/queue.sh \
	tests/process/board.sh \
	tests/process/quit.sh \
	tests/process/real.sh \
	tests/process/reload.sh \
	tests/process/reopen.sh \
	tests/process/sandbox.sh \
	tests/process/single.sh \
	tests/process/slow.sh \
	tests/process/source_address.sh \
	tests/process/speed.sh \
	tests/process/stop.sh \
	tests/process/stuck.sh \
	tests/process/syslog.sh \
	tests/process/tls.sh \
	tests/process/unavailable.sh \
	tests/process/upgrade.sh \
	tests/process/usage.sh \
	tests/process/waits.sh \
	tests/process/workers.sh
EXTRA_DIST += tests/process/lib.sh tests/process/lib_real.sh $(PROCESS_TESTS)
