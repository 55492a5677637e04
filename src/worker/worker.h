/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * worker.h: one worker: a loop over its sessions and the listeners that all
 * workers share.
 */
#ifndef WORKER_H
#define WORKER_H

#include "board/board.h"
#include "config/conf.h"
#include "log/log.h"

struct worker;

/*
 * Sets a worker up, with its privileges dropped, ready to accept. *slot* is its
 * place on the board. *channel* leads to the master, which starts it, and
 * belongs to the worker from now on; -1: there is no master. NULL after a
 * failure, which is logged.
 */
struct worker *worker_new(struct conf *, struct board *, struct log *,
	    uint32_t slot, int channel);

/* Serves until told to stop. Returns an enum process_exit. */
int	worker_loop(struct worker *);

/* Ends the remaining sessions. */
void	worker_free(struct worker *);

#endif
