/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * settings.c: sections, values and their places, all owned by one struct
 * settings. Judges nothing.
 */
#include "config/settings.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings *
settings_new(void)
{
	static const struct place nowhere;
	struct settings *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	if (settings_add(s, SECTION_TOP, "", &nowhere) != NULL &&
	    settings_add(s, SECTION_TOP, "", &nowhere) != NULL)
		return s;
	settings_free(s);
	return NULL;
}

static void
value_clear(struct value *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		free(v->text[i]);
	free(v->text);
	free(v->spot);
	memset(v, 0, sizeof(*v));
}

static void
section_free(struct section *s)
{
	size_t i;

	for (i = 0; i < s->values; i++)
		value_clear(&s->value[i]);
	free(s->value);
	free(s);
}

void
settings_free(struct settings *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->sections; i++)
		section_free(s->section[i]);
	for (i = 0; i < s->files; i++)
		free(s->file[i]);
	free(s->section);
	free(s->file);
	free(s);
}

const char *
settings_file(struct settings *s, const char *name)
{
	char **grown, *copy;
	size_t i;

	for (i = 0; i < s->files; i++)
		if (strcmp(s->file[i], name) == 0)
			return s->file[i];
	grown = reallocarray(s->file, s->files + 1, sizeof(*grown));
	if (grown == NULL)
		return NULL;
	s->file = grown;
	if ((copy = strdup(name)) != NULL)
		s->file[s->files++] = copy;
	return copy;
}

struct section *
settings_add(struct settings *s, enum section_kind kind, const char *name,
    const struct place *place)
{
	struct section **grown, *added;

	grown = reallocarray(s->section, s->sections + 1, sizeof(*grown));
	if (grown == NULL)
		return NULL;
	s->section = grown;
	if ((added = calloc(1, sizeof(*added))) == NULL)
		return NULL;
	added->kind = kind;
	added->place = *place;
	strlcpy(added->name, name, sizeof(added->name));
	s->section[s->sections++] = added;
	return added;
}

const struct section *
settings_find(const struct settings *s, enum section_kind kind,
    const char *name)
{
	size_t i;

	for (i = 0; i < s->sections; i++)
		if (s->section[i]->kind == kind &&
		    strcmp(s->section[i]->name, name) == 0)
			return s->section[i];
	return NULL;
}

struct value *
section_set(struct section *s, const struct directive *d,
    const struct place *place)
{
	struct value *v;
	size_t i;

	for (i = 0; i < s->values && s->value[i].directive != d; i++)
		continue;
	if (i == s->values) {
		v = reallocarray(s->value, s->values + 1, sizeof(*v));
		if (v == NULL)
			return NULL;
		s->value = v;
		memset(&s->value[s->values++], 0, sizeof(*v));
	}
	v = &s->value[i];
	value_clear(v);
	v->directive = d;
	v->place = *place;
	return v;
}

int
value_add_at(struct value *v, const char *text, struct spot spot)
{
	size_t room = v->n == 0 ? 1 : 2 * v->n;
	struct spot *spots;
	char **grown;

	/* Lists grow in powers of two. */
	if ((v->n & (v->n - 1)) == 0) {
		if ((grown = reallocarray(v->text, room,
		    sizeof(*grown))) == NULL)
			return -1;
		v->text = grown;
		if ((spots = reallocarray(v->spot, room,
		    sizeof(*spots))) == NULL)
			return -1;
		v->spot = spots;
	}
	if ((v->text[v->n] = strdup(text)) == NULL)
		return -1;
	v->spot[v->n++] = spot;
	return 0;
}

int
value_add(struct value *v, const char *text)
{
	static const struct spot nowhere;

	return value_add_at(v, text, nowhere);
}

const struct value *
section_get(const struct section *s, const struct directive *d)
{
	size_t i;

	for (i = 0; i < s->values; i++)
		if (s->value[i].directive == d)
			return &s->value[i];
	return NULL;
}

size_t
settings_count(const struct settings *st, enum section_kind kind)
{
	size_t i, n = 0;

	for (i = 0; i < st->sections; i++)
		n += st->section[i]->kind == kind;
	return n;
}

bool
section_name_fits(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t n = strlen(name);

	return n > 0 && n <= SETTINGS_NAME_IN_FILE &&
	    strspn(name, letters) == n;
}

/*
 * The escape for what a YAML text cannot contain at its start. Returns the
 * number of bytes that it replaces, 0: none needed.
 */
static size_t
escape_char(const char *text, char buf[8])
{
	/* Line breaks, a byte order mark and non-characters. */
	static const char *const marks[][2] = {
		{ "\xe2\x80\xa8", "\\u2028" }, { "\xe2\x80\xa9", "\\u2029" },
		{ "\xef\xbb\xbf", "\\uFEFF" }, { "\xef\xbf\xbe", "\\uFFFE" },
		{ "\xef\xbf\xbf", "\\uFFFF" }, { "\n", "\\n" }, { "\t", "\\t" },
		{ "\"", "\\\"" }, { "\\", "\\\\" },
	};
	unsigned char c = (unsigned char)text[0], next;
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (strncmp(text, marks[i][0], strlen(marks[i][0])) == 0) {
			strlcpy(buf, marks[i][1], 8);
			return strlen(marks[i][0]);
		}
	next = c == 0xc2 ? (unsigned char)text[1] : 0;
	if (next < 0x80 || next > 0x9f)
		next = 0;
	if (!iscntrl(c) && next == 0)
		return 0;
	snprintf(buf, 8, "\\x%02x", next == 0 ? c : next);
	return next == 0 ? 1 : 2;
}

