/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * master.c: one loop that waits for signals, for messages of children, and for
 * times, and handles them one at a time. Nothing else waits: what takes time, a
 * start, a reload, an upgrade, is a state that advances with each turn. Signals
 * are blocked from the start and read from a descriptor, so that there is no
 * handler and none is lost.
 */
#include "master/master.h"

#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "event/poller.h"
#include "master/daemonize.h"
#include "master/outcome.h"
#include "master/phase.h"
#include "master/process_table.h"
#include "master/reload.h"
#include "master/scale.h"
#include "master/sd_notify.h"
#include "master/startup.h"
#include "master/upgrade.h"
#include "process/logs.h"
#include "process/title.h"
#include "sys/clock.h"
#include "sys/signals.h"
#include "util/text.h"

/* Time for workers to stop, in ms. */
#define STOP_TIME	5000

/* Upper bound of descriptors. */
#define DESCRIPTORS	(1 << 20)

/* A worker may sleep for a second: silence up to this means nothing, in ms. */
#define HEARTBEATS	3000

/* Interval at which a replaced master looks at the new one, in ms. */
#define FOLLOW		1000

struct master {
	struct conf	*conf;
	struct log	*log;
	struct runtime_files	*instance;
	struct process_table	 children;
	struct notify	 notify;
	int		 signals;
	int		*report; /* to the shell; see daemonize_report() */
	enum phase	 phase;
	struct startup	 startup;
	struct reload	 reload;
	struct upgrade	 upgrade;
	struct outcome	 outcome;	/* for scripts that wait */
	bool		 reopen_due;	/* the log opened by a reload */
	bool		 reload_due;	/* requested while another one, */
	bool		 upgrade_due;	/* an upgrade or the start runs */
	bool		 replaced;	/* by another master */
	uint64_t	 drain_at;	/* end of grace; 0: none */
	uint64_t	 kill_at;	/* 0: never */
	int		 status;
};

/* Reports the state to the service manager by this function. */
static void
tell_service_manager(struct master *m, void (*how)(struct notify *,
    const char *))
{
	char text[sizeof(m->notify.status)];

	phase_describe(m->phase, &m->children, m->drain_at, m->reload.failed,
	    text, sizeof(text));
	how(&m->notify, text);
}

/*
 * The manager watches this loop, and this loop watches the workers: a stuck
 * worker costs its own sessions, not those of all.
 */
static void
watch_workers(struct master *m)
{
	const struct notify *n = &m->notify;
	uint64_t silence = n->watchdog / 2;

	if (silence < HEARTBEATS)
		silence = HEARTBEATS;
	if (notify_alive(&m->notify))
		process_table_watch(&m->children,
		    (unsigned)((silence + n->beat - 1) / n->beat));
	if (notify_status_due(&m->notify))
		tell_service_manager(m, notify_status);
}

/* Cancels what is in progress, which would serve when all shall end. */
static void
cancel_changes(struct master *m)
{
	m->reload_due = m->upgrade_due = false;
	reload_cancel(&m->reload);
	upgrade_cancel(&m->upgrade);
	if (m->children.coming.generation != 0)
		process_generation_abandon(&m->children);
}

static void
stop_service(struct master *m, const char *why)
{
	if (m->phase == STOPPING)
		return;
	cancel_changes(m);
	if (m->phase == STARTING)
		startup_cancel(&m->startup);
	else if (!m->replaced)
		atomic_store(&m->children.board->ledger->stopping, 1);
	log_line(m->log, LOG_NOTICE, "stopping: %s", why);
	m->phase = STOPPING;
	m->drain_at = 0;
	m->kill_at = clock_now_ms() + STOP_TIME;
	tell_service_manager(m, notify_stopping);
	runtime_files_stop_listening(m->instance);
	process_table_end_prober(&m->children, SIGTERM);
	process_table_signal(&m->children, SIGTERM, true);
}

static void
begin_drain(struct master *m)
{
	unsigned n;

	cancel_changes(m);
	n = process_table_alive(&m->children);
	log_line(m->log, LOG_NOTICE, "quitting: %u worker%s to drain", n,
	    text_s(n));
	m->phase = QUITTING;
	m->drain_at = 0;
	title_set(m->conf, "master, draining");
	atomic_store(&m->children.board->ledger->leaving, 1);
	tell_service_manager(m, notify_stopping);
	/*
	 * Close the master's copies first: then no connection comes after the
	 * last.
	 */
	runtime_files_stop_listening(m->instance);
	/* The prober stays: waiting sessions depend on its results. */
	process_table_signal(&m->children, SIGQUIT, true);
}

