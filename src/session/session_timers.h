/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_timers.h: all deadlines of a session. It has one timer, set for the
 * first of them. While bytes move it is left alone: when it fires it shows how
 * long the session really was quiet. So a deadline may move away by itself, but
 * one that comes closer needs session_set_timer().
 */
#ifndef SESSION_TIMERS_H
#define SESSION_TIMERS_H

#include "session/session_step.h"

/* Set the timer for what will have lasted too long first. */
void	session_set_timer(struct session_env *, const struct session *);

/*
 * What follows from the next deadline that has come; *next* is 0 at first. NULL:
 * no other one has.
 */
session_stage *session_next_came(const struct session_env *,
	    const struct session *, unsigned *next);

#endif
