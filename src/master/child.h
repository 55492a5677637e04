/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * child.h: one process that the master has forked, with a channel to it, and
 * when to have the next one in its place.
 */
#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "process/logs.h"

/* What it has said of itself; each is said once, in this order. */
enum child_state { CHILD_STARTING, CHILD_READY, CHILD_CLOSED };

/* What it is to be told, sent in this order. */
enum {
	TELL_LOG = 1,			/* log here; << n: the log in slot n */
	TELL_GO = 1 << LOGS,		/* accept */
	TELL_RETIRE = 2 << LOGS,	/* drain */
	TELL_LOOK = 4 << LOGS		/* somebody may be waiting */
};

struct child {
	pid_t		pid;		/* 0: there is no process */
	int		channel;	/* -1: none */
	enum child_state state;
	unsigned	steps;		/* of its start, as it says */
	unsigned	owed;		/* TELL_…, not sent yet */
	uint64_t	born;		/* clock_now_ms() */
	uint64_t	due;		/* when to respawn, or to kill one
					   that is leaving; 0: not at all */
	unsigned	quick;		/* early deaths in a row */
	bool		leaving;	/* told to end: not respawned */
	bool		awaited;	/* until it has said CHILD_CLOSED */
	uint32_t	generation;	/* of the configuration it runs, */
	uint64_t	drain_time;	/* which has these, in ms; 0: none */
	uint64_t	reload_time;
	uint64_t	heartbeat; /* as process_table_watch() saw it last */
	unsigned	silent;		/* looks since it changed */
};

/* Nobody yet. */
void	child_init(struct child *);

/*
 * Fork, with a channel between the two. Returns the pid; 0 in the new process,
 * whose end of the channel is in *channel*; -1 with errno set.
 */
pid_t	child_fork(struct child *, int *channel);

/*
 * It has ended with this status of waitpid(2): write the line that says who
 * died, of what, how old, and *lost* behind that; set when it is due again,
 * unless it was to leave. How it failed makes no difference: what it lacked may
 * be there again, and one that was taken over ends as it likes.
 */
void	child_reap(struct child *, struct log *, const char *name, int status,
	    const char *lost);

/*
 * It has been told to end, which takes it so many ms; 0: as long as it likes. One
 * that lasts longer, and some seconds, is due; the sooner of two times counts.
 */
void	child_expect_end(struct child *, uint64_t ms);

/* Milliseconds until it is due, or is to be paid; -1: neither. */
int	child_wait(const struct child *);

void	child_close_channel(struct child *);

/*
 * Send what is owed, as far as the channel takes it; *log* is the descriptor to
 * log to. What is left is for later: the child is stuck or stopped. 0, or -1 with
 * errno set: something is lost for good.
 */
int	child_pay(struct child *, const int log[LOGS]);

#endif
