/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_yaml_error.c: libyaml reports which rule of its grammar a text breaks;
 * an operator needs to know what to write. The words of libyaml are used where
 * the table has none.
 */
#include "config/conf_yaml_error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* For a problem, in a context if any, at a character if any. */
static const struct {
	const char	*problem, *context, *at, *what;
} better[] = {
	{ NULL, "tag", NULL, CONF_YAML_TAG },
	{ "found undefined tag handle", NULL, NULL, CONF_YAML_TAG },
	{ NULL, "an alias", NULL, "* begins an alias; a text that begins with "
	    "* stands in quotes, such as \"*:80\"" },
	{ NULL, "an anchor", NULL, "& begins an anchor; a text that begins "
	    "with & stands in quotes" },
	{ "found unexpected end of stream", "quoted", NULL,
	    CONF_YAML_QUOTE },
	{ "found unexpected document indicator", "quoted", NULL,
	    CONF_YAML_QUOTE },
	{ "found unknown escape character", NULL, NULL, "this escape is not "
	    "known; write \\\\ for a backslash, or use single quotes" },
	{ "found incompatible YAML document", NULL, NULL, "this version of "
	    "YAML is not known; remove the line, or write %YAML 1.2" },
	{ NULL, "directive", NULL, "a line that begins with % is a directive "
	    "of YAML; only %YAML 1.2 is of use, before a line ---" },
	{ "did not find expected <document start>", NULL, NULL, "the "
	    "configuration ends before this; a file is one map of directives "
	    "and sections" },
	{ NULL, NULL, "\t", "a tab cannot indent; use spaces" },
	{ "found character that cannot start any token", NULL, "%@`", "a text "
	    "that begins with %, @ or ` stands in quotes" },
	{ "could not find expected ':'", "simple key", NULL, CONF_YAML_NAME },
	{ "mapping values are not allowed in this context", NULL, NULL, "this "
	    "colon makes a second NAME: VALUE in one line; begin a line, or "
	    "quote a text that has a colon before a blank or at its end" },
	{ "block sequence entries are not allowed in this context", NULL, NULL,
	    "an item of a list, - VALUE, begins a line" },
	{ NULL, "flow", ":", CONF_YAML_COLON },
	{ "found unexpected ':'", NULL, NULL, "within [ ] and { } a text that "
	    "ends in a colon stands in quotes" },
	{ "did not find expected node content", "flow", NULL, "a value should "
	    "be here, or the end of what [ or { has begun" },
	{ "did not find expected key", NULL, ":", "the name before the colon "
	    "is missing" },
	{ "did not find expected key", NULL, NULL, "this is indented otherwise "
	    "than the lines before: names of one section begin in one column" },
	{ "did not find expected '-' indicator", NULL, NULL, "this is no item "
	    "of the list before, - VALUE, and is indented as if it were" },
	{ "did not find expected ',' or '}'", NULL, NULL, "a , or a } should "
	    "be here: { NAME: VALUE, NAME: VALUE }" },
	{ "did not find expected ',' or ']'", NULL, NULL, "a , or a ] should "
	    "be here: [ VALUE, VALUE ]; an IPv6 address stands in quotes, "
	    "\"[::1]:80\"" },
};

/* The character, '\0' at the end of a line; *begins*: another one follows. */
static unsigned char
character_at(const char *text, size_t len, const yaml_mark_t *mark,
    bool *begins)
{
	const char *at = text, *end = text + len;
	size_t n;

	for (n = 0; n < mark->line; n++) {
		if ((at = memchr(at, '\n', (size_t)(end - at))) == NULL)
			return '\0';
		at++;
	}
	/* Skip all but the first byte of a multibyte character. */
	for (n = 0; at < end && *at != '\n'; at++)
		if (((unsigned char)*at & 0xc0) != 0x80 && n++ == mark->column)
			break;
	if (at >= end || *at == '\n')
		return '\0';
	*begins = at + 1 < end && strchr(" \t\r\n", at[1]) == NULL;
	return (unsigned char)*at;
}

/* libyaml reports only the byte. */
static void
explain_byte(const yaml_parser_t *p, const char *text, size_t len,
    struct conf_yaml_error *e)
{
	size_t i, at = p->problem_offset < len ? p->problem_offset : len;

	/* A broken character begins before the byte that breaks it. */
	if (strstr(p->problem, "trailing") != NULL)
		while (at > 0 && ((unsigned char)text[--at] & 0xc0) == 0x80)
			continue;
	e->line = e->column = 1;
	for (i = 0; i < at; i++)
		if (text[i] == '\n') {
			e->line++;
			e->column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80)
			e->column++;
	if (at < len && text[at] == '\0')
		snprintf(e->what, sizeof(e->what), "this is a NUL byte: the "
		    "file is no text");
	else if (p->problem_value >= 0 && strstr(p->problem, "control"))
		snprintf(e->what, sizeof(e->what), "this is the control "
		    "character U+%04X; write \"\\u%04X\" in double quotes",
		    (unsigned)p->problem_value, (unsigned)p->problem_value);
	else
		snprintf(e->what, sizeof(e->what), "this byte, 0x%02x, is not "
		    "UTF-8; save the file as UTF-8", at < len ?
		    (unsigned char)text[at] : 0);
}

static bool
fits_problem(size_t i, const char *problem, const char *context,
    unsigned char at)
{
	return (better[i].problem == NULL ||
	    strcmp(better[i].problem, problem) == 0) &&
	    (better[i].context == NULL ||
	    strstr(context, better[i].context) != NULL) &&
	    (better[i].at == NULL ||
	    (at != '\0' && strchr(better[i].at, at) != NULL));
}

void
conf_yaml_explain(const yaml_parser_t *p, const char *text, size_t len,
    struct conf_yaml_error *e)
{
	const char *problem = p->problem == NULL ? "" : p->problem;
	const char *context = p->context == NULL ? "" : p->context;
	const yaml_mark_t *mark = &p->problem_mark;
	bool begins = false;
	unsigned char at;
	size_t i;

	memset(e, 0, sizeof(*e));
	if (p->error == YAML_MEMORY_ERROR) {
		snprintf(e->what, sizeof(e->what), "out of memory");
		return;
	}
	if (p->error == YAML_READER_ERROR) {
		explain_byte(p, text, len, e);
		return;
	}
	at = character_at(text, len, mark, &begins);
	/* This colon is not the start of a text, but the end of a name. */
	if (at == ':' && !begins && strstr(context, "flow") != NULL)
		at = '\0';
	for (i = 0; i < sizeof(better) / sizeof(*better); i++)
		if (fits_problem(i, problem, context, at))
			break;
	/* Report unterminated parts where they begin. */
	if (strstr(context, "quoted") != NULL ||
	    strstr(context, "simple key") != NULL ||
	    strstr(context, "directive") != NULL)
		mark = &p->context_mark;
	e->line = (unsigned)mark->line + 1;
	e->column = (unsigned)mark->column + 1;
	if (i < sizeof(better) / sizeof(*better))
		snprintf(e->what, sizeof(e->what), "%s", better[i].what);
	else
		snprintf(e->what, sizeof(e->what), "%s%s%s", problem,
		    context[0] == '\0' ? "" : " ", context);
}
