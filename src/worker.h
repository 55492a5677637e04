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

/* Messages on the channel between master and worker. */
enum {
	CHANNEL_READY = 'R',		/* to the master: I accept */
	CHANNEL_LOG = 'L'		/* to the worker: log to this descriptor */
};

/*
 * Run until told to stop. *slot* is its place on the board; *channel* leads to
 * the master, -1 when this process is all there is. Returns one of the above.
 */
int	worker_run(struct conf *, struct board *, struct log *, uint32_t slot,
	    int channel);

#endif
