/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * worker.c: sets a worker up, drops privileges, and runs the loop: wait, let
 * sessions act, accept, expire, write the log. Everything is allocated before
 * the first turn. A worker never opens a file, forks, or waits for anything but
 * the poller.
 */
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/budget.h"
#include "process/logs.h"
#include "process/process.h"
#include "process/title.h"
#include "proto/proxyproto.h"
#include "sandbox/syscall_filter.h"
#include "session/access_log_format.h"
#include "session/session_limits.h"
#include "session/session_log.h"
#include "session/sessions.h"
#include "sys/channel.h"
#include "sys/clock.h"
#include "sys/processors.h"
#include "sys/rlimit.h"
#include "sys/signals.h"
#include "upstream/preconnect.h"
#include "upstream/wait_queue.h"
#include "util/text.h"
#include "worker/acceptor.h"

/* Longest interval of heartbeats, in ms. */
#define HEARTBEAT	1000

/* From end of file to the end of a drain, in ms, at most. */
#define DRAIN_GRACE	5000

struct worker {
	struct process	 proc;
	struct board_worker *me;
	uint32_t	 slot;
	bool		 single;	/* there is no other process */
	int		 wakeup;		/* readable after a wakeup */
	struct servers	 servers;
	struct session_env env;
	struct builtins	*builtins;
	struct acceptor	 acceptor;
	bool		 draining;
	bool		 closed;	/* stopped accepting */
	bool		 served;	/* all sessions have a server */
	bool		 shutting;	/* sessions got end of file */
	bool		 stop;
	const char	*timeout;	/* name of the timeout of the drain */
	uint64_t	 drain_end;	/* end of the drain; 0: never */
	uint64_t	 drain_shut;	/* time to send end of file */
	enum worker_state state;	/* as the board should say */
	uint64_t	 us;		/* clock_now_us(), set each turn */
	uint64_t	 awake_until;	/* in us: do not sleep before */
};

/* Logged by the first worker for all. */
static void
note_budget(const struct worker *w, const struct budget *b)
{
	if (b->sessions < w->proc.conf->sessions && w->slot == 0)
		log_line(w->proc.log, LOG_WARNING, "each worker has %u "
		    "session%s at most, not %u: the limit of descriptors is "
		    "%zu, not %zu (LimitNOFILE=%zu, ulimit -n)", b->sessions,
		    text_s(b->sessions), w->proc.conf->sessions,
		    b->descriptors, b->needed, b->needed);
}

static struct session_route *
make_routes(const struct conf *c)
{
	struct session_route *route;
	const struct listener *l;
	size_t i;

	if ((route = calloc(c->listeners, sizeof(*route))) == NULL)
		return NULL;
	for (i = 0; i < c->listeners; i++) {
		l = &c->listener[i];
		route[i].name = l->label[0] != '\0' ? l->label : l->name;
		route[i].address = l->name;
		route[i].port = addr_port(&l->addr);
		route[i].silent = l->silent;
		if (l->own_log > 0)
			route[i].log = c->own_log[l->own_log - 1].log;
		route[i].pool = l->pool;
		route[i].limits = l->limits;
		route[i].allow = l->allow;
		route[i].deny = l->deny;
		route[i].reject_with = l->reject_with;
		route[i].counts = l->counts;
		route[i].slot = l->slot;
		if (l->limit > 0)
			route[i].limit = &c->limit[l->limit - 1];
		route[i].proxies = l->proxies;
		route[i].untrusted_plain = l->untrusted_plain;
		route[i].eager = ROUTE_EAGER;
	}
	return route;
}

/* Workers start with different source addresses. */
static uint32_t *
make_turns(const struct worker *w)
{
	uint32_t *turn = calloc(w->servers.n, sizeof(*turn)), i;

	for (i = 0; turn != NULL && i < w->servers.n; i++)
		turn[i] = w->slot;
	return turn;
}

static int
set_up_lines(struct session_lines *l, const struct conf *c)
{
	char why[200];

	l->errors = c->log_errors;
	l->every = c->log_every;
	l->interval = c->log_interval;
	/* Checked with the options: only memory can be lacking. */
	l->format = access_log_format_new(c->log_format, why, sizeof(why));
	return l->format == NULL ? -1 : 0;
}

