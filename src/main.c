/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * main.c: the order of a start: options, log, sockets, board, daemon, then the
 * master with its workers, or one process for everything.
 */

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "board/board.h"
#include "config/budget.h"
#include "config/conf.h"
#include "config/conf_absent.h"
#include "config/conf_check.h"
#include "config/conf_hosts.h"
#include "config/conf_slots.h"
#include "config/conf_unused.h"
#include "config/explain.h"
#include "config/options.h"
#include "config/settings.h"
#include "log/log.h"
#include "master/changes.h"
#include "master/daemonize.h"
#include "master/fd_inherit.h"
#include "master/lookups.h"
#include "master/master.h"
#include "master/runtime_files.h"
#include "master/sd_notify.h"
#include "master/sd_sockets.h"
#include "process/logs.h"
#include "process/process.h"
#include "process/title.h"
#include "session/access_log_format.h"
#include "sys/rlimit.h"
#include "sys/safe_file.h"
#include "sys/signals.h"
#include "worker/worker.h"

/* Without a prober, servers count as up. */
static void
leave_checks(struct conf *conf, struct log *log)
{
	bool any = false;
	size_t i;

	for (i = 0; i < conf->pools; i++) {
		any |= conf->pool[i].checked;
		conf->pool[i].checked = false;
	}
	if (any)
		log_line(log, LOG_WARNING, "servers are not checked without a "
		    "master (-w 0): all count as up");
}

/* Master and worker in one process: no fork, nothing is shared. */
static int
run_single(struct conf *conf, struct board *board, struct log *log,
    struct runtime_files *instance, int *report)
{
	struct notify notify;
	struct worker *w;
	size_t i;
	int status;

	title_set(conf, "single");
	log_ident(log, "single");
	logs_ident(conf, "single");
	leave_checks(conf, log);
	/* The files first: the worker gives up the right to create them. */
	if ((status = runtime_files_announce(instance)) != 0) {
		warnx("%s", instance->why);
		return status;
	}
	if ((w = worker_new(conf, board, log, 0, -1)) == NULL) {
		warnx("cannot start: the log says why (%s)", conf->log);
		return EX_OSERR;
	}
	daemonize_report(report, 0);
	notify_init(&notify);
	/* This process gives no signs of life beside its work. */
	notify.watchdog = 0;
	notify_ready(&notify, "one process");
	if (conf->looked_up_once)
		log_line(log, LOG_WARNING, "names are looked up only once "
		    "without a master (-w 0): resolve has no effect");
	for (i = 0; i < conf->listeners; i++)
		log_line(log, LOG_NOTICE, "listening on %s",
		    conf->listener[i].name);
	changes_log(log, "start", conf, board,
	    atomic_load(&board->ledger->generation), NULL);
	status = worker_loop(w) == PROCESS_DONE ? 0 : EX_OSERR;
	worker_free(w);
	return status;
}

/*
 * Forks into the background unless told not to. -1: there is no waiting parent.
 */
static int
leave_shell(const struct conf *conf)
{
	int report;

	if (conf->foreground)
		return -1;
	if ((report = daemonize_start()) == -1)
		err(EX_OSERR, "cannot become a daemon");
	return report;
}

/* The board of the old master, if its layout fits, or a new one. */
static struct board *
get_board(struct conf *conf, struct inheritance *inherited, struct log *log,
    int *fd)
{
	struct board *b = NULL;
	const char *full;
	uint32_t oldest;

	if (inherited->board != -1 &&
	    (b = board_adopt(inherited->board)) == NULL)
		log_line(log, LOG_NOTICE, "upgrade: shared memory: %s; "
		    "counters start at zero", errno == EINVAL ?
		    "layout changed" : strerror(errno));
	if (b != NULL) {
		*fd = inherited->board;
		inherited->board = -1;
	} else if ((b = board_new(budget_rows(conf), fd)) == NULL) {
		return NULL;
	}
	/*
	 * If this start fails the old master continues, with or without
	 * workers.
	 */
	oldest = board_oldest(b);
	full = conf_assign_slots(conf, b,
	    atomic_fetch_add(&b->ledger->generation, 1) + 1, oldest == 0 ? 1 :
	    oldest);
	if (full == NULL)
		return b;
	warnx("too many %s while earlier generations drain", full);
	errno = ENOSPC;
	return NULL;
}

