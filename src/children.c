/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * children.c: forks workers and prober, and reaps them. Reads nothing from them
 * but the byte that says they are ready. Invariant: a slot is on the board exactly
 * while its process lives.
 */
#include "children.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_seats.h"
#include "daemon.h"
#include "prober.h"
#include "sys.h"
#include "text.h"
#include "worker.h"

/* How long a prober may take to end, in ms. */
#define PROBER_END	5000

void
children_init(struct children *cs)
{
	uint32_t i;

	memset(cs, 0, sizeof(*cs));
	cs->report = cs->board_fd = -1;
	child_init(&cs->prober);
	for (i = 0; i < BOARD_WORKERS; i++)
		child_init(&cs->at[i]);
}

/* The new process: let go of what is not its own. */
static void
leave_master(struct children *cs)
{
	uint32_t i;

	child_close_channel(&cs->prober);
	for (i = 0; i < BOARD_WORKERS; i++)
		child_close_channel(&cs->at[i]);
	if (!cs->conf->foreground)
		daemon_detach();
	if (cs->report != -1)
		close(cs->report);
	close(cs->board_fd);
	if (board_leave_ledger(cs->board) == -1)
		log_line(cs->log, LOG_WARNING, "board: %s", strerror(errno));
	instance_leave(cs->instance);
	inherit_free(cs->instance->inherited);
}

static void __attribute__((__noreturn__))
be_worker(struct children *cs, uint32_t slot, int channel)
{
	struct worker *w;
	char name[24];
	int status = WORKER_HOPELESS;

	leave_master(cs);
	snprintf(name, sizeof(name), "worker %u", slot + 1);
	setproctitle("%s, generation %u", name, cs->generation);
	log_ident(cs->log, name);
	w = worker_new(cs->conf, cs->board, cs->log, slot, channel);
	if (w != NULL) {
		(void)sys_send(channel, CHANNEL_READY, -1);
		status = worker_loop(w);
		worker_free(w);
	}
	log_close(cs->log);
	exit(status);
}

static int
spawn(struct children *cs, uint32_t slot)
{
	struct child *c = &cs->at[slot];
	int channel;
	pid_t pid;

	c->generation = cs->generation;
	if ((pid = child_fork(c, &channel)) == -1) {
		log_line(cs->log, LOG_ERR, "worker %u: fork: %s", slot + 1,
		    strerror(errno));
		c->due = sys_now() + 1000;
		return -1;
	}
	if (pid == 0)
		be_worker(cs, slot, channel);
	board_hold(cs->board, slot, (int32_t)pid, cs->generation);
	if (!cs->hold)
		(void)sys_send(c->channel, CHANNEL_GO, -1);
	return 0;
}

static void __attribute__((__noreturn__))
be_prober(struct children *cs, int channel)
{
	struct prober *p;
	/* Servers wait for it, and what it lacks now may be there later. */
	int status = WORKER_FAILED;

	leave_master(cs);
	instance_close_copies(cs->instance);
	setproctitle("prober, generation %u", cs->generation);
	log_ident(cs->log, "prober");
	p = prober_new(cs->conf, cs->board, cs->log, channel);
	if (p != NULL) {
		status = prober_loop(p);
		prober_free(p);
	}
	log_close(cs->log);
	exit(status);
}

static void
spawn_prober(struct children *cs)
{
	int channel;
	pid_t pid;

	cs->prober.generation = cs->generation;
	if ((pid = child_fork(&cs->prober, &channel)) == 0)
		be_prober(cs, channel);
	if (pid != -1)
		return;
	log_line(cs->log, LOG_ERR, "prober: fork: %s", strerror(errno));
	cs->prober.due = sys_now() + 1000;
}

/* Whoever tells it again does not give it longer. */
static void
tell_prober_to_end(struct children *cs, int sig)
{
	if (!cs->prober.leaving)
		cs->prober.due = sys_now() + PROBER_END;
	cs->prober.leaving = true;
	(void)kill(cs->prober.pid, sig);
}

