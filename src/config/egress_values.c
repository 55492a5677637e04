/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * egress_values.c: reads addresses, traffic classes and times for sockets, as
 * directives.c does with all others.
 */
#include "config/egress_values.h"

#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "config/directive_types.h"

static unsigned
dscp_value(const char *text)
{
	static const struct {
		const char *name;
		unsigned    value;
	} others[] = { { "ef", 46 }, { "va", 44 }, { "le", 1 } };
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcmp(others[i].name, text) == 0)
			return others[i].value;
	if (strncmp(text, "cs", 2) == 0)
		return (unsigned)(text[2] - '0') * 8;
	if (strncmp(text, "af", 2) == 0)
		return (unsigned)(text[2] - '0') * 8 +
		    (unsigned)(text[3] - '0') * 2;
	return (unsigned)strtoul(text, NULL, 10);
}

const char *
egress_values_dscp(const char *text, void *to)
{
	struct pool *p = to;

	p->egress.dscp = dscp_value(text);
	return NULL;
}

const char *
egress_values_server_dscp(const char *text, void *to)
{
	struct server *b = to;

	b->egress.dscp = dscp_value(text);
	return NULL;
}

const char *
egress_values_listen_dscp(const char *text, void *to)
{
	struct listener *l = to;

	l->dscp = dscp_value(text);
	return NULL;
}

static const char *
add_source(struct egress *o, const char *text)
{
	struct endpoint *e = &o->source[o->sources];
	struct addr a;

	if (o->sources == EGRESS_SOURCES)
		return "there are more than 16 addresses";
	if (!endpoint_read(e, text))
		return "should be an IP address without a port, such as "
		    "10.0.0.5 or 2001:db8::5";
	if (e->family == AF_INET ? e->ip[0] >= 224 : e->ip[0] == 0xff)
		return "a multicast or broadcast address cannot be a source";
	/* ::ffff:10.0.0.5 is an IPv4 address. */
	if (endpoint_as(e, AF_INET, &a))
		endpoint_set(e, &a);
	o->sources++;
	return NULL;
}

const char *
egress_values_source(const char *text, void *to)
{
	struct pool *p = to;

	return add_source(&p->egress, text);
}

const char *
egress_values_server_source(const char *text, void *to)
{
	struct server *b = to;

	return add_source(&b->egress, text);
}

static const char *
read_keepalive(const char *text, struct peer_watch *w)
{
	w->keepalive = directive_seconds(text);
	return NULL;
}

static const char *
user_timeout(const char *text, struct peer_watch *w)
{
	const char *why;
	uint64_t ms = 0;

	(void)directive_time(text, &ms, &why);
	w->user_timeout = (unsigned)ms;
	return NULL;
}

const char *
egress_values_keepalive(const char *text, void *to)
{
	return read_keepalive(text, &((struct pool *)to)->egress.watch);
}

const char *
egress_values_user_timeout(const char *text, void *to)
{
	return user_timeout(text, &((struct pool *)to)->egress.watch);
}

const char *
egress_values_listen_keepalive(const char *text, void *to)
{
	return read_keepalive(text, &((struct listener *)to)->watch);
}

const char *
egress_values_listen_user_timeout(const char *text, void *to)
{
	return user_timeout(text, &((struct listener *)to)->watch);
}

const char *
egress_values_top_keepalive(const char *text, void *to)
{
	return read_keepalive(text, &((struct conf *)to)->watch);
}

const char *
egress_values_top_user_timeout(const char *text, void *to)
{
	return user_timeout(text, &((struct conf *)to)->watch);
}
