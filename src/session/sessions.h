/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sessions.h: what a worker does with all of its sessions, turn by turn.
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "event/poller.h"
#include "session/session_end.h"
#include "session/session_env.h"

/* A turn of the loop begins, at the time clock_now_ms(). */
void	sessions_turn(struct session_env *, uint64_t now);

/* Act on an event. False: the descriptor is not of a session. */
bool	sessions_event(struct session_env *, const struct poller_event *);

/* Act on all timers that have come. */
void	sessions_expire(struct session_env *);

/* End sessions whose server went down, where the pool wants it so. */
void	sessions_cut(struct session_env *);

/*
 * Let those go on that wait for a server and whose turn has come. To be called
 * once a turn, when the others have had theirs.
 */
void	sessions_serve_queue(struct session_env *);

/* Has every session a server, or had one? */
bool	sessions_all_served(const struct session_env *);

/* The age of the oldest session in ms; 0 without sessions. */
uint64_t sessions_oldest(const struct session_env *);

/* session_shut() and session_kill() for all sessions. */
void	sessions_shut(struct session_env *, enum session_end);
void	sessions_kill(struct session_env *, enum session_end, bool abort);

#endif
