/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * startup.h: the start of a master, from the first fork until it serves: alone,
 * or in the place of an old one (see upgrade.h).
 */
#ifndef STARTUP_H
#define STARTUP_H

#include <sys/types.h>

#include "master/process_table.h"

enum startup_state {
	STARTUP_WORKERS,		/* workers start */
	STARTUP_TAKE_OVER,		/* waiting for the pidfile */
	STARTUP_HAND_OVER,		/* serving; the old one lets go */
	STARTUP_DONE,
	STARTUP_FAILED,
	STARTUP_OVER			/* cancelled */
};

struct startup {
	enum startup_state state;
	struct process_table	*children;
	int		 before;	/* to the old master; -1: none */
	bool		 candidate;	/* started by an old master */
	pid_t		 group;		/* of the old master */
	uint64_t	 told;		/* progress reported to it */
	uint64_t	 deadline;	/* of the state, if it has one */
	int		 status;	/* of sysexits(3), after a failure */
};

/* Forks all workers. Errors go to standard error. */
void	startup_begin(struct startup *, struct process_table *);

/* Handles messages of the old master. False: this is not its channel. */
bool	startup_event(struct startup *, int fd);

/* Continues the start: check *state* then. */
void	startup_turn(struct startup *);

/*
 * After the old master was told that this one serves, it may have let go: then
 * this one must serve in any case. True: that was the state, and it is done.
 */
bool	startup_settle(struct startup *);

/* Cancels the start: the old master continues. Not for a finished start. */
void	startup_cancel(struct startup *);

/* The time in ms until it must continue; -1: not by the clock. */
int	startup_wait(const struct startup *);

/* True unless another master still has the service. */
bool	startup_serves(const struct startup *);

#endif
