# libshuttle.a: machinery that knows no session, server, configuration or
# process. A folder uses those before it and itself: tests/layers.sh.
noinst_LIBRARIES += libshuttle.a
libshuttle_a_SOURCES = \
	lib/util/counter.h \
	lib/util/nearest.c lib/util/nearest.h \
	lib/util/text.c lib/util/text.h \
	lib/sys/channel.c lib/sys/channel.h \
	lib/sys/clock.c lib/sys/clock.h \
	lib/sys/cpu_quota.c lib/sys/cpu_quota.h \
	lib/sys/descriptor.c lib/sys/descriptor.h \
	lib/sys/file_text.c lib/sys/file_text.h \
	lib/sys/processors.c lib/sys/processors.h \
	lib/sys/rlimit.c lib/sys/rlimit.h \
	lib/sys/safe_file.c lib/sys/safe_file.h \
	lib/sys/safe_path.c lib/sys/safe_path.h \
	lib/sys/signals.c lib/sys/signals.h \
	lib/net/addr.c lib/net/addr.h \
	lib/net/cidr.c lib/net/cidr.h \
	lib/net/cidr_network.h \
	lib/net/cidr_text.c \
	lib/net/egress.c lib/net/egress.h \
	lib/net/socket.c lib/net/socket.h \
	lib/net/socket_option.c lib/net/socket_option.h \
	lib/event/poller.c lib/event/poller.h \
	lib/event/poller_hybrid.c lib/event/poller_hybrid.h \
	lib/event/poller_select.c lib/event/poller_select.h \
	lib/event/timer.c lib/event/timer.h \
	lib/log/log.c lib/log/log.h \
	lib/log/log_missing.c \
	lib/log/log_sink.c lib/log/log_sink.h \
	lib/log/log_target.c lib/log/log_target.h \
	lib/relay/bufpool.c lib/relay/bufpool.h \
	lib/relay/pipepool.c lib/relay/pipepool.h \
	lib/relay/shuttle.c lib/relay/shuttle.h \
	lib/proto/dns_message.c lib/proto/dns_message.h \
	lib/proto/proxyproto.c lib/proto/proxyproto.h \
	lib/proto/tls_hello.c lib/proto/tls_hello.h
