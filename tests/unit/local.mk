# Unit tests of libshuttle: a program for each file of lib/, and for what reads
# the configuration in src/. UNIT_TESTS can be run by themselves:
#	make check TESTS='$(UNIT_TESTS)'
if HAVE_CMOCKA
UNIT_TESTS = \
	tests/unit/addr \
	tests/unit/dns_message \
	tests/unit/server \
	tests/unit/balance \
	tests/unit/balance_ways \
	tests/unit/board \
	tests/unit/bufpool \
	tests/unit/builtin \
	tests/unit/concurrency \
	tests/unit/child \
	tests/unit/check \
	tests/unit/cidr \
	tests/unit/conf \
	tests/unit/conf_unused \
	tests/unit/conf_yaml \
	tests/unit/cpu_quota \
	tests/unit/check_exchange \
	tests/unit/directives \
	tests/unit/fast_open \
	tests/unit/health \
	tests/unit/log \
	tests/unit/log_file \
	tests/unit/log_format \
	tests/unit/log_syslog \
	tests/unit/log_target \
	tests/unit/log_tcp \
	tests/unit/file_text \
	tests/unit/lookups \
	tests/unit/nearest \
	tests/unit/options \
	tests/unit/egress \
	tests/unit/pipepool \
	tests/unit/poller \
	tests/unit/poller_random \
	tests/unit/poller_settle \
	tests/unit/proxyproto \
	tests/unit/proxyproto_random \
	tests/unit/queue \
	tests/unit/rate \
	tests/unit/safe_file \
	tests/unit/sandbox \
	tests/unit/logs \
	tests/unit/resolver_assign \
	tests/unit/session \
	tests/unit/session_access \
	tests/unit/session_connect \
	tests/unit/session_count \
	tests/unit/session_flow \
	tests/unit/session_header \
	tests/unit/session_header_send \
	tests/unit/session_lack \
	tests/unit/session_log \
	tests/unit/session_pace \
	tests/unit/session_park \
	tests/unit/session_queue \
	tests/unit/session_stall \
	tests/unit/session_table \
	tests/unit/session_timers \
	tests/unit/session_unavailable \
	tests/unit/shuttle \
	tests/unit/shuttle_socket \
	tests/unit/resolved_addr \
	tests/unit/client_key \
	tests/unit/preconnect \
	tests/unit/preconnect_take \
	tests/unit/sys \
	tests/unit/sys_process \
	tests/unit/sys_unix \
	tests/unit/text \
	tests/unit/timer \
	tests/unit/worker
check_PROGRAMS += $(UNIT_TESTS)

AM_CPPFLAGS += $(CMOCKA_CFLAGS)
UNIT_LIBS = $(CMOCKA_LIBS) $(BALANCER_LIBS)

# Calls of the library that a test answers itself.
WRAP_ALLOC = -Wl,--wrap=malloc,--wrap=calloc,--wrap=reallocarray \
	-Wl,--wrap=strdup
WRAP_RIG = -Wl,--wrap=socket,--wrap=connect,--wrap=recv,--wrap=send \
	-Wl,--wrap=clock_now_ms

tests_unit_addr_SOURCES = tests/unit/addr.c tests/unit/helpers.h
tests_unit_addr_LDADD = $(UNIT_LIBS)
tests_unit_addr_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=getaddrinfo,--wrap=freeaddrinfo

tests_unit_dns_message_SOURCES = tests/unit/dns_message.c tests/unit/helpers.h
tests_unit_dns_message_LDADD = $(UNIT_LIBS)

tests_unit_server_SOURCES = tests/unit/server.c tests/unit/helpers.h
tests_unit_server_LDADD = $(UNIT_LIBS)

tests_unit_balance_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/balance.c tests/unit/helpers.h
tests_unit_balance_LDADD = $(UNIT_LIBS)
tests_unit_balance_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)

tests_unit_balance_ways_SOURCES = \
	tests/unit/balance_ways.c tests/unit/helpers.h
tests_unit_balance_ways_LDADD = $(UNIT_LIBS)

tests_unit_board_SOURCES = tests/unit/board.c tests/unit/helpers.h
tests_unit_board_LDADD = $(UNIT_LIBS)
tests_unit_board_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=ftruncate,--wrap=mmap

tests_unit_bufpool_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/bufpool.c tests/unit/helpers.h
tests_unit_bufpool_LDADD = $(UNIT_LIBS)
tests_unit_bufpool_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC) -Wl,--wrap=mmap

tests_unit_builtin_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/builtin.c tests/unit/helpers.h
tests_unit_builtin_LDADD = $(UNIT_LIBS)
tests_unit_builtin_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC) -Wl,--wrap=send

