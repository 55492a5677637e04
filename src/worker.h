/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * worker.h: one worker: a select() loop over its sessions and the listeners
 * that all workers share.
 */
#ifndef WORKER_H
#define WORKER_H

#include "board.h"
#include "conf.h"
#include "log.h"

/* What a worker's exit status tells the master. */
enum {
	WORKER_DONE = 0,		/* drained or stopped */
	WORKER_FAILED = 1,		/* try again */
	WORKER_HOPELESS = 2		/* do not respawn: it would fail again */
};

/* How long a drain lasts that is ended for max_generations, in ms. */
#define WORKER_HURRY	5000

/* Messages on the channel between master and worker. */
enum {
	CHANNEL_STARTING = 'S',		/* to the master: a step of the start */
	CHANNEL_READY = 'R',		/* to the master: I could accept */
	CHANNEL_CLOSED = 'C',		/* to the master: I accept no more */
	CHANNEL_GO = 'G',		/* to the worker: accept */
	CHANNEL_RETIRE = 'O',		/* to the worker: others serve, drain */
	CHANNEL_HURRY = 'H',		/* to the worker: drain no longer */
	/* To the worker: log to this descriptor; + n: the log in slot n. */
	CHANNEL_LOG = 1,
	CHANNEL_LAST_LOG = CHANNEL_LOG + CONF_LOGS,
	CHANNEL_LOOK = 'A'		/* to the worker: is anybody waiting? */
};

struct worker;

/*
 * Set a worker up, with its privileges dropped, ready to accept. *slot* is its
 * place on the board; *channel* leads to the master, who says when to begin, and
 * is the worker's from now on; -1 when this process is all there is. NULL when it cannot be done; the log
 * says why.
 */
struct worker *worker_new(struct conf *, struct board *, struct log *,
	    uint32_t slot, int channel);

/* Serve until told to stop. Returns one of the above. */
int	worker_loop(struct worker *);

/* End the sessions that are left. */
void	worker_free(struct worker *);

#endif
