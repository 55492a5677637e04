/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_limits.h: counts a session in and out, where limits exist.
 * session_access.h decides how a refusal looks.
 */
#ifndef SESSION_LIMITS_H
#define SESSION_LIMITS_H

#include "session/session_end.h"
#include "session/session_env.h"

/*
 * Counts it in. If not END_NONE, the reason of the refusal: then it is counted
 * nowhere.
 */
enum session_end session_limits_enter(struct session_env *, struct session *);
void	session_limits_leave(struct session_env *, struct session *);

/*
 * Writes the number of sessions on the board, and twice a second restores the
 * other numbers there that processes use for limits, because any worker can
 * write them. Call it once a turn.
 */
void	session_count_mend(struct session_env *);

/*
 * Ends the turn: reports that all events before the previous turn began are
 * handled, because the wait for events began after that.
 */
void	session_count_saw(const struct session_env *);

#endif
