/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_log.c: has a line made of a session, and the words for its states
 * and ends.
 */
#include "session_log.h"

#include "log_format.h"
#include "session_table.h"

static void
put_line(const struct session_table *t, const struct session *s, int level,
    enum log_event event)
{
	if (!log_wants(t->log, level))
		return;
	log_format_put(t->lines.format, log_begin(t->log, level), t, s, event);
	log_end(t->log);
}

void
session_log_start(const struct session_table *t, const struct session *s)
{
	put_line(t, s, LOG_DEBUG, EVENT_START);
}

void
session_log_end(const struct session_table *t, const struct session *s)
{
	put_line(t, s, LOG_INFO, EVENT_END);
}

const char *
session_end_name(enum session_end end)
{
	static const char *const names[] = {
#define X(name, text) text,
		SESSION_ENDS(X)
#undef X
	};

	return names[end];
}

const char *
session_state_name(enum session_state state)
{
	static const char *const names[] = {
#define X(name) #name,
		SESSION_STATES(X)
#undef X
	};

	return names[state];
}
