/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * access_log_format.h: what the lines of a session say. A format is one of those that
 * have a name, or the user's own, with fields in it:
 *
 *	text  json  haproxy  "%{client_ip} to %{server}: %{bytes_down} bytes"
 *
 * It is read once; making a line allocates nothing. doc/shuttled.8 explains the
 * fields; a test compares the two.
 */
#ifndef ACCESS_LOG_FORMAT_H
#define ACCESS_LOG_FORMAT_H

#include <stddef.h>

#include "log/log.h"

struct access_log_format;
struct session_record;

#define LOG_EVENTS(X)	X(START, "start") X(STILL, "still") X(END, "end")

enum log_event {
#define X(name, text) EVENT_##name,
	LOG_EVENTS(X)
#undef X
	EVENTS
};

/*
 * NULL on error, with what would be right written to *why. *spec* is not needed
 * afterwards.
 */
struct access_log_format *access_log_format_new(const char *spec, char *why,
	    size_t size);
void	access_log_format_free(struct access_log_format *);

/* What goes around such lines, and what all others are to look like. */
enum log_style access_log_format_style(const char *spec);

/* Does any of its lines have this field? */
bool	access_log_format_has(const struct access_log_format *,
	    const char *field);

/* What stands between log_begin() and log_end() of the record's log. */
void	access_log_format_put(struct access_log_format *, struct text *,
	    const struct session_record *, enum log_event);

#endif
