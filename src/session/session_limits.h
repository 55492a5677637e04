/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_limits.h: counts a session in and out, where there are limits. How a
 * refusal looks from outside is session_access.h's.
 */
#ifndef SESSION_LIMITS_H
#define SESSION_LIMITS_H

#include "session/session_end.h"
#include "session/session_env.h"

/* Count it in; if not END_NONE, why not: then it is counted nowhere. */
enum session_end session_limits_enter(struct session_env *, struct session *);
void	session_limits_leave(struct session_env *, struct session *);

/*
 * Say once more on the board how many sessions there are, and twice a second what
 * else others count by: they can write there as well. To be called once a turn.
 */
void	session_count_mend(struct session_env *);

/*
 * The turn is over: say that all is known that had happened when the turn before
 * it began, since the wait for events began later.
 */
void	session_count_saw(const struct session_env *);

#endif