tests_unit_concurrency_SOURCES = tests/unit/concurrency.c tests/unit/helpers.h
tests_unit_concurrency_LDADD = $(UNIT_LIBS)
tests_unit_concurrency_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=board_worker_slots

tests_unit_check_SOURCES = tests/unit/check.c tests/unit/helpers.h
tests_unit_check_LDADD = $(UNIT_LIBS)

tests_unit_cidr_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/cidr.c tests/unit/helpers.h
tests_unit_cidr_LDADD = $(UNIT_LIBS)
tests_unit_cidr_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)

tests_unit_conf_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/conf.c tests/unit/helpers.h
tests_unit_conf_LDADD = $(UNIT_LIBS)
tests_unit_conf_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC) \
	-Wl,--wrap=getaddrinfo,--wrap=freeaddrinfo \
	-Wl,--wrap=socket_can_bind

tests_unit_conf_unused_SOURCES = \
	tests/unit/conf_unused.c tests/unit/helpers.h
tests_unit_conf_unused_LDADD = $(UNIT_LIBS)

tests_unit_conf_yaml_SOURCES = tests/unit/conf_yaml.c tests/unit/helpers.h
tests_unit_conf_yaml_LDADD = $(UNIT_LIBS)

tests_unit_check_exchange_SOURCES = tests/unit/check_exchange.c tests/unit/helpers.h
tests_unit_check_exchange_LDADD = $(UNIT_LIBS)

tests_unit_directives_SOURCES = \
	tests/unit/directives.c tests/unit/helpers.h
tests_unit_directives_LDADD = $(UNIT_LIBS)
tests_unit_directives_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=processors_count,--wrap=cpu_quota

tests_unit_fast_open_SOURCES = \
	tests/unit/fast_open.c tests/unit/helpers.h \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_fast_open_LDADD = $(UNIT_LIBS)
tests_unit_fast_open_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_health_SOURCES = tests/unit/health.c tests/unit/helpers.h
tests_unit_health_LDADD = $(UNIT_LIBS)

tests_unit_log_SOURCES = \
	tests/unit/helpers.h tests/unit/log_rig.h tests/unit/log.c
tests_unit_log_LDADD = $(UNIT_LIBS)
tests_unit_log_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=write,--wrap=clock_gettime

tests_unit_log_file_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/helpers.h tests/unit/log_rig.h tests/unit/log_file.c
tests_unit_log_file_LDADD = $(UNIT_LIBS)
tests_unit_log_file_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)

tests_unit_log_format_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/helpers.h tests/unit/log_format.c
tests_unit_log_format_LDADD = $(UNIT_LIBS)
tests_unit_log_format_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC) -Wl,--wrap=clock_gettime

tests_unit_log_syslog_SOURCES = \
	tests/unit/helpers.h tests/unit/log_rig.h tests/unit/log_syslog.c \
	tests/unit/syslog_rig.h
tests_unit_log_syslog_LDADD = $(UNIT_LIBS)
tests_unit_log_syslog_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=connect

tests_unit_log_target_SOURCES = tests/unit/helpers.h tests/unit/log_target.c
tests_unit_log_target_LDADD = $(UNIT_LIBS)

tests_unit_log_tcp_SOURCES = \
	tests/unit/helpers.h tests/unit/log_rig.h tests/unit/log_tcp.c \
	tests/unit/syslog_rig.h
tests_unit_log_tcp_LDADD = $(UNIT_LIBS)

tests_unit_cpu_quota_SOURCES = tests/unit/helpers.h tests/unit/cpu_quota.c
tests_unit_cpu_quota_LDADD = $(UNIT_LIBS)
tests_unit_safe_file_SOURCES = tests/unit/helpers.h tests/unit/safe_file.c
tests_unit_safe_file_LDADD = $(UNIT_LIBS)
tests_unit_nearest_SOURCES = tests/unit/helpers.h tests/unit/nearest.c
tests_unit_nearest_LDADD = $(UNIT_LIBS)

tests_unit_options_SOURCES = src/config/options.c \
	tests/unit/alloc_fault.c \
	tests/unit/helpers.h tests/unit/options.c
tests_unit_options_LDADD = $(UNIT_LIBS)
tests_unit_options_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)
# Where the test has its own /etc, below a directory of its own.
tests_unit_options_CPPFLAGS = $(AM_CPPFLAGS) -USYSCONFDIR -DSYSCONFDIR='"etc"'

tests_unit_proxyproto_SOURCES = tests/unit/proxyproto.c \
	tests/unit/helpers.h tests/unit/proxyproto_rig.h
