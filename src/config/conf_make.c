/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_make.c: reads the values of each section into the object it describes,
 * and checks what depends on several of them. Opens nothing, logs nothing.
 */
#include "config/conf_make.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/conf_hosts.h"
#include "config/conf_logs.h"
#include "config/instance_name.h"
#include "config/networks.h"
#include "config/settings.h"
#include "util/nearest.h"

/* Time for resolving names, in ms; the last one may take longer. */
#define NAMES_TIME	10000

/* NULL: not set. Without a text: invalid, and reported. */
static const struct value *
get_value(const struct section *s, const char *name)
{
	return section_get(s, directive_find(s->kind, name));
}

/* How a time or a size is written. */
static const char *
value_example(const struct value *v)
{
	return v->directive->type == TYPE_SIZE ? ", such as 10m" :
	    v->directive->type == TYPE_TIME ? ", such as 5s" : "";
}

static void
read_values(const struct section *s, void *to, struct diagnostics *cs)
{
	char why[DIRECTIVE_WHY];
	const struct value *v;
	size_t i, k;

	for (i = 0; i < s->values; i++) {
		v = &s->value[i];
		for (k = 0; k < v->n; k++)
			if (directive_read(v->directive, v->text[k], to,
			    why) == -1) {
				strlcat(why, value_example(v), sizeof(why));
				value_reject(cs, v, v->text[k], why);
			}
	}
}

/*
 * An option wins over all values of the directive of its name. Errors in it are
 * reported.
 */
static void
read_options(const struct settings *st, enum section_kind kind, void *to)
{
	const struct section *options = st->section[SETTINGS_OPTIONS];
	const struct directive *d;
	const struct value *v;
	char why[DIRECTIVE_WHY];
	size_t i;

	for (i = 0; i < options->values; i++) {
		v = &options->value[i];
		d = directive_find(kind, v->directive->name);
		if (d != NULL && directive_inherits(d) == v->directive &&
		    v->n > 0)
			(void)directive_read(d, v->text[0], to, why);
	}
}

/* Sets the default target, and refuses impossible ones. */
static void
set_log(struct conf *c, struct diagnostics *cs)
{
	const struct value *v;

	if (c->log == NULL) {
		c->log = c->foreground ? "stderr" : "syslog:daemon";
		return;
	}
	if (c->foreground || strcmp(c->log, "stderr") != 0)
		return;
	if ((v = get_value(c->settings->section[SETTINGS_OPTIONS], "log")) ==
	    NULL)
		v = get_value(c->settings->section[SETTINGS_FILES], "log");
	value_reject(cs, v, c->log, "a daemon has no stderr: add -F, or log to "
	    "syslog or a file");
}

static void
set_user(struct conf *c, struct diagnostics *cs)
{
	const char *why;

	if (c->user.name[0] != '\0' || geteuid() != 0)
		return;
	if (privileges_look_up(NULL, &c->user, &why) == -1)
		diagnostics_add(cs, "option -u, --user: %s", why);
	else if ((c->no_user = privileges_obstacle(&c->user)) != NULL)
		privileges_get_own(&c->user);
}

/*
 * The list of the listener or, without one, of the top. Both are checked in any
 * case.
 */
static const struct cidr *
list_of(struct conf *c, const struct section *s, const char *name,
    enum cidr_verdict in, struct diagnostics *cs)
{
	const struct section *top = c->settings->section[SETTINGS_FILES];
	const struct cidr *of_all;
	const struct value *own;

	of_all = networks_of(c, get_value(top, name), in, cs);
	own = s == top ? NULL : get_value(s, name);
	return own == NULL ? of_all : networks_of(c, own, in, cs);
}

static void
make_top(struct conf *c, struct diagnostics *cs)
{
	directives_default(SECTION_TOP, c);
	read_values(c->settings->section[SETTINGS_FILES], c, cs);
	read_values(c->settings->section[SETTINGS_OPTIONS], c, cs);
	if (runtime_files_name_settle(c) == -1)
		diagnostics_add(cs, "%s", strerror(errno));
	set_log(c, cs);
	set_user(c, cs);
}

/* The two directives contradict each other. */
static void
check_egress(const struct section *s, const struct egress *o,
    struct diagnostics *cs)
{
	const struct value *v = get_value(s, "source_address");

	if (v != NULL && o->transparent && o->sources > 0)
		diagnostics_add_at(cs, &v->place, "source_address and "
		    "transparent exclude each other: remove one of them");
}

