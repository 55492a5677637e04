/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * process_table.c: forks workers and prober, and reaps them. process_channel.c
 * has their messages. Invariant: a slot is held on the board exactly while its
 * process lives.
 */
#include "master/process_table.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/conf_slots.h"
#include "master/daemonize.h"
#include "prober/prober.h"
#include "process/logs.h"
#include "process/process.h"
#include "process/title.h"
#include "sys/channel.h"
#include "sys/clock.h"
#include "util/text.h"
#include "worker/worker.h"

/* Time for a prober to end, in ms. */
#define PROBER_END	5000

int
process_table_init(struct process_table *cs)
{
	uint32_t i;

	cs->slots = cs->board->rows;
	if ((cs->at = calloc(cs->slots, sizeof(*cs->at))) == NULL)
		return -1;
	child_init(&cs->prober);
	for (i = 0; i < cs->slots; i++)
		child_init(&cs->at[i]);
	return 0;
}

void
process_table_free(struct process_table *cs)
{
	free(cs->at);
	cs->at = NULL;
}

bool
process_table_coming(const struct process_table *cs, const struct child *c)
{
	return cs->coming.generation != 0 && !c->leaving &&
	    c->generation == cs->coming.generation;
}

void
process_table_leave(struct process_table *cs, bool prober)
{
	uint32_t i;

	child_close_channel(&cs->prober);
	for (i = 0; i < cs->slots; i++)
		child_close_channel(&cs->at[i]);
	if (!cs->conf->foreground)
		daemonize_detach();
	for (i = 0; i < OWNS; i++)
		if (cs->own[i] != -1)
			close(cs->own[i]);
	close(cs->board_fd);
	if (board_leave_ledger(cs->board, !prober) == -1)
		log_line(cs->log, LOG_WARNING, "board: %s", strerror(errno));
	runtime_files_leave(cs->instance);
	fd_inherit_free(cs->instance->inherited);
}

/* The child keeps one of two configurations, with its log. */
static void
choose_generation(struct process_table *cs, bool coming)
{
	struct coming *next = &cs->coming;
	struct conf *conf = next->conf;
	struct log *other = next->log;

	if (next->conf == NULL || next->conf == cs->conf)
		return;
	cs->instance->before = next->conf;
	if (coming) {
		conf = cs->instance->before = cs->conf;
		cs->conf = cs->instance->conf = next->conf;
		other = cs->log;
		cs->log = next->log;
	}
	/* Its lines are the master's. */
	log_ident(other, "other");
	log_close(other);
	logs_leave(conf);
}

static void __attribute__((__noreturn__))
be_worker(struct process_table *cs, uint32_t slot, int channel)
{
	const struct child *c = &cs->at[slot];
	struct worker *w;
	char name[24];
	int status = PROCESS_HOPELESS;

	choose_generation(cs, process_table_coming(cs, c));
	process_table_leave(cs, false);
	snprintf(name, sizeof(name), "worker %u", slot + 1);
	title_set(cs->conf, "%s, generation %u", name, c->generation);
	log_ident(cs->log, name);
	logs_ident(cs->conf, name);
	w = worker_new(cs->conf, cs->board, cs->log, slot, channel);
	if (w != NULL) {
		(void)channel_send(channel, CHANNEL_READY, -1);
		status = worker_loop(w);
		/* The master counts the sessions that it could not end. */
		if (status == PROCESS_DONE)
			worker_free(w);
	}
	log_close(cs->log);
	logs_close(cs->conf);
	exit(status);
}

int
process_table_spawn(struct process_table *cs, uint32_t slot,
    uint32_t generation)
{
	struct child *c = &cs->at[slot];
	const struct conf *conf = cs->conf;
	int channel;
	pid_t pid;

	c->generation = generation;
	c->leaving = false;
	if (process_table_coming(cs, c))
		conf = cs->coming.conf;
	c->drain_time = conf->drain_timeout;
	c->reload_time = conf->reload_timeout;
	if ((pid = child_fork(c, &channel)) == -1) {
		log_line(cs->log, LOG_ERR, "worker %u: fork: %s", slot + 1,
		    strerror(errno));
		c->due = clock_now_ms() + 1000;
		return -1;
	}
	if (pid == 0)
		be_worker(cs, slot, channel);
	poller_want(cs->poller, c->channel, POLLER_READ);
	board_hold(cs->board, slot, (int32_t)pid, generation);
	if (!process_table_coming(cs, c))
		process_table_tell(cs, c, TELL_GO);
	return 0;
}

