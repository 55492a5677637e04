/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* resolver_log.c: composes the lines. Keeps no state. */
#include "prober/resolver_log.h"

#include <stdarg.h>
#include <stdio.h>

void
resolver_log(const struct resolver_subject *s, int level, const char *state,
    const char *cause, const char *fmt, ...)
{
	const struct log_field f[] = {
		{ "event", "name" }, { "pool", s->pool }, { "name", s->name },
		{ "state", state }, { "cause", cause }, { NULL, NULL },
	};
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event(s->log, level, f, "name %s: %s", s->name, text);
}

void
resolver_log_server(const struct resolver_subject *s, const struct server *b,
    const char *address, enum resolver_assign_change what, const char *cause)
{
	static const struct {
		const char *state, *words;
	} changes[] = {
		[RESOLVER_ASSIGN_ADDED] = { "added", "is now" },
		[RESOLVER_ASSIGN_REMOVED] = { "removed", "is no longer" },
		[RESOLVER_ASSIGN_CHANGED] = { "changed",
		    "has another weight or priority as" },
	};
	const struct log_field f[] = {
		{ "event", "address" }, { "pool", s->pool },
		{ "server", server_name_in(b, s->pool) },
		{ "address", address }, { "state", changes[what].state },
		{ "name", s->name }, { "cause", cause }, { NULL, NULL },
	};

	log_event(s->log, LOG_NOTICE, f, "name %s: %s %s %s", s->name, address,
	    changes[what].words, b->name);
}
