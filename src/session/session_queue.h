/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_queue.h: sessions that wait until a server has room for them, or is
 * known to serve. Whose turn it is says wait_queue.h.
 */
#ifndef SESSION_QUEUE_H
#define SESSION_QUEUE_H

#include "session/session_step.h"

/*
 * QUEUE: come in, for the want that d->none tells; be served when it is its turn;
 * or be rejected, since waiting is not wanted or would be in vain.
 */
session_stage session_queue_stage;

/* How long it may wait; it has waited for so long. */
uint64_t session_queue_at(const struct session_env *,
	    const struct session *);
session_stage session_queue_came;

/* It goes, wherever it stands. Its time in the queue is noted. */
void	session_leave_queue(struct session_env *, struct session *);

/* It gives up the place that it keeps while it tries, if any: it has a *server*. */
void	session_settle(struct session_env *, struct session *, bool server);

/*
 * Whose turn it is in this pool; WAIT_QUEUE_NONE: of no session that waits
 * here.
 */
uint32_t session_queue_next(const struct session_env *, uint32_t pool);

/*
 * It was its turn, but there was no room for it. True: others may come before
 * it, since only this one has tried the server that has room.
 */
bool	session_is_in_the_way(const struct session_env *,
	    const struct session *);

#endif
