/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * process.h: what every child of the master needs once: its part of the channel,
 * signals, the order in which privileges are given up, the sandbox; and what the
 * two agree on: how a child ends, and the messages on the channel.
 *
 * The order of a start: what needs privileges; process_drop_privileges();
 * process_open_poller(); what needs memory and files; process_enter_sandbox();
 * then the first byte of the network.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "board/board.h"
#include "config/conf.h"
#include "event/poller.h"
#include "log/log.h"

/* What the exit status of a child tells the master. */
enum process_exit {
	PROCESS_DONE = 0,		/* drained or stopped */
	PROCESS_FAILED = 1,		/* it served, or might have later */
	PROCESS_HOPELESS = 2		/* it could not start */
};

/* How long a drain lasts that is ended for max_generations, in ms. */
#define PROCESS_HURRY	5000

/*
 * Messages on a channel, one byte each. A worker understands all of them, the
 * prober only CHANNEL_LOG.
 */
enum channel_message {
	CHANNEL_STARTING = 'S',		/* to the master: a step of the start */
	CHANNEL_READY = 'R',		/* to the master: ready to accept */
	CHANNEL_CLOSED = 'C',		/* to the master: accepts no more */
	CHANNEL_GO = 'G',		/* to the worker: accept */
	CHANNEL_RETIRE = 'O',		/* to the worker: others serve, drain */
	/* To a child: log to this descriptor; + n: the log in slot n. */
	CHANNEL_LOG = 1,
	CHANNEL_LAST_LOG = CHANNEL_LOG + CONF_LOGS,
	CHANNEL_LOOK = 'A'		/* to the worker: look at the listeners */
};

struct process {
	struct conf	*conf;
	struct board	*board;
	struct log	*log;
	struct poller	*poller;
	int		 channel;	/* to the master; -1: there is none */
	int		 signals;	/* readable when one has come */
	bool		 tells_steps;	/* the master wants to hear of them */
	const char	*step;		/* of the start, for its error */
	const char	*sandbox;	/* what it consists of */
};

/*
 * Nothing is opened yet; conf, board and log stay the caller's. The channel is
 * the process's from now on.
 */
void	process_init(struct process *, struct conf *, struct board *,
	    struct log *, int channel);

/* Close and free what the functions below have opened. errno is kept. */
void	process_free(struct process *);

/* What the start does next, so that a failure can be named. */
void	process_begin_step(struct process *, const char *step);

/*
 * Become the configured user in the configured root directory, with no more
 * privileges than sessions need (*as_client*: see privileges_drop()). 0, or -1
 * with errno.
 */
int	process_drop_privileges(struct process *, bool as_client);

/*
 * Hold signals back, and make a poller for this many descriptors that tells of
 * them and of the channel. 0, or -1 with errno.
 */
int	process_open_poller(struct process *, size_t descriptors);

/*
 * Let the kernel refuse what a process of this kind never does:
 * SYSCALL_FILTER_WORKER or SYSCALL_FILTER_PROBER, and what the configuration
 * needs beside it. 0, or -1 with errno.
 */
int	process_enter_sandbox(struct process *, unsigned kind);

/*
 * The next message of the master in *what*. Descriptors of logs are put to use
 * and others closed, and neither is reported. Returns 1, 0 when the master is
 * gone, or -1: no message.
 */
int	process_next_message(struct process *, char *what);

#endif
