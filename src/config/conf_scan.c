/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_scan.c: splits a configuration file into words, texts and comments as
 * libconfig does, and looks at each by itself. What they make together is for
 * libconfig to judge.
 */
#include "config/conf_scan.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/file_text.h"

#define PATH_BYTES	4096
#define WORD_BYTES	256

/* libconfig goes so deep; and no configuration has so many. */
#define DEPTH		10
#define FILES		1000

/* A name in a section that is still open. */
struct name {
	char		*text;
	unsigned	 depth;		/* of the section */
	struct place	 place;
};

/* What all files of one scan have in common. */
struct scan {
	struct settings	*settings;
	struct complaints *complaints;
	const char	*directory;
	struct conf_text *text;		/* without its @include */
	unsigned	 files;
	bool		 bad;
	struct name	*names;		/* of all open sections */
	size_t		 n;
	unsigned	 depth;		/* so many are open */
};

/* A file, on top of those that include it. */
struct source {
	struct scan	*scan;
	const struct source *outer;	/* NULL: none */
	const char	*path;
	const char	*file;		/* its name for places */
	const char	*at, *end;	/* of what it says */
	const char	*copied;	/* that is in the text up to here */
	dev_t		 dev;
	ino_t		 ino;
	unsigned	 line;
	unsigned	 line_copied;	/* of what is to be copied next */
	bool		 begins;	/* only blanks so far in this line */
	char		 name[WORD_BYTES]; /* the last one */
	unsigned	 value;		/* its = stands here, 0: it has had it */
	unsigned	 broken;	/* the first text over lines begins here */
};

static int	scan_file(struct scan *, const struct source *,
		    const char *);

