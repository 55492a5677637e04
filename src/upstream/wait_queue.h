/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * wait_queue.h: sessions of this worker that wait for a server of their pool.
 * All workers make one queue for each pool: who comes draws a ticket on the
 * board, each worker shows there the oldest of its own, and only who has the
 * oldest of all may go on. Sessions are known by their id alone.
 */
#ifndef WAIT_QUEUE_H
#define WAIT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "upstream/server.h"

#define WAIT_QUEUE_NONE	UINT32_MAX

/* A worker that waits looks at least so often whose turn it is, in ms. */
#define WAIT_QUEUE_LOOK	8

struct wait_queue;

/* For the ids 0 … n-1. *servers* must outlive it. NULL with ENOMEM. */
struct wait_queue *wait_queue_new(const struct servers *, uint32_t n);
void	wait_queue_free(struct wait_queue *);

/* Does anybody wait for this pool, in any worker? May be true in vain. */
bool	wait_queue_busy(const struct wait_queue *, uint32_t pool);

/* Come in at the end. False: as many wait as may. */
bool	wait_queue_enter(struct wait_queue *, uint32_t pool, uint32_t id);

/* Go, wherever it stands. If it was its turn the next one is told. */
void	wait_queue_leave(struct wait_queue *, uint32_t pool, uint32_t id,
	    uint64_t now);

/*
 * Go on, but keep the place: it is counted, and comes back to where it was
 * unless it has found a server, or goes for good. If it was its turn the next
 * one is told.
 */
void	wait_queue_lend(struct wait_queue *, uint32_t pool, uint32_t id,
	    uint64_t now);
void	wait_queue_return(struct wait_queue *, uint32_t pool, uint32_t id);
void	wait_queue_settle(struct wait_queue *, uint32_t pool, uint64_t now);

/*
 * All servers seem to fail. None of this worker goes on before *until*, or a
 * change of health; one that is lent keeps other workers waiting as well. 0: one
 * answers, all may go on at once.
 */
void	wait_queue_pause(struct wait_queue *, uint32_t pool, uint64_t until,
	    uint64_t now);
bool	wait_queue_paused(struct wait_queue *, uint32_t pool, uint64_t now);
/* Has any worker said so of late, and none since then that one answers? */
bool	wait_queue_guesses(const struct wait_queue *, uint32_t pool,
	    uint64_t now);

/* Let all others pass: to the end. Nobody is told. */
void	wait_queue_step_back(struct wait_queue *, uint32_t pool, uint32_t id);

/*
 * The number that it has drawn; and it comes back, having left just now, and is to
 * be first again.
 */
uint64_t wait_queue_ticket(const struct wait_queue *, uint32_t id);
void	wait_queue_regain(struct wait_queue *, uint32_t pool, uint32_t id,
	    uint64_t ticket);

/*
 * Whose turn is it? WAIT_QUEUE_NONE: nobody's of this worker. Workers that are
 * stopped, or whose heart does not beat, are passed over.
 */
uint32_t wait_queue_next(struct wait_queue *, uint32_t pool, uint64_t now);

/*
 * It is the turn of another worker; is there *room* all the same? What the same
 * one leaves unused for too long it cannot use: its configuration, from before a
 * reload, has other servers or limits. Then the first of ours goes on, the later
 * the more workers have one that came between the two.
 */
uint32_t wait_queue_next_but(struct wait_queue *, uint32_t pool, uint64_t now,
	    bool room);

/* A place has become free: tell the worker whose turn it is. */
void	wait_queue_call(struct wait_queue *, uint32_t pool, uint64_t now);

/*
 * Is it time to look at wait_queue_next()? True once after each call from
 * another worker or of our own, after each change of health, and every
 * WAIT_QUEUE_LOOK. Calls all others now and then, so that what they show is
 * right.
 */
bool	wait_queue_due(struct wait_queue *, uint64_t now);

/* Another worker has called. */
void	wait_queue_wake(struct wait_queue *);

/* Milliseconds until wait_queue_due(); at most *limit*. */
int	wait_queue_wait(const struct wait_queue *, uint64_t now, int limit);

#endif
