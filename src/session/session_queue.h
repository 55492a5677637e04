/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_queue.h: sessions that wait until a server has room for them, or is
 * known to serve. wait_queue.h decides whose turn it is.
 */
#ifndef SESSION_QUEUE_H
#define SESSION_QUEUE_H

#include "session/session_step.h"

/*
 * QUEUE: enters for the lack in d->none; is served on its turn; or is rejected,
 * if waiting is not configured or would be in vain.
 */
session_stage session_queue_stage;

/* The end of its time in the queue; and the timeout itself. */
uint64_t session_queue_at(const struct session_env *,
	    const struct session *);
session_stage session_queue_came;

/* Removes it from any position. Its time in the queue is recorded. */
void	session_leave_queue(struct session_env *, struct session *);

/*
 * Gives up the place that it keeps while it tries; *server*: it has found one.
 */
void	session_settle(struct session_env *, struct session *, bool server);

/*
 * The session whose turn it is in this pool; WAIT_QUEUE_NONE: none of this
 * worker.
 */
uint32_t session_queue_next(const struct session_env *, uint32_t pool);

/*
 * It was its turn, but there was no room for it. True: others may pass it,
 * because only this one has tried the server that has room.
 */
bool	session_is_in_the_way(const struct session_env *,
	    const struct session *);

#endif