/* As many descriptors as a worker would have. */
static size_t
get_descriptors(const struct conf *conf)
{
	rlimit_need_descriptors(budget_needed(conf));
	return rlimit_raise_descriptors();
}

/* Mostly address space: memory is allocated on use. */
static void
warn_of_board(const struct conf *conf)
{
	uint64_t bytes = board_bytes(budget_rows(conf));
	struct budget b;
	char why[200];

	if (errno != ENOMEM) {
		if (errno != ENOSPC)
			warnx("cannot make %llu MiB of shared memory: %s",
			    (unsigned long long)bytes >> 20,
			    safe_file_reason("", errno, why, sizeof(why)));
		return;
	}
	budget_make(&b, conf, get_descriptors(conf));
	warnx("cannot map %llu MiB of shared memory: %s",
	    (unsigned long long)bytes >> 20,
	    budget_no_memory(bytes + b.own, why, sizeof(why)));
}

/* With sockets and log open: goes to the background, and serves. */
static int
serve_conf(struct conf *conf, struct log *log, struct runtime_files *instance,
    int *report)
{
	struct board *board;
	int status, fd = -1;

	if ((board = get_board(conf, instance->inherited, log, &fd)) == NULL) {
		warn_of_board(conf);
		return EX_OSERR;
	}
	if (instance->inherited->channel == -1)
		*report = leave_shell(conf);
	if (conf->workers == 0)
		status = run_single(conf, board, log, instance, report);
	else
		status = master_run(conf, board, fd, log, instance, report);
	board_free(board);
	close(fd);
	return status;
}

static void
warn_of_target(const char *target)
{
	const char *what = log_missing(target);

	if (what != NULL)
		warnx("log %s: %s", target, what);
}

/* Printed on the terminal only. */
static void
warn_of_log(const struct conf *conf)
{
	size_t i;

	warn_of_target(conf->log);
	for (i = 0; i < conf->own_logs; i++)
		warn_of_target(conf->own_log[i].target);
}

/* Printed on the terminal: there is no log yet. */
static void
say_all(struct diagnostics *cs)
{
	size_t i;

	for (i = 0; i < cs->n; i++)
		warnx("%s", cs->line[i]);
	if (cs->all > cs->n)
		warnx("and %zu more", cs->all - cs->n);
	diagnostics_free(cs);
}

static void
log_warnings(const struct conf *conf, struct log *log)
{
	struct diagnostics warnings = { .n = 0 };
	size_t i;

	conf_unused(conf, &warnings);
	conf_absent(conf, &warnings);
	for (i = 0; i < warnings.n; i++)
		log_line(log, LOG_WARNING, "%s", warnings.line[i]);
	diagnostics_free(&warnings);
}

static int
run_conf(struct conf *conf, struct inheritance *inherited)
{
	struct diagnostics diagnostics = { .n = 0 };
	struct runtime_files instance;
	struct log *log;
	char why[256];
	int status, report = -1;

	if (inherited->channel != -1 && conf->workers == 0) {
		warnx("workers: 0 needs a restart");
		return EX_USAGE;
	}
	if ((log = log_open_at(conf->log, conf->log_level,
	    &conf->log_addr)) == NULL) {
		warnx("log %s: %s", conf->log,
		    safe_file_reason(conf->log, errno, why, sizeof(why)));
		return EX_CANTCREAT;
	}
	if (logs_open(conf, NULL, 0, &diagnostics) == -1) {
		say_all(&diagnostics);
		log_close(log);
		return EX_CANTCREAT;
	}
	warn_of_log(conf);
	log_set_style(log, access_log_format_style(conf->log_format));
	log_set_instance(log, conf->name);
	log_warnings(conf, log);
	sd_sockets_check(inherited, conf, log);
	if ((status = runtime_files_open(&instance, conf, inherited)) == 0)
		status = serve_conf(conf, log, &instance, &report);
	else
		warnx("%s", instance.why);
	runtime_files_close(&instance);
	daemonize_report(&report, status);
	log_close(log);
	logs_close(conf);
	return status;
}