/* Defaults of a server come from its pool. */
static struct egress
egress_of(const struct conf *c, const struct section *s)
{
	struct egress o = c->pool[c->pools - 1].egress;

	if (get_value(s, "source_address") != NULL ||
	    get_value(s, "transparent") != NULL) {
		o.sources = 0;
		o.transparent = false;
	}
	return o;
}

static void
make_pool(struct conf *c, const struct section *s, struct diagnostics *cs)
{
	struct pool p = {
		.attempts = c->retries + 1,
		.connect_timeout = c->connect_timeout,
		.connect_total_timeout = c->connect_total_timeout,
		.fast_open = c->fast_open,
		.egress.watch = c->watch,
		.balance = c->balance,
		.check = { .kind = c->check, .proxy = CHECK_PROXY_AS_SENT },
	};
	const char *why;

	strlcpy(p.name, s->name, sizeof(p.name));
	directives_default(SECTION_POOL, &p);
	read_values(s, &p, cs);
	read_options(c->settings, SECTION_POOL, &p);
	check_egress(s, &p.egress, cs);
	if (p.queue_timeout == 0)
		p.queue_timeout = p.connect_timeout;
	p.checked = p.check.kind != CHECK_OFF;
	if (p.check.kind == CHECK_EXEC && p.check.command == NULL)
		diagnostics_add_at(cs, &s->place, "pool %s has no program to "
		    "check with; add check_command: /path/to/program", s->name);
	if (conf_add_pool(c, &p, &why) == -1)
		diagnostics_add_at(cs, &s->place, "pool %s: %s", s->name, why);
}

/* What needs a port before there is a client. */
static void
check_server_port(const struct conf *c, const struct section *s,
    struct diagnostics *cs)
{
	const struct pool *p = &c->pool[c->pools - 1];
	const struct value *v = get_value(s, "address");
	const struct server *b;

	if (s->servers == 0)
		return;
	b = &c->server[s->first];
	if (!b->client_port)
		return;
	if (b->preconnect > 0)
		value_reject(cs, v, v->text[0], "without a port it has that of "
		    "each client, and preconnected connections have no client "
		    "yet: add a port");
	if (p->checked && p->check.kind != CHECK_EXEC && b->check_port == 0 &&
	    b->check_name == NULL)
		value_reject(cs, v, v->text[0], "without a port it has that of "
		    "each client, and checks have none: add a port, or "
		    "check_port");
}

/* A unix socket has no port that a server could have. */
static void
check_client_port(const struct conf *c, const struct listener *l,
    const struct value *v, const char *text, struct diagnostics *cs)
{
	const struct pool *p = &c->pool[l->pool];
	char why[SERVER_NAME + 100];
	uint32_t i;

	for (i = p->first; i < p->first + p->n && addr_is_unix(&l->addr); i++)
		if (c->server[i].client_port) {
			snprintf(why, sizeof(why), "a unix socket has no port "
			    "that server %s, which has none, could have",
			    c->server[i].name);
			value_reject(cs, v, text, why);
			return;
		}
}

/* Options may give a server any name or none; in files it has two parts. */
static void
make_server(struct conf *c, struct section *s, struct diagnostics *cs)
{
	const struct value *v = get_value(s, "address");
	struct pool *p = &c->pool[c->pools - 1];
	struct server b = { .egress = egress_of(c, s) };
	const char *why;

	if (s->place.file != NULL)
		snprintf(b.name, sizeof(b.name), "%s/%s", s->pool->name,
		    s->name);
	else
		strlcpy(b.name, s->name, sizeof(b.name));
	s->first = c->servers;
	directives_default(SECTION_SERVER, &b);
	b.send_proxy = p->send_proxy;
	read_values(s, &b, cs);
	if (p->sends_proxy < b.send_proxy)
		p->sends_proxy = b.send_proxy;
	check_egress(s, &b.egress, cs);
	if (b.check_name != NULL && conf_hosts_parse(&c->hosts, b.check_name,
	    ADDR_CONNECT, &b.check_addr, 1, &why) == -1)
		b.check_missing = why;
	if (b.check_addr.len > 0 && !egress_serves(&b.egress,
	    b.check_addr.sa.sa_family))
		diagnostics_add_at(cs, &get_value(s, "check_address")->place,
		    "check_address: no source is of its family: add one that "
		    "is");
	if (b.preconnect > 0 && b.egress.transparent)
		diagnostics_add_at(cs, &s->place, "server %s: preconnected "
		    "connections have no client yet: they cannot be "
		    "transparent", s->name);
	if (v == NULL && !s->unknown)
		diagnostics_add_at(cs, &s->place, "server %s has no address; "
		    "add address: 10.0.0.1:80", s->name);
	else if (v != NULL && v->n > 0 &&
	    conf_add_server(c, &b, v->text[0], &why) == -1)
		value_reject(cs, v, v->text[0], why);
	s->servers = c->servers - s->first;
	check_server_port(c, s, cs);
}

