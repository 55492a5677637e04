/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * wait_queue.h: sessions of this worker that wait for a backend of their pool. All
 * workers make one queue for each pool: who comes draws a ticket on the board,
 * each worker shows there the oldest of its own, and only who has the oldest of
 * all may go on. Sessions are known by their id alone.
 */
#ifndef WAIT_QUEUE_H
#define WAIT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "upstream/server.h"

#define QUEUE_NONE	UINT32_MAX

/* A worker that waits looks at least so often whose turn it is, in ms. */
#define QUEUE_LOOK	8

struct queue;

/* For the ids 0 … n-1. *backends* must outlive it. NULL with ENOMEM. */
struct queue *queue_new(const struct backends *, uint32_t n);
void	queue_free(struct queue *);

/* Does anybody wait for this pool, in any worker? May be true in vain. */
bool	queue_busy(const struct queue *, uint32_t pool);

/* Come in at the end. False: as many wait as may. */
bool	queue_enter(struct queue *, uint32_t pool, uint32_t id);

/* Go, wherever it stands. If it was its turn the next one is told. */
void	queue_leave(struct queue *, uint32_t pool, uint32_t id, uint64_t now);

/*
 * Go on, but keep the place: it is counted, and comes back to where it was
 * unless it has found a server, or goes for good. If it was its turn the next
 * one is told.
 */
void	queue_lend(struct queue *, uint32_t pool, uint32_t id, uint64_t now);
void	queue_return(struct queue *, uint32_t pool, uint32_t id);
void	queue_settle(struct queue *, uint32_t pool, uint64_t now);

/*
 * All servers seem to fail. None of this worker goes on before *until*, or a
 * change of health; one that is lent keeps other workers waiting as well. 0: one
 * answers, all may go on at once.
 */
void	queue_pause(struct queue *, uint32_t pool, uint64_t until,
	    uint64_t now);
bool	queue_paused(struct queue *, uint32_t pool, uint64_t now);
/* Has any worker said so of late, and none since then that one answers? */
bool	queue_guesses(const struct queue *, uint32_t pool, uint64_t now);

/* Let all others pass: to the end. Nobody is told. */
void	queue_step_back(struct queue *, uint32_t pool, uint32_t id);

/*
 * The number that it has drawn; and it comes back, having left just now, and is to
 * be first again.
 */
uint64_t queue_ticket(const struct queue *, uint32_t id);
void	queue_regain(struct queue *, uint32_t pool, uint32_t id,
	    uint64_t ticket);

/*
 * Whose turn is it? QUEUE_NONE: nobody's of this worker. Workers that are
 * stopped, or whose heart does not beat, are passed over.
 */
uint32_t queue_next(struct queue *, uint32_t pool, uint64_t now);

/*
 * It is the turn of another worker; is there *room* all the same? What the same
 * one leaves unused for too long it cannot use: its configuration, from before a
 * reload, has other servers or limits. Then the first of ours goes on, the later
 * the more workers have one that came between the two.
 */
uint32_t queue_next_but(struct queue *, uint32_t pool, uint64_t now, bool room);

/* A place has become free: tell the worker whose turn it is. */
void	queue_call(struct queue *, uint32_t pool, uint64_t now);

/*
 * Is it time to look at queue_next()? True once after each call from another
 * worker or of our own, after each change of health, and every QUEUE_LOOK. Calls
 * all others now and then, so that what they show is right.
 */
bool	queue_due(struct queue *, uint64_t now);

/* Another worker has called. */
void	queue_wake(struct queue *);

/* Milliseconds until queue_due(); at most *limit*. */
int	queue_wait(const struct queue *, uint64_t now, int limit);

#endif