/* Process titles overwrite the first argument: keep a copy. */
static char **
keep_arguments(int argc, char **argv)
{
	char **kept = calloc((size_t)argc + 1, sizeof(*kept));

	if (kept == NULL || (kept[0] = strdup(argv[0])) == NULL)
		err(EX_OSERR, "arguments");
	return kept;
}

/* Prints that the configuration is right, and its files. */
static int
test_conf(struct conf *conf, size_t descriptors, struct diagnostics *cs)
{
	int status;
	size_t i;

	if ((status = conf_check(conf, descriptors, cs)) != 0) {
		say_all(cs);
		return status;
	}
	warn_of_log(conf);
	conf_unused(conf, cs);
	conf_absent(conf, cs);
	say_all(cs);
	printf("shuttled: OK: %s", conf->settings->files == 0 ?
	    "the options" : conf->settings->file[0]);
	for (i = 1; i < conf->settings->files; i++)
		printf(", %s", conf->settings->file[i]);
	putchar('\n');
	return 0;
}

/* Ends as the signal would have: there is no service to stop in good order. */
static void __attribute__((__noreturn__))
end_by(int sig)
{
	sigset_t set;

	warnx("%s while names are looked up: not started", strsignal(sig));
	/* QUIT must not leave a core file here. */
	privileges_leave_no_core();
	sigemptyset(&set);
	sigaddset(&set, sig);
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(EX_TEMPFAIL);
}

/* All at once: a silent name server delays no other name. */
static void
look_static_names_up(struct hosts *hosts)
{
	int sig = lookups_run(hosts, LOOKUPS_TIME);

	if (sig > 0)
		end_by(sig);
	/* Then one by one. */
	if (sig == -1)
		conf_hosts_free(hosts);
}

static enum options_action
read_configuration(struct conf *conf, int argc, char **args,
    struct diagnostics *cs)
{
	enum options_action action = options_read(conf, argc, args, cs);

	if (action != OPTIONS_DONE && action != OPTIONS_ERROR &&
	    conf_hosts_list(conf->settings, &conf->hosts) == 0 &&
	    conf->hosts.n > 0)
		look_static_names_up(&conf->hosts);
	return options_make(conf, action, cs);
}

int
main(int argc, char **argv, char **envp)
{
	char **args = keep_arguments(argc, argv);
	struct diagnostics diagnostics = { .n = 0 };
	struct inheritance inherited;
	struct conf conf;
	sigset_t signals;
	int status = 0;

	/*
	 * Otherwise sockets could become standard error, and be closed with it.
	 */
	if (daemonize_fill_standard() == -1)
		return EX_OSERR;
	/* From here on a signal waits until it can be handled in good order. */
	signals_hold(&signals);
	setproctitle_init(argc, argv, envp);
	memcpy(args + 1, argv + 1, (size_t)argc * sizeof(*args));
	/* A log never ends the service: closed pipe, maximum file size. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	(void)rlimit_raise_descriptors();
	if (fd_inherit_read(&inherited) == -1 ||
	    sd_sockets_take(&inherited) == -1)
		err(EX_USAGE, "inherited descriptors");
	fd_inherit_close_others(&inherited);
	conf_init(&conf);
	switch (read_configuration(&conf, argc, args, &diagnostics)) {
	case OPTIONS_RUN:
		status = run_conf(&conf, &inherited);
		break;
	case OPTIONS_TEST:
		status = test_conf(&conf, get_descriptors(&conf), &diagnostics);
		break;
	case OPTIONS_EXPLAIN:
		explain_conf(&conf, get_descriptors(&conf), stdout);
		break;
	case OPTIONS_DONE:
		break;
	case OPTIONS_ERROR:
		say_all(&diagnostics);
		status = EX_USAGE;
		break;
	case OPTIONS_BAD_FILE:
		say_all(&diagnostics);
		status = EX_CONFIG;
		break;
	}
	fd_inherit_free(&inherited);
	conf_free(&conf);
	free(args[0]);
	free(args);
	return status;
}