void
children_set_prober(struct children *cs)
{
	conf_forget_unchecked(cs->conf, cs->board);
	cs->prober_again = prober_is_needed(cs->conf);
	cs->prober.quick = 0;
	if (cs->prober.pid != 0)
		tell_prober_to_end(cs, SIGTERM);
	else
		cs->prober.due = cs->prober_again ? sys_now() : 0;
}

void
children_end_prober(struct children *cs, int sig)
{
	cs->prober_again = false;
	if (cs->prober.pid != 0)
		tell_prober_to_end(cs, sig);
	else
		cs->prober.due = 0;
}

/*
 * After an upgrade the master before has workers too. Should it be killed, nobody
 * takes theirs off the board.
 */
static bool
is_free(struct board *b, uint32_t slot)
{
	pid_t pid = atomic_load(&b->ledger->slot[slot].pid);

	if (pid == 0)
		return true;
	if (kill(pid, 0) == 0 || errno != ESRCH)
		return false;
	(void)board_reclaim(b, slot);
	return true;
}

int
children_add(struct children *cs)
{
	uint32_t i;

	for (i = 0; i < cs->board->rows; i++)
		if (cs->at[i].pid == 0 && cs->at[i].due == 0 &&
		    is_free(cs->board, i)) {
			cs->at[i].quick = 0;
			return spawn(cs, i);
		}
	errno = ENOSPC;
	return -1;
}

int
children_remove(struct children *cs)
{
	uint32_t i;

	if (children_wanted(cs) <= 1)
		return -1;
	for (i = BOARD_WORKERS; i-- > 0;) {
		if (cs->at[i].due != 0) {
			cs->at[i].due = 0;
			return 0;
		}
		if (cs->at[i].pid != 0 && !cs->at[i].leaving) {
			cs->at[i].leaving = true;
			(void)kill(cs->at[i].pid, SIGQUIT);
			return 0;
		}
	}
	return -1;
}

int
children_wait_ready(struct children *cs, int ms)
{
	unsigned ready = 0;
	uint32_t i;

	for (i = 0; i < BOARD_WORKERS; i++) {
		if (cs->at[i].pid == 0 || cs->at[i].generation != cs->generation)
			continue;
		if (sys_hear(cs->at[i].channel, CHANNEL_READY, ms) == -1)
			return -1;
		ready++;
	}
	return ready < cs->conf->workers ? -1 : 0;
}

void
children_go(struct children *cs)
{
	uint32_t i;

	cs->hold = false;
	for (i = 0; i < BOARD_WORKERS; i++)
		if (cs->at[i].pid != 0 &&
		    cs->at[i].generation == cs->generation)
			(void)sys_send(cs->at[i].channel, CHANNEL_GO, -1);
}

static bool
is_old(const struct children *cs, uint32_t slot)
{
	return cs->at[slot].generation != cs->generation;
}

unsigned
children_retire_old(struct children *cs, int ms)
{
	uint64_t now, end = sys_now() + (uint64_t)ms;
	bool told[BOARD_WORKERS] = { false };
	unsigned n = 0;
	uint32_t i;

	for (i = 0; i < BOARD_WORKERS; i++) {
		if (!is_old(cs, i))
			continue;
		cs->at[i].due = 0;
		if (cs->at[i].pid == 0 || cs->at[i].leaving)
			continue;
		cs->at[i].leaving = told[i] = true;
		(void)kill(cs->at[i].pid, SIGQUIT);
		n++;
	}
	for (i = 0; i < BOARD_WORKERS; i++)
		if (told[i] && (now = sys_now()) < end)
			(void)sys_hear(cs->at[i].channel, CHANNEL_CLOSED,
			    (int)(end - now));
	return n;
}

