/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * concurrency.h: how many sessions there are, of all workers and generations: in
 * all, of each listener, and from each client. A worker writes what it holds
 * itself where nobody else writes, on the board; so limits hold without a lock,
 * and board_reclaim() makes the numbers right again after a death.
 */
#ifndef CONCURRENCY_H
#define CONCURRENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"

/*
 * Count one session more on the listener in this slot, or on BOARD_EVERYBODY.
 * False: there are *max* already; never are there more, whoever asks at the same
 * time. 0 is no limit. Pair with concurrency_leave().
 */
bool	concurrency_enter(const struct board *, uint32_t worker,
	    uint32_t listener, uint32_t max);
void	concurrency_leave(const struct board *, uint32_t worker,
	    uint32_t listener);

/* Over all workers. */
uint32_t concurrency_count(const struct board *, uint32_t listener);

/*
 * The same for a client, of which *max* is not 0. Returns where it is counted,
 * for concurrency_leave_client(), or CONCURRENCY_FULL: also when this worker
 * has sessions from too many clients, some 50,000, to count one more.
 */
#define CONCURRENCY_FULL	UINT32_MAX
uint32_t concurrency_enter_client(const struct board *, uint32_t worker,
	    uint64_t client, uint32_t max);
/* Count it whatever there is, in a table that begins anew. */
uint32_t concurrency_put_client(const struct board *, uint32_t worker,
	    uint64_t client);
void	concurrency_leave_client(const struct board *, uint32_t worker,
	    uint32_t at);
uint32_t concurrency_count_client(const struct board *, uint64_t client);

#endif