tests_unit_proxyproto_LDADD = $(UNIT_LIBS)

tests_unit_proxyproto_random_SOURCES = tests/unit/proxyproto_random.c \
	tests/unit/helpers.h tests/unit/proxyproto_rig.h
tests_unit_proxyproto_random_LDADD = $(UNIT_LIBS)

tests_unit_queue_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/helpers.h tests/unit/queue.c
tests_unit_queue_LDADD = $(UNIT_LIBS)
tests_unit_queue_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC) -Wl,--wrap=kill

tests_unit_rate_SOURCES = tests/unit/helpers.h tests/unit/rate.c
tests_unit_rate_LDADD = $(UNIT_LIBS)
tests_unit_rate_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_now_ms

tests_unit_session_pace_SOURCES = \
	tests/unit/helpers.h tests/unit/session_pace.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_pace_LDADD = $(UNIT_LIBS)
tests_unit_session_pace_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_park_SOURCES = \
	tests/unit/helpers.h tests/unit/session_park.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_park_LDADD = $(UNIT_LIBS)
tests_unit_session_park_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_unavailable_SOURCES = \
	tests/unit/helpers.h tests/unit/session_unavailable.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_unavailable_LDADD = $(UNIT_LIBS)
tests_unit_session_unavailable_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_queue_SOURCES = \
	tests/unit/helpers.h tests/unit/session_queue.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_queue_LDADD = $(UNIT_LIBS)
tests_unit_session_queue_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_egress_SOURCES = \
	tests/unit/egress.c tests/unit/helpers.h \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_egress_LDADD = $(UNIT_LIBS)
tests_unit_egress_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_pipepool_SOURCES = tests/unit/helpers.h tests/unit/pipepool.c
tests_unit_pipepool_LDADD = $(UNIT_LIBS)

tests_unit_poller_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/engines.h tests/unit/helpers.h tests/unit/poller.c
tests_unit_poller_LDADD = $(UNIT_LIBS)
tests_unit_poller_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC) -Wl,--wrap=select

tests_unit_poller_random_SOURCES = \
	tests/unit/engines.h tests/unit/helpers.h \
	tests/unit/poller_random.c
tests_unit_poller_random_LDADD = $(UNIT_LIBS)

tests_unit_poller_settle_SOURCES = \
	tests/unit/helpers.h \
	tests/unit/poller_settle.c
tests_unit_poller_settle_LDADD = $(UNIT_LIBS)
tests_unit_poller_settle_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_tick_ms

tests_unit_sandbox_SOURCES = \
	tests/unit/helpers.h tests/unit/sandbox.c
tests_unit_sandbox_LDADD = $(UNIT_LIBS)
tests_unit_sandbox_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=syscall,--wrap=syscall_filter_load,--wrap=syscall_filter_exists

tests_unit_logs_SOURCES = tests/unit/helpers.h tests/unit/logs.c
tests_unit_logs_LDADD = $(UNIT_LIBS)
tests_unit_logs_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=getaddrinfo,--wrap=freeaddrinfo

tests_unit_child_SOURCES = tests/unit/helpers.h tests/unit/child.c
tests_unit_child_LDADD = $(UNIT_LIBS)

tests_unit_file_text_SOURCES = tests/unit/helpers.h tests/unit/file_text.c
tests_unit_file_text_LDADD = $(UNIT_LIBS)
tests_unit_file_text_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=read

tests_unit_lookups_SOURCES = tests/unit/helpers.h tests/unit/lookups.c
tests_unit_lookups_LDADD = $(UNIT_LIBS)
tests_unit_lookups_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getaddrinfo

tests_unit_resolver_assign_SOURCES = tests/unit/helpers.h tests/unit/resolver_assign.c
tests_unit_resolver_assign_LDADD = $(UNIT_LIBS)

tests_unit_session_SOURCES = \
	tests/unit/helpers.h tests/unit/session.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_LDADD = $(UNIT_LIBS)
tests_unit_session_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_access_SOURCES = \
	tests/unit/helpers.h tests/unit/session_access.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_access_LDADD = $(UNIT_LIBS)
tests_unit_session_access_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_connect_SOURCES = \
	tests/unit/helpers.h tests/unit/session_connect.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_connect_LDADD = $(UNIT_LIBS)
tests_unit_session_connect_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_count_SOURCES = \
	tests/unit/helpers.h tests/unit/session_count.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_count_LDADD = $(UNIT_LIBS)
tests_unit_session_count_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_flow_SOURCES = \
	tests/unit/helpers.h tests/unit/session_flow.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_flow_LDADD = $(UNIT_LIBS)
