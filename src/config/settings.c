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
value_add(struct value *v, const char *text)
{
	char **grown;

	if ((grown = reallocarray(v->text, v->n + 1, sizeof(*grown))) == NULL)
		return -1;
	v->text = grown;
	if ((v->text[v->n] = strdup(text)) == NULL)
		return -1;
	v->n++;
	return 0;
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

/* As libconfig reads it: quotes, backslashes and what cannot be seen. */
const char *
quote(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	n += strlcpy(buf, "\"", size);
	for (; *text != '\0' && n + sizeof("\\xff\"") < size; text++)
		if (*text == '"' || *text == '\\')
			n += (size_t)snprintf(buf + n, size - n, "\\%c", *text);
		else if (iscntrl((unsigned char)*text))
			n += (size_t)snprintf(buf + n, size - n, "\\x%02x",
			    (unsigned char)*text);
		else {
			buf[n++] = *text;
			buf[n] = '\0';
		}
	strlcat(buf, "\"", size);
	return buf;
}

const char *
value_format(const struct directive *d, const char *text, char *buf,
    size_t size)
{
	bool plain = d->type == TYPE_BOOL || d->type == TYPE_NUMBER;

	/* A word among numbers is a word all the same. */
	if (!plain || (d->type == TYPE_NUMBER &&
	    (text[0] == '\0' || text[strspn(text, "-0123456789")] != '\0')))
		return quote(text, buf, size);
	strlcpy(buf, text, size);
	return buf;
}

const struct section *
settings_server(const struct settings *st, size_t backend)
{
	size_t i;

	for (i = 0; i < st->sections; i++)
		if (backend - st->section[i]->first < st->section[i]->backends)
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
 * The last complaint goes up to where it belongs among those of files, which
 * come before the others: one can go through a file with them. Numbers count as
 * such, :9 before :10.
 */
static void
sort_in(struct complaints *cs)
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
complain_at(struct complaints *cs, const struct place *p, const char *fmt, ...)
{
	char where[1200], what[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	complain(cs, "%s: %s", place_format(p, where, sizeof(where)), what);
	if (p->file != NULL) {
		cs->of_files++;
		sort_in(cs);
	}
}

/* Who writes a list as one text. */
static const char *
list_hint(const struct value *v, const char *text)
{
	return v->place.file != NULL && strpbrk(text, ", ") != NULL &&
	    (v->directive->type == TYPE_ADDRESSES ||
	    v->directive->type == TYPE_NETWORKS) ?
	    "; several stand in brackets: [\"…\", \"…\"]" : "";
}

void
value_reject(struct complaints *cs, const struct value *v, const char *text,
    const char *why)
{
	const struct directive *d;
	char shown[600];

	if (v == NULL) {
		complain(cs, "%s: %s", text, why);
		return;
	}
	d = v->directive;
	if (v->place.file != NULL)
		complain_at(cs, &v->place, "%s = %s: %s%s", d->name,
		    value_format(d, text, shown, sizeof(shown)), why,
		    list_hint(v, text));
	else if (d->section == SECTION_TOP || strcmp(d->name, "address") == 0)
		complain_at(cs, &v->place, "\"%s\": %s", text, why);
	else
		complain_at(cs, &v->place, "%s=%s: %s", d->name, text, why);
}