/* Announces the end, so that clients are sent elsewhere, and then quits. */
static void
leave_service(struct master *m)
{
	cancel_changes(m);
	log_line(m->log, LOG_NOTICE, "leaving: connections are accepted for "
	    "%llu s more", (unsigned long long)(m->conf->grace + 999) / 1000);
	m->phase = LEAVING;
	m->drain_at = clock_now_ms() + m->conf->grace;
	title_set(m->conf, "master, leaving");
	atomic_store(&m->children.board->ledger->leaving, 1);
	tell_service_manager(m, notify_stopping);
}

/* Reports success, after the status file is complete. */
static void
be_running(struct master *m)
{
	m->phase = RUNNING;
	outcome_end(&m->outcome, m->log, true, m->children.generation);
	daemonize_report(m->report, 0);
	m->children.own[OWN_REPORT] = -1;
	tell_service_manager(m, notify_ready);
}

/*
 * Before a signal that ends the service is handled: a master that has not
 * served yet never will, and reports that to its shell or the old master.
 */
static bool
stop_start(struct master *m, const char *why)
{
	if (m->phase != STARTING)
		return false;
	if (startup_settle(&m->startup)) {
		be_running(m);
		return false;
	}
	if (*m->report != -1 || m->startup.before != -1)
		m->status = EX_TEMPFAIL;
	stop_service(m, why);
	return true;
}

static void
quit_service(struct master *m)
{
	if (stop_start(m, "asked to quit"))
		return;
	if (m->phase == RUNNING && m->conf->grace > 0)
		leave_service(m);
	else if (m->phase <= LEAVING)
		begin_drain(m);
}

static void
reopen_log(struct master *m)
{
	bool done;

	/* The reload may have opened the old file. */
	m->reopen_due = m->reload.state == RELOAD_START;
	done = logs_reopen(m->log, m->conf);
	process_channel_new_log(&m->children);
	if (done)
		log_line(m->log, LOG_NOTICE, "log reopened");
}

static void
reap_children(struct master *m)
{
	int status;
	pid_t pid;

	upgrade_look(&m->upgrade);
	while ((pid = waitpid(-1, &status,
	    WNOHANG | WUNTRACED | WCONTINUED)) > 0)
		if (!upgrade_reaped(&m->upgrade, pid, status) &&
		    !reload_reaped(&m->reload, pid))
			process_table_reaped(&m->children, pid, status);
	notify_soon(&m->notify);
}

static void
begin_reload(struct master *m)
{
	m->reload_due = false;
	outcome_begin(&m->outcome, m->log, "reload", m->children.generation);
	notify_reloading(&m->notify);
	reload_begin(&m->reload);
	if (m->reload.state == RELOAD_IDLE)
		tell_service_manager(m, notify_ready);
}

static void
begin_upgrade(struct master *m)
{
	m->upgrade_due = false;
	outcome_begin(&m->outcome, m->log, "upgrade", m->children.generation);
	log_line(m->log, LOG_NOTICE, "upgrade: starting %s", m->conf->argv[0]);
	upgrade_begin(&m->upgrade);
}

/* Another master serves: only the sessions of these workers are left. */
static void
be_replaced(struct master *m)
{
	unsigned n = process_table_alive(&m->children);
	pid_t pid = m->upgrade.pid;

	/* The new master handles what was requested meanwhile. */
	if (m->reload_due && pid > 0)
		(void)kill(pid, SIGHUP);
	if (m->upgrade_due && pid > 0)
		(void)kill(pid, SIGUSR2);
	m->reload_due = m->upgrade_due = false;
	outcome_leave(&m->outcome, m->log);
	title_set(m->conf, "master, replaced by %d", (int)m->upgrade.heir);
	log_line(m->log, LOG_NOTICE, "upgrade: process %d serves; %u worker%s "
	    "to drain", (int)m->upgrade.heir, n, text_s(n));
	m->phase = QUITTING;
	m->replaced = true;
	memset(&m->notify, 0, sizeof(m->notify));
	runtime_files_stop_listening(m->instance);
	process_table_end_prober(&m->children, SIGTERM);
	process_table_drain(&m->children);
}

