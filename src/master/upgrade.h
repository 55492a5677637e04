/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * upgrade.h: from one program to the next without losing a connection. The
 * master before starts the one after, with its sockets and its board, by the
 * command line that it was started by itself; when that one's workers could accept,
 * the pidfile changes hands.
 */
#ifndef UPGRADE_H
#define UPGRADE_H

#include <sys/types.h>

#include "master/process_table.h"

enum upgrade_state {
	UPGRADE_IDLE,
	UPGRADE_START,			/* the other program starts */
	UPGRADE_HAND_OVER,		/* it may have the pidfile now */
	UPGRADE_END,			/* it has failed and is to end */
	UPGRADE_TAKE_BACK,		/* the pidfile is to be ours again */
	UPGRADE_ANNOUNCE,		/* the service manager is told */
	UPGRADE_DONE			/* it serves */
};

struct upgrade {
	enum upgrade_state state;
	struct process_table	*children;
	pid_t		 pid;		/* of the other, also of the group */
	int		 channel;	/* to it; -1: none */
	int		 barrier;	/* the manager has heard; -1: no matter */
	int		 diagnostics;	/* its standard error; -1: ours */
	uint64_t	 began;		/* clock_now_ms() */
	uint64_t	 deadline;	/* of the state */
	bool		 killed;	/* by us */
	bool		 cancelled;	/* the service ends */
	bool		 owed;		/* files to take back, by and by */
	char		 why[96];	/* it does not serve */
};

void	upgrade_init(struct upgrade *, struct process_table *);

/* The master before: start the program again. */
void	upgrade_begin(struct upgrade *);

/* Act on what it says. False: this is not its channel. */
bool	upgrade_event(struct upgrade *, int fd);

/* Before anything is reaped: is it dead? Then its children are to end as well. */
void	upgrade_look(const struct upgrade *);

/* A process has ended. False: it was another one. */
bool	upgrade_reaped(struct upgrade *, pid_t, int status);

/*
 * Go on. True: it has come to an end just now, and *state* is UPGRADE_DONE: the
 * files are the other's, what is left to do is to close listeners and to drain; or
 * UPGRADE_IDLE: it came to nothing, the log says why, all is as before.
 */
bool	upgrade_turn(struct upgrade *);

/* Milliseconds until it has to go on; -1: not by the clock. */
int	upgrade_wait(const struct upgrade *);

/* The service ends: see to it that the other never serves. */
void	upgrade_cancel(struct upgrade *);

#endif
