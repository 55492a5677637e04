/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver_log.c: puts the lines together. Knows no look-up, and keeps nothing.
 */
#include "prober/resolver_log.h"

#include <stdarg.h>
#include <stdio.h>

void
names_log(const struct names_subject *s, int level, const char *state,
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
names_log_server(const struct names_subject *s, const struct backend *b,
    const char *address, enum seating_change what, const char *cause)
{
	static const struct {
		const char *state, *words;
	} changes[] = {
		[SEATING_ADDED] = { "added", "is now" },
		[SEATING_REMOVED] = { "removed", "is no longer" },
		[SEATING_CHANGED] = { "changed",
		    "has another weight or priority as" },
	};
	const struct log_field f[] = {
		{ "event", "address" }, { "pool", s->pool },
		{ "server", backend_name_in(b, s->pool) },
		{ "address", address }, { "state", changes[what].state },
		{ "name", s->name }, { "cause", cause }, { NULL, NULL },
	};

	log_event(s->log, LOG_NOTICE, f, "name %s: %s %s %s", s->name, address,
	    changes[what].words, b->name);
}
