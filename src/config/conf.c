/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf.c: builds the configuration part by part and checks each part. Opens
 * nothing, logs nothing.
 */
#include "config.h"
#include "config/conf.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_hosts.h"
#include "config/networks.h"
#include "config/settings.h"

#define BUILTIN_PREFIX	"builtin:"

void
conf_init(struct conf *c)
{
	memset(c, 0, sizeof(*c));
}

void
conf_free(struct conf *c)
{
	free(c->listener);
	free(c->absent);
	free(c->builtin);
	free(c->limit);
	free(c->pool);
	free(c->server);
	free(c->dns_name);
	conf_hosts_free(&c->hosts);
	free(c->directory);
	free(c->own_pidfile);
	networks_free(c);
	settings_free(c->settings);
}

/* Lists grow in powers of two, so that few elements are copied. */
#define ROOM(n)	((size_t)1 << (64 - __builtin_clzll((n) | 1)))

/* Makes room for *more* elements. */
static void *
grow_list(void *list, size_t n, size_t more, size_t size)
{
	return list != NULL && ROOM(n) == ROOM(n + more) ? list :
	    reallocarray(list, ROOM(n + more), size);
}

int
conf_add_pool(struct conf *c, const struct pool *p, const char **why)
{
	struct pool *list;

	if (c->pools == CONF_POOLS) {
		*why = "there are more than 4096 pools";
		return -1;
	}
	if ((list = grow_list(c->pool, c->pools, 1, sizeof(*p))) == NULL) {
		*why = strerror(errno);
		return -1;
	}
	c->pool = list;
	list[c->pools] = *p;
	list[c->pools].first = (uint32_t)c->servers;
	c->pools++;
	return 0;
}

static bool
name_is_taken(const struct conf *c, const char *name)
{
	uint64_t hash = board_hash(name);
	size_t i;

	for (i = 0; i < c->servers; i++)
		if (c->server[i].hash == hash &&
		    strcmp(c->server[i].name, name) == 0)
			return true;
	return false;
}

/* Its address becomes its name, with #2, #3 … if that exists already. */
static void
name_by_address(const struct conf *c, struct server *b, const char *address)
{
	unsigned n;

	strlcpy(b->name, address, sizeof(b->name));
	for (n = 2; name_is_taken(c, b->name); n++)
		snprintf(b->name, sizeof(b->name), "%s#%u", address, n);
}

static int
append_server(struct conf *c, const struct server *b, const char **why)
{
	struct server *list;

	if (c->servers == BOARD_SERVERS) {
		*why = "there are more than 32768 servers; a name with "
		    "resolve sets resolve_max of them aside";
		return -1;
	}
	list = grow_list(c->server, c->servers, 1, sizeof(*b));
	if (list == NULL) {
		*why = strerror(errno);
		return -1;
	}
	c->server = list;
	list[c->servers] = *b;
	list[c->servers].pool = (uint32_t)c->pools - 1;
	list[c->servers].hash = board_hash(b->name);
	c->servers++;
	c->pool[c->pools - 1].n++;
	return 0;
}

/* A listener on loopback, whose port becomes the server's once it is open. */
static int
add_builtin(struct conf *c, enum builtin_kind kind, const char **why)
{
	struct listener *l;

	l = grow_list(c->builtin, c->builtins, 1, sizeof(*l));
	if (l == NULL) {
		*why = strerror(errno);
		return -1;
	}
	c->builtin = l;
	l = &l[c->builtins];
	memset(l, 0, sizeof(*l));
	if (addr_parse("127.0.0.1:0", ADDR_LISTEN, &l->addr, 1, why) == -1)
		return -1;
	c->builtins++;
	l->fd = -1;
	l->builtin = kind;
	l->server = c->servers - 1;
	return 0;
}

bool
conf_leaves_abstract(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->servers; i++)
		if (addr_is_abstract(&c->server[i].addr) ||
		    (c->server[i].check_addr.len > 0 &&
		    addr_is_abstract(&c->server[i].check_addr)))
			return true;
	return false;
}

bool
conf_leaves_as_client(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->servers; i++)
		if (c->server[i].egress.transparent &&
		    !addr_is_unix(&c->server[i].addr))
			return true;
	return false;
}

bool
conf_binds(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->servers; i++)
		if (c->server[i].egress.sources > 0)
			return true;
	return false;
}