void
children_abandon_new(struct children *cs, uint32_t before)
{
	uint32_t i;

	for (i = 0; i < BOARD_WORKERS; i++) {
		if (is_old(cs, i))
			continue;
		cs->at[i].due = 0;
		if (cs->at[i].pid == 0)
			continue;
		cs->at[i].leaving = true;
		(void)kill(cs->at[i].pid, SIGKILL);
	}
	cs->generation = before;
	cs->hold = false;
}

/* One worker has ended. Returns whether it said that another would too. */
static bool
bury(struct children *cs, uint32_t slot, int status)
{
	uint32_t n = board_reclaim(cs->board, slot);
	char name[24], lost[40];

	snprintf(name, sizeof(name), "worker %u", slot + 1);
	snprintf(lost, sizeof(lost), ", %u session%s lost", n,
	    text_s(n));
	return child_bury(&cs->at[slot], cs->log, name, status, lost);
}

/* Without one what is known of the servers stays as it is. */
static void
bury_prober(struct children *cs, int status)
{
	bool leaving = cs->prober.leaving;

	(void)child_bury(&cs->prober, cs->log, "prober", status, "");
	if (leaving)
		cs->prober.due = cs->prober_again ? sys_now() : 0;
}

/* Somebody stopped a worker, or let it go on. */
static void
note_stop(const struct children *cs, uint32_t slot, int status)
{
	atomic_store(&cs->board->ledger->slot[slot].stopped, WIFSTOPPED(status));
	log_line(cs->log, LOG_WARNING, "worker %u pid %d %s", slot + 1,
	    (int)cs->at[slot].pid, WIFSTOPPED(status) ?
	    "is stopped; its sessions wait until SIGCONT" : "goes on");
}

static void
note_prober(struct children *cs, int status)
{
	if (WIFEXITED(status) || WIFSIGNALED(status))
		bury_prober(cs, status);
	else
		log_line(cs->log, LOG_WARNING, "prober pid %d %s",
		    (int)cs->prober.pid, WIFSTOPPED(status) ? "is stopped; "
		    "what is known of the servers stays until SIGCONT" :
		    "goes on");
}

/* The kernel may just have woken the one that is gone for a connection. */
static void
have_others_look(const struct children *cs)
{
	uint32_t i;

	for (i = 0; i < BOARD_WORKERS; i++)
		if (cs->at[i].pid != 0)
			(void)sys_send(cs->at[i].channel, CHANNEL_LOOK, -1);
}

unsigned
children_reap(struct children *cs)
{
	unsigned hopeless = 0, gone = 0;
	uint32_t i;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status,
	    WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
		if (pid == cs->prober.pid)
			note_prober(cs, status);
		for (i = 0; i < BOARD_WORKERS && cs->at[i].pid != pid; i++)
			;
		if (i == BOARD_WORKERS)
			continue;
		gone += !WIFCONTINUED(status);
		if (WIFSTOPPED(status) || WIFCONTINUED(status))
			note_stop(cs, i, status);
		else
			hopeless += bury(cs, i, status);
	}
	if (gone > 0)
		have_others_look(cs);
	return hopeless;
}

/* It has been told to end and does not; another one may wait for that. */
static void
kill_prober(struct children *cs)
{
	log_line(cs->log, LOG_ERR, "prober pid %d does not end: killing it",
	    (int)cs->prober.pid);
	cs->prober.due = 0;
	(void)kill(cs->prober.pid, SIGKILL);
}

void
children_respawn(struct children *cs)
{
	uint64_t now = sys_now();
	uint32_t i;

	for (i = 0; i < BOARD_WORKERS; i++)
		if (cs->at[i].due != 0 && cs->at[i].due <= now) {
			cs->at[i].due = 0;
			/* During an upgrade the other may have taken it. */
			if (is_free(cs->board, i))
				(void)spawn(cs, i);
			else
				(void)children_add(cs);
		}
	if (cs->prober.due == 0 || cs->prober.due > now)
		return;
	if (cs->prober.pid == 0)
		spawn_prober(cs);
	else
		kill_prober(cs);
}