/* The pool of this listener: the only one, or the one named. */
static uint32_t
pool_of_listener(struct conf *c, const struct section *s,
    struct diagnostics *cs)
{
	const char *names[CONF_POOLS], *near;
	const struct value *v = get_value(s, "pool");
	char why[160];
	uint32_t i;

	if (v == NULL) {
		if (c->pools > 1 && !s->unknown)
			diagnostics_add_at(cs, &s->place, "listener %s has no "
			    "pool, and there are %zu; add pool: %s", s->name,
			    c->pools, c->pool->name);
		return 0;
	}
	if (v->n == 0)
		return 0;
	for (i = 0; i < c->pools; i++) {
		names[i] = c->pool[i].name;
		if (strcmp(names[i], v->text[0]) == 0)
			return i;
	}
	near = nearest_find(v->text[0], names, c->pools);
	snprintf(why, sizeof(why), "there is no such pool%s%s",
	    near == NULL ? "" : ", perhaps ", near == NULL ? "" : near);
	value_reject(cs, v, v->text[0], why);
	return 0;
}

static void
make_limit(struct conf *c, const struct section *s, struct diagnostics *cs)
{
	struct session_limit *list, l = { .counts.dry_run = c->dry_run };

	strlcpy(l.name, s->name, sizeof(l.name));
	directives_default(SECTION_LIMIT, &l);
	read_values(s, &l, cs);
	if (c->limits_shared == CONF_LIMITS) {
		diagnostics_add_at(cs, &s->place, "limit %s: there are more "
		    "than %d limits", s->name, CONF_LIMITS);
		return;
	}
	list = reallocarray(c->limit, c->limits_shared + 1, sizeof(*list));
	if (list == NULL) {
		diagnostics_add(cs, "%s", strerror(errno));
		return;
	}
	c->limit = list;
	list[c->limits_shared++] = l;
}

/* The number of the limit that a listener shares, from 1; 0: none. */
static uint32_t
limit_of(const struct conf *c, const struct section *s, struct diagnostics *cs)
{
	const struct value *v = get_value(s, "limit");
	const char *names[CONF_LIMITS], *near;
	char why[160];
	uint32_t i;

	if (v == NULL || v->n == 0)
		return 0;
	for (i = 0; i < c->limits_shared; i++) {
		names[i] = c->limit[i].name;
		if (strcmp(names[i], v->text[0]) == 0)
			return i + 1;
	}
	near = nearest_find(v->text[0], names, c->limits_shared);
	snprintf(why, sizeof(why), "there is no such limit%s%s",
	    near == NULL ? "" : ", perhaps ", near == NULL ? "" : near);
	value_reject(cs, v, v->text[0], why);
	return 0;
}

static void
make_listener(struct conf *c, struct section *s, bool whole,
    struct diagnostics *cs)
{
	const struct value *v = get_value(s, "address");
	struct listener l = {
		.limits = c->limits,
		.defer_accept = c->defer_accept,
		.fast_open = c->fast_open,
		.proxies = networks_of(c, get_value(s, "accept_proxy"),
		    CIDR_ALLOW, cs),
		.allow = list_of(c, s, "allow", CIDR_ALLOW, cs),
		.deny = list_of(c, s, "deny", CIDR_DENY, cs),
		.reject_with = c->reject_with,
		.counts.dry_run = c->dry_run,
		.limit = whole ? limit_of(c, s, cs) : 0,
		.watch = c->watch,
	};
	const char *why;
	size_t i;