/* Requests that change a service require one that stays. */
static void
on_change_signal(struct master *m, int sig)
{
	if (m->phase > RUNNING) {
		log_line(m->log, LOG_NOTICE, "%s ignored: the service "
		    "ends", sig == SIGHUP ? "HUP" : sig == SIGUSR2 ?
		    "USR2" : sig == SIGTTIN ? "TTIN" : sig == SIGTTOU ?
		    "TTOU" : "WINCH");
		return;
	}
	switch (sig) {
	case SIGHUP:
		m->reload_due = true;
		break;
	case SIGUSR2:
		m->upgrade_due = true;
		break;
	case SIGTTIN:
		scale_up(&m->children);
		break;
	case SIGTTOU:
		scale_down(&m->children);
		break;
	default:
		scale_to_none(&m->children);
		break;
	}
}

static void
on_master_signal(struct master *m, int sig)
{
	switch (sig) {
	case SIGCHLD:
		reap_children(m);
		break;
	case SIGTERM:
	case SIGINT:
		if (!stop_start(m, "ended at the start"))
			stop_service(m, sig == SIGINT ? "interrupted" :
			    "terminated");
		break;
	case SIGQUIT:
		quit_service(m);
		break;
	case SIGUSR1:
		reopen_log(m);
		break;
	case SIGHUP:
	case SIGUSR2:
	case SIGTTIN:
	case SIGTTOU:
	case SIGWINCH:
		on_change_signal(m, sig);
		break;
	}
}