int
children_next_due(const struct children *cs)
{
	int ms, next = child_wait(&cs->prober);
	uint32_t i;

	for (i = 0; i < BOARD_WORKERS; i++) {
		ms = child_wait(&cs->at[i]);
		if (ms != -1 && (next == -1 || ms < next))
			next = ms;
	}
	return next;
}

void
children_signal(struct children *cs, int sig, bool leaving)
{
	uint32_t i;

	for (i = 0; i < BOARD_WORKERS; i++) {
		if (leaving)
			cs->at[i].due = 0;
		if (cs->at[i].pid == 0)
			continue;
		if (leaving)
			cs->at[i].leaving = true;
		(void)kill(cs->at[i].pid, sig);
	}
}

static void
hand_over_log(const struct children *cs, const struct child *c,
    const char *name)
{
	/* One that has just ended does not need it: EPIPE. */
	if (c->pid != 0 && c->generation >= cs->log_since &&
	    sys_send(c->channel, CHANNEL_LOG, log_fd(cs->log)) == -1 &&
	    errno != EPIPE && errno != ECONNRESET)
		log_line(cs->log, LOG_ERR, "%s: handing over the log: %s",
		    name, strerror(errno));
}

void
children_new_log(struct children *cs)
{
	char name[24];
	uint32_t i;

	if (log_fd(cs->log) == -1)
		return;
	hand_over_log(cs, &cs->prober, "prober");
	for (i = 0; i < BOARD_WORKERS; i++) {
		snprintf(name, sizeof(name), "worker %u", i + 1);
		hand_over_log(cs, &cs->at[i], name);
	}
}

/* It has not turned its loop for so many looks. */
static void
end_stuck(const struct children *cs, uint32_t slot, bool kindly)
{
	log_line(cs->log, LOG_ERR, "worker %u pid %d is stuck: %s it",
	    slot + 1, (int)cs->at[slot].pid, kindly ? "aborting" : "killing");
	(void)kill(cs->at[slot].pid, kindly ? SIGABRT : SIGKILL);
}

void
children_watch(struct children *cs, unsigned patience)
{
	struct board_worker *w;
	struct child *c;
	uint64_t beat;
	uint32_t i;

	/* Looks count, not time: when all of the machine slept nobody is. */
	for (i = 0; i < BOARD_WORKERS; i++) {
		c = &cs->at[i];
		w = &cs->board->worker[i];
		beat = atomic_load(&w->heartbeat);
		if (c->pid == 0 || beat != c->heartbeat ||
		    atomic_load(&cs->board->ledger->slot[i].stopped) ||
		    atomic_load(&w->state) < WORKER_READY)
			c->silent = 0;
		else if (++c->silent % patience == 0)
			end_stuck(cs, i, c->silent == patience);
		c->heartbeat = beat;
	}
}

void
children_count(const struct children *cs, struct census *n)
{
	uint32_t i;

	memset(n, 0, sizeof(*n));
	for (i = 0; i < BOARD_WORKERS; i++) {
		if (cs->at[i].pid == 0)
			continue;
		if (cs->at[i].leaving)
			n->draining++;
		else
			n->serving++;
		n->sessions += atomic_load(&cs->board->worker[i].live);
	}
}

unsigned
children_alive(const struct children *cs)
{
	unsigned n = 0;
	uint32_t i;

	for (i = 0; i < BOARD_WORKERS; i++)
		n += cs->at[i].pid != 0;
	return n;
}

unsigned
children_wanted(const struct children *cs)
{
	unsigned n = 0;
	uint32_t i;

	for (i = 0; i < BOARD_WORKERS; i++)
		n += cs->at[i].due != 0 ||
		    (cs->at[i].pid != 0 && !cs->at[i].leaving);
	return n;
}

bool
children_left(const struct children *cs)
{
	return cs->prober.pid != 0 || children_alive(cs) > 0;
}
