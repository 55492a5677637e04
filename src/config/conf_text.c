/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_text.c: the text grows, and beside it a list of places, in the order of
 * the lines that begin there. Names of files are not ours.
 */
#include "config/conf_text.h"

#include <stdlib.h>
#include <string.h>

struct conf_span {
	unsigned	 at;		/* the line in the text */
	const char	*file;
	unsigned	 line;		/* where it stands */
};

int
conf_text_from(struct conf_text *t, const char *file, unsigned line)
{
	struct conf_span *grown;

	if (t->line == 0)
		t->line = 1;
	grown = reallocarray(t->span, t->spans + 1, sizeof(*grown));
	if (grown == NULL)
		return -1;
	t->span = grown;
	grown[t->spans++] = (struct conf_span){ t->line, file, line };
	return 0;
}

int
conf_text_add(struct conf_text *t, const char *bytes, size_t n)
{
	size_t i, room = t->room == 0 ? 4096 : t->room;
	char *grown;

	while (room < t->len + n + 1)
		room *= 2;
	if (room != t->room) {
		if ((grown = realloc(t->text, room)) == NULL)
			return -1;
		t->text = grown;
		t->room = room;
	}
	memcpy(t->text + t->len, bytes, n);
	t->len += n;
	t->text[t->len] = '\0';
	for (i = 0; i < n; i++)
		t->line += bytes[i] == '\n';
	return 0;
}

int
conf_text_end_line(struct conf_text *t)
{
	return t->len == 0 || t->text[t->len - 1] == '\n' ? 0 :
	    conf_text_add(t, "\n", 1);
}

struct place
conf_text_place(const struct conf_text *t, unsigned line)
{
	struct place p = { .line = line };
	size_t i;

	for (i = t->spans; i > 0; i--)
		if (t->span[i - 1].at <= line) {
			p.file = t->span[i - 1].file;
			p.line = t->span[i - 1].line + line -
			    t->span[i - 1].at;
			break;
		}
	return p;
}

void
conf_text_free(struct conf_text *t)
{
	free(t->text);
	free(t->span);
	memset(t, 0, sizeof(*t));
}
