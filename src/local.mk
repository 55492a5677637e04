# All that makes a configuration; the unit tests build it as well.
CONF_SOURCES = \
	src/budget.c src/budget.h \
	src/check_values.c src/check_values.h \
	src/proxy_values.c src/proxy_values.h \
	src/complaints.c src/complaints.h \
	src/conf.c src/conf.h \
	src/conf_absent.c src/conf_absent.h \
	src/conf_check.c src/conf_check.h \
	src/conf_file.c src/conf_file.h \
	src/conf_hosts.c src/conf_hosts.h \
	src/conf_listen.c \
	src/conf_logs.c src/conf_logs.h \
	src/conf_loop.c src/conf_loop.h \
	src/conf_make.c src/conf_make.h \
	src/conf_scan.c src/conf_scan.h \
	src/conf_text.c src/conf_text.h \
	src/conf_seats.c src/conf_seats.h \
	src/conf_unused.c src/conf_unused.h \
	src/conf_unused_limits.c src/conf_unused_limits.h \
	src/directive_types.c \
	src/directives.c src/directives.h \
	src/explain.c src/explain.h \
	src/instance_name.c src/instance_name.h \
	src/log_values.c src/log_values.h \
	src/networks.c src/networks.h \
	src/options.c src/options.h \
	src/outlet_values.c src/outlet_values.h \
	src/priv.c src/priv.h \
	src/settings.c src/settings.h

# shuttled: the daemon.
sbin_PROGRAMS += shuttled
shuttled_SOURCES = $(CONF_SOURCES) \
	src/acceptor.c src/acceptor.h \
	src/activate.c src/activate.h \
	src/answer.c src/answer.h \
	src/changes.c src/changes.h \
	src/check.c src/check.h \
	src/checks.c src/checks.h \
	src/child.c src/child.h \
	src/children.c src/children.h src/children_generation.c \
	src/children_talk.c \
	src/daemon.c src/daemon.h \
	src/dns.c src/dns.h \
	src/inherit.c src/inherit.h \
	src/filter.c src/filter.h \
	src/instance.c src/instance.h \
	src/listener.c src/listener.h \
	src/logs.c src/logs.h \
	src/lookups.c src/lookups.h \
	src/main.c \
	src/master.c src/master.h \
	src/names.c src/names.h \
	src/notify.c src/notify.h \
	src/outcome.c src/outcome.h \
	src/phase.c src/phase.h \
	src/pidfile.c src/pidfile.h \
	src/prober.c src/prober.h \
	src/process.h \
	src/question.c src/question.h \
	src/reload.c src/reload.h \
	src/runner.c src/runner.h \
	src/sandbox.c src/sandbox.h \
	src/sd.h \
	src/names_log.c src/names_log.h src/seating.c src/seating.h \
	src/startup.c src/startup.h \
	src/title.c src/title.h \
	src/socket_owner.c src/socket_owner.h \
	src/upgrade.c src/upgrade.h \
	src/worker.c src/worker.h
shuttled_LDADD = libshuttle.a $(LIBCONFIG_LIBS) $(LIBBSD_LIBS) \
	$(SECCOMP_LIBS) $(SYSTEMD_LIBS) $(CARES_LIBS)