bool
conf_accepts_proxy(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->listeners; i++)
		if (c->listener[i].proxies != NULL)
			return true;
	return false;
}

bool
conf_wants_transparent(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->listeners; i++)
		if (c->listener[i].how.transparent)
			return true;
	return conf_leaves_as_client(c);
}

static int
add_builtin_server(struct conf *c, const struct server *like,
    const char *text, const char **why)
{
	enum builtin_kind kind = builtin_kind(text + strlen(BUILTIN_PREFIX));
	struct server b = *like;

	if (kind == BUILTIN_NONE) {
		*why = "the builtins are builtin:hello, builtin:echo and "
		    "builtin:discard";
		return -1;
	}
	if (like->preconnect > 0) {
		*why = "preconnect is not for builtin servers";
		return -1;
	}
	/* It is in this process. */
	memset(&b.egress, 0, sizeof(b.egress));
	if (b.name[0] == '\0')
		name_by_address(c, &b, text);
	if (append_server(c, &b, why) == -1)
		return -1;
	if (add_builtin(c, kind, why) == 0)
		return 0;
	c->servers--;
	c->pool[c->pools - 1].n--;
	return -1;
}

/* Determines the name and the kind of lookup. 1: it must be looked up. */
static int
read_lookup(const struct server *like, const char *text, struct dns_name *l,
    const char **why)
{
	int port;

	if (like->resolve == RESOLVE_SRV) {
		l->srv = true;
		if (text[0] != '\0' && strpbrk(text, ":/") == NULL &&
		    strlcpy(l->host, text, sizeof(l->host)) < sizeof(l->host))
			return (*why = addr_name_mistake(text)) == NULL ? 1 :
			    -1;
		*why = "to resolve: srv it should be the name of a "
		    "service, such as _http._tcp.example.org";
		return -1;
	}
	if (strchr(text, '/') != NULL || strncmp(text, BUILTIN_PREFIX,
	    strlen(BUILTIN_PREFIX)) == 0) {
		*why = "there is no name to resolve: it should be host:port";
		return -1;
	}
	port = addr_split(text, ADDR_SERVER, l->host, sizeof(l->host), why);
	if (port == -1)
		return -1;
	l->port = (uint16_t)port;
	if (l->host[0] != '\0' && strcmp(l->host, "*") != 0)
		return !addr_is_ip(l->host);
	*why = "the host is missing: host:port";
	return -1;
}

/* Identifies a lookup; never 0. */
static uint64_t
lookup_of(const struct dns_name *l)
{
	char text[ADDR_HOST + 16];

	snprintf(text, sizeof(text), "%s %s", l->srv ? "srv" : "on", l->host);
	return board_hash(text);
}

/* The same with the port: sessions are counted by it. */
static uint64_t
where_of(const struct dns_name *l)
{
	char text[ADDR_HOST + 16];

	snprintf(text, sizeof(text), "%s:%u", l->host, l->port);
	return board_hash(text);
}

/*
 * A removed server keeps its place while it has sessions: this many places are
 * added for those.
 */
static uint32_t
places_of(uint32_t servers)
{
	return servers + (servers < 8 ? 4 : servers / 2);
}

/*
 * Adds one place for each server that the name may have, and the added ones;
 * none has an address yet.
 */
static int
add_lookup(struct conf *c, const struct server *like, const char *text,
    const struct dns_name *l, const char **why)
{
	const char *name = like->name[0] == '\0' ? text : like->name;
	struct server b = *like;
	struct dns_name *list;
	uint32_t i, n;

	if ((list = grow_list(c->dns_name, c->dns_names, 1, sizeof(*l))) ==
	    NULL) {
		*why = strerror(errno);
		return -1;
	}
	c->dns_name = list;
	b.client_port = l->port == 0 && !l->srv;
	b.lookup = lookup_of(l);
	b.where = where_of(l);
	list[c->dns_names] = *l;
	list[c->dns_names].first = (uint32_t)c->servers;
	n = l->once ? ADDR_OF_HOST : places_of(like->resolve_max);
	list[c->dns_names].max = l->once ? n : like->resolve_max;
	list[c->dns_names++].n = n;
	for (i = 1; i <= n; i++) {
		/* A name that is looked up once keeps the usual name. */
		if (snprintf(b.name, sizeof(b.name), l->once && i == 1 ? "%s" :
		    "%s#%u", name, i) >= (int)sizeof(b.name)) {
			*why = "this name is too long";
			return -1;
		}
		if (like->name[0] == '\0' && name_is_taken(c, b.name)) {
			*why = "another server has this name";
			return -1;
		}
		if (append_server(c, &b, why) == -1)
			return -1;
	}
	return 0;
}

