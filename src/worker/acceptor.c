/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * acceptor.c: accepts connections, and stops in time. A worker that is full, or
 * out of descriptors, stops watching the listeners: it neither spins on a
 * connection that it cannot accept nor accepts one that it cannot serve.
 */
#include "worker/acceptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "util/text.h"

/* Connections accepted from one listener in one turn: sessions come first. */
#define ACCEPTS		4

/* Pause after a lack of descriptors or memory in the system. */
#define PAUSE		500		/* ms */

/* Pauses closer together than this are one episode. */
#define QUIET		1000		/* ms */

/*
 * Sessions that a worker may have above the minimum of all workers before it
 * leaves new ones to others; and a share of the minimum, for large numbers.
 */
#define SLACK		2
#define SLACK_SHARE	32

/* Time a connection may wait for a worker that does not respond, in ms. */
#define PATIENCE	50

/* Maximum of that time on an idle listener, in ms. */
#define LONG_PATIENCE	1000

/* Time for which workers without a heartbeat are then ignored, in ms. */
#define DISTRUST	1000

_Static_assert(CONF_LISTENERS < UINT16_MAX, "sessions have no room for it");

int
acceptor_init(struct acceptor *a, struct conf *c)
{
	size_t i;

	a->conf = c;
	for (i = 0; i < c->listeners; i++)
		if (c->listener[i].fd >= a->descriptors)
			a->descriptors = c->listener[i].fd + 1;
	a->of = calloc((size_t)a->descriptors, sizeof(*a->of));
	for (i = 0; a->of != NULL && i < c->listeners; i++)
		a->of[c->listener[i].fd] = (uint16_t)(i + 1);
	return a->of == NULL ? -1 : 0;
}

void
acceptor_free(struct acceptor *a)
{
	free(a->of);
}

static void
watch_listeners(struct acceptor *a, bool on)
{
	size_t i;

	a->watching = on;
	for (i = 0; i < a->conf->listeners; i++)
		if (a->conf->listener[i].fd != -1)
			poller_share(a->poller, a->conf->listener[i].fd, on);
}

static void
watch_builtins(struct acceptor *a, bool on)
{
	size_t i;

	a->watching_builtins = on;
	for (i = 0; i < a->conf->builtins; i++)
		if (a->conf->builtin[i].fd != -1)
			poller_share(a->poller, a->conf->builtin[i].fd, on);
}

void
acceptor_start(struct acceptor *a)
{
	a->held = false;
	a->patience = PATIENCE;
	watch_listeners(a, true);
	watch_builtins(a, true);
}

static void
shut_listener(struct acceptor *a, struct listener *l)
{
	if (l->fd == -1)
		return;
	poller_forget(a->poller, l->fd);
	if (l->builtin == BUILTIN_NONE)
		a->of[l->fd] = 0;
	listener_close(l);
}

/*
 * Pauses until a session ends or the time is over. Under steady overload every
 * turn pauses, so only the first of an episode is logged.
 */
static void
pause_accepting(struct acceptor *a, const char *why)
{
	struct session_env *e = a->env;

	a->pause_until = e->now + PAUSE;
	a->pause_live = e->table.live;
	a->pauses++;
	counter_add(&e->board->pauses, 1);
	if (a->episode == 0) {
		a->episode = e->now;
		log_line(e->log, LOG_WARNING,
		    "stopped accepting: %s; %u session%s of at most %u", why,
		    e->table.live, text_s(e->table.live), e->table.limit);
	}
}

static void
end_episode(struct acceptor *a)
{
	struct session_env *e = a->env;

	if (a->episode == 0 || a->pause_until != 0 || e->now - a->last_pause < QUIET)
		return;
	log_line(e->log, LOG_NOTICE,
	    "accepting again: paused %u time%s in %llu ms", a->pauses,
	    text_s(a->pauses),
	    (unsigned long long)(a->last_pause - a->episode));
	a->episode = 0;
	a->pauses = 0;
}

/* Handles an error of accept(). True: the queue is empty. */
static bool
accept_failed(struct acceptor *a, int err)
{
	switch (err) {
	case EAGAIN:
		return true;
	case ECONNABORTED:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case EINTR:
	case ENETDOWN:
	case ENETUNREACH:
	case ENONET:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EPERM:
	case EPROTO:
		/* Only this connection has failed (accept(2), ERRORS). */
		return false;
	default:
		/*
		 * The listener stays ready: without a pause the worker would
		 * spin.
		 */
		pause_accepting(a, strerror(err));
		return false;
	}
}

