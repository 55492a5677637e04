/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * peer_script.c: turns the text of a script into commands. Words stand between
 * blanks, "…" makes one word with C's escapes, # begins a comment, ';' and
 * newline end a command, { and } hold a block. Every mistake is found here,
 * before a socket is opened. Never runs anything.
 */
#include "peer.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX	16
#define DEPTH_MAX	4

/* Where the reader stands. Words are unescaped in place. */
struct reader {
	struct script	*script;
	char		*at;
	int		 line;
	bool		 dense;
	size_t		 open[DEPTH_MAX];	/* commands whose block is open */
	int		 depth;
};

static const struct verb *const tables[] = {
	verbs_connection, verbs_data, verbs_fork, verbs_crowd
};
#define NTABLES	(sizeof(tables) / sizeof(tables[0]))

const struct verb *
verb_find(const char *name)
{
	const struct verb *v;
	size_t i;

	for (i = 0; i < NTABLES; i++)
		for (v = tables[i]; v->name != NULL; v++)
			if (strcmp(v->name, name) == 0)
				return v;
	return NULL;
}

void
verb_help(void)
{
	const struct verb *v;
	size_t i;

	for (i = 0; i < NTABLES; i++)
		for (v = tables[i]; v->name != NULL; v++)
			printf("  %s\n", v->usage);
}

static int
mistake(int line, const char *what, const char *word)
{
	fprintf(stderr, "peer: line %d: %s: %s\n", line, word, what);
	return -1;
}

/* Decimal, with k or m for KiB and MiB. */
static int
number(const char *text, uint64_t *n)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (*end == 'k' || *end == 'm')
		v <<= *end++ == 'k' ? 10 : 20;
	if (errno != 0 || *end != '\0')
		return -1;
	*n = v;
	return 0;
}

static int
option(struct command *c, const char *name, const char *value)
{
	if (strcmp(name, "seed") == 0 && c->nseeds < 2)
		return number(value, &c->seeds[c->nseeds++]);
	if (strcmp(name, "from") == 0) {
		c->from_last = strcmp(value, "last") == 0;
		return c->from_last ? 0 : number(value, &c->from);
	}
	if (strcmp(name, "chunks") == 0) {
		c->chunks = CHUNKS_RANDOM;
		return strcmp(value, "random") == 0 ? 0 :
		    number(value, &c->chunks);
	}
	if (strcmp(name, "rate") == 0)
		return number(value, &c->rate);
	return -1;
}

static int
argument(struct command *c, char kind, const char *word)
{
	struct argument *a = &c->args[c->nargs++];

	a->text = word;
	if (kind == 's')
		return 0;
	if (kind == 'N' && strcmp(word, "any") == 0) {
		a->n = PEER_ANY;
		return 0;
	}
	return number(word, &a->n);
}

/* Fit words to the verb's signature, then take the rest as options. */
static int
command_fill(struct command *c, char **words, int n)
{
	const char *kind;
	bool optional = false;
	int i = 1;

	c->verb = verb_find(words[0]);
	if (c->verb == NULL)
		return mistake(c->line, "no such verb", words[0]);
	for (kind = c->verb->args; *kind != '\0'; kind++) {
		if (*kind == '?') {
			optional = true;
			continue;
		}
		if (i == n && !optional)
			return mistake(c->line, c->verb->usage, words[0]);
		if (i == n ||
		    (optional && strchr(c->verb->options, words[i][0])))
			break;
		if (argument(c, *kind, words[i++]) == -1)
			return mistake(c->line, "not a number", words[i - 1]);
	}
	for (; i < n; i += 2)
		if (i + 1 == n ||
		    strchr(c->verb->options, words[i][0]) == NULL ||
		    option(c, words[i], words[i + 1]) == -1)
			return mistake(c->line, c->verb->usage, words[i]);
	return 0;
}

