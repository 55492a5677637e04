/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * concurrency.h: counts sessions over all workers and generations: in total, by
 * listener, and by client. A worker writes its own numbers where no other
 * process writes, on the board; so limits hold without a lock, and
 * board_reclaim() corrects the numbers after a death.
 */
#ifndef CONCURRENCY_H
#define CONCURRENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"

/*
 * Counts one session more on the listener in this slot, or on BOARD_EVERYBODY.
 * False: there are *max* already. The sum never exceeds *max*, with any number
 * of concurrent callers. 0 is no limit. Pair with concurrency_leave().
 */
bool	concurrency_enter(const struct board *, uint32_t worker,
	    uint32_t listener, uint32_t max);
void	concurrency_leave(const struct board *, uint32_t worker,
	    uint32_t listener);

/* The sum over all workers. */
uint32_t concurrency_count(const struct board *, uint32_t listener);

/*
 * The same for a client, with *max* > 0. Returns the place of its entry for
 * concurrency_leave_client(), or CONCURRENCY_FULL: the limit is reached, or
 * this worker has sessions of too many clients (some 50,000) to count another.
 */
#define CONCURRENCY_FULL	UINT32_MAX
uint32_t concurrency_enter_client(const struct board *, uint32_t worker,
	    uint64_t client, uint32_t max);
/* Counts it regardless of the limit, in a table that begins empty. */
uint32_t concurrency_put_client(const struct board *, uint32_t worker,
	    uint64_t client);
void	concurrency_leave_client(const struct board *, uint32_t worker,
	    uint32_t at);
uint32_t concurrency_count_client(const struct board *, uint64_t client);

#endif
