/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_loop.c: follows sessions from a listener to its pool, to the servers of
 * that, and where a server is a listener as well, on to the next pool.
 */
#include "config/conf_loop.h"

#include <sys/stat.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "net/socket.h"

/*
 * A server that is a listener of this process leads from its pool to another.
 */
struct step {
	uint32_t	from, to;	/* pools */
	uint32_t	server;
	const struct listener *listener;
	bool		visited;
};

static bool
same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	    x.st_ino == y.st_ino;
}

/* The directory of an absolute path. Returns the name in it. */
static const char *
split_path(const char *path, char dir[sizeof(struct sockaddr_un)])
{
	const char *name = strrchr(path, '/') + 1;

	(void)strlcpy(dir, path, (size_t)(name - path) + 1);
	return name;
}

/* A listener that is not open yet has a directory already. */
static bool
same_place(const char *a, const char *b)
{
	char x[sizeof(struct sockaddr_un)], y[sizeof(struct sockaddr_un)];

	return strcmp(split_path(a, x), split_path(b, y)) == 0 &&
	    same_file(x, y);
}

static bool
same_path(const struct addr *a, const struct addr *b)
{
	if (addr_is_abstract(a) || addr_is_abstract(b))
		return a->len == b->len && memcmp(a->un.sun_path,
		    b->un.sun_path, sizeof(a->un.sun_path)) == 0;
	return strcmp(a->un.sun_path, b->un.sun_path) == 0 ||
	    same_file(a->un.sun_path, b->un.sun_path) ||
	    same_place(a->un.sun_path, b->un.sun_path);
}

static bool
is_wildcard_endpoint(const struct endpoint *e)
{
	static const unsigned char zero[16];
	const unsigned char *ipv4 = endpoint_ipv4(e);

	return ipv4 != NULL ? memcmp(ipv4, zero, 4) == 0 :
	    memcmp(e->ip, zero, sizeof(zero)) == 0;
}

static bool
same_ip(const struct endpoint *a, const struct endpoint *b)
{
	const unsigned char *x = endpoint_ipv4(a), *y = endpoint_ipv4(b);

	if (x != NULL && y != NULL)
		return memcmp(x, y, 4) == 0;
	return x == NULL && y == NULL && memcmp(a->ip, b->ip, 16) == 0;
}

/* True for 127.0.0.0/8 and ::1. */
static bool
is_loopback(const struct endpoint *e)
{
	const unsigned char *ipv4 = endpoint_ipv4(e);

	return ipv4 != NULL ? ipv4[0] == 127 :
	    memcmp(e->ip, &in6addr_loopback, sizeof(e->ip)) == 0;
}

/* True if a connection to *to* reaches this listener. */
static bool
receives_from(const struct listener *l, const struct addr *to)
{
	struct endpoint at, server;
	bool ipv4;

	if (addr_is_unix(&l->addr) || addr_is_unix(to))
		return addr_is_unix(&l->addr) && addr_is_unix(to) &&
		    same_path(&l->addr, to);
	if (addr_port(to) == 0 || addr_port(&l->addr) != addr_port(to) ||
	    l->how.transparent || (l->how.interface != NULL &&
	    strcmp(l->how.interface, "lo") != 0))
		return false;
	endpoint_set(&at, &l->addr);
	endpoint_set(&server, to);
	ipv4 = endpoint_ipv4(&server) != NULL;
	if (same_ip(&at, &server))
		return true;
	/* A connection to the any-address goes to this machine. */
	if (is_wildcard_endpoint(&server) && is_loopback(&at))
		return (endpoint_ipv4(&at) != NULL) == ipv4;
	if (!is_wildcard_endpoint(&at) ||
	    (endpoint_ipv4(&at) != NULL && !ipv4) || (l->how.v6only && ipv4))
		return false;
	return is_wildcard_endpoint(&server) || socket_can_bind(to, NULL) == 0;
}

/* The listener that a server at its clients' port is; NULL: none. */
static const struct listener *
receiver_of_clients(const struct conf *c, const struct server *b)
{
	const struct listener *l, *from, *end = c->listener + c->listeners;
	struct addr to = b->addr;

	for (from = c->listener; from < end; from++) {
		if (from->pool != b->pool || addr_port(&from->addr) == 0)
			continue;
		addr_set_port(&to, addr_port(&from->addr));
		for (l = c->listener; l < end; l++)
			if (receives_from(l, &to))
				return l;
	}
	return NULL;
}

/* The listener that a server is; NULL: none. */
static const struct listener *
receiver_of(const struct conf *c, const struct server *b)
{
	const struct listener *l, *end = c->listener + c->listeners;

	if (b->client_port)
		return receiver_of_clients(c, b);
	for (l = c->listener; l < end; l++)
		if (receives_from(l, &b->addr))
			return l;
	return NULL;
}

/* Most servers have ports that no listener has. */
static void
note_ports(const struct conf *c, unsigned char ports[8192])
{
	size_t i;
	unsigned port;

	for (i = 0; i < c->listeners; i++) {
		port = addr_port(&c->listener[i].addr);
		ports[port / 8] |= (unsigned char)(1 << port % 8);
	}
}

static size_t
find_steps(const struct conf *c, struct step *step)
{
	unsigned char ports[8192] = { 0 };
	const struct listener *l;
	const struct addr *to;
	unsigned port;
	size_t i, n = 0;

	note_ports(c, ports);
	for (i = 0; i < c->servers; i++) {
		to = &c->server[i].addr;
		port = addr_port(to);
		if (to->len == 0 || (!c->server[i].client_port &&
		    (ports[port / 8] & 1 << port % 8) == 0))
			continue;
		if ((l = receiver_of(c, &c->server[i])) != NULL)
			step[n++] = (struct step){ c->server[i].pool, l->pool,
			    (uint32_t)i, l, false };
	}
	return n;
}

/* True if sessions of pool *at* reach pool *goal*. */
static bool
leads_to(struct step *step, size_t n, uint32_t at, uint32_t goal)
{
	size_t i;

	if (at == goal)
		return true;
	for (i = 0; i < n; i++) {
		if (step[i].from != at || step[i].visited)
			continue;
		step[i].visited = true;
		if (leads_to(step, n, step[i].to, goal))
			return true;
	}
	return false;
}

static void
say_step(const struct conf *c, const struct step *s, struct diagnostics *cs)
{
	const struct section *server = settings_server(c->settings,
	    s->server);
	const struct value *v = section_get(server,
	    directive_find(SECTION_SERVER, "address"));
	char why[ADDR_TEXT + 200];

	snprintf(why, sizeof(why), "this is the listener %s, whose sessions "
	    "come %s to this server: each opens another one without end",
	    s->listener->label[0] != '\0' ? s->listener->label :
	    s->listener->name, s->to == s->from ? "back" : "by others back");
	value_reject(cs, v, v->text[0], why);
}

void
conf_loop(const struct conf *c, struct diagnostics *cs)
{
	struct step *step = calloc(c->servers + 1, sizeof(*step));
	size_t i, k, n;

	if (step == NULL)
		return;
	n = find_steps(c, step);
	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++)
			step[k].visited = false;
		if (leads_to(step, n, step[i].to, step[i].from))
			say_step(c, &step[i], cs);
	}
	free(step);
}
