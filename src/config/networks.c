/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * networks.c: makes lists of what allow and deny say, each once, however many
 * listeners have it by default. The master does, so that its workers share the
 * memory. What a network looks like is for lib/net/cidr_text.c.
 */
#include "config/networks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_PREFIX	"file:"

struct networks {
	const struct value *of;
	struct cidr	*list;		/* NULL: it was wrong */
	bool		 empty;		/* its files are */
};

static bool
is_exception(const char *text)
{
	return text[0] == '!';
}

/* One text of a list, without its exclamation mark. Returns how many it names. */
static int
add(struct cidr *list, const char *text, enum cidr_verdict v,
    char why[CIDR_WHY])
{
	if (strcmp(text, "none") == 0)
		return 1;
	if (strncmp(text, FILE_PREFIX, strlen(FILE_PREFIX)) == 0)
		return cidr_read(list, text + strlen(FILE_PREFIX), v, why);
	if (text[0] == '/') {
		strlcpy(why, "networks in a file are file:NAME", CIDR_WHY);
		return -1;
	}
	return cidr_add(list, text, v, why) == -1 ? -1 : 1;
}

/* Exceptions, or all others. False: something is wrong with one. */
static bool
add_all(struct cidr *list, const struct value *value, bool exceptions,
    enum cidr_verdict v, bool *empty, struct complaints *cs)
{
	char why[CIDR_WHY];
	const char *text;
	bool good = true;
	size_t i;
	int n;

	for (i = 0; i < value->n; i++) {
		text = value->text[i];
		if (is_exception(text) != exceptions)
			continue;
		n = add(list, text + exceptions, v, why);
		*empty &= n == 0;
		if (n != -1)
			continue;
		value_reject(cs, value, text, why);
		good = false;
	}
	return good;
}

static struct cidr *
read_list(const struct value *v, enum cidr_verdict in, bool *empty,
    struct complaints *cs)
{
	enum cidr_verdict out = in == CIDR_DENY ? CIDR_ALLOW : CIDR_DENY;
	struct cidr *list = cidr_new();
	bool good, ignored = true;

	*empty = true;
	if (list == NULL) {
		complain(cs, "%s", strerror(errno));
		return NULL;
	}
	/* The first that fits decides. */
	good = add_all(list, v, true, out, &ignored, cs);
	good &= add_all(list, v, false, in, empty, cs);
	if (good && cidr_build(list) == 0)
		return list;
	if (good)
		complain(cs, "%s", strerror(errno));
	cidr_free(list);
	return NULL;
}

const struct cidr *
networks_of(struct conf *c, const struct value *v, enum cidr_verdict in,
    struct complaints *cs)
{
	struct networks *grown;
	size_t i;

	/* Without a text it was wrong, and that has been told. */
	if (v == NULL || v->n == 0)
		return NULL;
	for (i = 0; i < c->lists; i++)
		if (c->networks[i].of == v)
			return c->networks[i].list;
	grown = reallocarray(c->networks, c->lists + 1, sizeof(*grown));
	if (grown == NULL) {
		complain(cs, "%s", strerror(errno));
		return NULL;
	}
	c->networks = grown;
	grown[c->lists].of = v;
	grown[c->lists].list = read_list(v, in, &grown[c->lists].empty, cs);
	return grown[c->lists++].list;
}

void
networks_check(const struct conf *c, struct complaints *cs)
{
	const struct value *v;
	size_t i;

	for (i = 0; i < c->lists; i++) {
		v = c->networks[i].of;
		if (c->networks[i].list == NULL || !c->networks[i].empty ||
		    strcmp(v->directive->name, "allow") != 0)
			continue;
		value_reject(cs, v, v->text[0], "there is no network in this "
		    "list: no client may connect");
	}
}

void
networks_free(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->lists; i++)
		cidr_free(c->networks[i].list);
	free(c->networks);
}