tests_unit_session_flow_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_header_SOURCES = \
	tests/unit/header_rig.h tests/unit/helpers.h \
	tests/unit/proxyproto_rig.h tests/unit/session_header.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_header_LDADD = $(UNIT_LIBS)
tests_unit_session_header_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_header_send_SOURCES = \
	tests/unit/header_rig.h tests/unit/helpers.h \
	tests/unit/proxyproto_rig.h tests/unit/session_header_send.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_header_send_LDADD = $(UNIT_LIBS)
tests_unit_session_header_send_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_lack_SOURCES = \
	tests/unit/helpers.h tests/unit/session_lack.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_lack_LDADD = $(UNIT_LIBS)
tests_unit_session_lack_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_log_SOURCES = \
	tests/unit/helpers.h tests/unit/session_log.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_log_LDADD = $(UNIT_LIBS)
tests_unit_session_log_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_stall_SOURCES = \
	tests/unit/engines.h tests/unit/helpers.h \
	tests/unit/session_rig.c tests/unit/session_rig.h \
	tests/unit/session_stall.c
tests_unit_session_stall_LDADD = $(UNIT_LIBS)
tests_unit_session_stall_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_session_table_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/helpers.h tests/unit/session_table.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_table_LDADD = $(UNIT_LIBS)
tests_unit_session_table_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC) $(WRAP_RIG)

tests_unit_session_timers_SOURCES = \
	tests/unit/helpers.h tests/unit/session_timers.c \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_unit_session_timers_LDADD = $(UNIT_LIBS)
tests_unit_session_timers_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_shuttle_SOURCES = tests/unit/helpers.h tests/unit/shuttle.c
tests_unit_shuttle_LDADD = $(UNIT_LIBS)
tests_unit_shuttle_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=recv,--wrap=send

tests_unit_shuttle_socket_SOURCES = \
	tests/unit/helpers.h tests/unit/shuttle_socket.c
tests_unit_shuttle_socket_LDADD = $(UNIT_LIBS)

tests_unit_client_key_SOURCES = tests/unit/helpers.h tests/unit/client_key.c
tests_unit_client_key_LDADD = $(UNIT_LIBS)

tests_unit_preconnect_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/engines.h tests/unit/helpers.h \
	tests/unit/session_rig.c tests/unit/session_rig.h \
	tests/unit/preconnect.c tests/unit/preconnect_rig.h
tests_unit_preconnect_LDADD = $(UNIT_LIBS)
tests_unit_preconnect_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC) $(WRAP_RIG)

tests_unit_preconnect_take_SOURCES = \
	tests/unit/engines.h tests/unit/helpers.h \
	tests/unit/session_rig.c tests/unit/session_rig.h \
	tests/unit/preconnect_rig.h tests/unit/preconnect_take.c
tests_unit_preconnect_take_LDADD = $(UNIT_LIBS)
tests_unit_preconnect_take_LDFLAGS = $(AM_LDFLAGS) $(WRAP_RIG)

tests_unit_resolved_addr_SOURCES = tests/unit/helpers.h tests/unit/resolved_addr.c
tests_unit_resolved_addr_LDADD = $(UNIT_LIBS)

tests_unit_sys_SOURCES = tests/unit/helpers.h tests/unit/sys.c
tests_unit_sys_LDADD = $(UNIT_LIBS)
tests_unit_sys_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=socket,--wrap=bind,--wrap=listen,--wrap=getsockname \
	-Wl,--wrap=accept4,--wrap=setsockopt

tests_unit_sys_process_SOURCES = tests/unit/helpers.h tests/unit/sys_process.c
tests_unit_sys_process_LDADD = $(UNIT_LIBS)
tests_unit_sys_process_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=fcntl,--wrap=fcntl64,--wrap=recvmsg,--wrap=sched_getaffinity \
	-Wl,--wrap=getrlimit,--wrap=setrlimit

tests_unit_sys_unix_SOURCES = tests/unit/helpers.h tests/unit/sys_unix.c
tests_unit_sys_unix_LDADD = $(UNIT_LIBS)
tests_unit_sys_unix_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=socket

tests_unit_text_SOURCES = tests/unit/helpers.h tests/unit/text.c
tests_unit_text_LDADD = $(UNIT_LIBS)

tests_unit_timer_SOURCES = \
	tests/unit/alloc_fault.c \
	tests/unit/helpers.h tests/unit/timer.c
tests_unit_timer_LDADD = $(UNIT_LIBS)
tests_unit_timer_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)
endif

tests_unit_worker_SOURCES = tests/unit/helpers.h tests/unit/worker.c
tests_unit_worker_LDADD = $(UNIT_LIBS)
tests_unit_worker_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=acceptor_event
