/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * worker.h: one worker: one loop over its sessions and the listeners that all
 * workers share.
 */
#ifndef WORKER_H
#define WORKER_H

#include "board/board.h"
#include "config/conf.h"
#include "log/log.h"

struct worker;

/*
 * Set a worker up, with its privileges dropped, ready to accept. *slot* is its
 * place on the board; *channel* leads to the master, who says when to begin, and
 * is the worker's from now on; -1 when this process is all there is. NULL when it cannot be done; the log
 * says why.
 */
struct worker *worker_new(struct conf *, struct board *, struct log *,
	    uint32_t slot, int channel);

/* Serve until told to stop. Returns an enum process_exit. */
int	worker_loop(struct worker *);

/* End the sessions that are left. */
void	worker_free(struct worker *);

#endif
