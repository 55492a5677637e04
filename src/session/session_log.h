/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_log.h: when a session is logged. Lines are queued; the worker writes
 * them once a turn. access_log_format.h defines their contents.
 */
#ifndef SESSION_LOG_H
#define SESSION_LOG_H

struct session;
struct session_env;

/* With LOG_DEBUG: a client has connected. */
void	session_log_start(const struct session_env *,
	    const struct session *);

/* It has ended; logged if struct session_lines selects it. */
void	session_log_end(struct session_env *, const struct session *);

/*
 * Once a turn: logs some of the sessions that have lasted longer than the
 * interval, until all are done; then again an interval later.
 */
void	session_log_turn(struct session_env *);

/* The time in ms until session_log_turn() has work, at most *limit*. */
int	session_log_wait(const struct session_env *, int limit);

#endif
