# Black-box tests: scripts around the scripted TCP peer. BLACKBOX_TESTS can be
# run by itself: make check TESTS='$(BLACKBOX_TESTS)'
check_PROGRAMS += tests/blackbox/peer
tests_blackbox_peer_SOURCES = \
	tests/blackbox/peer.c tests/blackbox/peer.h \
	tests/blackbox/peer_data.c \
	tests/blackbox/peer_fork.c \
	tests/blackbox/peer_net.c \
	tests/blackbox/peer_pattern.c \
	tests/blackbox/peer_script.c \
	tests/blackbox/peer_verbs.c

# Those that take longest first.
BLACKBOX_TESTS = \
	tests/blackbox/select.sh \
	tests/blackbox/sessionlog.sh \
	tests/blackbox/reset.sh \
	tests/blackbox/timeouts.sh \
	tests/blackbox/preconnect.sh \
	tests/blackbox/pressure.sh \
	tests/blackbox/sockets.sh \
	tests/blackbox/servers.sh \
	tests/blackbox/many.sh \
	tests/blackbox/relay.sh \
	tests/blackbox/builtin.sh \
	tests/blackbox/logformat.sh \
	tests/blackbox/mistakes.sh \
	tests/blackbox/conf.sh \
	tests/blackbox/peer.sh
EXTRA_DIST += tests/blackbox/lib.sh $(BLACKBOX_TESTS)