static int
set_up_sessions(struct worker *w, size_t descriptors)
{
	const struct conf *c = w->proc.conf;
	struct session_env *e = &w->env;
	struct budget b;

	budget_make(&b, c, descriptors);
	note_budget(w, &b);
	w->proc.step = "sessions within the limit of descriptors";
	if (b.sessions == 0) {
		errno = EMFILE;
		return -1;
	}
	process_begin_step(&w->proc, "memory");
	if (table_init(&e->table, b.sessions, descriptors) == -1 ||
	    set_up_lines(&e->lines, c) == -1 ||
	    (w->servers.turn = make_turns(w)) == NULL ||
	    (e->route = make_routes(c)) == NULL)
		return -1;
	e->now = clock_now_ms();
	arc4random_buf(&e->seed, sizeof(e->seed));
	e->servers = &w->servers;
	e->poller = w->proc.poller;
	e->board = w->me;
	e->log = w->proc.log;
	e->max_sessions = c->max_sessions;
	e->dry_run = c->dry_run;
	if (b.notes > 0 && access_log_format_has(e->lines.format,
	    "pp_unique_id") && (e->header_ids =
	    calloc(b.sessions, PROXYPROTO_ID + 1)) == NULL)
		return -1;
	e->kit.pool = bufpool_new(c->buffers, BUDGET_BLOCK);
	e->kit.scratch = malloc(BUDGET_BLOCK);
	if (b.notes > 0)
		e->notes = bufpool_new(b.notes, PROXYPROTO_MAX);
	if (b.pipes > 0)
		e->kit.pipes = pipepool_new();
	e->kit.counts = &w->me->shuttles;
	e->balance = balance_new(&w->servers);
	e->timers = timer_new(b.sessions, e->now);
	e->preconnects = preconnect_new(&(struct preconnect_env) { .servers =
	    &w->servers, .poller = w->proc.poller, .log = w->proc.log,
	    .descriptors = descriptors, .now = &e->now });
	e->queue = wait_queue_new(&w->servers, b.sessions);
	return e->kit.pool == NULL || e->kit.scratch == NULL ||
	    e->balance == NULL || e->timers == NULL || e->preconnects == NULL ||
	    e->queue == NULL || (b.notes > 0 && e->notes == NULL) ? -1 : 0;
}

static int
set_up_worker(struct worker *w)
{
	struct conf *c = w->proc.conf;
	size_t descriptors;
	sigset_t wakeup;

	rlimit_need_descriptors(budget_needed(c));
	descriptors = rlimit_raise_descriptors();
	/* First, so that memory is local; a failure is not fatal. */
	if (c->pin_cpus && processors_pin(w->slot) == -1)
		log_line(w->proc.log, LOG_WARNING, "cannot be pinned to a CPU: "
		    "%s", strerror(errno));
	w->servers.list = c->server;
	w->servers.n = (uint32_t)c->servers;
	w->servers.pool = c->pool;
	w->servers.pools = (uint32_t)c->pools;
	w->servers.board = w->proc.board;
	w->servers.worker = w->slot;
	sigemptyset(&wakeup);
	sigaddset(&wakeup, BOARD_WAKEUP);
	if (process_drop_privileges(&w->proc,
	    conf_leaves_as_client(c)) == -1 ||
	    process_open_poller(&w->proc, descriptors) == -1 ||
	    (w->wakeup = signals_open(&wakeup)) == -1 ||
	    set_up_sessions(w, descriptors) == -1 ||
	    (w->builtins = builtin_new(w->proc.poller, &w->env.kit,
	    descriptors)) == NULL)
		return -1;
	if (acceptor_init(&w->acceptor, c) == -1)
		return -1;
	w->acceptor.board = w->proc.board;
	w->acceptor.poller = w->proc.poller;
	w->acceptor.env = &w->env;
	w->acceptor.builtins = w->builtins;
	w->acceptor.held = true;
	poller_want(w->proc.poller, w->wakeup, POLLER_READ);
	/* Without a master this process opens logs and removes files itself. */
	return w->single ? 0 : process_enter_sandbox(&w->proc,
	    SYSCALL_FILTER_WORKER | (conf_binds(c) || conf_leaves_as_client(c) ?
	    SYSCALL_FILTER_BIND : 0));
}

