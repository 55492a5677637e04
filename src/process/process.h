/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * process.h: the common part of all children of the master: their end of the
 * channel, signals, the order of giving up privileges, confinement, exit codes
 * and messages.
 *
 * Order of a start: what needs privileges; process_drop_privileges();
 * process_open_poller(); what needs memory and files; process_enter_sandbox();
 * then the first byte from the network.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "board/board.h"
#include "config/conf.h"
#include "event/poller.h"
#include "log/log.h"

/* The exit status of a child, for the master. */
enum process_exit {
	PROCESS_DONE = 0,		/* drained or stopped */
	PROCESS_FAILED = 1,		/* may succeed if started again */
	PROCESS_HOPELESS = 2		/* it could not start */
};

/* Time for a drain that max_generations ends, in ms. */
#define PROCESS_HURRY	5000

/*
 * Messages on a channel, one byte each. A worker handles all of them, the
 * prober only CHANNEL_LOG.
 */
enum channel_message {
	CHANNEL_STARTING = 'S',		/* to the master: a step of the start */
	CHANNEL_READY = 'R',		/* to the master: ready to accept */
	CHANNEL_CLOSED = 'C',		/* to the master: stopped accepting */
	CHANNEL_GO = 'G',		/* to the worker: accept */
	CHANNEL_RETIRE = 'O',		/* to the worker: replaced, drain */
	/* To a child: a new descriptor of the log; + n: of that in slot n. */
	CHANNEL_LOG = 1,
	CHANNEL_LAST_LOG = CHANNEL_LOG + CONF_LOGS,
	CHANNEL_LOOK = 'A'		/* to the worker: acceptor_look() */
};

struct process {
	struct conf	*conf;
	struct board	*board;
	struct log	*log;
	struct poller	*poller;
	int		 channel;	/* to the master; -1: none */
	int		 signals;	/* readable while one is pending */
	bool		 tells_steps;	/* send CHANNEL_STARTING */
	const char	*step;		/* of the start, for error messages */
	const char	*sandbox;	/* its active parts */
};

/*
 * Initialises *p* and opens nothing. conf, board and log stay the caller's; the
 * channel belongs to *p* from now on.
 */
void	process_init(struct process *, struct conf *, struct board *,
	    struct log *, int channel);

/* Closes and frees what the functions below have opened. Keeps errno. */
void	process_free(struct process *);

/* Names the next step of the start, for the message of a failure. */
void	process_begin_step(struct process *, const char *step);

/*
 * Switches to the configured user and root directory, with no more privileges
 * than sessions need (*as_client*: see privileges_drop()). 0, or -1 with errno.
 */
int	process_drop_privileges(struct process *, bool as_client);

/*
 * Blocks signals, and creates a poller for this many descriptors that reports
 * signals and the channel. 0, or -1 with errno.
 */
int	process_open_poller(struct process *, size_t descriptors);

/*
 * Makes the kernel refuse what a process of this kind never does:
 * SYSCALL_FILTER_WORKER or SYSCALL_FILTER_PROBER, and what the configuration
 * needs. 0, or -1 with errno.
 */
int	process_enter_sandbox(struct process *, unsigned kind);

/*
 * The next message of the master in *what*. Log descriptors are put into use,
 * other descriptors closed, and neither is reported. Returns 1, 0 if the master
 * is gone, or -1: no message.
 */
int	process_next_message(struct process *, char *what);

#endif
