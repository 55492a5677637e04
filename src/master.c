/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * master.c: waits for signals and acts on them, one at a time. They are blocked
 * from the start and taken with sigtimedwait(2), so that there is no handler
 * and no moment at which one could be lost.
 */
#include "master.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "changes.h"
#include "children.h"
#include "daemon.h"
#include "notify.h"
#include "reload.h"
#include "safe_file.h"
#include "upgrade.h"
#include "sys.h"
#include "text.h"

/* How long workers may take to start and to stop, in ms. */
#define START_TIME	10000
#define STOP_TIME	5000

/* A worker may sleep for a second: silence up to this says nothing, in ms. */
#define HEARTBEATS	3000

enum phase { RUNNING, LEAVING, QUITTING, STOPPING };

struct master {
	struct conf	*conf;
	struct log	*log;
	struct instance	*instance;
	struct children	 children;
	struct notify	 notify;
	enum phase	 phase;
	bool		 replaced;	/* by another master */
	bool		 reload_failed;	/* the last one */
	uint64_t	 drain_at;	/* the grace is over; 0: there is none */
	uint64_t	 kill_at;	/* 0: never */
	unsigned	 hopeless;	/* workers that said so */
	int		 status;
};

/* What operators want to know of it, in one line. */
static void
describe(const struct master *m, char *text, size_t size)
{
	uint64_t now = sys_now();
	struct census n;
	char more[64] = "";

	children_count(&m->children, &n);
	switch (m->phase) {
	case RUNNING:
		if (n.draining > 0)
			snprintf(more, sizeof(more), "; %u draining",
			    n.draining);
		snprintf(text, size, "%u worker%s, generation %u, %u "
		    "session%s%s%s", n.serving, text_s(n.serving),
		    m->children.generation, n.sessions, text_s(n.sessions),
		    more, m->reload_failed ?
		    "; the last reload failed: see the log" : "");
		break;
	case LEAVING:
		snprintf(text, size, "leaving: accepts for %llu s more; "
		    "%u worker%s, %u session%s", m->drain_at <= now ? 0 :
		    (unsigned long long)(m->drain_at - now + 999) / 1000,
		    n.serving, text_s(n.serving), n.sessions,
		    text_s(n.sessions));
		break;
	case QUITTING:
		snprintf(text, size, "draining: %u worker%s, %u session%s",
		    n.serving + n.draining, text_s(n.serving + n.draining),
		    n.sessions, text_s(n.sessions));
		break;
	case STOPPING:
		strlcpy(text, "stopping", size);
		break;
	}
}

/* Tell the service manager how we are, as one of these would do it. */
static void
tell(struct master *m, void (*how)(struct notify *, const char *))
{
	char text[sizeof(m->notify.status)];

	describe(m, text, sizeof(text));
	how(&m->notify, text);
}

/*
 * The manager watches over this loop, and this loop over the workers: one that
 * is stuck costs its own sessions, not those of all.
 */
static void
watch(struct master *m)
{
	const struct notify *n = &m->notify;
	uint64_t silence = n->watchdog / 2;

	if (silence < HEARTBEATS)
		silence = HEARTBEATS;
	if (notify_alive(&m->notify))
		children_watch(&m->children,
		    (unsigned)((silence + n->beat - 1) / n->beat));
	if (notify_status_due(&m->notify))
		tell(m, notify_status);
}

static void
stop(struct master *m, const char *why)
{
	if (m->phase == STOPPING)
		return;
	log_line(m->log, LOG_NOTICE, "stopping: %s", why);
	m->phase = STOPPING;
	m->drain_at = 0;
	m->kill_at = sys_now() + STOP_TIME;
	tell(m, notify_stopping);
	instance_stop_listening(m->instance);
	children_end_prober(&m->children, SIGTERM);
	children_signal(&m->children, SIGTERM, true);
}

static void
drain(struct master *m)
{
	unsigned n = children_alive(&m->children);

	log_line(m->log, LOG_NOTICE, "quitting: %u worker%s to drain", n,
	    text_s(n));
	m->phase = QUITTING;
	m->drain_at = 0;
	setproctitle("master, draining");
	atomic_store(&m->children.board->ledger->leaving, 1);
	tell(m, notify_stopping);
	/* First our own copies: then no connection comes after the last. */
	instance_stop_listening(m->instance);
	/* The prober stays: sessions that wait go by what it finds. */
	children_signal(&m->children, SIGQUIT, true);
}

/* Say that we go, so that nobody is sent here any more, and then do it. */
static void
leave(struct master *m)
{
	log_line(m->log, LOG_NOTICE, "leaving: connections are accepted for "
	    "%llu s more", (unsigned long long)(m->conf->grace + 999) / 1000);
	m->phase = LEAVING;
	m->drain_at = sys_now() + m->conf->grace;
	setproctitle("master, leaving");
	atomic_store(&m->children.board->ledger->leaving, 1);
	tell(m, notify_stopping);
}

