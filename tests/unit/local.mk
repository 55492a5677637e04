# Unit tests: a program for each file of lib/ and of src/, in folders of the same
# names. UNIT_TESTS can be run by themselves: make check TESTS='$(UNIT_TESTS)'
# A test is tests/unit/ROOM/test_NAME.c and a line in this list, the longest first.
if HAVE_CMOCKA
UNIT_TESTS = \
	tests/unit/board/test_board \
	tests/unit/board/test_client_key \
	tests/unit/board/test_concurrency \
	tests/unit/board/test_rate \
	tests/unit/board/test_resolved_addr \
	tests/unit/config/test_conf \
	tests/unit/config/test_conf_unused \
	tests/unit/config/test_conf_yaml \
	tests/unit/config/test_directives \
	tests/unit/config/test_options \
	tests/unit/event/test_poller \
	tests/unit/event/test_poller_random \
	tests/unit/event/test_poller_settle \
	tests/unit/event/test_timer \
	tests/unit/log/test_log \
	tests/unit/log/test_log_file \
	tests/unit/log/test_log_syslog \
	tests/unit/log/test_log_target \
	tests/unit/log/test_log_tcp \
	tests/unit/master/test_child \
	tests/unit/master/test_lookups \
	tests/unit/net/test_addr \
	tests/unit/net/test_cidr \
	tests/unit/net/test_egress \
	tests/unit/net/test_socket \
	tests/unit/net/test_socket_unix \
	tests/unit/prober/test_check \
	tests/unit/prober/test_resolver_assign \
	tests/unit/process/test_logs \
	tests/unit/proto/test_dns_message \
	tests/unit/proto/test_proxyproto \
	tests/unit/proto/test_proxyproto_random \
	tests/unit/relay/test_bufpool \
	tests/unit/relay/test_pipepool \
	tests/unit/relay/test_shuttle \
	tests/unit/relay/test_shuttle_socket \
	tests/unit/sandbox/test_sandbox \
	tests/unit/session/test_access_log_format \
	tests/unit/session/test_fast_open \
	tests/unit/session/test_session \
	tests/unit/session/test_session_access \
	tests/unit/session/test_session_connect \
	tests/unit/session/test_session_flow \
	tests/unit/session/test_session_lack \
	tests/unit/session/test_session_limits \
	tests/unit/session/test_session_log \
	tests/unit/session/test_session_park \
	tests/unit/session/test_session_proxy \
	tests/unit/session/test_session_proxy_send \
	tests/unit/session/test_session_queue \
	tests/unit/session/test_session_stall \
	tests/unit/session/test_session_table \
	tests/unit/session/test_session_throttle \
	tests/unit/session/test_session_timers \
	tests/unit/session/test_session_unavailable \
	tests/unit/sys/test_cpu_quota \
	tests/unit/sys/test_file_text \
	tests/unit/sys/test_safe_file \
	tests/unit/sys/test_sys \
	tests/unit/upstream/test_balance \
	tests/unit/upstream/test_balance_ways \
	tests/unit/upstream/test_builtin \
	tests/unit/upstream/test_check_exchange \
	tests/unit/upstream/test_health \
	tests/unit/upstream/test_preconnect \
	tests/unit/upstream/test_preconnect_take \
	tests/unit/upstream/test_server \
	tests/unit/upstream/test_wait_queue \
	tests/unit/util/test_nearest \
	tests/unit/util/test_text \
	tests/unit/worker/test_worker
check_PROGRAMS += $(UNIT_TESTS)
AM_CPPFLAGS += -iquote $(top_srcdir)/tests/unit $(CMOCKA_CFLAGS)

# main() of all of them, and what they share. Before the library that is tested,
# and wrap.c first: the rig answers calls only where a test wants the rig.
check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_SOURCES = \
	tests/unit/wrap.c tests/unit/wrap.h \
	tests/unit/cases.c tests/unit/helpers.h \
	tests/unit/log/log_rig.h tests/unit/log/syslog_rig.h \
	tests/unit/proxyproto_rig.h \
	tests/unit/session/proxy_rig.h \
	tests/unit/session_rig.c tests/unit/session_rig.h \
	tests/unit/upstream/preconnect_rig.h

# What automake takes for each program that says nothing itself: other programs
# have a LDADD of their own. The calls that a test may answer: see wrap.h.
LDADD = tests/unit/libunit.a $(CMOCKA_LIBS) $(BALANCER_LIBS)
$(UNIT_TESTS): AM_LDFLAGS += \
	-Wl,--wrap=accept4,--wrap=bind,--wrap=board_worker_slots \
	-Wl,--wrap=clock_gettime,--wrap=clock_now_ms,--wrap=clock_tick_ms \
	-Wl,--wrap=connect,--wrap=cpu_quota,--wrap=syscall_filter_exists \
	-Wl,--wrap=syscall_filter_load,--wrap=freeaddrinfo,--wrap=ftruncate \
	-Wl,--wrap=getaddrinfo,--wrap=getrlimit,--wrap=getsockname \
	-Wl,--wrap=kill,--wrap=listen,--wrap=mmap \
	-Wl,--wrap=processors_count,--wrap=read,--wrap=recv,--wrap=recvmsg \
	-Wl,--wrap=sched_getaffinity,--wrap=select,--wrap=send \
	-Wl,--wrap=setrlimit,--wrap=setsockopt,--wrap=socket \
	-Wl,--wrap=socket_can_bind,--wrap=syscall,--wrap=write,--wrap=malloc \
	-Wl,--wrap=calloc,--wrap=reallocarray,--wrap=strdup
tests_unit_sys_test_sys_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fcntl,--wrap=fcntl64
tests_unit_worker_test_worker_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=acceptor_event

# With an /etc of its own, below a directory of the test.
tests_unit_config_test_options_SOURCES = src/config/options.c \
	tests/unit/config/test_options.c
tests_unit_config_test_options_CPPFLAGS = $(AM_CPPFLAGS) -USYSCONFDIR -DSYSCONFDIR='"etc"'
endif
