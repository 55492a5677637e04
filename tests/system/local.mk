# System tests: scripts that start shuttled, in rooms by what they look at, over
# the scripted peer and other tools. Each room can be run by itself:
#	make check TESTS='$(SYSTEM_SESSION_TESTS)'
SYSTEM_TOOLS = \
	tests/system/tools/crowd \
	tests/system/tools/dns \
	tests/system/tools/flood \
	tests/system/tools/liar \
	tests/system/tools/load \
	tests/system/tools/manager \
	tests/system/tools/mirror \
	tests/system/tools/peer \
	tests/system/tools/receiver \
	tests/system/tools/scribble
check_PROGRAMS += $(SYSTEM_TOOLS)
tests_system_tools_crowd_SOURCES = tests/system/tools/crowd.c \
	tests/system/tools/meet.c tests/system/tools/meet.h
tests_system_tools_crowd_LDADD = $(LIBBSD_LIBS)
tests_system_tools_dns_LDADD = $(LIBBSD_LIBS)
tests_system_tools_flood_SOURCES = tests/system/tools/flood.c \
	tests/system/tools/meet.c tests/system/tools/meet.h
tests_system_tools_flood_LDADD = $(LIBBSD_LIBS)
tests_system_tools_liar_LDADD = $(LIBBSD_LIBS)
tests_system_tools_load_LDADD = $(LIBBSD_LIBS)
tests_system_tools_manager_LDADD = $(LIBBSD_LIBS)
tests_system_tools_mirror_SOURCES = tests/system/tools/mirror.c \
	tests/system/tools/peer_net.c tests/system/tools/peer.h
tests_system_tools_mirror_LDADD = $(LIBBSD_LIBS)
tests_system_tools_peer_SOURCES = \
	tests/system/tools/peer.c tests/system/tools/peer.h \
	tests/system/tools/peer_crowd.c \
	tests/system/tools/peer_data.c \
	tests/system/tools/peer_fork.c \
	tests/system/tools/peer_net.c \
	tests/system/tools/peer_pattern.c \
	tests/system/tools/peer_script.c \
	tests/system/tools/peer_verbs.c
tests_system_tools_peer_LDADD = $(LIBBSD_LIBS)
tests_system_tools_receiver_LDADD = $(LIBBSD_LIBS)
tests_system_tools_scribble_LDADD = $(LIBBSD_LIBS)

SYSTEM_SESSION_TESTS = \
	tests/system/session/fast_open.sh \
	tests/system/session/many.sh \
	tests/system/session/pressure.sh \
	tests/system/session/proxy.sh \
	tests/system/session/proxy_real.sh \
	tests/system/session/real.sh \
	tests/system/session/relay.sh \
	tests/system/session/reset.sh \
	tests/system/session/select.sh \
	tests/system/session/speed.sh \
	tests/system/session/throttle.sh \
	tests/system/session/timeouts.sh

SYSTEM_UPSTREAM_TESTS = \
	tests/system/upstream/balance.sh \
	tests/system/upstream/board.sh \
	tests/system/upstream/builtin.sh \
	tests/system/upstream/check.sh \
	tests/system/upstream/egress.sh \
	tests/system/upstream/failover.sh \
	tests/system/upstream/lookups.sh \
	tests/system/upstream/netns.sh \
	tests/system/upstream/preconnect.sh \
	tests/system/upstream/queue.sh \
	tests/system/upstream/resolve.sh \
	tests/system/upstream/servers.sh \
	tests/system/upstream/tls.sh \
	tests/system/upstream/unavailable.sh

SYSTEM_LIMITS_TESTS = \
	tests/system/limits/access.sh \
	tests/system/limits/descriptors.sh \
	tests/system/limits/limits.sh \
	tests/system/limits/waits.sh

SYSTEM_CONFIG_TESTS = \
	tests/system/config/changes_told.sh \
	tests/system/config/conf.sh \
	tests/system/config/listeners.sh \
	tests/system/config/mistakes.sh \
	tests/system/config/sockets.sh \
	tests/system/config/usage.sh

SYSTEM_LIFECYCLE_TESTS = \
	tests/system/lifecycle/changes.sh \
	tests/system/lifecycle/files.sh \
	tests/system/lifecycle/initd.sh \
	tests/system/lifecycle/instance.sh \
	tests/system/lifecycle/kill.sh \
	tests/system/lifecycle/notify.sh \
	tests/system/lifecycle/openrc.sh \
	tests/system/lifecycle/orphans.sh \
	tests/system/lifecycle/prober.sh \
	tests/system/lifecycle/quit.sh \
	tests/system/lifecycle/reload.sh \
	tests/system/lifecycle/reopen.sh \
	tests/system/lifecycle/single.sh \
	tests/system/lifecycle/slow.sh \
	tests/system/lifecycle/stop.sh \
	tests/system/lifecycle/stuck.sh \
	tests/system/lifecycle/upgrade.sh \
	tests/system/lifecycle/workers.sh

SYSTEM_LOG_TESTS = \
	tests/system/log/full_log.sh \
	tests/system/log/log_format.sh \
	tests/system/log/logs.sh \
	tests/system/log/session_log.sh \
	tests/system/log/syslog.sh

SYSTEM_SANDBOX_TESTS = \
	tests/system/sandbox/channel.sh \
	tests/system/sandbox/chroot.sh \
	tests/system/sandbox/privileges.sh \
	tests/system/sandbox/sandbox.sh

SYSTEM_TESTS = tests/system/peer.sh \
	$(SYSTEM_SESSION_TESTS) \
	$(SYSTEM_UPSTREAM_TESTS) \
	$(SYSTEM_LIMITS_TESTS) \
	$(SYSTEM_CONFIG_TESTS) \
	$(SYSTEM_LIFECYCLE_TESTS) \
	$(SYSTEM_LOG_TESTS) \
	$(SYSTEM_SANDBOX_TESTS)
# Those that say something under valgrind, which makes all slow.
SLOW_TOOL_TESTS = tests/system/peer.sh \
	tests/system/config/conf.sh tests/system/config/mistakes.sh \
	tests/system/config/sockets.sh \
	tests/system/log/log_format.sh tests/system/log/session_log.sh \
	tests/system/session/many.sh tests/system/session/pressure.sh \
	tests/system/session/relay.sh tests/system/session/reset.sh \
	tests/system/session/timeouts.sh \
	tests/system/upstream/builtin.sh tests/system/upstream/preconnect.sh \
	tests/system/upstream/servers.sh
EXTRA_DIST += tests/system/lib.sh $(SYSTEM_TESTS)
