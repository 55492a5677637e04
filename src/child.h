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

#include "log.h"

struct child {
	pid_t		pid;		/* 0: there is no process */
	int		channel;	/* -1: none */
	uint64_t	born;		/* sys_now() */
	uint64_t	due;		/* when to respawn, or to kill a prober
					   that is leaving; 0: not at all */
	unsigned	quick;		/* early deaths in a row */
	bool		leaving;	/* told to end: not respawned */
	uint32_t	generation;	/* of the configuration it runs */
	uint64_t	heartbeat;	/* as children_watch() saw it last */
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
 * unless it was to leave. True: it said that another would fail, too.
 */
bool	child_bury(struct child *, struct log *, const char *name, int status,
	    const char *lost);

/* Milliseconds until it is due; -1: it is not. */
int	child_wait(const struct child *);

void	child_close_channel(struct child *);

#endif
