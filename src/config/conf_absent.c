/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_absent.c: checks addresses and interfaces. Other errors of a socket are
 * reported when it is opened.
 */
#include "config/conf_absent.h"

#include <net/if.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "config/conf_loop.h"
#include "config/networks.h"
#include "config/settings.h"
#include "net/socket.h"
#include "sys/safe_file.h"
#include "util/nearest.h"

/* Enough to guess which one was meant. */
#define INTERFACES	64

static const struct value *
get_present_value(const struct section *s, const char *name)
{
	return section_get(s, directive_find(s->kind, name));
}

static void
check_sources(const struct value *v, const struct egress *o,
    struct diagnostics *cs)
{
	struct addr a;
	uint32_t i;

	for (i = 0; i < o->sources && i < v->n; i++) {
		if (!endpoint_as(&o->source[i], o->source[i].family, &a) ||
		    o->freebind || socket_can_bind(&a, o->interface) == 0)
			continue;
		if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)
			value_reject(cs, v, v->text[i], "this machine does not "
			    "have this address now; connections from it fail "
			    "until it has");
		else if (errno == EINVAL && a.sa.sa_family == AF_INET6 &&
		    IN6_IS_ADDR_LINKLOCAL(&a.in6.sin6_addr))
			value_reject(cs, v, v->text[i], "this is a link-local "
			    "address; add the interface that it belongs to");
	}
}

/* An existing name that was perhaps meant; or NULL. */
static const char *
find_near(const char *name, char buf[IF_NAMESIZE])
{
	struct if_nameindex *all = if_nameindex();
	const char *names[INTERFACES], *near;
	size_t n = 0;

	if (all == NULL)
		return NULL;
	while (n < INTERFACES && all[n].if_index != 0) {
		names[n] = all[n].if_name;
		n++;
	}
	if ((near = nearest_find(name, names, n)) != NULL) {
		strlcpy(buf, near, IF_NAMESIZE);
		near = buf;
	}
	if_freenameindex(all);
	return near;
}

static void
check_interface(const struct section *s, struct diagnostics *cs)
{
	const struct value *v = get_present_value(s, "interface");
	char buf[IF_NAMESIZE], why[200];
	const char *near;

	if (v == NULL || v->n == 0 || if_nametoindex(v->text[0]) != 0)
		return;
	near = find_near(v->text[0], buf);
	snprintf(why, sizeof(why), "there is no such interface now%s%s; %s "
	    "until there is", near == NULL ? "" : ", perhaps ",
	    near == NULL ? "" : near, s->kind == SECTION_LISTEN ?
	    "a start fails" : "connections by it fail");
	value_reject(cs, v, v->text[0], why);
}

/* Checks whether other users could replace its socket. */
static void
check_directory(const struct place *place, const struct listener *l,
    struct diagnostics *cs)
{
	char why[600];

	if (safe_file_check(l->addr.un.sun_path) == -1 && errno == EPERM)
		diagnostics_add_at(cs, place, "listen on %s: %s", l->name,
		    safe_file_reason(l->addr.un.sun_path, EPERM, why,
		    sizeof(why)));
}

static void
check_listener_address(const struct settings *st, const struct listener *l,
    struct diagnostics *cs)
{
	const struct section *s = settings_find(st, SECTION_LISTEN,
	    l->label[0] == '\0' ? "main" : l->label);

	if (addr_is_path(&l->addr))
		check_directory(&get_present_value(s, "address")->place, l, cs);
	if (addr_is_unix(&l->addr) || l->how.transparent || l->how.freebind ||
	    socket_can_bind(&l->addr, l->how.interface) == 0 ||
	    errno != EADDRNOTAVAIL)
		return;
	diagnostics_add_at(cs, &get_present_value(s, "address")->place,
	    "listen on %s: this machine does not have this address now; a "
	    "start fails until it has", l->name);
}

static void
check_name(const struct settings *st, const struct dns_name *l,
    struct diagnostics *cs)
{
	const struct value *v = get_present_value(settings_server(st, l->first),
	    "address");
	char why[200];

	if (!l->once || v == NULL)
		return;
	snprintf(why, sizeof(why), "%s; the server stays where it was, or down, "
	    "until a lookup succeeds", l->why);
	value_reject(cs, v, v->text[0], why);
}

/* A server that cannot be checked is down. */
static void
check_checks(const struct conf *c, const struct section *s,
    struct diagnostics *cs)
{
	const struct server *b = &c->server[s->first];
	const struct value *v = get_present_value(s, "check_address");
	char why[200];

	if (s->servers == 0 || b->check_missing == NULL || v == NULL)
		return;
	snprintf(why, sizeof(why), "%s; the server is down until a reload can "
	    "look the name up", b->check_missing);
	value_reject(cs, v, v->text[0], why);
}

void
conf_absent(const struct conf *c, struct diagnostics *cs)
{
	const struct settings *st = c->settings;
	const struct egress *o = NULL;
	const struct section *s;
	const struct value *v;
	size_t i, pools = 0;

	if (c->no_user != NULL)
		diagnostics_add(cs, "workers run as uid %u: %s; name a user "
		    "(-u) to make that an error", (unsigned)c->user.uid,
		    c->no_user);
	for (i = 0; i < st->sections; i++) {
		s = st->section[i];
		if (s->kind == SECTION_POOL)
			o = &c->pool[pools++].egress;
		else if (s->kind == SECTION_SERVER)
			o = s->servers == 0 ? NULL :
			    &c->server[s->first].egress;
		if (s->kind == SECTION_TOP)
			continue;
		check_interface(s, cs);
		if (s->kind == SECTION_SERVER)
			check_checks(c, s, cs);
		if (s->kind != SECTION_LISTEN && o != NULL &&
		    (v = get_present_value(s, "source_address")) != NULL)
			check_sources(v, o, cs);
	}
	for (i = 0; i < c->listeners; i++)
		check_listener_address(st, &c->listener[i], cs);
	for (i = 0; i < c->absents; i++)
		diagnostics_add(cs, "listen on %s: this machine does not have "
		    "this address now; the others of its name are served",
		    c->absent[i]);
	for (i = 0; i < c->dns_names; i++)
		check_name(st, &c->dns_name[i], cs);
	networks_check(c, cs);
	conf_loop(c, cs);
}
