/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * settings.h: what the operator said, in files and on the command line, and
 * where each of it stands. It is kept as text, so that it can be shown as it
 * was given; directives.h knows what it means.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/diagnostics.h"
#include "config/directives.h"

#define SETTINGS_NAME	64		/* bytes of a name with the NUL */
#define SETTINGS_NAME_IN_FILE	60	/* bytes of one in a file, without */

/* A line of a file; or an option; or neither: a default. */
struct place {
	const char	*file;		/* NULL: not in a file */
	unsigned	 line, column;	/* from 1; 0: the whole file, line */
	const char	*option;	/* "workers"; NULL: not by one */
	char		 letter;	/* of the option; 0: it has none */
};

/* Where a text begins in the file of its directive; all 0: in none. */
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
	const struct section *pool;	/* whose server it is, else NULL */
	struct place	 place;
	struct value	*value;
	size_t		 values;
	size_t		 first, servers; /* of a server: what it became */
	size_t		 first_listener, listeners; /* likewise */
	bool		 unknown;	/* has words that were complained of */
};

struct settings {
	/*
	 * The servers of a pool come after it. The first two are SECTION_TOP:
	 * what the files say, then what the options say, which wins.
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

/* The name, kept as long as the settings; there is one of each. */
const char *settings_file(struct settings *, const char *name);

/* Add a section; *name* is cut when it is too long. */
struct section *settings_add(struct settings *, enum section_kind,
	    const char *name, const struct place *);

/* The section of this kind and name, NULL if there is none. */
const struct section *settings_find(const struct settings *,
	    enum section_kind, const char *name);

/* How many sections of this kind there are, whatever became of each. */
size_t	settings_count(const struct settings *, enum section_kind);

/* Set a directive, instead of what it was; its texts are added by the next. */
struct value *section_set(struct section *, const struct directive *,
	    const struct place *);
int	value_add(struct value *, const char *text);
int	value_add_at(struct value *, const char *text, struct spot);

/* What was said; NULL: nothing. */
const struct value *section_get(const struct section *,
	    const struct directive *);

/* Can a section of a file have this name? */
bool	section_name_fits(const char *name);

/* Write *text* in double quotes, so that a file can hold it. */
const char *settings_quote(const char *text, char *buf, size_t size);

/* The same, but without quotes where none are needed. */
const char *quote_name(const char *name, char *buf, size_t size);

/*
 * The same of one value, or of one in a list; none are needed either where a
 * number is a number.
 */
const char *value_format(const struct directive *, const char *text,
	    bool in_list, char *buf, size_t size);

/* The section that has become this server, among others. */
const struct section *settings_server(const struct settings *, size_t server);

/*
 * "FILE:LINE", "FILE" for line 0, or "option -w, --workers". Complaints begin
 * with the column as well.
 */
const char *place_format(const struct place *, char *buf, size_t size);

/*
 * Complain of something that stands there, or of one text of a value. Without a
 * value (NULL) the text is a default, which stands nowhere.
 */
void	diagnostics_add_at(struct diagnostics *, const struct place *,
	    const char *fmt, ...) __attribute__((__format__(__printf__, 3, 4)));
void	value_reject(struct diagnostics *, const struct value *,
	    const char *text, const char *why);

#endif
