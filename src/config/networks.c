/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * networks.c: makes lists from allow and deny, each once, for any number of
 * listeners that inherit it. The master does this before fork(), so that
 * workers share the memory. lib/net/cidr_text.c parses networks.
 */
#include "config/networks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_PREFIX	"file:"

struct networks {
	const struct value *of;
	struct cidr	*list;		/* NULL: invalid */
	bool		 empty;		/* its files are empty */
};

static bool
is_exception(const char *text)
{
	return text[0] == '!';
}

/*
 * One text of a list, without its exclamation mark. Returns how many networks
 * it names.
 */
static int
add_networks(struct cidr *list, const char *text, enum cidr_verdict v,
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

/* Adds the exceptions, or all others. False: one is invalid. */
static bool
add_all(struct cidr *list, const struct value *value, bool exceptions,
    enum cidr_verdict v, bool *empty, struct diagnostics *cs)
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
		n = add_networks(list, text + exceptions, v, why);
		*empty &= n == 0;
		if (n != -1)
			continue;
		value_reject(cs, value, text, why);
		good = false;
	}
	return good;
}

static struct cidr *
read_network_list(const struct value *v, enum cidr_verdict in, bool *empty,
    struct diagnostics *cs)
{
	enum cidr_verdict out = in == CIDR_DENY ? CIDR_ALLOW : CIDR_DENY;
	struct cidr *list = cidr_new();
	bool good, ignored = true;

	*empty = true;
	if (list == NULL) {
		diagnostics_add(cs, "%s", strerror(errno));
		return NULL;
	}
	/* The first match decides. */
	good = add_all(list, v, true, out, &ignored, cs);
	good &= add_all(list, v, false, in, empty, cs);
	if (good && cidr_build(list) == 0)
		return list;
	if (good)
		diagnostics_add(cs, "%s", strerror(errno));
	cidr_free(list);
	return NULL;
}

const struct cidr *
networks_of(struct conf *c, const struct value *v, enum cidr_verdict in,
    struct diagnostics *cs)
{
	struct networks *grown;
	size_t i;

	/* Without a text it was invalid, and reported. */
	if (v == NULL || v->n == 0)
		return NULL;
	for (i = 0; i < c->lists; i++)
		if (c->networks[i].of == v)
			return c->networks[i].list;
	grown = reallocarray(c->networks, c->lists + 1, sizeof(*grown));
	if (grown == NULL) {
		diagnostics_add(cs, "%s", strerror(errno));
		return NULL;
	}
	c->networks = grown;
	grown[c->lists].of = v;
	grown[c->lists].list = read_network_list(v, in, &grown[c->lists].empty,
	    cs);
	return grown[c->lists++].list;
}

/* Those are reported elsewhere. */
static bool
has_exceptions_only(const struct value *v)
{
	size_t i;

	for (i = 0; i < v->n && is_exception(v->text[i]); i++)
		continue;
	return i == v->n;
}

/* The effect on clients of an empty list of proxies. */
static const char *
without_proxies(const struct conf *c, const struct cidr *list)
{
	size_t i;

	for (i = 0; i < c->listeners; i++)
		if (c->listener[i].proxies == list &&
		    !c->listener[i].untrusted_plain)
			return "every client is rejected";
	return "no PROXY header is read";
}

static const char *
consequence_text(const struct conf *c, const struct networks *n)
{
	const char *name = n->of->directive->name;

	return strcmp(name, "accept_proxy") == 0 ?
	    without_proxies(c, n->list) : strcmp(name, "allow") == 0 ?
	    "no client may connect" : "no client is denied";
}

/*
 * `none` is explicit; but for accept_proxy one omits the directive instead. A
 * file of denied clients may be empty for now.
 */
static bool
is_meant(const struct networks *n)
{
	const char *name = n->of->directive->name;

	return (strcmp(name, "accept_proxy") != 0 && n->of->n == 1 &&
	    strcmp(n->of->text[0], "none") == 0) ||
	    (strcmp(name, "deny") == 0 && n->empty);
}

void
networks_check(const struct conf *c, struct diagnostics *cs)
{
	const struct networks *n;
	enum cidr_verdict in;
	char why[160];
	size_t i;

	for (i = 0; i < c->lists; i++) {
		n = &c->networks[i];
		if (n->list == NULL || has_exceptions_only(n->of))
			continue;
		in = strcmp(n->of->directive->name, "deny") == 0 ? CIDR_DENY :
		    CIDR_ALLOW;
		if (cidr_has(n->list, in) || is_meant(n))
			continue;
		snprintf(why, sizeof(why), "%s in this list: %s",
		    n->empty || n->of->n == 1 ? "there is no network" :
		    "exceptions leave no network", consequence_text(c, n));
		value_reject(cs, n->of, n->of->text[0], why);
	}
}

uint64_t
networks_hash(const struct conf *c, const struct value *v)
{
	size_t i;

	for (i = 0; i < c->lists; i++)
		if (c->networks[i].of == v && c->networks[i].list != NULL)
			return cidr_hash(c->networks[i].list);
	return 0;
}

void
networks_free(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->lists; i++)
		cidr_free(c->networks[i].list);
	free(c->networks);
}
