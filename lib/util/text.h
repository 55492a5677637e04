/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * text.h: builds a line of text piece by piece in memory of the caller, without
 * printf, because each session writes one. Text that does not fit is left out.
 * The result has no terminating NUL.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

struct text {
	char	*at;			/* where the next byte goes */
	char	*end;			/* one past the last byte */
};

/* Formats of a time stamp. */
enum text_time {
	TIME_RFC3339,			/* 2026-11-22T01:44:27, UTC */
	TIME_RFC3164,			/* Nov 22 01:44:27, local */
	TIME_HAPROXY			/* 22/Nov/2026:01:44:27, local */
};

/* The last second written, kept because the next one is mostly the same. */
struct stamp {
	time_t	 second;
	size_t	 len;			/* 0: none yet */
	char	 text[32];
};

/* The ending of a plural: "%u worker%s". */
static inline const char *
text_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void	text_number(struct text *, uint64_t);

/* Decimal with leading zeros, *digits* wide. */
void	text_padded(struct text *, unsigned n, unsigned digits);

/* Hexadecimal in lower case, at least *digits* and at most 16 wide. */
void	text_hex(struct text *, uint64_t, unsigned digits);

/* A JSON string with its quotes (RFC 8259, section 7). */
void	text_json(struct text *, const char *);

/* A *stamp* serves one format only. */
void	text_time(struct text *, struct stamp *, enum text_time, time_t second);

static inline void
text_bytes(struct text *t, const char *bytes, size_t n)
{
	if (n > (size_t)(t->end - t->at))
		n = (size_t)(t->end - t->at);
	memcpy(t->at, bytes, n);
	t->at += n;
}

static inline void
text_string(struct text *t, const char *s)
{
	text_bytes(t, s, strlen(s));
}

#endif