	if (s->place.file != NULL)
		strlcpy(l.label, s->name, sizeof(l.label));
	directives_default(SECTION_LISTEN, &l);
	read_values(s, &l, cs);
	read_options(c->settings, SECTION_LISTEN, &l);
	l.pool = whole ? pool_of_listener(c, s, cs) : 0;
	s->first_listener = c->listeners;
	if (v == NULL && !s->unknown)
		diagnostics_add_at(cs, &s->place, "listener %s has no address; "
		    "add address: :80", s->name);
	for (i = 0; v != NULL && i < v->n; i++)
		if (conf_add_listener(c, &l, v->text[i], &why) == -1)
			value_reject(cs, v, v->text[i], why);
		else if (whole && c->pools > 0)
			check_client_port(c, &c->listener[c->listeners - 1], v,
			    v->text[i], cs);
	s->listeners = c->listeners - s->first_listener;
}

/* The servers of a pool follow it. */
static void
check_pool_has_server(const struct settings *st, size_t i,
    struct diagnostics *cs)
{
	const struct section *s = st->section[i];

	if (!s->unknown && (i + 1 == st->sections ||
	    st->section[i + 1]->pool != s))
		diagnostics_add_at(cs, &s->place, "pool %s has no server; add "
		    "server: { a: { address: 10.0.0.1:80 } }", s->name);
}

/* A configuration needs a listener and a server. */
static void
check_whole(const struct settings *st, struct diagnostics *cs)
{
	struct place place = { .file = st->files > 0 ? st->file[0] : NULL };
	bool unknown = st->section[SETTINGS_FILES]->unknown;
	size_t i, listeners = 0, pools = 0;

	for (i = 0; i < st->sections; i++) {
		listeners += st->section[i]->kind == SECTION_LISTEN;
		pools += st->section[i]->kind == SECTION_POOL;
		if (st->section[i]->kind == SECTION_POOL)
			check_pool_has_server(st, i, cs);
	}
	place.option = "listen";
	place.letter = 'l';
	if (listeners == 0 && !unknown)
		diagnostics_add_at(cs, &place, "nothing to listen on; add "
		    "listen: { main: { address: \"*:80\" } }, or -l");
	place.option = "server";
	place.letter = 's';
	if (pools == 0 && !unknown)
		diagnostics_add_at(cs, &place, "nothing to balance to; add "
		    "pool: { main: { server: { a: { address: 10.0.0.1:80 } } } "
		    "}, or -s");
}

/*
 * The board identifies servers by name. In files names differ; options allow
 * any names, in the first pool.
 */
static void
check_names(const struct conf *c, struct diagnostics *cs)
{
	const struct server *b = c->server;
	size_t i, k, m;

	for (i = 0; c->settings->section[i]->kind != SECTION_POOL; i++)
		if (i + 1 == c->settings->sections)
			return;
	if (c->settings->section[i]->place.file != NULL || c->pools == 0)
		return;
	for (k = 0; k < c->pool->n; k++)
		for (m = k + 1; m < c->servers; m++)
			if (b[k].hash == b[m].hash &&
			    strcmp(b[k].name, b[m].name) == 0)
				diagnostics_add_at(cs,
				    &c->settings->section[i]->place, "\"%s\": "
				    "another server has this name", b[k].name);
}

void
conf_make(struct conf *c, bool whole, struct diagnostics *cs)
{
	const struct settings *st = c->settings;
	size_t i;

	make_top(c, cs);
	/* Another process may have resolved them already. */
	if (c->hosts.host == NULL) {
		if (conf_hosts_list(st, &c->hosts) == -1)
			diagnostics_add(cs, "%s", strerror(errno));
		conf_hosts_look_up(&c->hosts, NAMES_TIME);
	}
	for (i = 0; i < st->sections; i++)
		if (st->section[i]->kind == SECTION_POOL)
			make_pool(c, st->section[i], cs);
		else if (st->section[i]->kind == SECTION_SERVER &&
		    c->pools > 0)
			make_server(c, st->section[i], cs);
	for (i = 0; i < st->sections; i++)
		if (st->section[i]->kind == SECTION_LIMIT)
			make_limit(c, st->section[i], cs);
	/* All pools and limits must have numbers first. */
	for (i = 0; i < st->sections; i++)
		if (st->section[i]->kind == SECTION_LISTEN)
			make_listener(c, st->section[i], whole, cs);
	conf_logs_list(c, cs);
	if (c->dns_names > 0 && c->resolvers == 0)
		c->system_resolvers = conf_hosts_system();
	conf_hosts_free(&c->hosts);
	check_names(c, cs);
	if (whole)
		check_whole(st, cs);
}