void
worker_free(struct worker *w)
{
	sessions_kill(&w->env, END_STOP, false);
	builtin_free(w->builtins);
	acceptor_free(&w->acceptor);
	session_env_free(&w->env);
	free(w->env.route);
	free(w->servers.turn);
	if (w->wakeup != -1)
		close(w->wakeup);
	process_free(&w->proc);
	logs_flush(w->proc.conf);
	log_count_lost(w->proc.log, NULL);
	logs_count_lost(w->proc.conf, NULL);
	free(w);
}

/* Limits the drain to *ms* from now; 0: unchanged. */
static void
limit_drain(struct worker *w, const char *which, uint64_t ms)
{
	uint64_t end = w->env.now + ms, grace = ms / 5;

	if (ms == 0 || (w->drain_end != 0 && w->drain_end <= end))
		return;
	w->timeout = which;
	w->drain_end = end;
	w->drain_shut = end - (grace < DRAIN_GRACE ? grace : DRAIN_GRACE);
}

static void
set_worker_state(struct worker *w, enum worker_state state)
{
	w->state = state;
	atomic_store(&w->me->state, state);
}

static void
start_drain(struct worker *w, const char *why)
{
	if (w->draining)
		return;
	w->draining = true;
	set_worker_state(w, WORKER_CLOSING);
	if (!w->single)
		title_set(w->proc.conf, "worker %u, generation %u, draining",
		    w->slot + 1, 
		    atomic_load(
		    &w->proc.board->ledger->process[w->slot].generation));
	log_line(w->proc.log, LOG_NOTICE, "draining: %s; %u session%s", why,
	    w->env.table.live, text_s(w->env.table.live));
	preconnect_close(w->env.preconnects);
	acceptor_finish(&w->acceptor);
}

/* After QUIT, quit_timeout applies to all workers, including replaced ones. */
static void
retire_worker(struct worker *w, const char *why)
{
	limit_drain(w, "reload", w->proc.conf->reload_timeout);
	start_drain(w, why);
}

static void
quit_worker(struct worker *w, const char *why)
{
	limit_drain(w, "drain", w->proc.conf->drain_timeout);
	start_drain(w, why);
}

static void
stop_worker(struct worker *w)
{
	/* A terminal sends this signal to all processes. */
	if (w->stop)
		return;
	log_line(w->proc.log, LOG_INFO, "stopping: %u session%s",
	    w->env.table.live, text_s(w->env.table.live));
	w->stop = true;
}

/* During an upgrade the other master may have the signal: see the board. */
static void
heed_ledger(struct worker *w)
{
	const struct board_ledger *ledger = w->proc.board->ledger;

	if (atomic_load(&ledger->stopping))
		stop_worker(w);
	if (!w->draining)
		return;
	if (atomic_load(&ledger->leaving))
		limit_drain(w, "drain", w->proc.conf->drain_timeout);
	if (atomic_load(&ledger->process[w->slot].generation) <=
	    atomic_load(&ledger->outdated))
		limit_drain(w, "max_generations", PROCESS_HURRY);
}

/* Near the end of a drain: sends end of file first, and resets at its end. */
static void
drain_stage(struct worker *w)
{
	if (w->drain_end == 0 || w->env.now < w->drain_shut)
		return;
	if (!w->shutting) {
		w->shutting = true;
		if (w->env.table.live > 0)
			log_line(w->proc.log, LOG_WARNING, "%s timeout: %u "
			    "session%s left, the oldest %llu s old: sending "
			    "end of file", w->timeout, w->env.table.live,
			    text_s(w->env.table.live), (unsigned long long)
			    sessions_oldest(&w->env) / 1000);
		sessions_shut(&w->env, END_DRAIN);
	}
	if (w->env.now < w->drain_end)
		return;
	if (w->env.table.live > 0)
		log_line(w->proc.log, LOG_WARNING, "%s timeout: resetting %u "
		    "session%s", w->timeout, w->env.table.live,
		    text_s(w->env.table.live));
	sessions_kill(&w->env, END_DRAIN, true);
	w->stop = true;
}

