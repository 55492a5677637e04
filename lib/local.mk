# libshuttle.a: the proxy itself, without processes or configuration files.
noinst_LIBRARIES += libshuttle.a
libshuttle_a_SOURCES = \
	lib/addr.c lib/addr.h \
	lib/backend.c lib/backend.h \
	lib/balance.c lib/balance.h lib/balance_tier.h \
	lib/balance_first.c lib/balance_hash.c lib/balance_key.c \
	lib/balance_leastconn.c lib/balance_maglev.c \
	lib/balance_random.c lib/balance_roundrobin.c \
	lib/board.c lib/board.h lib/board_mend.c lib/board_seat.c \
	lib/bufpool.c lib/bufpool.h \
	lib/builtin.c lib/builtin.h \
	lib/census.c lib/census.h \
	lib/check_plan.h \
	lib/cidr.c lib/cidr.h lib/cidr_network.h lib/cidr_text.c \
	lib/counter.h \
	lib/cpu_quota.c lib/cpu_quota.h \
	lib/dialog.c lib/dialog.h \
	lib/dialog_tls.c lib/dialog_tls.h \
	lib/file_text.c lib/file_text.h \
	lib/health.c lib/health.h \
	lib/log.c lib/log.h \
	lib/log_format.c lib/log_format.h \
	lib/log_haproxy.c lib/log_haproxy.h \
	lib/log_missing.c \
	lib/log_sink.c lib/log_sink.h \
	lib/log_target.c lib/log_target.h \
	lib/nearest.c lib/nearest.h \
	lib/outlet.c lib/outlet.h \
	lib/pipepool.c lib/pipepool.h \
	lib/poller.c lib/poller.h \
	lib/poller_hybrid.c lib/poller_hybrid.h \
	lib/poller_select.c lib/poller_select.h \
	lib/proxyproto.c lib/proxyproto.h \
	lib/queue.c lib/queue.h \
	lib/rate.c lib/rate.h \
	lib/safe_file.c lib/safe_file.h \
	lib/session.c lib/session.h lib/session_step.h \
	lib/session_connect.c lib/session_count.c lib/session_gate.c \
	lib/session_header.c \
	lib/session_pace.c lib/session_park.c lib/session_queue.c \
	lib/session_relay.c lib/session_stall.c lib/session_timers.c \
	lib/session_log.c lib/session_log.h \
	lib/session_table.c lib/session_table.h \
	lib/shuttle.c lib/shuttle.h \
	lib/site.c lib/site.h \
	lib/source.c lib/source.h \
	lib/spare.c lib/spare.h \
	lib/channel.c lib/channel.h \
	lib/clock.c lib/clock.h \
	lib/descriptor.c lib/descriptor.h \
	lib/processors.c lib/processors.h \
	lib/rlimit.c lib/rlimit.h \
	lib/signals.c lib/signals.h \
	lib/socket.c lib/socket.h \
	lib/socket_option.c lib/socket_option.h \
	lib/text.c lib/text.h \
	lib/timer.c lib/timer.h
