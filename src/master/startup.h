/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * startup.h: the start of a master, from the first fork until it serves: alone,
 * or in the place of the one before it (see upgrade.h).
 */
#ifndef STARTUP_H
#define STARTUP_H

#include <sys/types.h>

#include "master/process_table.h"

enum startup_state {
	STARTUP_WORKERS,		/* they come */
	STARTUP_TAKE_OVER,		/* the pidfile is to become free */
	STARTUP_HAND_OVER,		/* we serve; the other lets go */
	STARTUP_DONE,
	STARTUP_FAILED,
	STARTUP_OVER			/* it was cancelled */
};

struct startup {
	enum startup_state state;
	struct process_table	*children;
	int		 before;	/* the channel to the other; -1: none */
	bool		 candidate;	/* there is or was another */
	pid_t		 group;		/* of the other */
	uint64_t	 told;		/* progress that it knows of */
	uint64_t	 deadline;	/* of the state, if it has one */
	int		 status;	/* of sysexits(3), once it has failed */
};

/* Fork all workers. What fails is said on standard error. */
void	startup_begin(struct startup *, struct process_table *);

/* Act on what the other master says. False: this is not its channel. */
bool	startup_event(struct startup *, int fd);

/* Go on with it: look at *state* then. */
void	startup_turn(struct startup *);

/*
 * Once the other has been told that we serve it may have let go: then only to
 * serve is left, whatever comes. True: this was such a moment, and it is done.
 */
bool	startup_settle(struct startup *);

/* It is not to serve: the other goes on. Not for one that is done. */
void	startup_cancel(struct startup *);

/* Milliseconds until it has to go on; -1: not by the clock. */
int	startup_wait(const struct startup *);

#endif
