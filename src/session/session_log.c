/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_log.c: selects the sessions that are logged. access_log_format.c
 * makes the line from the session's record.
 */
#include "session/session_log.h"

#include "session/access_log_format.h"
#include "session/session_env.h"
#include "session/session_record.h"

/* Sessions that one turn scans for "still" lines. */
#define SCAN		256

static struct log *
log_of(const struct session_env *e, const struct session *s)
{
	const struct session_route *r = session_route(e, s);

	return r->silent ? NULL : r->log != NULL ? r->log : e->log;
}

static void
put_line(const struct session_env *e, const struct session *s, int level,
    enum log_event event)
{
	struct log *log = log_of(e, s);
	struct session_record r;

	if (log == NULL || !log_wants(log, level))
		return;
	session_record_make(&r, e, s, event == EVENT_END);
	r.log = log;
	access_log_format_put(e->lines.format, log_begin(log, level), &r,
	    event);
	log_end(log);
}

void
session_log_start(const struct session_env *e, const struct session *s)
{
	put_line(e, s, LOG_DEBUG, EVENT_START);
}

/* Selects one in *every* orderly ends, and other ends. */
static bool
worth_a_line(struct session_lines *l, const struct session *s)
{
	if (s->end != END_CLIENT_CLOSE && s->end != END_SERVER_CLOSE)
		return l->errors;
	return l->every != 0 && l->seen++ % l->every == 0;
}

void
session_log_end(struct session_env *e, const struct session *s)
{
	if (worth_a_line(&e->lines, s))
		put_line(e, s, LOG_INFO, EVENT_END);
}

void
session_log_turn(struct session_env *e)
{
	struct session_lines *l = &e->lines;
	const struct session *s;
	unsigned n;

	if (l->interval == 0 || (l->next == 0 && e->now < l->due))
		return;
	if (l->next == 0)
		l->due = e->now + l->interval;
	for (n = 0; n < SCAN && l->next < e->table.used; n++) {
		s = &e->table.session[l->next++];
		if (s->state != SESSION_FREE &&
		    e->now - s->started >= l->interval)
			put_line(e, s, LOG_INFO, EVENT_STILL);
	}
	if (l->next == e->table.used)
		l->next = 0;
}

int
session_log_wait(const struct session_env *e, int limit)
{
	const struct session_lines *l = &e->lines;

	if (l->interval == 0)
		return limit;
	if (l->next != 0 || l->due <= e->now)
		return 0;
	return l->due - e->now < (uint64_t)limit ? (int)(l->due - e->now) :
	    limit;
}