static void __attribute__((__noreturn__))
be_prober(struct process_table *cs, int channel)
{
	struct prober *p;
	/* Servers depend on it, and a lack may pass. */
	int status = PROCESS_FAILED;

	choose_generation(cs, false);
	logs_leave(cs->conf);
	process_table_leave(cs, true);
	runtime_files_close_copies(cs->instance);
	title_set(cs->conf, "prober, generation %u", cs->generation);
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
spawn_prober(struct process_table *cs)
{
	int channel;
	pid_t pid;

	cs->prober.generation = cs->generation;
	if ((pid = child_fork(&cs->prober, &channel)) == 0)
		be_prober(cs, channel);
	if (pid != -1) {
		poller_want(cs->poller, cs->prober.channel, POLLER_READ);
		return;
	}
	log_line(cs->log, LOG_ERR, "prober: fork: %s", strerror(errno));
	cs->prober.due = clock_now_ms() + 1000;
}

/* Telling it again does not extend its time. */
static void
tell_prober_to_end(struct process_table *cs, int sig)
{
	if (!cs->prober.leaving)
		cs->prober.due = clock_now_ms() + PROBER_END;
	cs->prober.leaving = true;
	(void)kill(cs->prober.pid, sig);
}

void
process_table_set_prober(struct process_table *cs)
{
	conf_forget_unchecked(cs->conf, cs->board);
	cs->prober_again = prober_is_needed(cs->conf);
	cs->prober.quick = 0;
	cs->prober_overtaken = cs->prober.pid != 0;
	if (cs->prober_overtaken)
		tell_prober_to_end(cs, SIGTERM);
	else
		cs->prober.due = cs->prober_again ? clock_now_ms() : 0;
}

void
process_table_end_prober(struct process_table *cs, int sig)
{
	cs->prober_again = cs->prober_overtaken = false;
	if (cs->prober.pid != 0)
		tell_prober_to_end(cs, sig);
	else
		cs->prober.due = 0;
}

/*
 * During an upgrade the old master has workers, too. If it is killed, no
 * process removes them from the board.
 */
bool
process_table_slot_is_free(struct board *b, uint32_t slot)
{
	pid_t pid = atomic_load(&b->ledger->process[slot].pid);

	if (pid == 0)
		return true;
	if (kill(pid, 0) == 0 || errno != ESRCH)
		return false;
	(void)board_reclaim(b, slot);
	return true;
}

int
process_table_slot(struct process_table *cs, uint32_t *slot)
{
	uint32_t i;

	for (i = 0; i < cs->slots; i++)
		if (cs->at[i].pid == 0 && cs->at[i].due == 0 &&
		    process_table_slot_is_free(cs->board, i)) {
			cs->at[i].quick = 0;
			*slot = i;
			return 0;
		}
	errno = ENOSPC;
	return -1;
}

int
process_table_add(struct process_table *cs)
{
	uint32_t slot;

	return process_table_slot(cs, &slot) == -1 ? -1 :
	    process_table_spawn(cs, slot, cs->generation);
}

/* True if the slot waits for its next worker. */
static bool
is_due(const struct child *c)
{
	return c->pid == 0 && c->due != 0;
}

static bool
is_serving(const struct process_table *cs, const struct child *c)
{
	return c->pid != 0 && !c->leaving && !process_table_coming(cs, c);
}

int
process_table_remove(struct process_table *cs)
{
	struct child *c;
	uint32_t i;

	if (process_table_wanted(cs) <= 1)
		return -1;
	for (i = cs->slots; i-- > 0;) {
		c = &cs->at[i];
		if (is_due(c)) {
			c->due = 0;
			return 0;
		}
		if (is_serving(cs, c)) {
			process_table_release(cs, c);
			return 0;
		}
	}
	return -1;
}

/*
 * A worker has ended. One of a new generation is not respawned: its generation
 * fails.
 */
static void
reap_worker(struct process_table *cs, uint32_t slot, int status)
{
	uint32_t n = board_reclaim(cs->board, slot);
	struct child *c = &cs->at[slot];
	char name[24], lost[40];

	snprintf(name, sizeof(name), "worker %u", slot + 1);
	snprintf(lost, sizeof(lost), ", %u session%s lost", n,
	    text_s(n));
	if (process_table_coming(cs, c)) {
		cs->coming.failed = c->leaving = true;
		snprintf(cs->why, sizeof(cs->why), "%s could not start", name);
	}
	process_table_end_channel(cs, c);
	child_reap(c, cs->log, name, status, lost);
}

/* Without a prober the known state of the servers stays. */
static void
reap_prober(struct process_table *cs, int status)
{
	bool leaving = cs->prober.leaving;

	process_table_end_channel(cs, &cs->prober);
	child_reap(&cs->prober, cs->log, "prober", status, "");
	/*
	 * It may have written again what was cleared when it was told to end.
	 */
	if (cs->prober_overtaken)
		conf_forget_unchecked(cs->conf, cs->board);
	cs->prober_overtaken = false;
	if (leaving)
		cs->prober.due = cs->prober_again ? clock_now_ms() : 0;
}

/* A signal has stopped or continued a worker. */
static void
note_stop(const struct process_table *cs, uint32_t slot, int status)
{
	atomic_store(&cs->board->ledger->process[slot].stopped,
	    WIFSTOPPED(status));
	log_line(cs->log, LOG_WARNING, "worker %u pid %d %s", slot + 1,
	    (int)cs->at[slot].pid, WIFSTOPPED(status) ?
	    "is stopped; its sessions wait until SIGCONT" : "continues");
}

static void
note_prober(struct process_table *cs, int status)
{
	if (WIFEXITED(status) || WIFSIGNALED(status))
		reap_prober(cs, status);
	else
		log_line(cs->log, LOG_WARNING, "prober pid %d %s",
		    (int)cs->prober.pid, WIFSTOPPED(status) ? "is stopped; "
		    "what is known of the servers stays until SIGCONT" :
		    "continues");
}

void
process_table_reaped(struct process_table *cs, pid_t pid, int status)
{
	uint32_t i;

	if (pid == cs->prober.pid) {
		note_prober(cs, status);
		return;
	}
	for (i = 0; i < cs->slots && cs->at[i].pid != pid; i++)
		;
	if (i == cs->slots)
		return;
	if (WIFSTOPPED(status) || WIFCONTINUED(status))
		note_stop(cs, i, status);
	else
		reap_worker(cs, i, status);
	if (!WIFCONTINUED(status))
		process_table_look(cs);
}

/* It does not end as told; another process may wait for that. */
static void
kill_late(struct process_table *cs, struct child *c, const char *name)
{
	log_line(cs->log, LOG_ERR, "%s pid %d does not end: killing it", name,
	    (int)c->pid);
	c->due = 0;
	(void)kill(c->pid, SIGKILL);
}

static void
turn_worker(struct process_table *cs, uint32_t slot)
{
	char name[24];

	if (cs->at[slot].pid != 0) {
		snprintf(name, sizeof(name), "worker %u", slot + 1);
		kill_late(cs, &cs->at[slot], name);
		return;
	}
	cs->at[slot].due = 0;
	/* During an upgrade the other master may have taken it. */
	if (process_table_slot_is_free(cs->board, slot))
		(void)process_table_spawn(cs, slot, cs->generation);
	else
		(void)process_table_add(cs);
}

void
process_table_turn(struct process_table *cs)
{
	uint64_t now = clock_now_ms();
	uint32_t i;

	for (i = 0; i < cs->slots; i++) {
		if (cs->at[i].due != 0 && cs->at[i].due <= now)
			turn_worker(cs, i);
		if (cs->at[i].owed != 0)
			process_table_tell(cs, &cs->at[i], 0);
	}
	if (cs->prober.owed != 0)
		process_table_tell(cs, &cs->prober, 0);
	if (cs->prober.due == 0 || cs->prober.due > now)
		return;
	if (cs->prober.pid == 0)
		spawn_prober(cs);
	else
		kill_late(cs, &cs->prober, "prober");
}

int
process_table_wait(const struct process_table *cs)
{
	int ms, next = child_wait(&cs->prober);
	uint32_t i;

	for (i = 0; i < cs->slots; i++) {
		ms = child_wait(&cs->at[i]);
		if (ms != -1 && (next == -1 || ms < next))
			next = ms;
	}
	return next;
}

void
process_table_signal(struct process_table *cs, int sig, bool leaving)
{
	struct child *c;
	uint32_t i;

	for (i = 0; i < cs->slots; i++) {
		c = &cs->at[i];
		if (leaving && c->pid == 0)
			c->due = 0;
		if (c->pid == 0 || process_table_coming(cs, c))
			continue;
		if (leaving)
			c->leaving = true;
		if (sig == SIGQUIT)
			child_expect_end(c, c->drain_time);
		(void)kill(c->pid, sig);
	}
}

void
process_table_drain(struct process_table *cs)
{
	struct child *c;
	uint32_t i;

	for (i = 0; i < cs->slots; i++) {
		c = &cs->at[i];
		if (c->pid == 0)
			c->due = 0;
		else if (!process_table_coming(cs, c))
			process_table_release(cs, c);
	}
}

/* Its loop has not turned for this many looks. */
static void
end_stuck(const struct process_table *cs, uint32_t slot, bool kindly)
{
	log_line(cs->log, LOG_ERR, "worker %u pid %d is stuck: %s it",
	    slot + 1, (int)cs->at[slot].pid, kindly ? "aborting" : "killing");
	(void)kill(cs->at[slot].pid, kindly ? SIGABRT : SIGKILL);
}

void
process_table_watch(struct process_table *cs, unsigned patience)
{
	struct board_worker *w;
	struct child *c;
	uint64_t beat;
	uint32_t i;

	/* Looks count, not time: a machine that slept has no stuck worker. */
	for (i = 0; i < cs->slots; i++) {
		c = &cs->at[i];
		w = &cs->board->worker[i];
		beat = atomic_load(&w->heartbeat);
		if (c->pid == 0 || beat != c->heartbeat ||
		    atomic_load(&cs->board->ledger->process[i].stopped) ||
		    atomic_load(&w->state) < WORKER_READY)
			c->silent = 0;
		else if (++c->silent % patience == 0)
			end_stuck(cs, i, c->silent == patience);
		c->heartbeat = beat;
	}
}

void
process_table_count(const struct process_table *cs, struct process_counts *n)
{
	uint32_t i;

	memset(n, 0, sizeof(*n));
	for (i = 0; i < cs->slots; i++) {
		if (cs->at[i].pid == 0 || process_table_coming(cs, &cs->at[i]))
			continue;
		if (cs->at[i].leaving)
			n->draining++;
		else
			n->serving++;
		n->sessions += atomic_load(&cs->board->worker[i].live);
	}
}

unsigned
process_table_alive(const struct process_table *cs)
{
	unsigned n = 0;
	uint32_t i;

	for (i = 0; i < cs->slots; i++)
		n += cs->at[i].pid != 0;
	return n;
}

unsigned
process_table_wanted(const struct process_table *cs)
{
	unsigned n = 0;
	uint32_t i;

	for (i = 0; i < cs->slots; i++)
		n += is_due(&cs->at[i]) || is_serving(cs, &cs->at[i]);
	return n;
}

bool
process_table_left(const struct process_table *cs)
{
	return cs->prober.pid != 0 || process_table_alive(cs) > 0;
}
