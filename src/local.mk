# libbalancer.a: the balancer, all but main(). A folder uses those before it and
# itself: tests/layers.sh.
noinst_LIBRARIES += libbalancer.a
libbalancer_a_SOURCES = \
	src/board/board.c src/board/board.h \
	src/board/board_mend.c \
	src/board/board_slot.c \
	src/board/client_key.c src/board/client_key.h \
	src/board/concurrency.c src/board/concurrency.h \
	src/board/rate.c src/board/rate.h \
	src/board/resolved_addr.c src/board/resolved_addr.h \
	src/upstream/balance.c src/upstream/balance.h \
	src/upstream/balance_first.c \
	src/upstream/balance_hash.c \
	src/upstream/balance_key.c \
	src/upstream/balance_leastconn.c \
	src/upstream/balance_maglev.c \
	src/upstream/balance_random.c \
	src/upstream/balance_roundrobin.c \
	src/upstream/balance_tier.c src/upstream/balance_tier.h \
	src/upstream/builtin.c src/upstream/builtin.h \
	src/upstream/check_exchange.c src/upstream/check_exchange.h \
	src/upstream/check_policy.h \
	src/upstream/health.c src/upstream/health.h \
	src/upstream/preconnect.c src/upstream/preconnect.h \
	src/upstream/server.c src/upstream/server.h \
	src/upstream/wait_queue.c src/upstream/wait_queue.h \
	src/session/access_log_format.c src/session/access_log_format.h \
	src/session/access_log_haproxy.c src/session/access_log_haproxy.h \
	src/session/session.c src/session/session.h \
	src/session/session_access.c src/session/session_access.h \
	src/session/session_connect.c src/session/session_connect.h \
	src/session/session_end.c src/session/session_end.h \
	src/session/session_env.c src/session/session_env.h \
	src/session/session_limits.c src/session/session_limits.h \
	src/session/session_linger.c src/session/session_linger.h \
	src/session/session_log.c src/session/session_log.h \
	src/session/session_park.c src/session/session_park.h \
	src/session/session_pick.c src/session/session_pick.h \
	src/session/session_proxy.c src/session/session_proxy.h \
	src/session/session_queue.c src/session/session_queue.h \
	src/session/session_record.c src/session/session_record.h \
	src/session/session_relay.c src/session/session_relay.h \
	src/session/session_stall.c src/session/session_stall.h \
	src/session/session_step.h \
	src/session/session_table.c src/session/session_table.h \
	src/session/session_throttle.c src/session/session_throttle.h \
	src/session/session_timers.c src/session/session_timers.h \
	src/session/sessions.c src/session/sessions.h \
	src/sandbox/privileges.c src/sandbox/privileges.h \
	src/sandbox/sandbox.c src/sandbox/sandbox.h \
	src/sandbox/syscall_filter.c src/sandbox/syscall_filter.h \
	src/config/budget.c src/config/budget.h \
	src/config/check_values.c src/config/check_values.h \
	src/config/conf.c src/config/conf.h \
	src/config/conf_absent.c src/config/conf_absent.h \
	src/config/conf_check.c src/config/conf_check.h \
	src/config/conf_file.c src/config/conf_file.h \
	src/config/conf_hosts.c src/config/conf_hosts.h \
	src/config/conf_listen.c \
	src/config/conf_logs.c src/config/conf_logs.h \
	src/config/conf_loop.c src/config/conf_loop.h \
	src/config/conf_make.c src/config/conf_make.h \
	src/config/conf_slots.c src/config/conf_slots.h \
	src/config/conf_sections.c src/config/conf_sections.h \
	src/config/conf_unused.c src/config/conf_unused.h \
	src/config/conf_unused_limits.c src/config/conf_unused_limits.h \
	src/config/conf_yaml.c src/config/conf_yaml.h \
	src/config/conf_yaml_error.c src/config/conf_yaml_error.h \
	src/config/diagnostics.c src/config/diagnostics.h \
	src/config/directive_types.c src/config/directive_types.h \
	src/config/directives.c src/config/directives.h \
	src/config/egress_values.c src/config/egress_values.h \
	src/config/explain.c src/config/explain.h \
	src/config/instance_name.c src/config/instance_name.h \
	src/config/listener.c src/config/listener.h \
	src/config/log_values.c src/config/log_values.h \
	src/config/networks.c src/config/networks.h \
	src/config/options.c src/config/options.h \
	src/config/proxy_values.c src/config/proxy_values.h \
	src/config/settings.c src/config/settings.h \
	src/process/logs.c src/process/logs.h \
	src/process/process.c src/process/process.h \
	src/process/title.c src/process/title.h \
	src/worker/acceptor.c src/worker/acceptor.h \
	src/worker/worker.c src/worker/worker.h \
	src/prober/check.c src/prober/check.h \
	src/prober/check_runner.c src/prober/check_runner.h \
	src/prober/check_schedule.c src/prober/check_schedule.h \
	src/prober/dns_client.c src/prober/dns_client.h \
	src/prober/dns_socket.c src/prober/dns_socket.h \
	src/prober/lookup.c src/prober/lookup.h \
	src/prober/prober.c src/prober/prober.h \
	src/prober/resolver.c src/prober/resolver.h \
	src/prober/resolver_assign.c src/prober/resolver_assign.h \
	src/prober/resolver_log.c src/prober/resolver_log.h \
	src/master/changes.c src/master/changes.h \
	src/master/child.c src/master/child.h \
	src/master/daemonize.c src/master/daemonize.h \
	src/master/fd_inherit.c src/master/fd_inherit.h \
	src/master/lookups.c src/master/lookups.h \
	src/master/master.c src/master/master.h \
	src/master/orphans.c src/master/orphans.h \
	src/master/outcome.c src/master/outcome.h \
	src/master/phase.c src/master/phase.h \
	src/master/pidfile.c src/master/pidfile.h \
	src/master/process_channel.c \
	src/master/process_generation.c \
	src/master/process_table.c src/master/process_table.h \
	src/master/reload.c src/master/reload.h \
	src/master/runtime_files.c src/master/runtime_files.h \
	src/master/scale.c src/master/scale.h \
	src/master/sd.h \
	src/master/sd_notify.c src/master/sd_notify.h \
	src/master/sd_sockets.c src/master/sd_sockets.h \
	src/master/socket_owner.c src/master/socket_owner.h \
	src/master/startup.c src/master/startup.h \
	src/master/upgrade.c src/master/upgrade.h

# What a program needs that uses any of it, libraries of others last.
BALANCER_LIBS = libbalancer.a libshuttle.a $(LIBYAML_LIBS) $(LIBBSD_LIBS) \
	$(SECCOMP_LIBS) $(SYSTEMD_LIBS) $(CARES_LIBS)

# shuttled: the daemon.
sbin_PROGRAMS += shuttled
shuttled_SOURCES = src/main.c
shuttled_LDADD = $(BALANCER_LIBS)