/* Reports once that this worker has stopped accepting. */
static void
note_closed(struct worker *w)
{
	if (!w->draining || w->closed || !acceptor_closed(&w->acceptor))
		return;
	w->closed = true;
	set_worker_state(w, WORKER_DRAINING);
	if (w->proc.channel != -1)
		(void)channel_send(w->proc.channel, CHANNEL_CLOSED, -1);
}

static bool
is_worker_drained(struct worker *w)
{
	note_closed(w);
	if (!w->closed)
		return false;
	/*
	 * Sessions of this worker need them until they have a server. After
	 * that, only connections of other workers would arrive, and be cut at
	 * the end of the drain.
	 */
	if (!w->served && sessions_all_served(&w->env)) {
		w->served = true;
		acceptor_close_builtins(&w->acceptor);
	}
	return w->env.table.live == 0 && builtin_live(w->builtins) == 0;
}

static void
on_worker_signal(struct worker *w, int sig)
{
	switch (sig) {
	case SIGTERM:
	case SIGINT:
		stop_worker(w);
		break;
	case SIGQUIT:
		quit_worker(w, "asked to quit");
		break;
	case SIGUSR1:
		/* With a master, the master opens files. */
		if (w->single)
			(void)logs_reopen(w->proc.log, w->proc.conf);
		break;
	case SIGHUP:
	case SIGUSR2:
		if (w->single)
			log_line(w->proc.log, LOG_WARNING,
			    "%s: not without a master (-w 0)",
			    sig == SIGHUP ? "reload" : "upgrade");
		break;
	default:
		break;
	}
}

/* Begins to accept. */
static void
go_accepting(struct worker *w)
{
	if (!w->acceptor.held)
		return;
	acceptor_start(&w->acceptor);
	set_worker_state(w, WORKER_READY);
}

static void
on_worker_channel(struct worker *w)
{
	int got;
	char what;

	while ((got = process_next_message(&w->proc, &what)) == 1) {
		if (what == CHANNEL_LOOK)
			acceptor_look(&w->acceptor);
		else if (what == CHANNEL_GO)
			go_accepting(w);
		else if (what == CHANNEL_RETIRE)
			retire_worker(w, "asked to drain");
	}
	if (got == 0) {
		poller_forget(w->proc.poller, w->proc.channel);
		close(w->proc.channel);
		w->proc.channel = -1;
		retire_worker(w, "the master is gone");
	}
}

/* Without an owner in this process it would be ready in every turn. */
static void
drop_stray(struct worker *w, int fd)
{
	log_seldom(w->proc.log, LOG_ERR, "descriptor %d is ready but has no "
	    "owner; no longer watched", fd);
	poller_drop(w->proc.poller, fd);
}

static void
on_worker_event(struct worker *w, const struct poller_event *ev)
{
	int sig;

	if (sessions_event(&w->env, ev) ||
	    preconnect_event(w->env.preconnects, ev) ||
	    builtin_event(w->builtins, ev) ||
	    acceptor_event(&w->acceptor, ev))
		return;
	if (ev->fd == w->wakeup) {
		(void)signals_next(w->wakeup);
		wait_queue_wake(w->env.queue);
		return;
	}
	if (ev->fd != w->proc.channel && ev->fd != w->proc.signals) {
		drop_stray(w, ev->fd);
		return;
	}
	/*
	 * A log handed over before the signal is for the lines caused by the
	 * signal.
	 */
	if (w->proc.channel != -1)
		on_worker_channel(w);
	if (ev->fd == w->proc.signals)
		while ((sig = signals_next(w->proc.signals)) != 0)
			on_worker_signal(w, sig);
}

