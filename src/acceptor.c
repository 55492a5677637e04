/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * acceptor.c: accepts, and stops doing so in time. A worker that is full, or
 * that was refused a descriptor, stops watching the listeners: it neither spins
 * on a connection that it cannot take nor takes one that it cannot serve.
 */
#include "acceptor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

/* Connections taken from one listener in one turn: sessions come first. */
#define ACCEPTS		4

/* After a lack of descriptors or memory in the system, try again so late. */
#define PAUSE		500		/* ms */

/* Pauses that follow each other faster than this are one episode. */
#define QUIET		1000		/* ms */

static void
watch(struct acceptor *a, bool on)
{
	size_t i;

	a->watching = on;
	for (i = 0; i < a->conf->listeners; i++)
		if (a->conf->listener[i].fd != -1)
			poller_want(a->poller, a->conf->listener[i].fd,
			    on ? POLLER_READ : 0);
}

void
acceptor_start(struct acceptor *a)
{
	size_t i;

	watch(a, true);
	for (i = 0; i < a->conf->builtins; i++)
		poller_want(a->poller, a->conf->builtin[i].fd, POLLER_READ);
}

static void
shut(struct acceptor *a, struct listener *l)
{
	if (l->fd == -1)
		return;
	poller_forget(a->poller, l->fd);
	listener_close(l);
}

/*
 * Pause until a session ends or the time is over, whichever is first. Under
 * steady overload that happens at every turn: only an episode is worth a line.
 */
static void
pause_accepting(struct acceptor *a, const char *why)
{
	struct session_table *t = a->table;

	a->pause_until = t->now + PAUSE;
	a->pause_live = t->live;
	a->pauses++;
	counter_add(&t->board->pauses, 1);
	watch(a, false);
	if (a->episode == 0) {
		a->episode = t->now;
		log_line(t->log, LOG_WARNING,
		    "accepting pauses: %s; %u sessions, at most %u", why,
		    t->live, t->limit);
	}
}

static void
end_episode(struct acceptor *a)
{
	struct session_table *t = a->table;

	if (a->episode == 0 || !a->watching || t->now - a->last_pause < QUIET)
		return;
	log_line(t->log, LOG_NOTICE,
	    "accepting goes on: paused %u times in %llu ms", a->pauses,
	    (unsigned long long)(a->last_pause - a->episode));
	a->episode = 0;
	a->pauses = 0;
}

/* What accept() did not give. True: the queue is empty. */
static bool
accept_failed(struct acceptor *a, int err)
{
	switch (err) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		pause_accepting(a, strerror(err));
		return false;
	case EAGAIN:
		return true;
	default:
		/* This one connection is gone already (accept(2), ERRORS). */
		return false;
	}
}

/* Take connections from listener *i*. True: its queue is empty. */
static bool
accept_from(struct acceptor *a, size_t i)
{
	struct listener *l = &a->conf->listener[i];
	struct endpoint from;
	int fd, n;

	for (n = 0; n < ACCEPTS && !table_full(a->table); n++) {
		if ((fd = sys_accept(l->fd, &from)) == -1)
			return accept_failed(a, errno);
		session_open(a->table, fd, &from, (uint16_t)i);
		if (a->closing && a->closing_left > 0)
			a->closing_left--;
	}
	return false;
}

/* Builtin connections have descriptors of their own: see worker.c. */
static void
accept_builtin(struct acceptor *a, const struct listener *l)
{
	struct endpoint from;
	int fd, n;

	for (n = 0; n < ACCEPTS; n++) {
		if ((fd = sys_accept(l->fd, &from)) == -1)
			return;
		builtin_open(a->builtins, fd, l->builtin);
	}
}

bool
acceptor_event(struct acceptor *a, const struct poller_event *ev)
{
	size_t i;

	for (i = 0; i < a->conf->listeners; i++)
		if (a->conf->listener[i].fd == ev->fd) {
			a->ready[i] = a->any_ready = true;
			return true;
		}
	for (i = 0; i < a->conf->builtins; i++)
		if (a->conf->builtin[i].fd == ev->fd) {
			accept_builtin(a, &a->conf->builtin[i]);
			return true;
		}
	return false;
}

static void
resume_or_pause(struct acceptor *a)
{
	struct session_table *t = a->table;

	if (a->watching && t->shortage != 0)
		pause_accepting(a, strerror(t->shortage));
	else if (a->watching && table_full(t))
		pause_accepting(a, "all session slots are taken");
	else if (!a->watching && !table_full(t) &&
	    (t->live < a->pause_live || t->now >= a->pause_until)) {
		a->last_pause = t->now;
		watch(a, true);
	}
	t->shortage = 0;
	end_episode(a);
}

/* While closing, a listener goes when its queue is empty, or was long enough. */
static void
close_emptied(struct acceptor *a)
{
	size_t i;

	if (!a->watching)
		return;
	for (i = 0; i < a->conf->listeners; i++)
		if (a->conf->listener[i].fd != -1 &&
		    (accept_from(a, i) || a->closing_left == 0))
			shut(a, &a->conf->listener[i]);
}

void
acceptor_turn(struct acceptor *a)
{
	size_t i;

	if (a->closing) {
		close_emptied(a);
	} else if (a->any_ready) {
		for (i = 0; i < a->conf->listeners; i++)
			if (a->ready[i] && a->watching)
				accept_from(a, i);
		memset(a->ready, 0, sizeof(a->ready));
		a->any_ready = false;
	}
	resume_or_pause(a);
}

void
acceptor_finish(struct acceptor *a)
{
	a->closing = true;
	/* Clients keep coming: what is queued now is at most a full backlog. */
	a->closing_left = 4096;
}

bool
acceptor_closed(const struct acceptor *a)
{
	size_t i;

	for (i = 0; i < a->conf->listeners; i++)
		if (a->conf->listener[i].fd != -1)
			return false;
	return true;
}

void
acceptor_close_builtins(struct acceptor *a)
{
	size_t i;

	for (i = 0; i < a->conf->builtins; i++)
		shut(a, &a->conf->builtin[i]);
}

int
acceptor_wait(const struct acceptor *a, int limit)
{
	uint64_t now = a->table->now;

	if (a->closing && a->watching && !acceptor_closed(a))
		return 0;
	if (a->watching || table_full(a->table))
		return limit;
	if (a->pause_until <= now)
		return 0;
	return a->pause_until - now < (uint64_t)limit ?
	    (int)(a->pause_until - now) : limit;
}
