/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_log.h: when a session leaves a line in the log. Lines are gathered;
 * the worker writes them out once a turn. access_log_format.h says what is in them.
 */
#ifndef SESSION_LOG_H
#define SESSION_LOG_H

struct session;
struct session_env;

/* With LOG_DEBUG: a client has come. */
void	session_log_start(const struct session_env *,
	    const struct session *);

/* It has ended, if such ends are wanted: see struct session_lines. */
void	session_log_end(struct session_env *, const struct session *);

/*
 * Once a turn: a line for some of the sessions that have lasted for longer than
 * the interval, until all have had theirs; then again an interval later.
 */
void	session_log_turn(struct session_env *);

/* How long session_log_turn() has nothing to do, in ms; at most *limit*. */
int	session_log_wait(const struct session_env *, int limit);

#endif
