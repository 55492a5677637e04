/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * process_channel.c: messages between master and child. Never waits: what a
 * child does not accept yet is owed to it, and tried again. A child may be
 * compromised: an invalid message ends it, and no descriptor is accepted from
 * it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "master/process_table.h"
#include "process/logs.h"
#include "process/process.h"
#include "sys/channel.h"
#include "sys/clock.h"

/* Maximum of steps in a start. */
#define STEPS		32

void
process_table_end_channel(struct process_table *cs, struct child *c)
{
	if (c->channel != -1)
		poller_forget(cs->poller, c->channel);
	child_close_channel(c);
	c->owed = 0;
}

static void
name_child(const struct process_table *cs, const struct child *c, char *name,
    size_t size)
{
	if (c == &cs->prober)
		strlcpy(name, "prober", size);
	else
		snprintf(name, size, "worker %u",
		    (unsigned)(c - cs->at) + 1);
}

/* The log descriptors for this generation, by slot; -1: it has other logs. */
static void
list_logs(const struct process_table *cs, const struct child *c, int fd[LOGS])
{
	const struct own_log *l;
	size_t i;

	for (i = 0; i < LOGS; i++)
		fd[i] = -1;
	if (c->generation >= cs->log_since)
		fd[0] = log_fd(cs->log);
	for (i = 0; i < cs->conf->own_logs; i++) {
		l = &cs->conf->own_log[i];
		if (c->generation >= l->since && l->log != NULL)
			fd[l->slot] = log_fd(l->log);
	}
}

void
process_table_tell(struct process_table *cs, struct child *c, unsigned what)
{
	int log[LOGS];
	char name[24];

	if (c->channel == -1)
		return;
	list_logs(cs, c, log);
	c->owed |= what;
	/* A child that has just ended does not need it. */
	if (child_pay(c, log) == 0 || errno == EPIPE ||
	    errno == ECONNRESET)
		return;
	name_child(cs, c, name, sizeof(name));
	log_line(cs->log, LOG_ERR, "%s pid %d: the channel to it: %s", name,
	    (int)c->pid, strerror(errno));
}

void
process_table_release(struct process_table *cs, struct child *c)
{
	c->leaving = true;
	child_expect_end(c, c->reload_time);
	if (c->channel != -1)
		process_table_tell(cs, c, TELL_RETIRE);
	else
		(void)kill(c->pid, SIGQUIT);
}

void
process_table_look(struct process_table *cs)
{
	uint32_t i;

	for (i = 0; i < cs->slots; i++)
		if (cs->at[i].pid != 0)
			process_table_tell(cs, &cs->at[i], TELL_LOOK);
}

void
process_channel_new_log(struct process_table *cs)
{
	const unsigned all = TELL_GO - 1;
	uint32_t i;

	if (cs->prober.pid != 0)
		process_table_tell(cs, &cs->prober, TELL_LOG);
	/* The new generation has just opened its own. */
	for (i = 0; i < cs->slots; i++)
		if (cs->at[i].pid != 0 && !process_table_coming(cs, &cs->at[i]))
			process_table_tell(cs, &cs->at[i], all);
}

/* Each message except steps comes once, in order. */
static bool
may_say(struct process_table *cs, struct child *c, char what)
{
	if (c == &cs->prober)
		return false;
	switch (what) {
	case CHANNEL_STARTING:
		return c->state == CHILD_STARTING && ++c->steps <= STEPS;
	case CHANNEL_READY:
		if (c->state != CHILD_STARTING)
			return false;
		c->state = CHILD_READY;
		return true;
	case CHANNEL_CLOSED:
		if (c->state != CHILD_READY)
			return false;
		c->state = CHILD_CLOSED;
		return true;
	default:
		return false;
	}
}

static void
end_liar(struct process_table *cs, struct child *c, const char *what)
{
	char name[24];

	name_child(cs, c, name, sizeof(name));
	log_line(cs->log, LOG_ERR, "%s pid %d: %s on its channel: killing it",
	    name, (int)c->pid, what);
	process_table_end_channel(cs, c);
	(void)kill(c->pid, SIGKILL);
}

static void
hear_child(struct process_table *cs, struct child *c)
{
	char what, text[40];

	switch (channel_receive_untrusted(c->channel, &what)) {
	case 1:
		if (may_say(cs, c, what)) {
			if (process_table_coming(cs, c))
				cs->coming.progress = clock_now_ms();
			return;
		}
		snprintf(text, sizeof(text), "unexpected message 0x%02x",
		    (unsigned char)what);
		end_liar(cs, c, text);
		return;
	case 0:
		/* It is about to end; otherwise signals still reach it. */
		process_table_end_channel(cs, c);
		return;
	default:
		if (errno == EBADMSG)
			end_liar(cs, c, "malformed message");
		return;
	}
}

bool
process_channel_event(struct process_table *cs, int fd)
{
	uint32_t i;

	if (cs->prober.channel == fd) {
		hear_child(cs, &cs->prober);
		return true;
	}
	for (i = 0; i < cs->slots; i++)
		if (cs->at[i].channel == fd) {
			hear_child(cs, &cs->at[i]);
			return true;
		}
	return false;
}
