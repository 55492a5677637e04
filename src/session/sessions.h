/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* sessions.h: the work of a worker on all of its sessions, turn by turn. */
#ifndef SESSIONS_H
#define SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "event/poller.h"
#include "session/session_end.h"
#include "session/session_env.h"

/* Begins a turn of the loop, at the time *now* of clock_now_ms(). */
void	sessions_turn(struct session_env *, uint64_t now);

/* Handles an event. False: the descriptor is not of a session. */
bool	sessions_event(struct session_env *, const struct poller_event *);

/* Handles all expired timers. */
void	sessions_expire(struct session_env *);

/* Ends sessions whose server went down, in pools that want that. */
void	sessions_cut(struct session_env *);

/*
 * Serves waiting sessions whose turn has come. Call it once a turn, after the
 * others.
 */
void	sessions_serve_queue(struct session_env *);

/* True if every session has or had a server. */
bool	sessions_all_served(const struct session_env *);

/* The age of the oldest session in ms; 0 without sessions. */
uint64_t sessions_oldest(const struct session_env *);

/* session_shut() and session_kill() for all sessions. */
void	sessions_shut(struct session_env *, enum session_end);
void	sessions_kill(struct session_env *, enum session_end, bool abort);

#endif
