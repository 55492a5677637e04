/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * prober.c: sets the prober up and runs its loop. Its only message is a new log
 * descriptor, and it ends with its master.
 */
#include "prober/prober.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prober/check_schedule.h"
#include "prober/resolver.h"
#include "process/process.h"
#include "sandbox/syscall_filter.h"
#include "sys/rlimit.h"
#include "sys/signals.h"

/* The longest sleep, in ms. */
#define SLEEP	1000

struct prober {
	struct process	 proc;
	struct check_schedule	*checks;
	struct resolver	*names;
	uint32_t	 changes;	/* board changes already signalled */
	bool		 stop;
};

bool
prober_is_needed(const struct conf *c)
{
	size_t i;

	if (resolver_wanted(c) > 0)
		return true;
	for (i = 0; i < c->pools; i++)
		if (c->pool[i].checked)
			return true;
	return false;
}

/*
 * A former prober may have been killed between a change and its announcement:
 * announces everything that is on the board.
 */
static void
tell_again(const struct prober *p)
{
	const struct conf *c = p->proc.conf;
	size_t i;

	for (i = 0; i < c->pools; i++)
		atomic_fetch_add(
		    &p->proc.board->pool[c->pool[i].slot].version, 1);
	atomic_fetch_add(&p->proc.board->head->changes, 1);
}

static int
set_up_prober(struct prober *p)
{
	size_t descriptors = rlimit_raise_descriptors();
	struct conf *c = p->proc.conf;

	process_begin_step(&p->proc, "names");
	if ((p->names = resolver_new(c, p->proc.board, p->proc.log)) == NULL)
		return -1;
	if (process_drop_privileges(&p->proc, false) == -1 ||
	    process_open_poller(&p->proc, descriptors) == -1 ||
	    resolver_start(p->names, p->proc.poller, descriptors) == -1)
		return -1;
	process_begin_step(&p->proc, "checks");
	p->checks = check_schedule_new(c, p->proc.board, p->proc.log,
	    p->proc.poller, descriptors);
	if (p->checks == NULL)
		return -1;
	return process_enter_sandbox(&p->proc, SYSCALL_FILTER_PROBER |
	    (conf_binds(c) ? SYSCALL_FILTER_BIND : 0));
}

struct prober *
prober_new(struct conf *conf, struct board *board, struct log *log,
    int channel)
{
	struct prober *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	process_init(&p->proc, conf, board, log, channel);
	if (set_up_prober(p) == 0) {
		tell_again(p);
		log_line(log, LOG_INFO, "ready: uid %d, sandbox %s",
		    (int)geteuid(), p->proc.sandbox);
		return p;
	}
	log_line(log, LOG_ERR, "cannot start: %s: %s", p->proc.step,
	    strerror(errno));
	prober_free(p);
	return NULL;
}

void
prober_free(struct prober *p)
{
	check_schedule_free(p->checks);
	resolver_free(p->names);
	process_free(&p->proc);
	free(p);
}

static void
on_prober_channel(struct prober *p)
{
	int got;
	char what;

	while ((got = process_next_message(&p->proc, &what)) == 1)
		;
	/*
	 * The master is gone: nothing would replace this process after a
	 * reload.
	 */
	if (got == 0)
		p->stop = true;
}

/* Ignores signals that a terminal sends to all: the master decides. */
static void
on_signals(struct prober *p)
{
	int sig;

	while ((sig = signals_next(p->proc.signals)) != 0)
		if (sig == SIGTERM)
			p->stop = true;
}

/*
 * Wakes sessions that wait for these changes; and resets what is known of
 * servers that are new.
 */
static void
follow_changes(struct prober *p)
{
	uint32_t changes = atomic_load(&p->proc.board->head->changes);

	if (changes == p->changes)
		return;
	p->changes = changes;
	check_schedule_follow(p->checks);
	board_wake_all(p->proc.board);
}

static int
turn_prober(struct prober *p)
{
	struct poller_event ev;
	int ms = log_wait(p->proc.log, SLEEP);

	ms = check_schedule_wait(p->checks, resolver_wait(p->names, ms));
	if (poller_wait(p->proc.poller, ms) == -1)
		return -1;
	while (poller_next(p->proc.poller, &ev))
		if (ev.fd == p->proc.channel)
			on_prober_channel(p);
		else if (ev.fd == p->proc.signals)
			on_signals(p);
		else if (!resolver_event(p->names, &ev))
			(void)check_schedule_event(p->checks, &ev);
	resolver_turn(p->names);
	if (check_schedule_turn(p->checks) == -1)
		return -1;
	follow_changes(p);
	log_flush(p->proc.log);
	return 0;
}

int
prober_loop(struct prober *p)
{
	while (!p->stop)
		if (turn_prober(p) == -1) {
			log_line(p->proc.log, LOG_ERR, "cannot go on: %s",
			    strerror(errno));
			return PROCESS_FAILED;
		}
	return PROCESS_DONE;
}
