/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_timers.h: all deadlines of a session. It has one timer, set for the
 * first of them. While bytes move the timer is left alone: when it fires it
 * finds out how long the session was really idle. So a deadline may be
 * postponed silently, but one that comes closer needs session_set_timer().
 */
#ifndef SESSION_TIMERS_H
#define SESSION_TIMERS_H

#include "session/session_step.h"

/* Sets the timer for the first deadline. */
void	session_set_timer(struct session_env *, const struct session *);

/*
 * Returns the stage of the next deadline that has passed, or NULL; *next* is 0
 * at first.
 */
session_stage *session_next_came(const struct session_env *,
	    const struct session *, unsigned *next);

#endif