/* True if this worker would accept a connection now. */
static bool
would_take(const struct acceptor *a, uint32_t worker)
{
	const struct board_worker *w = &a->board->worker[worker];
	uint64_t now = a->env->now;

	/* Values in a free slot are meaningless. */
	if (!board_is_held(a->board, worker) ||
	    atomic_load_explicit(&w->state, memory_order_relaxed) !=
	    WORKER_READY ||
	    atomic_load_explicit(&a->board->ledger->process[worker].stopped,
	    memory_order_relaxed) != 0)
		return false;
	return now >= a->distrust_until || board_beats(a->board, worker, now,
	    PATIENCE - 1);
}

/*
 * The most sessions that this worker may have while the load is even. A worker
 * that did not accept a connection in PATIENCE on its turn is ignored. While
 * another worker has no session it is its turn: it sleeps in the kernel's
 * queue, and waking a busy worker would be in vain.
 */
static uint32_t
fair_share(const struct acceptor *a)
{
	const struct board *b = a->board;
	uint32_t i, live, fewest = a->env->table.live;

	if (fewest == 0)
		return UINT32_MAX;
	for (i = 0; i < board_worker_slots(b); i++) {
		live = atomic_load_explicit(&b->worker[i].live,
		    memory_order_relaxed);
		if (live < fewest && would_take(a, i))
			fewest = live;
	}
	return fewest == 0 ? 0 : fewest + SLACK + fewest / SLACK_SHARE;
}

/* Its clients are refused; other listeners are not affected. */
static void
lose(struct acceptor *a, struct listener *l)
{
	log_line(a->env->log, LOG_ERR, "listener %s: another process has shut "
	    "it down; a reload (HUP) opens it again", l->name);
	shut_listener(a, l);
}

/* Accepts connections from listener *i*. True: its queue is empty. */
static bool
accept_from(struct acceptor *a, size_t i)
{
	struct listener *l = &a->conf->listener[i];
	struct endpoint from;
	int fd, n;

	if (l->fd == -1)
		return true;
	for (n = 0; n < ACCEPTS && !table_full(&a->env->table) &&
	    (a->closing || a->env->table.live <= a->share); n++) {
		fd = socket_accept(l->fd, &from);
		if (fd == -1 && errno == EINVAL) {
			lose(a, l);
			return true;
		}
		if (fd == -1)
			return accept_failed(a, errno);
		session_open(a->env, fd, &from, (uint16_t)i);
		if (a->closing && a->closing_left > 0)
			a->closing_left--;
	}
	return false;
}

/*
 * Builtin connections get a third of the descriptors, see worker.c: all workers
 * together have room for one for each session.
 */
static bool
builtins_full(const struct acceptor *a)
{
	return builtin_live(a->builtins) >= a->env->table.limit;
}

static int
take_builtin(struct acceptor *a, const struct listener *l)
{
	struct endpoint from;
	int fd = socket_accept(l->fd, &from);

	if (fd == -1)
		return -1;
	builtin_open(a->builtins, fd, l->builtin,
	    a->conf->server[l->server].name);
	return 0;
}

static void
accept_builtin(struct acceptor *a, struct listener *l)
{
	int n;

	for (n = 0; n < ACCEPTS && !builtins_full(a); n++)
		if (take_builtin(a, l) == -1) {
			if (errno == EINVAL) {
				lose(a, l);
				return;
			}
			(void)accept_failed(a, errno);
			break;
		}
	if (builtins_full(a) || a->pause_until != 0)
		watch_builtins(a, false);
	else
		poller_share(a->poller, l->fd, true);
}

bool
acceptor_event(struct acceptor *a, const struct poller_event *ev)
{
	uint16_t at;
	size_t i;

	if (ev->fd < a->descriptors && (at = a->of[ev->fd]) != 0) {
		a->ready[a->n_ready++] = (uint16_t)(at - 1);
		return true;
	}
	for (i = 0; i < a->conf->builtins; i++)
		if (a->conf->builtin[i].fd == ev->fd) {
			accept_builtin(a, &a->conf->builtin[i]);
			return true;
		}
	return false;
}

/*
 * Leaves new connections to workers with fewer sessions. Looks from time to
 * time all the same: a connection that was left waiting means that a worker is
 * stuck.
 */
