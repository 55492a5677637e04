/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * settings.h: the settings of the operator, in files and on the command line,
 * with the place of each. They are kept as text, so that they can be shown as
 * given; directives.h interprets them.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/diagnostics.h"
#include "config/directives.h"

#define SETTINGS_NAME	64		/* bytes of a name with the NUL */
#define SETTINGS_NAME_IN_FILE	60	/* bytes of one in a file, without */

/* A place in a file; or an option; or neither: a default. */
struct place {
	const char	*file;		/* NULL: not in a file */
	unsigned	 line, column;	/* from 1; 0: the whole file, line */
	const char	*option;	/* "workers"; NULL: not an option */
	char		 letter;	/* of the option; 0: it has none */
};

/* The place of a text in the file of its directive; all 0: none. */
struct spot {
	unsigned	 line, column;
};

/* One directive with its value, or with all values of a list. */
struct value {
	const struct directive *directive;
	char		**text;
	struct spot	*spot;		/* of each text */
	size_t		 n;
	struct place	 place;
};

struct section {
	enum section_kind kind;
	char		 name[SETTINGS_NAME];
	const struct section *pool;	/* of a server, else NULL */
	struct place	 place;
	struct value	*value;
	size_t		 values;
	size_t		 first, servers; /* of a server: its places */
	size_t		 first_listener, listeners; /* likewise */
	bool		 unknown;	/* has unknown words, reported */
};

struct settings {
	/*
	 * The servers of a pool follow it. The first two are SECTION_TOP: those
	 * of files, then those of options, which win.
	 */
	struct section	**section;
	size_t		 sections;
	char		**file;		/* names for places */
	size_t		 files;
	bool		 whole;		/* no file was left out */
};

#define SETTINGS_FILES		0	/* section[…] */
#define SETTINGS_OPTIONS	1

/* All functions that return pointers: NULL with ENOMEM. */
struct settings *settings_new(void);
void	settings_free(struct settings *);

/* The name, kept as long as the settings; equal names are stored once. */
const char *settings_file(struct settings *, const char *name);

/* Adds a section; *name* is truncated if it is too long. */
struct section *settings_add(struct settings *, enum section_kind,
	    const char *name, const struct place *);

/* The section of this kind and name, or NULL. */
const struct section *settings_find(const struct settings *,
	    enum section_kind, const char *name);

/* The number of sections of this kind, in any state. */
size_t	settings_count(const struct settings *, enum section_kind);

/* Sets a directive and clears its texts; the next function adds them. */
struct value *section_set(struct section *, const struct directive *,
	    const struct place *);
int	value_add(struct value *, const char *text);
int	value_add_at(struct value *, const char *text, struct spot);

/* The value, or NULL if it is not set. */
const struct value *section_get(const struct section *,
	    const struct directive *);

/* True if a section of a file can have this name. */
bool	section_name_fits(const char *name);

/* Writes *text* in double quotes for a file. */
const char *settings_quote(const char *text, char *buf, size_t size);

/* The same, but without quotes if none are needed. */
const char *quote_name(const char *name, char *buf, size_t size);

/*
 * The same for one value, or one of a list; a number as a number needs no
 * quotes.
 */
const char *value_format(const struct directive *, const char *text,
	    bool in_list, char *buf, size_t size);

/* The section of this server. */
const struct section *settings_server(const struct settings *, size_t server);

/*
 * "FILE:LINE", "FILE" for line 0, or "option -w, --workers". Diagnostics begin
 * with the column as well.
 */
const char *place_format(const struct place *, char *buf, size_t size);

/*
 * Add a diagnostic about a place, or about one text of a value. Without a value
 * (NULL) the text is a default, which has no place.
 */
void	diagnostics_add_at(struct diagnostics *, const struct place *,
	    const char *fmt, ...) __attribute__((__format__(__printf__, 3, 4)));
void	value_reject(struct diagnostics *, const struct value *,
	    const char *text, const char *why);

#endif
