/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * directive_types.h: what a directive is, and what the types of directives
 * accept.
 */
#ifndef DIRECTIVE_TYPES_H
#define DIRECTIVE_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* The section of a directive, and the object it is read into. */
enum section_kind {
	SECTION_TOP,			/* struct conf */
	SECTION_LISTEN,			/* struct listener */
	SECTION_POOL,			/* struct pool */
	SECTION_SERVER,			/* struct server */
	SECTION_LIMIT,			/* struct session_limit */
	SECTIONS
};

enum directive_type {
	TYPE_NUMBER,			/* unsigned, or one of *words* */
	TYPE_TIME,			/* uint64_t, in ms; off is 0 */
	TYPE_SIZE,			/* uint64_t, in bytes; off is 0 */
	TYPE_BOOL,			/* bool */
	TYPE_WORD,			/* one of *words* */
	TYPE_TEXT,			/* const char *, of the text given */
	TYPE_FORMAT,	/* the same, for access_log_format_new() */
	/* Left to conf_make.c: */
	TYPE_POOL,			/* the name of a pool */
	TYPE_LIMIT,			/* the name of a limit */
	TYPE_ADDRESS,
	TYPE_ADDRESSES,			/* one or a list of them */
	TYPE_NETWORKS			/* the same of networks, see networks.h */
};

struct directive {
	enum section_kind section;
	const char	*name;
	/*
	 * The default as text. NULL: that of the top-level directive of the
	 * same name if there is one, else none.
	 */
	const char	*fallback;
	enum directive_type type;
	long long	 min, max;	/* a number; ms; bytes of a text */
	const char	*words;		/* separated by ", "; NULL: none */
	const char	*what;		/* description or unit, or NULL */
	/*
	 * Reads a text that is valid for its type. NULL, or a constant text
	 * that says what is wrong. Without a reader *offset* is set.
	 */
	const char	*(*read)(const char *text, void *to);
	size_t		 offset;
};

#define DIRECTIVE_WHY	256		/* room for a reason */

/*
 * Checks *text* and reads it into the object of such a section. 0, or -1 with
 * the reason in *why*.
 */
int	directive_read(const struct directive *, const char *text, void *to,
	    char why[DIRECTIVE_WHY]);

/*
 * Reads a text that is valid for its type: sets the member, or calls the
 * reader. 0, or -1 with the reason in *why*.
 */
int	directive_take(const struct directive *, const char *text, void *to,
	    char why[DIRECTIVE_WHY]);

/* What it accepts, to follow "should be": "a number from 1 to 256". */
const char *directive_takes(const struct directive *, char *buf, size_t size);

/* Reads a number of digits only, without blanks or sign. 0, or -1. */
int	directive_number(const char *text, long long min, long long max,
	    unsigned *to);

/*
 * Reads a time such as 300ms, 5s, 10m, 1h into milliseconds; `off` and 0 are 0.
 * 0, or -1 with *why set to a constant text.
 */
int	directive_time(const char *text, uint64_t *ms, const char **why);

/* A valid time in whole seconds, rounded up: the kernel takes no fractions. */
unsigned directive_seconds(const char *text);

#endif