static void
gate_accepting(struct acceptor *a)
{
	struct session_env *e = a->env;

	a->share = fair_share(a);
	/* The queue must be emptied, regardless of load. */
	if (a->closing || e->table.live <= a->share) {
		a->gated = false;
	} else if (!a->gated) {
		a->gated = true;
		a->look_at = e->now + PATIENCE;
	}
}

static void
resume_or_pause(struct acceptor *a)
{
	struct session_env *e = a->env;

	if (a->pause_until == 0 && e->shortage != 0)
		pause_accepting(a, strerror(e->shortage));
	else if (a->pause_until == 0 && table_full(&e->table))
		pause_accepting(a, "all session slots are taken");
	else if (a->pause_until != 0 && !table_full(&e->table) &&
	    (e->table.live < a->pause_live || e->now >= a->pause_until)) {
		a->pause_until = 0;
		a->last_pause = e->now;
	}
	e->shortage = 0;
	gate_accepting(a);
	if (a->watching != (a->pause_until == 0 && !a->gated))
		watch_listeners(a, !a->watching);
	end_episode(a);
}

/*
 * While closing, closes a listener when its queue is empty or after enough
 * accepts.
 */
static void
close_emptied(struct acceptor *a)
{
	size_t i;

	if (!a->watching)
		return;
	for (i = 0; i < a->conf->listeners; i++)
		if (a->conf->listener[i].fd != -1 &&
		    (accept_from(a, i) || a->closing_left == 0))
			shut_listener(a, &a->conf->listener[i]);
}

/*
 * True if a connection has waited although others have fewer sessions, perhaps
 * because the worker that the kernel woke for it died or is stuck.
 */
static void
look_for_waiting(struct acceptor *a)
{
	struct session_env *e = a->env;
	uint32_t before = e->table.live;
	size_t i;

	a->share = UINT32_MAX;
	for (i = 0; i < a->conf->listeners; i++)
		accept_from(a, i);
	if (a->gated && e->table.live > before)
		a->distrust_until = e->now + DISTRUST;
	if (a->gated || e->table.live > before)
		a->patience = PATIENCE;
	else if ((a->patience *= 2) > LONG_PATIENCE)
		a->patience = LONG_PATIENCE;
	a->look_at = e->now + a->patience;
}

void
acceptor_look(struct acceptor *a)
{
	a->look_at = 0;
}

static void
accept_ready(struct acceptor *a)
{
	size_t i;
	int fd;

	for (i = 0; i < a->n_ready && a->watching; i++) {
		accept_from(a, a->ready[i]);
		fd = a->conf->listener[a->ready[i]].fd;
		if (fd != -1)
			poller_share(a->poller, fd, true);
	}
	a->n_ready = 0;
	a->patience = PATIENCE;
	a->look_at = a->env->now + PATIENCE;
}

void
acceptor_turn(struct acceptor *a)
{
	if (a->held)
		return;
	if (a->closing)
		close_emptied(a);
	else if (a->n_ready > 0)
		accept_ready(a);
	else if (a->pause_until == 0 && a->env->now >= a->look_at)
		look_for_waiting(a);
	resume_or_pause(a);
	if (!a->watching_builtins && !builtins_full(a) && a->pause_until == 0)
		watch_builtins(a, true);
}

void
acceptor_finish(struct acceptor *a)
{
	if (a->held)
		acceptor_start(a);
	a->closing = true;
	/*
	 * New clients may keep arriving: at most a full backlog is queued now.
	 */
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
	struct listener *l;
	size_t i;

	/* Queued connections may be of this worker, and no other may be left. */
	for (i = 0; i < a->conf->builtins; i++) {
		l = &a->conf->builtin[i];
		while (l->fd != -1 && !builtins_full(a) &&
		    take_builtin(a, l) == 0)
			;
		shut_listener(a, l);
	}
}

int
acceptor_wait(const struct acceptor *a, int limit)
{
	uint64_t now = a->env->now, at;

	if (a->held)
		return limit;
	if (a->closing)
		return a->watching && !acceptor_closed(a) ? 0 : limit;
	if (a->pause_until != 0 && table_full(&a->env->table))
		return limit;
	at = a->pause_until != 0 ? a->pause_until : a->look_at;
	if (at <= now)
		return 0;
	return at - now < (uint64_t)limit ? (int)(at - now) : limit;
}
