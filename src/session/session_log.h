/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_log.h: when a session leaves a line in the log. Lines are gathered;
 * the worker writes them out once a turn. access_log_format.h says what is in them.
 */
#ifndef SESSION_LOG_H
#define SESSION_LOG_H

#include "session/session.h"

/* Where this session is logged; NULL: nowhere. */
struct log *session_log_of(const struct session_table *,
	    const struct session *);

/* With LOG_DEBUG: a client has come. */
void	session_log_start(const struct session_table *,
	    const struct session *);

/* It has ended, if such ends are wanted: see struct session_lines. */
void	session_log_end(struct session_table *, const struct session *);

/*
 * Once a turn: a line for some of the sessions that have lasted for longer than
 * the interval, until all have had theirs; then again an interval later.
 */
void	session_log_turn(struct session_table *);

/* How long session_log_turn() has nothing to do, in ms; at most *limit*. */
int	session_log_wait(const struct session_table *, int limit);

#endif