static void
quit(struct master *m)
{
	if (m->phase == RUNNING && m->conf->grace > 0)
		leave(m);
	else if (m->phase <= LEAVING)
		drain(m);
}

static void
reopen_log(struct master *m)
{
	char why[256];

	if (log_reopen(m->log) == -1) {
		log_line(m->log, LOG_ERR, "log: %s: %s; the old file stays",
		    m->conf->log, safe_reason(m->conf->log, errno, why,
		    sizeof(why)));
		return;
	}
	children_new_log(&m->children);
	log_line(m->log, LOG_NOTICE, "log reopened");
}

static void
add_worker(struct master *m)
{
	m->hopeless = 0;
	if (children_add(&m->children) == 0)
		log_line(m->log, LOG_NOTICE, "one worker more: %u",
		    children_wanted(&m->children));
	else if (errno == ENOSPC)
		log_line(m->log, LOG_WARNING,
		    "no worker more: there are %u already",
		    m->children.board->rows);
}

static void
remove_worker(struct master *m)
{
	if (children_wanted(&m->children) == 0)
		log_line(m->log, LOG_WARNING, "there is no worker to drain");
	else if (children_remove(&m->children) == -1)
		log_line(m->log, LOG_WARNING,
		    "the last worker stays: QUIT ends the service");
	else
		log_line(m->log, LOG_NOTICE, "one worker fewer: %u",
		    children_wanted(&m->children));
}

static void
drain_workers(struct master *m)
{
	/* Being without workers is what is wanted now. */
	m->hopeless = 0;
	log_line(m->log, LOG_NOTICE, "draining all workers: connections wait "
	    "in the queue until TTIN starts one");
	children_signal(&m->children, SIGQUIT, true);
}

static void
bury(struct master *m)
{
	m->hopeless += children_reap(&m->children);
	notify_soon(&m->notify);
	if (m->hopeless == 0 || m->phase > LEAVING ||
	    children_alive(&m->children) + children_wanted(&m->children) > 0)
		return;
	m->status = EX_OSERR;
	stop(m, "no worker can run");
}

static void
reload_configuration(struct master *m)
{
	/* Being without workers was wanted until now. */
	m->hopeless = 0;
	notify_reloading(&m->notify);
	m->reload_failed = reload(m->conf, &m->children, START_TIME) == -1;
	tell(m, notify_ready);
}

/* Another master serves: what is left are our workers' sessions. */
static void
be_replaced(struct master *m)
{
	unsigned n;
	pid_t pid;

	log_line(m->log, LOG_NOTICE, "upgrade: starting %s", m->conf->argv[0]);
	notify_busy(&m->notify);
	if ((pid = upgrade(&m->children, START_TIME)) == -1) {
		tell(m, notify_ready);
		return;
	}
	n = children_alive(&m->children);
	setproctitle("master, replaced by %d", (int)pid);
	log_line(m->log, LOG_NOTICE, "upgrade: process %d serves; %u worker%s "
	    "to drain", (int)pid, n, text_s(n));
	m->phase = QUITTING;
	m->replaced = true;
	memset(&m->notify, 0, sizeof(m->notify));
	instance_stop_listening(m->instance);
	children_end_prober(&m->children, SIGTERM);
	children_signal(&m->children, SIGQUIT, true);
}

/* What changes a service is for one that is to stay. */
static void
on_change(struct master *m, int sig)
{
	if (m->phase != RUNNING) {
		log_line(m->log, LOG_NOTICE, "%s has no effect any more: the "
		    "service ends", sig == SIGHUP ? "HUP" : sig == SIGUSR2 ?
		    "USR2" : sig == SIGTTIN ? "TTIN" : sig == SIGTTOU ?
		    "TTOU" : "WINCH");
		return;
	}
	switch (sig) {
	case SIGHUP:
		reload_configuration(m);
		break;
	case SIGUSR2:
		be_replaced(m);
		break;
	case SIGTTIN:
		add_worker(m);
		break;
	case SIGTTOU:
		remove_worker(m);
		break;
	default:
		drain_workers(m);
		break;
	}
}

static void
on_signal(struct master *m, int sig)
{
	switch (sig) {
	case SIGCHLD:
		bury(m);
		break;
	case SIGTERM:
	case SIGINT:
		stop(m, sig == SIGINT ? "interrupted" : "terminated");
		break;
	case SIGQUIT:
		quit(m);
		break;
	case SIGUSR1:
		reopen_log(m);
		break;
	case SIGHUP:
	case SIGUSR2:
	case SIGTTIN:
	case SIGTTOU:
	case SIGWINCH:
		on_change(m, sig);
		break;
	}
}

