/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_throttle.h: limits a way of a session to a rate in bytes a second. It
 * earns bytes with time; a read pays for them; with next to nothing left the
 * way pauses until a read is worthwhile. The kernel slows down a sender that is
 * not read from, and no other.
 */
#ifndef SESSION_THROTTLE_H
#define SESSION_THROTTLE_H

#include "session/session_step.h"

typedef enum shuttle_result session_mover(struct shuttle *,
	    const struct shuttle_kit *, int from, int to);

enum shuttle_result session_move_paced(struct session_env *,
	    struct session *, int way, session_mover *);

/*
 * The time when the first paused way continues, 0: none is paused; and its
 * stage.
 */
uint64_t session_throttle_at(const struct session_env *,
	    const struct session *);
session_stage session_throttle_came;

/*
 * Calls this function of the way's shuttle, with the bytes that it may move
 * now. errno is that of the function.
 */
static inline enum shuttle_result
session_move(struct session_env *e, struct session *s, int way,
    session_mover *move)
{
	if (session_route(e, s)->limits.rate[way] != 0)
		return session_move_paced(e, s, way, move);
	return move(&s->way[way], &e->kit, s->fd[way], s->fd[!way]);
}

#endif
