/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_throttle.h: holds a way of a session to so many bytes a second. It earns
 * them as time passes; what is read is paid for; when there is next to nothing
 * left the way pauses until it is worth reading again. A sender that is not read
 * from is slowed down by the kernel, and nobody else is.
 */
#ifndef SESSION_THROTTLE_H
#define SESSION_THROTTLE_H

#include "session/session_step.h"

typedef enum shuttle_result session_mover(struct shuttle *,
	    const struct shuttle_kit *, int from, int to);

enum shuttle_result session_move_paced(struct session_env *,
	    struct session *, int way, session_mover *);

/* When the first way that pauses may go on, 0: none does; and it has come. */
uint64_t session_throttle_at(const struct session_env *,
	    const struct session *);
session_stage session_throttle_came;

/*
 * Have a way moved by this function of its shuttle, as fast as it may be. errno
 * is that of the function.
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