const char *
settings_quote(const char *text, char *buf, size_t size)
{
	char escaped[8];
	size_t n = 0, used;

	n += strlcpy(buf, "\"", size);
	while (*text != '\0' && n + sizeof("\\uFEFF\"") < size) {
		if ((used = escape_char(text, escaped)) == 0) {
			buf[n++] = *text++;
			buf[n] = '\0';
			continue;
		}
		text += used;
		n += strlcpy(buf + n, escaped, size - n);
	}
	strlcat(buf, "\"", size);
	return buf;
}

/* True if YAML reads it as this text, within brackets too. */
static bool
is_plain_scalar(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-:";
	size_t n = strlen(text);

	return n > 0 && strspn(text, plain) == n && text[0] != '-' &&
	    text[0] != ':' && text[n - 1] != ':';
}

/* True if other YAML readers would convert it to a number or a boolean. */
static bool
is_taken_for_another(const char *text)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on",
	    "off", "y", "n", "null" };
	size_t i;
	char *end;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(words[i], text) == 0)
			return true;
	(void)strtod(text, &end);
	return *end == '\0' || text[strspn(text, "0123456789:_")] == '\0';
}

const char *
quote_name(const char *name, char *buf, size_t size)
{
	if (!is_plain_scalar(name) || is_taken_for_another(name))
		return settings_quote(name, buf, size);
	strlcpy(buf, name, size);
	return buf;
}

const char *
value_format(const struct directive *d, const char *text, bool in_list,
    char *buf, size_t size)
{
	/* Only within brackets a colon cannot begin a text, such as :80. */
	bool colon = text[0] == ':' && !in_list;

	/* Words are written without quotes, and so is off among times. */
	if (!is_plain_scalar(text + colon) || (d->type > TYPE_WORD && !colon &&
	    is_taken_for_another(text)))
		return settings_quote(text, buf, size);
	strlcpy(buf, text, size);
	return buf;
}

const struct section *
settings_server(const struct settings *st, size_t server)
{
	size_t i;

	for (i = 0; i < st->sections; i++)
		if (server - st->section[i]->first < st->section[i]->servers)
			break;
	return st->section[i];
}

const char *
place_format(const struct place *p, char *buf, size_t size)
{
	if (p->file != NULL && p->line == 0)
		strlcpy(buf, p->file, size);
	else if (p->file != NULL)
		snprintf(buf, size, "%s:%u", p->file, p->line);
	else if (p->option != NULL && p->letter != '\0')
		snprintf(buf, size, "option -%c, --%s", p->letter, p->option);
	else if (p->option != NULL)
		snprintf(buf, size, "option --%s", p->option);
	else
		strlcpy(buf, "default", size);
	return buf;
}

/*
 * Moves the last diagnostic to its place among those of files, which come
 * before the others, in the order of lines: numerically, :9 before :10.
 */
static void
sort_in(struct diagnostics *cs)
{
	char **line = cs->line, *last;
	size_t i;

	if (cs->n == 0)
		return;
	last = line[cs->n - 1];
	for (i = cs->n - 1; i > 0 && (line[i - 1][0] != '/' ||
	    strverscmp(line[i - 1], last) > 0); i--)
		line[i] = line[i - 1];
	line[i] = last;
}

void
diagnostics_add_at(struct diagnostics *cs, const struct place *p,
    const char *fmt, ...)
{
	char where[1200], what[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	place_format(p, where, sizeof(where));
	if (p->file != NULL && p->column > 0)
		diagnostics_add(cs, "%s:%u: %s", where, p->column, what);
	else
		diagnostics_add(cs, "%s: %s", where, what);
	if (p->file != NULL) {
		cs->of_files++;
		sort_in(cs);
	}
}

/* Detects a list that is written as one text. */
static const char *
list_hint(const struct value *v, const char *text)
{
	return v->place.file != NULL && strpbrk(text, ", ") != NULL &&
	    (v->directive->type == TYPE_ADDRESSES ||
	    v->directive->type == TYPE_NETWORKS) ?
	    "; several are a list: [ …, … ]" : "";
}

/* The place of one text; that of the directive if it has none. */
static struct place
place_of_text(const struct value *v, const char *text)
{
	struct place p = v->place;
	size_t i;

	for (i = 0; i < v->n && v->text[i] != text; i++)
		continue;
	if (p.file != NULL && i < v->n && v->spot[i].line > 0) {
		p.line = v->spot[i].line;
		p.column = v->spot[i].column;
	}
	return p;
}

void
value_reject(struct diagnostics *cs, const struct value *v, const char *text,
    const char *why)
{
	const struct directive *d;
	struct place place;
	char shown[600];

	if (v == NULL) {
		diagnostics_add(cs, "%s: %s", text, why);
		return;
	}
	d = v->directive;
	place = place_of_text(v, text);
	if (v->place.file != NULL)
		diagnostics_add_at(cs, &place, "%s %s: %s%s", d->name,
		    settings_quote(text, shown, sizeof(shown)), why,
		    list_hint(v, text));
	else if (d->section == SECTION_TOP || strcmp(d->name, "address") == 0)
		diagnostics_add_at(cs, &v->place, "\"%s\": %s", text, why);
	else
		diagnostics_add_at(cs, &v->place, "%s=%s: %s", d->name, text,
		    why);
}