/* The sooner of the two, in ms; -1: never. */
static int
sooner(int a, int b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

/* Milliseconds until then; at 0: never. */
static int
until(uint64_t at)
{
	uint64_t now = sys_now();

	if (at == 0)
		return -1;
	if (at <= now)
		return 0;
	return at - now < INT_MAX ? (int)(at - now) : INT_MAX;
}

/* How long to wait for a signal, in ms; -1: for ever. */
static int
wait_time(const struct master *m)
{
	int ms = log_wait(m->log, sooner(children_next_due(&m->children),
	    notify_wait(&m->notify)));

	return sooner(ms, sooner(until(m->kill_at), until(m->drain_at)));
}

static int
next_signal(const sigset_t *set, int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
	    .tv_nsec = ms % 1000 * 1000000L };

	return sigtimedwait(set, NULL, ms == -1 ? NULL : &ts);
}

/* Nobody is left who would need a prober. */
static void
end_prober(struct master *m)
{
	m->kill_at = sys_now() + STOP_TIME;
	children_end_prober(&m->children, SIGTERM);
}

static void
supervise(struct master *m, const sigset_t *set)
{
	int sig;

	while (m->phase <= LEAVING || children_left(&m->children)) {
		if ((sig = next_signal(set, wait_time(m))) > 0)
			on_signal(m, sig);
		log_flush(m->log);
		children_respawn(&m->children);
		watch(m);
		if (m->drain_at != 0 && sys_now() >= m->drain_at)
			drain(m);
		if (m->phase > LEAVING && m->kill_at == 0 &&
		    children_alive(&m->children) == 0)
			end_prober(m);
		if (m->kill_at != 0 && sys_now() >= m->kill_at) {
			log_line(m->log, LOG_ERR, "killing what is left: %u "
			    "workers", children_alive(&m->children));
			children_end_prober(&m->children, SIGKILL);
			children_signal(&m->children, SIGKILL, true);
			m->kill_at = 0;
		}
	}
}

/* Fork all workers and wait until they accept. */
static int
start(struct master *m)
{
	int before = m->instance->inherited->channel;
	unsigned i;
	int status;

	m->children.hold = true;
	for (i = 0; i < m->conf->workers; i++)
		if (children_add(&m->children) == -1)
			break;
	if (i < m->conf->workers ||
	    children_wait_ready(&m->children, START_TIME) == -1) {
		warnx("a worker could not start: the log says why (%s)",
		    m->conf->log);
		return EX_OSERR;
	}
	if (before != -1 && upgrade_take_over(before) == -1) {
		warnx("upgrade: the master before does not answer");
		return EX_OSERR;
	}
	if ((status = instance_announce(m->instance)) != 0) {
		warnx("%s", m->instance->why);
		return status;
	}
	children_go(&m->children);
	children_set_prober(&m->children);
	if (before != -1) {
		upgrade_done(before);
		if (!m->conf->foreground)
			daemon_detach();
	}
	instance_claim(m->instance);
	for (i = 0; i < m->conf->listeners; i++)
		log_line(m->log, LOG_NOTICE, "listening on %s",
		    m->conf->listener[i].name);
	log_line(m->log, LOG_NOTICE, "%u worker%s, %zu backend%s: ready",
	    m->conf->workers, text_s(m->conf->workers), m->conf->backends,
	    text_s(m->conf->backends));
	changes_log(m->log, before == -1 ? "start" : "upgrade", m->conf,
	    m->children.board, m->children.generation,
	    m->instance->inherited->inventory);
	inherit_free(m->instance->inherited);
	return 0;
}

/* After an upgrade there is more to come: then it is not for us to count. */
static void
say_goodbye(const struct master *m)
{
	struct board_totals sum;

	if (m->replaced) {
		log_line(m->log, LOG_NOTICE, "all workers have ended; the "
		    "master after this one goes on");
		return;
	}
	board_sum(m->children.board, &sum);
	log_line(m->log, LOG_NOTICE, "all workers have ended: %llu session%s "
	    "in all, %llu lost, %llu bytes up, %llu down; bye",
	    (unsigned long long)sum.sessions, text_s(sum.sessions),
	    (unsigned long long)sum.lost,
	    (unsigned long long)sum.up, (unsigned long long)sum.down);
}

int
master_run(struct conf *conf, struct board *board, int board_fd,
    struct log *log, struct instance *instance, int *report)
{
	struct master *m;
	sigset_t set;
	int status;

	if ((m = calloc(1, sizeof(*m))) == NULL) {
		warn("master");
		return EX_OSERR;
	}
	m->conf = conf;
	m->log = log;
	m->instance = instance;
	children_init(&m->children);
	m->children.conf = conf;
	m->children.board = board;
	m->children.board_fd = board_fd;
	m->children.log = log;
	m->children.instance = instance;
	m->children.report = *report;
	m->children.generation = m->children.latest =
	    atomic_load(&board->ledger->generation);
	setproctitle("master");
	log_ident(log, "master");
	sys_hold_signals(&set);
	notify_init(&m->notify);
	if ((m->status = start(m)) != 0) {
		stop(m, "start-up failed");
	} else {
		daemon_report(report, 0);
		tell(m, notify_ready);
	}
	m->children.report = *report;
	supervise(m, &set);
	say_goodbye(m);
	status = m->status;
	free(m);
	return status;
}