static int
command_add(struct reader *r, char **words, int n, bool block)
{
	struct script *s = r->script;
	struct command *c;

	c = reallocarray(s->commands, s->count + 1, sizeof(*c));
	if (c == NULL)
		return mistake(r->line, strerror(errno), words[0]);
	s->commands = c;
	c = &s->commands[s->count++];
	memset(c, 0, sizeof(*c));
	c->line = r->line;
	if (command_fill(c, words, n) == -1)
		return -1;
	if (c->verb->block != block)
		return mistake(r->line, c->verb->usage, words[0]);
	if (!block)
		return 0;
	if (r->depth == DEPTH_MAX)
		return mistake(r->line, "too many blocks", words[0]);
	r->open[r->depth++] = s->count - 1;
	return 0;
}

static int
hex(int c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* One escape of a quoted word; *from stands behind the backslash. */
static char
unescape(char **from)
{
	const char *at = *from;

	*from += *at == '\0' ? 0 : 1;
	switch (*at) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'x':
		if (isxdigit((unsigned char)at[1]) &&
		    isxdigit((unsigned char)at[2])) {
			*from += 2;
			return (char)(hex((unsigned char)at[1]) * 16 +
			    hex((unsigned char)at[2]));
		}
		return 'x';
	default:
		return *at;
	}
}

/* Take the quoted word that r->at stands on. NULL: it has no end. */
static char *
word_quoted(struct reader *r)
{
	char *word = ++r->at, *to = word, *from = word;

	while (*from != '"') {
		if (*from == '\0' || *from == '\n')
			return NULL;
		if (*from == '\\') {
			from++;
			*to++ = unescape(&from);
		} else
			*to++ = *from++;
	}
	r->at = from + 1;
	*to = '\0';
	return word;
}

/*
 * Take a word and report what ended it. The character behind a plain word is
 * overwritten by its end, so *stop is what stood there.
 */
static char *
word_next(struct reader *r, char *stop)
{
	char *word;

	r->at += strspn(r->at, " \t\r");
	if (*r->at == '#')
		r->at += strcspn(r->at, "\n");
	*stop = *r->at;
	if (*stop == '"') {
		word = word_quoted(r);
		*stop = word == NULL ? '"' : ' ';
		return word;
	}
	if (*stop == '\0' || strchr("\n;{}", *stop) != NULL) {
		r->at += *stop != '\0';
		return NULL;
	}
	word = r->at;
	r->at += strcspn(word, " \t\r\n;{}");
	*stop = *r->at;
	if (*stop != '\0')
		*r->at++ = '\0';
	return word;
}

/* Read one command, or the end of a block. 1: more may follow. */
static int
statement(struct reader *r)
{
	char *words[WORDS_MAX], *word, stop;
	int n = 0;

	do {
		word = word_next(r, &stop);
		if (word == NULL && stop == '"')
			return mistake(r->line, "no closing quote", "script");
		if (word == NULL)
			break;
		if (n == WORDS_MAX)
			return mistake(r->line, "too many words", words[0]);
		words[n++] = word;
	} while (stop == ' ' || stop == '\t' || stop == '\r');
	if (n == 0 && stop == '{')
		return mistake(r->line, "belongs behind a verb", "{");
	if (n > 0 && command_add(r, words, n, stop == '{') == -1)
		return -1;
	if (stop == '}') {
		if (r->depth == 0)
			return mistake(r->line, "no block is open", "}");
		r->script->commands[r->open[--r->depth]].end =
		    r->script->count;
	}
	r->line += stop == '\n' || (stop == ';' && r->dense);
	return stop != '\0';
}

int
script_parse(struct script *s, const char *text, bool dense)
{
	struct reader r = { .script = s, .line = 1, .dense = dense };
	int more;

	memset(s, 0, sizeof(*s));
	s->text = strdup(text);
	if (s->text == NULL)
		return mistake(0, strerror(errno), "script");
	r.at = s->text;
	while ((more = statement(&r)) == 1)
		continue;
	if (more == 0 && r.depth > 0)
		more = mistake(r.line, "a block is not closed", "script");
	if (more == -1)
		script_free(s);
	return more;
}

void
script_free(struct script *s)
{
	free(s->commands);
	free(s->text);
	memset(s, 0, sizeof(*s));
}
