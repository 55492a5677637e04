/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_log.c: what is said of a session: its lines in the log, and the words
 * for its states and ends.
 */
#include "session_log.h"

#include <stdio.h>
#include <string.h>

#include "session_table.h"

void
session_log_start(const struct session_table *t, const struct session *s)
{
	char client[ADDR_TEXT];

	if (log_wants(t->log, LOG_DEBUG))
		log_gather(t->log, LOG_DEBUG,
		    "session start client=%s listener=%s",
		    endpoint_format(&s->client, client, sizeof(client)),
		    t->route[s->listener].name);
}

/* The names of all backends tried, the one that served last. */
static const char *
tried_names(const struct session_table *t, const struct session *s, char *buf,
    size_t size)
{
	unsigned i;

	strlcpy(buf, s->attempts == 0 ? "-" : "", size);
	for (i = 0; i < s->attempts; i++) {
		if (i > 0)
			strlcat(buf, ",", size);
		strlcat(buf, t->backends->list[s->tried[i]].name, size);
	}
	return buf;
}

void
session_log_end(const struct session_table *t, const struct session *s)
{
	char client[ADDR_TEXT], tried[SESSION_ATTEMPTS * BACKEND_NAME];
	char connect[24] = "-";

	if (!log_wants(t->log, LOG_INFO))
		return;
	if (s->connected != 0)
		snprintf(connect, sizeof(connect), "%llu",
		    (unsigned long long)(s->connected - s->started));
	log_gather(t->log, LOG_INFO, "session end client=%s listener=%s "
	    "backend=%s up=%llu down=%llu connect_ms=%s total_ms=%llu end=%s",
	    endpoint_format(&s->client, client, sizeof(client)),
	    t->route[s->listener].name,
	    tried_names(t, s, tried, sizeof(tried)),
	    (unsigned long long)s->way[UP].out,
	    (unsigned long long)s->way[DOWN].out, connect,
	    (unsigned long long)(t->now - s->started),
	    session_end_name(s->end));
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
