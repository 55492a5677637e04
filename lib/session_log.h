/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_log.h: when a session leaves a line in the log. Lines are gathered;
 * the worker writes them out once a turn. log_format.h says what is in them.
 */
#ifndef SESSION_LOG_H
#define SESSION_LOG_H

#include "session.h"

/* With LOG_DEBUG: a client has come. */
void	session_log_start(const struct session_table *,
	    const struct session *);

/* It has ended. */
void	session_log_end(const struct session_table *, const struct session *);

#endif