/* The time without work, in ms. */
static int
worker_wait_time(const struct worker *w)
{
	uint64_t now = w->env.now, due;
	int ms = HEARTBEAT;

	/* Its next bytes may arrive at once: poll instead of sleeping. */
	if (w->us < w->awake_until && w->env.table.live > 0)
		return 0;
	due = w->shutting ? w->drain_end : w->drain_shut;
	if (due != 0 && due < now + (uint64_t)ms)
		ms = due <= now ? 0 : (int)(due - now);
	ms = acceptor_wait(&w->acceptor, ms);
	ms = preconnect_wait(w->env.preconnects, ms);
	ms = wait_queue_wait(w->env.queue, now, ms);
	ms = log_wait(w->proc.log, session_log_wait(&w->env, ms));
	ms = logs_wait(w->proc.conf, ms);
	return timer_wait(w->env.timers, now, ms);
}

static int
run_worker_turn(struct worker *w)
{
	struct poller_event ev;
	int ready;

	if ((ready = poller_wait(w->proc.poller, worker_wait_time(w))) == -1)
		return -1;
	if (poller_failed(w->proc.poller))
		log_seldom(w->proc.log, LOG_WARNING,
		    "poller: out of memory; trying again");
	w->us = clock_now_us();
	sessions_turn(&w->env, w->us / 1000);
	if (ready)
		w->awake_until = w->us + w->proc.conf->busy_poll;
	atomic_store_explicit(&w->me->heartbeat, w->env.now,
	    memory_order_relaxed);
	atomic_store_explicit(&w->me->state, w->state, memory_order_relaxed);
	session_count_mend(&w->env);
	while (poller_next(w->proc.poller, &ev))
		on_worker_event(w, &ev);
	acceptor_turn(&w->acceptor);
	sessions_expire(&w->env);
	sessions_cut(&w->env);
	sessions_serve_queue(&w->env);
	session_count_saw(&w->env);
	preconnect_turn(w->env.preconnects);
	heed_ledger(w);
	drain_stage(w);
	session_log_turn(&w->env);
	log_flush(w->proc.log);
	logs_flush(w->proc.conf);
	return 0;
}

static void
note_failure(const struct worker *w)
{
	char why[200];
	struct budget b;

	if (errno != ENOMEM) {
		log_line(w->proc.log, LOG_ERR, "cannot start: %s: %s",
		    w->proc.step, strerror(errno));
		return;
	}
	budget_make(&b, w->proc.conf, rlimit_raise_descriptors());
	log_line(w->proc.log, LOG_ERR, "cannot start: %s, %llu MiB: %s: %s",
	    w->proc.step,
	    (unsigned long long)b.own >> 20, strerror(ENOMEM),
	    budget_no_memory(b.own, why, sizeof(why)));
}

struct worker *
worker_new(struct conf *conf, struct board *board, struct log *log,
    uint32_t slot, int channel)
{
	struct worker *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	process_init(&w->proc, conf, board, log, channel);
	w->proc.tells_steps = true;
	w->me = &board->worker[slot];
	w->slot = slot;
	w->single = channel == -1;
	w->wakeup = -1;
	log_count_lost(log, &w->me->log_lost);
	logs_count_lost(conf, &w->me->log_lost);
	w->proc.step = "a copy of the board";
	if (board_keep_row(board, slot) == -1 || set_up_worker(w) == -1) {
		note_failure(w);
		worker_free(w);
		return NULL;
	}
	set_worker_state(w, WORKER_STARTING);
	if (w->single) {
		board_hold(board, slot, (int32_t)getpid(), 1);
		go_accepting(w);
	}
	log_line(log, LOG_INFO, "ready: uid %d, sandbox %s, "
	    "%u session%s at most", (int)geteuid(), w->proc.sandbox,
	    w->env.table.limit,
	    text_s(w->env.table.limit));
	return w;
}

int
worker_loop(struct worker *w)
{
	while (!w->stop && !is_worker_drained(w))
		if (run_worker_turn(w) == -1) {
			log_line(w->proc.log, LOG_ERR, "poller: %s",
			    strerror(errno));
			return PROCESS_FAILED;
		}
	return PROCESS_DONE;
}