static void __attribute__((__format__(__printf__, 3, 4)))
wrong(const struct source *s, unsigned line, const char *fmt, ...)
{
	struct place place = { .line = line };
	char what[1000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	s->scan->bad = true;
	place.file = settings_file(s->scan->settings, s->path);
	if (place.file == NULL)
		complain(s->scan->complaints, "%s", strerror(errno));
	else
		complain_at(s->scan->complaints, &place, "%s", what);
}

static int
next(struct source *s)
{
	int c;

	if (s->at == s->end)
		return EOF;
	c = (unsigned char)*s->at++;
	s->line += c == '\n';
	s->begins = c == '\n' || (s->begins && isblank(c));
	return c;
}

static int
peek(const struct source *s)
{
	return s->at == s->end ? EOF : (unsigned char)*s->at;
}

static void
skip_line(struct source *s)
{
	while (peek(s) != '\n' && next(s) != EOF)
		continue;
}

static void
skip_comment(struct source *s)
{
	unsigned line = s->line;
	int c, last = '\0';

	(void)next(s);
	while ((c = next(s)) != EOF && (last != '*' || c != '/'))
		last = c;
	if (c == EOF)
		wrong(s, line, "the comment that begins here has no end; "
		    "add */");
}

/* Up to its end; one that goes over lines has probably lost that. */
static void
take_text(struct source *s, char *buf, size_t size)
{
	unsigned line = s->line;
	size_t n = 0;
	int c;

	while ((c = next(s)) != EOF && c != '"') {
		if (c == '\\')
			c = next(s);
		if (n + 1 < size)
			buf[n++] = (char)c;
	}
	buf[n] = '\0';
	if (s->line != line && s->broken == 0)
		s->broken = line;
	if (c == EOF)
		wrong(s, s->broken == 0 ? line : s->broken, "the text that "
		    "begins here has no end; add a \"");
}

/* The rest of a word that begins with *c*, up to one of *ends*. */
static void
take_word(struct source *s, int c, const char *ends, char buf[WORD_BYTES])
{
	size_t n = 0;

	buf[n++] = (char)c;
	for (c = peek(s); c != EOF && !isspace(c) && strchr(ends, c) == NULL;
	    c = peek(s)) {
		(void)next(s);
		if (c == '/' && (peek(s) == '/' || peek(s) == '*')) {
			s->at--;
			break;
		}
		if (n + 1 < WORD_BYTES)
			buf[n++] = (char)c;
	}
	buf[n] = '\0';
}

/* Can libconfig have it as a value, and keeps it as it is? */
static bool
is_value(const char *word)
{
	bool hex = strncasecmp(word, "0x", 2) == 0;
	long long n;
	char *end;

	errno = 0;
	n = strtoll(word, &end, hex ? 16 : 10);
	if (end > word && end[strspn(end, "L")] == '\0')
		return errno == 0 && n >= INT_MIN && n <= INT_MAX;
	if (strchr("+-.0123456789", word[0]) != NULL && !hex) {
		(void)strtod(word, &end);
		return end > word && *end == '\0';
	}
	return strcasecmp(word, "true") == 0 || strcasecmp(word, "false") == 0;
}

static void
reject_value(const struct source *s, const char *word)
{
	const struct directive *d = NULL;
	char takes[DIRECTIVE_WHY];
	int kind;

	for (kind = 0; kind < SECTIONS && d == NULL; kind++)
		d = directive_find((enum section_kind)kind, s->name);
	if (d == NULL)
		wrong(s, s->line, "%s = %s: should be a number, true, false, "
		    "or in double quotes", s->name, word);
	else
		wrong(s, s->line, "%s = %s: should be %s%s", s->name, word,
		    directive_takes(d, takes, sizeof(takes)),
		    d->type == TYPE_BOOL || (d->type == TYPE_NUMBER &&
		    (d->words == NULL || isdigit((unsigned char)word[0]))) ?
		    "" : ", in double quotes");
}

static void
scan_value(struct source *s, int c)
{
	char word[WORD_BYTES];

	take_word(s, c, ";,{}()[]\"'#", word);
	if (!is_value(word) && s->broken == 0)
		reject_value(s, word);
}

static void
scan_name(struct source *s, int c)
{
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*";

	take_word(s, c, ";,{}()[]\"'#=:", s->name);
	if (s->name[strspn(s->name, rest)] != '\0' && s->broken == 0 &&
	    !isdigit((unsigned char)c))
		wrong(s, s->line, "%s: a name has letters, digits, -, _ and * "
		    "only", s->name);
}

/* The name before a = is one of the section; it may be there once. */
static void
add_name(struct source *s)
{
	struct scan *all = s->scan;
	struct place place = { .line = s->line };
	char where[PATH_BYTES];
	struct name *list;
	size_t i;

	for (i = all->n; i > 0 && all->names[i - 1].depth == all->depth; i--) {
		if (strcmp(all->names[i - 1].text, s->name) != 0)
			continue;
		wrong(s, s->line, "%s stands in this section already, at %s; "
		    "remove one of them", s->name,
		    place_format(&all->names[i - 1].place, where,
		    sizeof(where)));
		return;
	}
	list = reallocarray(all->names, all->n + 1, sizeof(*list));
	if (list != NULL)
		all->names = list;
	place.file = settings_file(all->settings, s->path);
	if (list == NULL || place.file == NULL ||
	    (list[all->n].text = strdup(s->name)) == NULL) {
		wrong(s, s->line, "%s", strerror(errno));
		return;
	}
	list[all->n].place = place;
	list[all->n++].depth = all->depth;
}

static void
forget_names(struct scan *all)
{
	while (all->n > 0 && all->names[all->n - 1].depth >= all->depth)
		free(all->names[--all->n].text);
}

static void
scan_mark(struct source *s, int c)
{
	struct scan *all = s->scan;

	if ((c == '=' || c == ':') && s->value == 0 && s->name[0] != '\0' &&
	    s->broken == 0)
		add_name(s);
	s->value = c == '=' || c == ':' || c == '[' ? s->line : 0;
	if (c == '{')
		all->depth++;
	else if (c == '}' && all->depth > 0) {
		forget_names(all);
		all->depth--;
	}
}

/* Who includes this file, however far up? */
static bool
is_open(const struct source *s, const struct stat *sb)
{
	for (; s != NULL; s = s->outer)
		if (s->dev == sb->st_dev && s->ino == sb->st_ino)
			return true;
	return false;
}

static unsigned
depth(const struct source *s)
{
	unsigned n = 0;

	for (; s->outer != NULL; s = s->outer)
		n++;
	return n;
}

/* All up to there goes into the text; what comes next stands at this line. */
static void
copy_up_to(struct source *s, const char *end)
{
	struct conf_text *t = s->scan->text;

	if (conf_text_from(t, s->file, s->line_copied) == -1 ||
	    conf_text_add(t, s->copied, (size_t)(end - s->copied)) == -1)
		wrong(s, s->line, "%s", strerror(errno));
	s->copied = end;
}

/* The one that is meant, if it is there. False: it is not. */
static bool
find_included(const struct source *s, const char *name, char *path, size_t size,
    struct stat *sb)
{
	snprintf(path, size, "%s/%s", s->scan->directory, name);
	if (stat(path, sb) == 0)
		return true;
	strlcpy(path, name, size);
	return name[0] == '/' && stat(path, sb) == 0;
}

static void
include(struct source *s, const char *name)
{
	char path[2 * PATH_BYTES];
	struct stat sb;

	if (!find_included(s, name, path, sizeof(path), &sb))
		wrong(s, s->line, "the file to include cannot be opened; its "
		    "name begins at the directory of the file of -c");
	else if (S_ISDIR(sb.st_mode))
		wrong(s, s->line, "%s is a directory; a file should be "
		    "included", name);
	else if (is_open(s, &sb))
		wrong(s, s->line, "%s includes itself by this line", name);
	else if (depth(s) == DEPTH)
		wrong(s, s->line, "%s is included too deep: %d files at most "
		    "include each other", name, DEPTH);
	else if (s->scan->files == FILES)
		wrong(s, s->line, "more than %d files are included", FILES);
	else if (scan_file(s->scan, s, path) == -1)
		wrong(s, s->line, "%s: %s", name, file_text_why(errno));
}

static void
scan_include(struct source *s, bool begins)
{
	char word[WORD_BYTES], name[PATH_BYTES];

	copy_up_to(s, s->at - 1);
	take_word(s, '@', "\"", word);
	while (isblank(peek(s)))
		(void)next(s);
	if (!begins || strcmp(word, "@include") != 0 || peek(s) != '"') {
		wrong(s, s->line, "%s: only @include \"FILE\" may follow an @, "
		    "at the beginning of a line", word);
		return;
	}
	(void)next(s);
	take_text(s, name, sizeof(name));
	include(s, name);
	s->copied = s->at;
	s->line_copied = s->line;
}

static void
scan_word(struct source *s, int c)
{
	bool number = isdigit(c) || strchr("+-.", c) != NULL;

	/* A name that stands below may have lost the value before it. */
	if (s->value != 0 && (s->value == s->line || number))
		scan_value(s, c);
	else
		scan_name(s, c);
	s->value = 0;
}

static void
scan(struct source *s)
{
	char text[WORD_BYTES];
	bool begins = s->begins;
	int c;

	while ((c = next(s)) != EOF) {
		if (c == '#' || (c == '/' && peek(s) == '/'))
			skip_line(s);
		else if (c == '/' && peek(s) == '*')
			skip_comment(s);
		else if (c == '\'') {
			wrong(s, s->line, "a text stands in double quotes");
			skip_line(s);
		} else if (c == '"') {
			take_text(s, text, sizeof(text));
			s->value = 0;
		} else if (strchr("=:;,{}()[]", c) != NULL)
			scan_mark(s, c);
		else if (c == '@')
			scan_include(s, begins);
		else if (!isspace(c))
			scan_word(s, c);
		begins = s->begins;
	}
}

/* -1 with errno: it cannot be read. */
static int
scan_file(struct scan *all, const struct source *outer, const char *path)
{
	struct source s = { .scan = all, .outer = outer, .path = path,
	    .line = 1, .line_copied = 1, .begins = true };
	struct stat sb;
	size_t len;
	char *text;

	if ((text = file_text(path, &len, &sb)) == NULL)
		return -1;
	all->files++;
	s.dev = sb.st_dev;
	s.ino = sb.st_ino;
	if ((s.file = settings_file(all->settings, path)) == NULL)
		all->bad = true;
	s.at = s.copied = text;
	s.end = text + len;
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0) {
		wrong(&s, 1, "this begins with a byte order mark; save it as "
		    "UTF-8 without one");
		s.at += 3;
	}
	scan(&s);
	if (strlen(text) != len)
		wrong(&s, 1, "this has a NUL byte: it is no text");
	copy_up_to(&s, s.end);
	if (outer != NULL && conf_text_end_line(all->text) == -1)
		wrong(&s, s.line, "%s", strerror(errno));
	free(text);
	return 0;
}

int
conf_scan(struct settings *st, const char *path, const char *directory,
    struct conf_text *text, struct complaints *cs)
{
	struct scan all = { .settings = st, .complaints = cs,
	    .directory = directory, .text = text };
	struct place place = { .file = settings_file(st, path) };

	if (place.file == NULL) {
		complain(cs, "%s", strerror(errno));
		all.bad = true;
	} else if (scan_file(&all, NULL, path) == -1) {
		complain_at(cs, &place, "%s", file_text_why(errno));
		all.bad = true;
	}
	all.depth = 0;
	forget_names(&all);
	free(all.names);
	return all.bad ? -1 : 0;
}
