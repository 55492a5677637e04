/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * wait_queue.h: sessions of this worker that wait for a server of their pool.
 * All workers together form one queue for each pool: an arriving session draws
 * a ticket on the board, each worker shows there the oldest of its own, and only
 * the oldest of all may continue. Sessions are known by id.
 */
#ifndef WAIT_QUEUE_H
#define WAIT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "upstream/server.h"

#define WAIT_QUEUE_NONE	UINT32_MAX

/*
 * The interval at which a worker with waiting sessions looks for its turn, in
 * ms.
 */
#define WAIT_QUEUE_LOOK	8

struct wait_queue;

/* For the ids 0 … n-1. *servers* must outlive it. NULL with ENOMEM. */
struct wait_queue *wait_queue_new(const struct servers *, uint32_t n);
void	wait_queue_free(struct wait_queue *);

/* True if a session of any worker waits for this pool. May be true in vain. */
bool	wait_queue_busy(const struct wait_queue *, uint32_t pool);

/* Enters at the end. False: *max_queue* sessions wait already. */
bool	wait_queue_enter(struct wait_queue *, uint32_t pool, uint32_t id);

/* Leaves from any position. If it was its turn, the next one is woken. */
void	wait_queue_leave(struct wait_queue *, uint32_t pool, uint32_t id,
	    uint64_t now);

/*
 * Lets a session try but keep its place: it still counts, and returns to its
 * position unless it finds a server or leaves. If it was its turn, the next one
 * is woken.
 */
void	wait_queue_lend(struct wait_queue *, uint32_t pool, uint32_t id,
	    uint64_t now);
void	wait_queue_return(struct wait_queue *, uint32_t pool, uint32_t id);
void	wait_queue_settle(struct wait_queue *, uint32_t pool, uint64_t now);

/*
 * All servers seem to fail: none of this worker's sessions continues before
 * *until*, or a change of health; a lent one holds other workers up as well. 0:
 * a server answered, all may continue.
 */
void	wait_queue_pause(struct wait_queue *, uint32_t pool, uint64_t until,
	    uint64_t now);
bool	wait_queue_paused(struct wait_queue *, uint32_t pool, uint64_t now);
/* True if any worker has reported that recently, and none an answer since. */
bool	wait_queue_guesses(const struct wait_queue *, uint32_t pool,
	    uint64_t now);

/* Moves it to the end, without a wakeup. */
void	wait_queue_step_back(struct wait_queue *, uint32_t pool, uint32_t id);

/*
 * wait_queue_ticket() returns its ticket; with that a session that has just
 * left returns to its position.
 */
uint64_t wait_queue_ticket(const struct wait_queue *, uint32_t id);
void	wait_queue_regain(struct wait_queue *, uint32_t pool, uint32_t id,
	    uint64_t ticket);

/*
 * The session of this worker whose turn it is, or WAIT_QUEUE_NONE. Workers that
 * are stopped, or without a heartbeat, are skipped.
 */
uint32_t wait_queue_next(struct wait_queue *, uint32_t pool, uint64_t now);

/*
 * The same on the turn of another worker, if there is *room* all the same. A
 * session that leaves room unused for too long cannot use it: its
 * configuration, from before a reload, has other servers or limits. Then the
 * first of this worker continues, later the more workers have sessions between
 * the two.
 */
uint32_t wait_queue_next_but(struct wait_queue *, uint32_t pool, uint64_t now,
	    bool room);

/* A place has become free: wakes the worker whose turn it is. */
void	wait_queue_call(struct wait_queue *, uint32_t pool, uint64_t now);

/*
 * True if wait_queue_next() must be called: once after each wakeup by another
 * worker or this one, after each change of health, and every WAIT_QUEUE_LOOK.
 * Also wakes all others at times, so that what they show is right.
 */
bool	wait_queue_due(struct wait_queue *, uint64_t now);

/* Another worker has sent a wakeup. */
void	wait_queue_wake(struct wait_queue *);

/* The time in ms until wait_queue_due(), at most *limit*. */
int	wait_queue_wait(const struct wait_queue *, uint64_t now, int limit);

#endif
