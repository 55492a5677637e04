/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * upgrade.h: replaces the program without losing a connection. The old master
 * starts the new one, with its sockets and its board, by its own command line;
 * when the new workers could accept, the pidfile changes hands.
 */
#ifndef UPGRADE_H
#define UPGRADE_H

#include <sys/types.h>

#include "master/process_table.h"

enum upgrade_state {
	UPGRADE_IDLE,
	UPGRADE_START,			/* the new program starts */
	UPGRADE_HAND_OVER,		/* it may take the pidfile now */
	UPGRADE_END,			/* it has failed and must end */
	UPGRADE_TAKE_BACK,		/* the pidfile must be taken back */
	UPGRADE_ANNOUNCE,		/* the service manager is informed */
	UPGRADE_DONE			/* it serves */
};

struct upgrade {
	enum upgrade_state state;
	struct process_table	*children;
	pid_t		 pid;		/* of the new one, and its group */
	pid_t		 heir;		/* it serves, even if it ended since */
	int		 channel;	/* to it; -1: none */
	int		 barrier;	/* manager has accepted; -1: unused */
	int		 diagnostics;	/* its standard error; -1: shared */
	uint64_t	 began;		/* clock_now_ms() */
	uint64_t	 deadline;	/* of the state */
	bool		 killed;	/* by this process */
	bool		 cancelled;	/* the service ends */
	bool		 owed;		/* files still to be taken back */
	char		 why[96];	/* reason of a failure */
};

void	upgrade_init(struct upgrade *, struct process_table *);

/* The old master: starts the program again. */
void	upgrade_begin(struct upgrade *);

/* Handles its messages. False: this is not its channel. */
bool	upgrade_event(struct upgrade *, int fd);

/* Before children are reaped: if it has died, kills its children. */
void	upgrade_look(const struct upgrade *);

/* A process has ended. False: it was another one. */
bool	upgrade_reaped(struct upgrade *, pid_t, int status);

/*
 * Continues it. True: it has just ended, and *state* is UPGRADE_DONE: the new
 * master owns the files, and this one must close listeners and drain; or
 * UPGRADE_IDLE: it has failed, the log has the reason, and all is as before.
 */
bool	upgrade_turn(struct upgrade *);

/* The time in ms until it must continue; -1: not by the clock. */
int	upgrade_wait(const struct upgrade *);

/* The service ends: makes sure that the new master never serves. */
void	upgrade_cancel(struct upgrade *);

#endif
