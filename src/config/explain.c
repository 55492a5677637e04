/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * explain.c: walks the table of directives and prints the value of each. The
 * output is a configuration file with the same meaning.
 */
#include "config/explain.h"

#include <string.h>

#include "board/board.h"
#include "config/budget.h"
#include "config/conf_absent.h"
#include "config/conf_unused.h"
#include "config/settings.h"
#include "util/text.h"

#define WIDE	4200		/* the longest text, each byte as \xNN */

/*
 * The value that applies: of an option, the section, the top. NULL: the
 * default.
 */
static const struct value *
find_effective_value(const struct settings *st, const struct section *s,
    const struct directive *d)
{
	const struct directive *top = d->section == SECTION_TOP ? d :
	    directive_inherits(d);
	const struct value *v = NULL;

	if (top != NULL)
		v = section_get(st->section[SETTINGS_OPTIONS], top);
	if (v == NULL && d != top)
		v = section_get(s, d);
	if (v == NULL && top != NULL)
		v = section_get(st->section[SETTINGS_FILES], top);
	return v;
}

/* The default; NULL: none. */
static const char *
default_value(const struct conf *c, const struct directive *d)
{
	const struct directive *top = directive_inherits(d);

	if (top != NULL)
		return top->fallback;
	if (d->type == TYPE_POOL)
		return c->pool->name;
	if (strcmp(d->name, "log") == 0 && d->section == SECTION_TOP)
		return c->log;
	if (strcmp(d->name, "instance") == 0 && c->name[0] != '\0')
		return c->name;
	if (strcmp(d->name, "pidfile") == 0 && d->section == SECTION_TOP)
		return c->pidfile;
	if (strcmp(d->name, "user") == 0 && c->user.name[0] != '\0')
		return c->user.name;
	return d->fallback;
}

/* One line, with its comment in a column. */
static void
print_directive(const struct conf *c, const struct section *s,
    const struct directive *d, int depth, FILE *out)
{
	const struct value *v = find_effective_value(c->settings, s, d);
	const struct place nowhere = { .line = 0 };
	const char *text = default_value(c, d);
	char one[WIDE], where[WIDE];
	size_t i;
	int n;

	if (v == NULL && text == NULL) {
		fprintf(out, "%*s# %s is not set\n", depth, "", d->name);
		return;
	}
	n = fprintf(out, "%*s%s: %s", depth, "", d->name,
	    v != NULL && v->n > 1 ? "[" : "");
	for (i = 0; i < (v == NULL ? 1 : v->n); i++)
		n += fprintf(out, "%s%s", i > 0 ? ", " : "", value_format(d,
		    v == NULL ? text : v->text[i], v != NULL && v->n > 1, one,
		    sizeof(one)));
	n += fprintf(out, "%s", v != NULL && v->n > 1 ? "]" : "");
	fprintf(out, "%*s # %s\n", n < 46 ? 46 - n : 0, "",
	    place_format(v == NULL ? &nowhere : &v->place, where,
	    sizeof(where)));
}

static void
print_directives(const struct conf *c, const struct section *s,
    enum section_kind kind, int depth, FILE *out)
{
	const struct directive *d;
	size_t n;

	for (d = directives(&n); n > 0; d++, n--)
		if (d->section == kind)
			print_directive(c, s, d, depth, out);
}

/*
 * With options a server may have any name or none: not all are valid in a file.
 */
static const char *
server_name_of(const struct section *s, size_t i, char *buf, size_t size)
{
	if (section_name_fits(s->name))
		return quote_name(s->name, buf, size);
	snprintf(buf, size, "unnamed-%zu", i);
	return buf;
}

/* The origin of a section; and its names in the log, if those differ. */
static void
print_origin(const struct conf *c, const struct section *s, FILE *out)
{
	char where[WIDE];
	size_t i;

	fprintf(out, "# %s", place_format(&s->place, where, sizeof(where)));
	if (s->kind == SECTION_SERVER && s->place.file == NULL)
		for (i = 0; i < s->servers; i++)
			fprintf(out, "%s%s", i == 0 ? "; runs as " : ", ",
			    c->server[s->first + i].name);
	putc('\n', out);
}

/* All sections of a kind; of servers, those of this pool. */
static void
print_sections(const struct conf *c, enum section_kind kind,
    const struct section *pool, int depth, FILE *out)
{
	const struct settings *st = c->settings;
	const struct section *s;
	char name[SETTINGS_NAME + 2];
	size_t i;

	fprintf(out, "%*s%s:\n", depth, "", section_word(kind));
	for (i = 0; i < st->sections; i++) {
		s = st->section[i];
		if (s->kind != kind || s->pool != pool)
			continue;
		fprintf(out, "%*s%s: ", depth + 2, "",
		    server_name_of(s, i, name, sizeof(name)));
		print_origin(c, s, out);
		print_directives(c, s, kind, depth + 4, out);
		if (kind == SECTION_POOL)
			print_sections(c, SECTION_SERVER, s, depth + 4, out);
	}
}

static void
print_budget(const struct conf *c, const struct budget *b, FILE *out)
{
	unsigned workers = c->workers == 0 ? 1 : c->workers;
	uint32_t rows = budget_rows(c);

	fprintf(out, "\n# What this needs and has, in each of %u worker%s:\n"
	    "#   descriptors: %zu, of which %zu are set aside\n"
	    "#   sessions: %u at most, of %u descriptors each\n"
	    "#   memory: %llu MiB when all are at work, beside %llu MiB or "
	    "more of the kernel\n", workers, text_s(workers),
	    b->descriptors, b->set_aside, b->sessions, b->each,
	    (unsigned long long)b->memory >> 20,
	    (unsigned long long)b->sockets >> 20);
	fprintf(out, "# In all: %llu sessions, %llu MiB and %llu MiB\n"
	    "# Shared memory: %llu MiB of address space in each process, "
	    "for %u workers of all\n#   generations; memory only for what is "
	    "in use\n# Local ports for connections to each server: %u\n",
	    (unsigned long long)workers * b->sessions,
	    (unsigned long long)workers * b->memory >> 20,
	    (unsigned long long)workers * b->sockets >> 20,
	    (unsigned long long)board_bytes(rows) >> 20, rows, budget_ports());
}

void
explain_conf(const struct conf *c, size_t descriptors, FILE *out)
{
	struct diagnostics warnings = { .n = 0 };
	struct budget b;
	size_t i;

	print_directives(c, NULL, SECTION_TOP, 0, out);
	if (c->limits_shared > 0)
		print_sections(c, SECTION_LIMIT, NULL, 0, out);
	print_sections(c, SECTION_LISTEN, NULL, 0, out);
	print_sections(c, SECTION_POOL, NULL, 0, out);
	budget_make(&b, c, descriptors);
	conf_unused(c, &warnings);
	conf_absent(c, &warnings);
	budget_check(&b, c, &warnings);
	print_budget(c, &b, out);
	for (i = 0; i < warnings.n; i++)
		fprintf(out, "# warning: %s\n", warnings.line[i]);
	diagnostics_free(&warnings);
}