/* The earlier of the two, in ms; -1: never. */
static int
sooner_ms(int a, int b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

/* Time in ms until *at*; 0: never. */
static int
ms_until(uint64_t at)
{
	uint64_t now = clock_now_ms();

	if (at == 0)
		return -1;
	if (at <= now)
		return 0;
	return at - now < INT_MAX ? (int)(at - now) : INT_MAX;
}

/* The time in ms without work; -1: unlimited. */
static int
master_wait_time(const struct master *m)
{
	int ms = log_wait(m->log, sooner_ms(process_table_wait(&m->children),
	    notify_wait(&m->notify)));

	ms = sooner_ms(ms, sooner_ms(ms_until(m->kill_at),
	    ms_until(m->drain_at)));
	ms = sooner_ms(ms, startup_wait(&m->startup));
	if (m->replaced)
		ms = sooner_ms(ms, FOLLOW);
	return sooner_ms(ms, sooner_ms(reload_wait(&m->reload),
	    upgrade_wait(&m->upgrade)));
}

/* True if no process is left that needs a prober. */
static void
end_prober(struct master *m)
{
	m->kill_at = clock_now_ms() + STOP_TIME;
	process_table_end_prober(&m->children, SIGTERM);
}

static void
turn_startup(struct master *m)
{
	startup_turn(&m->startup);
	if (m->startup.state == STARTUP_FAILED) {
		m->status = m->startup.status;
		stop_service(m, "start-up failed");
	} else if (m->startup.state == STARTUP_DONE) {
		be_running(m);
	}
}

/* If none is in progress: a now idle upgrade has failed. */
static void
end_change(struct master *m)
{
	if (m->reload.state == RELOAD_IDLE && m->upgrade.state == UPGRADE_IDLE)
		outcome_end(&m->outcome, m->log,
		    strcmp(m->outcome.last, "reload") == 0 &&
		    !m->reload.failed, m->children.generation);
}

/* One change at a time; requests made meanwhile follow. */
static void
turn_changes(struct master *m)
{
	if (reload_turn(&m->reload)) {
		tell_service_manager(m, notify_ready);
		if (m->reopen_due)
			reopen_log(m);
	}
	upgrade_turn(&m->upgrade);
	/* From here on the manager ignores this process. */
	if (m->upgrade.state >= UPGRADE_ANNOUNCE)
		m->notify.there = false;
	if (m->upgrade.state == UPGRADE_DONE && !m->replaced)
		be_replaced(m);
	if (m->phase != RUNNING || m->reload.state != RELOAD_IDLE ||
	    m->upgrade.state != UPGRADE_IDLE)
		return;
	end_change(m);
	if (m->reload_due)
		begin_reload(m);
	else if (m->upgrade_due)
		begin_upgrade(m);
	end_change(m);
}

/*
 * The new master owns the service: ends with it. A new one that had the service for
 * a moment may have been told to end it: then that holds for the old one, whose
 * workers have read it on the board.
 */
static void
follow_children(struct master *m)
{
	const struct board_ledger *ledger = m->children.board->ledger;

	if (!m->replaced && (m->phase == STARTING ||
	    m->upgrade.state != UPGRADE_IDLE))
		return;
	if (atomic_load(&ledger->stopping))
		stop_service(m, "the service was stopped");
	else if (atomic_load(&ledger->leaving) && m->phase == RUNNING &&
	    !m->replaced)
		begin_drain(m);
	if (m->replaced)
		process_table_heed(&m->children);
}

/* Ends when all workers have, or by force. */
static void
turn_end(struct master *m)
{
	unsigned n = process_table_alive(&m->children);

	if (m->drain_at != 0 && clock_now_ms() >= m->drain_at)
		begin_drain(m);
	if (m->phase > LEAVING && m->kill_at == 0 && n == 0)
		end_prober(m);
	if (m->kill_at != 0 && clock_now_ms() >= m->kill_at) {
		log_line(m->log, LOG_ERR, "killing what is left: %u worker%s",
		    n, text_s(n));
		process_table_end_prober(&m->children, SIGKILL);
		process_table_signal(&m->children, SIGKILL, true);
		m->kill_at = 0;
	}
}

static void
on_master_event(struct master *m, int fd)
{
	int sig;

	if (fd == m->signals)
		while ((sig = signals_next(m->signals)) != 0)
			on_master_signal(m, sig);
	else if (!process_channel_event(&m->children, fd) &&
	    !upgrade_event(&m->upgrade, fd))
		(void)startup_event(&m->startup, fd);
}

static void
turn_master(struct master *m)
{
	struct poller_event ev;

	/* Without memory this may fail; due work is done all the same. */
	(void)poller_wait(m->children.poller, master_wait_time(m));
	while (poller_next(m->children.poller, &ev))
		on_master_event(m, ev.fd);
	if (m->phase == STARTING)
		turn_startup(m);
	turn_changes(m);
	follow_children(m);
	process_table_turn(&m->children);
	watch_workers(m);
	turn_end(m);
	log_flush(m->log);
}

static bool
is_master_over(const struct master *m)
{
	return m->phase > LEAVING && !process_table_left(&m->children) &&
	    (m->upgrade.state == UPGRADE_IDLE ||
	    m->upgrade.state == UPGRADE_DONE);
}

/* The counts cover all masters: the last one, which served, logs them. */
static void
log_master_end(const struct master *m)
{
	phase_log_end(&m->children, m->log,
	    m->replaced ? "after this one continues" :
	    startup_serves(&m->startup) ? NULL :
	    "before this one was not replaced");
}

static int
set_up_master(struct master *m, const struct board *board)
{
	struct process_table *cs = &m->children;
	sigset_t set;
	size_t i;

	signals_hold(&set);
	if (process_table_init(cs) == -1 ||
	    (m->signals = signals_open(&set)) == -1 ||
	    (cs->poller = poller_new(poller_engine("select"),
	    DESCRIPTORS)) == NULL)
		return -1;
	for (i = 0; i < OWNS; i++)
		cs->own[i] = -1;
	cs->own[OWN_SIGNALS] = m->signals;
	cs->own[OWN_REPORT] = *m->report;
	cs->generation = cs->latest = atomic_load(&board->ledger->generation);
	poller_want(cs->poller, m->signals, POLLER_READ);
	reload_init(&m->reload, m->conf, cs);
	upgrade_init(&m->upgrade, cs);
	notify_init(&m->notify);
	return 0;
}

static int
run_master(struct master *m)
{
	title_set(m->conf, "master");
	log_ident(m->log, "master");
	outcome_start(&m->outcome, m->log, m->instance);
	startup_begin(&m->startup, &m->children);
	while (!is_master_over(m))
		turn_master(m);
	log_master_end(m);
	outcome_remove(&m->outcome);
	return m->status;
}

int
master_run(struct conf *conf, struct board *board, int board_fd,
    struct log *log, struct runtime_files *instance, int *report)
{
	struct master *m;
	int status = EX_OSERR;

	if ((m = calloc(1, sizeof(*m))) == NULL) {
		warn("master");
		return EX_OSERR;
	}
	m->conf = conf;
	m->log = log;
	m->instance = instance;
	m->report = report;
	m->signals = -1;
	m->children.conf = conf;
	m->children.board = board;
	m->children.board_fd = board_fd;
	m->children.log = log;
	m->children.instance = instance;
	if (set_up_master(m, board) == 0)
		status = run_master(m);
	else
		warn("master");
	poller_free(m->children.poller);
	if (m->signals != -1)
		close(m->signals);
	process_table_free(&m->children);
	free(m);
	return status;
}
