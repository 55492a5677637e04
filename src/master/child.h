/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * child.h: one process that the master has forked, its channel, and when its
 * successor is due.
 */
#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "process/logs.h"

/* The reports of a child; each comes once, in this order. */
enum child_state { CHILD_STARTING, CHILD_READY, CHILD_CLOSED };

/* Messages to a child, sent in this order. */
enum {
	TELL_LOG = 1,			/* new log; << n: the log in slot n */
	TELL_GO = 1 << LOGS,		/* accept */
	TELL_RETIRE = 2 << LOGS,	/* drain */
	TELL_LOOK = 4 << LOGS		/* a connection may be waiting */
};

struct child {
	pid_t		pid;		/* 0: no process */
	int		channel;	/* -1: none */
	enum child_state state;
	unsigned	steps;		/* of its start, as reported */
	unsigned	owed;		/* TELL_…, not sent yet */
	uint64_t	born;		/* clock_now_ms() */
	uint64_t	due;		/* time of respawn, or of killing one
					   that is leaving; 0: none */
	unsigned	quick;		/* early deaths in a row */
	bool		leaving;	/* told to end: not respawned */
	bool		awaited;	/* until CHILD_CLOSED */
	uint32_t	generation;	/* of its configuration, … */
	uint64_t	drain_time;	/* … with these, in ms; 0: none */
	uint64_t	reload_time;
	uint64_t	heartbeat;	/* as seen by process_table_watch() */
	unsigned	silent;		/* looks since it changed */
};

/* Initialises it without a process. */
void	child_init(struct child *);

/*
 * Forks, with a channel between the two. Returns the pid; 0 in the new process,
 * whose end of the channel is in *channel*; -1 with errno set.
 */
pid_t	child_fork(struct child *, int *channel);

/*
 * It has ended with this status of waitpid(2). Logs its name, the cause, its
 * age, and *lost* after that; sets when the respawn is due, unless it was told
 * to end. The kind of failure makes no difference: a lack may pass, and a
 * compromised process ends as it likes.
 */
void	child_reap(struct child *, struct log *, const char *name, int status,
	    const char *lost);

/*
 * It was told to end, which takes it *ms* at most (0: no limit). It is due some
 * seconds after that; the earlier of two times counts.
 */
void	child_expect_end(struct child *, uint64_t ms);

/* The time in ms until it is due or has messages to send; -1: neither. */
int	child_wait(const struct child *);

void	child_close_channel(struct child *);

/*
 * Sends owed messages as far as the channel accepts them; *log* are the log
 * descriptors by slot. The rest is sent later: the child is stuck or stopped.
 * 0, or -1 with errno set: a message is lost for good.
 */
int	child_pay(struct child *, const int log[LOGS]);

#endif
