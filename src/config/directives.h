/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * directives.h: all that can be set, in one table. The parser, -T, the tests
 * and, by a test, the man page go by it. A new directive is a line in
 * directives.c, with a function where its type does not say what to do with it,
 * a paragraph in doc/shuttled.yaml.5, and contrib/schema/shuttled.schema.json
 * made anew, as tests/schema.sh says.
 */
#ifndef DIRECTIVES_H
#define DIRECTIVES_H

#include <stdbool.h>
#include <stddef.h>

/* Where it stands, and what it is read into. */
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
	TYPE_POOL,			/* the name of one */
	TYPE_LIMIT,			/* likewise */
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
	const char	*what;		/* it is or it counts; NULL: plain */
	/*
	 * Read a text that has been checked by its type. NULL, or what is wrong
	 * with it, as a constant text. Without it a member at *offset* is set.
	 */
	const char	*(*read)(const char *text, void *to);
	size_t		 offset;
};

#define DIRECTIVE_WHY	256		/* room for what is wrong */

const struct directive *directives(size_t *n);

/* The one of this name in such a section, NULL if there is none. */
const struct directive *directive_find(enum section_kind, const char *name);

/* Whose value it has unless it is given one; NULL: it has its own default. */
const struct directive *directive_inherits(const struct directive *);

/*
 * Check *text* and read it into what such a section is read into. 0, or -1 with
 * what is wrong in *why*.
 */
int	directive_read(const struct directive *, const char *text, void *to,
	    char why[DIRECTIVE_WHY]);

/* Read all defaults of such a section. */
void	directives_default(enum section_kind, void *to);

/* What it takes, to come after "should be": "a number from 1 to 256". */
const char *directive_takes(const struct directive *, char *buf, size_t size);

/* "listen", "pool", "server", as files have it. */
const char *section_word(enum section_kind);

#endif
