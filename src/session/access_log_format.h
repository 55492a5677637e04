/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * access_log_format.h: the contents of the lines of a session. A format is a
 * named one or a custom text with fields:
 *
 *	text  json  haproxy  "%{client_ip} to %{server}: %{bytes_down} bytes"
 *
 * It is parsed once; writing a line allocates nothing. doc/shuttled.8 explains
 * the fields; a test compares the two.
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
 * Parses *spec*, which is not needed afterwards. NULL on error, with *why set
 * to what would be right.
 */
struct access_log_format *access_log_format_new(const char *spec, char *why,
	    size_t size);
void	access_log_format_free(struct access_log_format *);

/* The style of all lines of a log with this format. */
enum log_style access_log_format_style(const char *spec);

/* True if any of its lines has this field. */
bool	access_log_format_has(const struct access_log_format *,
	    const char *field);

/* Writes the text between log_begin() and log_end(). */
void	access_log_format_put(struct access_log_format *, struct text *,
	    const struct session_record *, enum log_event);

#endif