/* 1: the name is not looked up regularly. */
static int
try_lookup(struct conf *c, const struct server *like, const char *text,
    const char **why)
{
	struct dns_name l = { .port = 0 };
	int status;

	if (like->resolve == RESOLVE_OFF)
		return 1;
	if ((status = read_lookup(like, text, &l, why)) != 1)
		return status == 0 ? 1 : -1;
	if (c->workers > 0)
		return add_lookup(c, like, text, &l, why);
	c->looked_up_once = true;
	if (!l.srv)
		return 1;
	*why = "services are looked up beside the workers: without "
	    "workers (workers: 0) that is impossible";
	return -1;
}

/*
 * Of a name with both families, selects addresses that have a source address.
 */
static int
leave_served(const struct egress *o, struct addr *found, int n,
    const char **why)
{
	int i, left = 0;

	for (i = 0; i < n; i++)
		if (egress_serves(o, found[i].sa.sa_family))
			found[left++] = found[i];
	if (left > 0)
		return left;
	*why = found[0].sa.sa_family == AF_INET6 ?
	    "this is IPv6, and no source is" : "this is IPv4, and no source is";
	return -1;
}

static int
add_static(struct conf *c, const struct server *like, struct addr *found,
    int n, const char **why)
{
	struct server b = *like;
	char name[ADDR_TEXT];
	int i;

	if ((n = leave_served(&b.egress, found, n, why)) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		b.addr = found[i];
		addr_format(&b.addr, name, sizeof(name));
		/* Without a port that of clients: it is not 0. */
		if (b.client_port)
			*strrchr(name, ':') = '\0';
		if (like->name[0] == '\0')
			name_by_address(c, &b, name);
		else if (i > 0 && snprintf(b.name, sizeof(b.name), "%s#%d",
		    like->name, i + 1) >= (int)sizeof(b.name)) {
			*why = "this name is too long";
			return -1;
		}
		if (append_server(c, &b, why) == -1)
			return -1;
	}
	return 0;
}

/* One unresolved name must not stop all others: it is resolved later. */
static int
add_named(struct conf *c, const struct server *like, const char *text,
    struct dns_name *l, const char **why)
{
	const struct addr_host *known = conf_hosts_find(&c->hosts, l->host);
	struct server b = *like;
	struct addr_host h;
	int i;

	if (known != NULL) {
		h = *known;
	} else {
		(void)strlcpy(h.name, l->host, sizeof(h.name));
		addr_look_up(&h, ADDR_CONNECT);
	}
	if (h.n == 0) {
		*why = l->why = addr_host_why(&h);
		l->once = true;
		return h.error == EAI_MEMORY ? -1 :
		    add_lookup(c, like, text, l, why);
	}
	for (i = 0; i < h.n; i++)
		addr_set_port(&h.addr[i], l->port);
	b.client_port = l->port == 0;
	b.asked = lookup_of(l);
	b.origin = resolved_addr_origin(board_hash(l->host));
	return add_static(c, &b, h.addr, h.n, why);
}

int
conf_add_server(struct conf *c, const struct server *like, const char *text,
    const char **why)
{
	struct addr found[ADDR_OF_HOST];
	struct dns_name l = { .port = 0 };
	struct server once = *like;
	int n;

	if (strncmp(text, BUILTIN_PREFIX, strlen(BUILTIN_PREFIX)) == 0 &&
	    like->resolve == RESOLVE_OFF)
		return add_builtin_server(c, like, text, why);
	if ((n = try_lookup(c, like, text, why)) != 1)
		return n;
	once.resolve = RESOLVE_OFF;
	if (strchr(text, '/') == NULL && read_lookup(&once, text, &l, why) == 1)
		return add_named(c, like, text, &l, why);
	if ((n = addr_parse(text, ADDR_SERVER, found, ADDR_OF_HOST, why)) == -1)
		return -1;
	once.client_port = addr_port(&found[0]) == 0 &&
	    !addr_is_unix(&found[0]);
	return add_static(c, &once, found, n, why);
}
