/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_log.h: the lines that a session leaves in the log. They are gathered;
 * the worker writes them out once a turn. doc/shuttled.8 explains the fields.
 */
#ifndef SESSION_LOG_H
#define SESSION_LOG_H

#include "session.h"

/* Under -v: a client has come. */
void	session_log_start(const struct session_table *,
	    const struct session *);

/* Unless -q: who talked to whom, how much, how long, and why it ended. */
void	session_log_end(const struct session_table *, const struct session *);

#endif
