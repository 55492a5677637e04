/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * child.c: the start and the end of one process. process_table.c has the rest
 * of its life, and its traces on the board.
 */
#include "master/child.h"

#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process/process.h"
#include "sys/channel.h"
#include "sys/clock.h"

/* A process that ends before this age died early, in ms. */
#define EARLY		10000

/* Grace beyond the expected end, in ms. */
#define LATE		5000

/* Interval of attempts to send owed messages, in ms. */
#define PAY_AGAIN	50

/* The longest wait before a respawn, in seconds. */
#define BACKOFF_MAX	30

void
child_init(struct child *c)
{
	memset(c, 0, sizeof(*c));
	c->channel = -1;
}

void
child_close_channel(struct child *c)
{
	if (c->channel != -1)
		close(c->channel);
	c->channel = -1;
}

pid_t
child_fork(struct child *c, int *channel)
{
	int pair[2], err;
	pid_t pid;

	c->due = 0;
	if (channel_open(pair) == -1)
		return -1;
	fflush(NULL);
	if ((pid = fork()) == 0) {
		close(pair[0]);
		*channel = pair[1];
		return 0;
	}
	err = errno;
	close(pair[1]);
	if (pid == -1) {
		close(pair[0]);
		errno = err;
		return -1;
	}
	c->pid = pid;
	c->channel = pair[0];
	c->born = clock_now_ms();
	c->leaving = false;
	c->silent = 0;
	c->state = CHILD_STARTING;
	c->steps = 0;
	c->awaited = false;
	c->owed = 0;
	return pid;
}

void
child_expect_end(struct child *c, uint64_t ms)
{
	uint64_t end = clock_now_ms() + ms + LATE;

	if (ms != 0 && (c->due == 0 || c->due > end))
		c->due = end;
}

/* 1: sent; 0: later; -1 with errno: never. */
static int
pay_one(struct child *c, unsigned what, int message, int fd)
{
	if ((c->owed & what) == 0)
		return 1;
	if (channel_send(c->channel, (char)message, fd) == -1) {
		/* A lack of memory passes, as a full queue does. */
		if (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS ||
		    errno == ETOOMANYREFS)
			return 0;
		c->owed = 0;
		return -1;
	}
	c->owed &= ~what;
	return 1;
}

int
child_pay(struct child *c, const int log[LOGS])
{
	static const struct {
		unsigned what;
		char	 message;
	} order[] = {
		{ TELL_GO, CHANNEL_GO }, { TELL_RETIRE, CHANNEL_RETIRE },
		{ TELL_LOOK, CHANNEL_LOOK },
	};
	size_t i;
	int done = 1;

	for (i = 0; i < LOGS && done == 1; i++) {
		/* The log has changed: this child does not get the new one. */
		if (log[i] == -1)
			c->owed &= ~((unsigned)TELL_LOG << i);
		done = pay_one(c, (unsigned)TELL_LOG << i,
		    CHANNEL_LOG + (int)i, log[i]);
	}
	for (i = 0; i < sizeof(order) / sizeof(*order) && done == 1; i++)
		done = pay_one(c, order[i].what, order[i].message, -1);
	return done == -1 ? -1 : 0;
}

/*
 * Time until the respawn, in ms. The first early death is followed by an
 * immediate respawn, later ones by growing delays.
 */
static uint64_t
respawn_delay(struct child *c, int status)
{
	unsigned shift;

	if (status == 0 || clock_now_ms() - c->born >= EARLY) {
		c->quick = 0;
		return 0;
	}
	if (c->quick++ == 0)
		return 0;
	shift = c->quick - 2;
	return shift >= 5 ? BACKOFF_MAX * 1000 : UINT64_C(1000) << shift;
}

static void
log_child_end(const struct child *c, struct log *log, const char *name,
    int status, const char *lost, const char *next)
{
	char cause[64];

	if (WIFSIGNALED(status))
		snprintf(cause, sizeof(cause), "killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(cause, sizeof(cause), "exit code %d",
		    WEXITSTATUS(status));
	log_line(log, status == 0 ? LOG_NOTICE : LOG_ERR,
	    "%s pid %d ended: %s, age %.1f s%s; %s", name, (int)c->pid, cause,
	    (double)(clock_now_ms() - c->born) / 1000, lost, next);
}

void
child_reap(struct child *c, struct log *log, const char *name, int status,
    const char *lost)
{
	uint64_t delay;
	char next[48] = "not respawned";

	c->due = 0;
	if (!c->leaving) {
		delay = respawn_delay(c, status);
		c->due = clock_now_ms() + delay;
		if (delay == 0)
			strlcpy(next, "respawned at once", sizeof(next));
		else
			snprintf(next, sizeof(next), "respawned in %llu s",
			    (unsigned long long)delay / 1000);
	}
	log_child_end(c, log, name, status, lost, next);
	child_close_channel(c);
	c->pid = 0;
	c->leaving = false;
}

int
child_wait(const struct child *c)
{
	uint64_t now = clock_now_ms();
	int ms = c->owed != 0 ? PAY_AGAIN : -1;

	if (c->due == 0 || (ms != -1 && c->due >= now + (uint64_t)ms))
		return ms;
	return c->due <= now ? 0 : (int)(c->due - now);
}
