/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_log.c: chooses the sessions that are worth a line, and has the words
 * for their states and ends.
 */
#include "session/session_log.h"

#include "session/access_log_format.h"
#include "session/session_table.h"

/* Sessions that one turn looks at for lines in between. */
#define SCAN		256

struct log *
session_log_of(const struct session_table *t, const struct session *s)
{
	const struct session_route *r = &t->route[s->listener];

	return r->silent ? NULL : r->log != NULL ? r->log : t->log;
}

static void
put_line(const struct session_table *t, const struct session *s, int level,
    enum log_event event)
{
	struct log *log = session_log_of(t, s);

	if (log == NULL || !log_wants(log, level))
		return;
	log_format_put(t->lines.format, log_begin(log, level), t, s, event);
	log_end(log);
}

void
session_log_start(const struct session_table *t, const struct session *s)
{
	put_line(t, s, LOG_DEBUG, EVENT_START);
}

/* One in so many of those that end well, and those that do not. */
static bool
worth_a_line(struct session_lines *l, const struct session *s)
{
	if (s->end != END_CLIENT_CLOSE && s->end != END_SERVER_CLOSE)
		return l->errors;
	return l->every != 0 && l->seen++ % l->every == 0;
}

void
session_log_end(struct session_table *t, const struct session *s)
{
	if (worth_a_line(&t->lines, s))
		put_line(t, s, LOG_INFO, EVENT_END);
}

void
session_log_turn(struct session_table *t)
{
	struct session_lines *l = &t->lines;
	const struct session *s;
	unsigned n;

	if (l->interval == 0 || (l->next == 0 && t->now < l->due))
		return;
	if (l->next == 0)
		l->due = t->now + l->interval;
	for (n = 0; n < SCAN && l->next < t->used; n++) {
		s = &t->session[l->next++];
		if (s->state != SESSION_FREE &&
		    t->now - s->started >= l->interval)
			put_line(t, s, LOG_INFO, EVENT_STILL);
	}
	if (l->next == t->used)
		l->next = 0;
}

int
session_log_wait(const struct session_table *t, int limit)
{
	const struct session_lines *l = &t->lines;

	if (l->interval == 0)
		return limit;
	if (l->next != 0 || l->due <= t->now)
		return 0;
	return l->due - t->now < (uint64_t)limit ? (int)(l->due - t->now) :
	    limit;
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
