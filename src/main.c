/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * main.c: the order of a start: options, log, sockets, board, daemon, then the
 * master with its workers, or the one process that does it all.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "board.h"
#include "conf.h"
#include "daemon.h"
#include "instance.h"
#include "log.h"
#include "master.h"
#include "options.h"
#include "sys.h"
#include "worker.h"

/* Master and worker in one: no fork, nothing that is shared. */
static int
run_single(struct conf *conf, struct board *board, struct log *log,
    struct instance *instance, int *report)
{
	struct worker *w;
	size_t i;
	int status;

	setproctitle("single");
	log_ident(log, "single");
	/* The files first: the worker gives up the right to make them. */
	if ((status = instance_announce(instance)) != 0) {
		warnx("%s", instance->why);
		return status;
	}
	if ((w = worker_new(conf, board, log, 0, -1)) == NULL) {
		warnx("cannot start: the log says why (%s)", conf->log);
		return EX_OSERR;
	}
	daemon_report(report, 0);
	for (i = 0; i < conf->listeners; i++)
		log_line(log, LOG_NOTICE, "listening on %s",
		    conf->listener[i].name);
	status = worker_loop(w) == WORKER_DONE ? 0 : EX_OSERR;
	worker_free(w);
	return status;
}

/* Fork into the background unless told not to. -1: there is nobody to tell. */
static int
leave_shell(const struct conf *conf)
{
	int report;

	if (conf->foreground)
		return -1;
	if ((report = daemon_start()) == -1)
		err(EX_OSERR, "cannot become a daemon");
	return report;
}

/* With sockets and log open: to the background, and serve. */
static int
serve(struct conf *conf, struct log *log, struct instance *instance,
    int *report)
{
	struct board *board;
	int status;

	if ((board = board_new(BOARD_SEATS)) == NULL ||
	    conf_sit_down(conf, board, 1, 1) == -1) {
		warn("board");
		return EX_OSERR;
	}
	*report = leave_shell(conf);
	if (conf->workers == 0)
		status = run_single(conf, board, log, instance, report);
	else
		status = master_run(conf, board, log, instance, report);
	board_free(board);
	return status;
}

static int
run(struct conf *conf)
{
	struct instance instance;
	struct log *log;
	sigset_t signals;
	int status, report = -1;

	/* From here on a signal waits until it can be acted on in good order. */
	sys_hold_signals(&signals);
	if ((log = log_open(conf->log, conf->log_level)) == NULL) {
		warn("log %s", conf->log);
		return EX_CANTCREAT;
	}
	if ((status = instance_open(&instance, conf)) == 0)
		status = serve(conf, log, &instance, &report);
	else
		warnx("%s", instance.why);
	instance_close(&instance);
	daemon_report(&report, status);
	log_close(log);
	return status;
}

/* To the terminal: there is no log yet. */
static void
say_all(struct complaints *cs)
{
	size_t i;

	for (i = 0; i < cs->n; i++)
		warnx("%s", cs->line[i]);
	if (cs->all > cs->n)
		warnx("and %zu more", cs->all - cs->n);
	complaints_free(cs);
}

int
main(int argc, char **argv, char **envp)
{
	struct complaints complaints = { .n = 0 };
	struct conf conf;
	int status = 0;

	setproctitle_init(argc, argv, envp);
	/* A log on a closed pipe must not end the service. */
	signal(SIGPIPE, SIG_IGN);
	(void)sys_raise_descriptors();
	conf_init(&conf);
	switch (options_parse(&conf, argc, argv, &complaints)) {
	case OPTIONS_RUN:
		/* A daemon keeps nothing of whoever starts it. */
		if (!conf.foreground)
			closefrom(STDERR_FILENO + 1);
		status = run(&conf);
		break;
	case OPTIONS_TEST:
		puts("shuttled: the options are fine");
		break;
	case OPTIONS_DONE:
		break;
	case OPTIONS_ERROR:
		say_all(&complaints);
		status = EX_USAGE;
		break;
	}
	conf_free(&conf);
	return status;
}
