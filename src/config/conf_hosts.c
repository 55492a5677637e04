/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_hosts.c: collects host names, sorted, and resolves them. Does not know
 * servers.
 */
#include "config/conf_hosts.h"

#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "board/board.h"
#include "log/log_target.h"
#include "sys/clock.h"
#include "sys/file_text.h"

static int
by_host_name(const void *a, const void *b)
{
	const struct addr_host *x = a, *y = b;

	return strcasecmp(x->name, y->name);
}

/* Directives whose values contain host names. */
static const struct {
	enum section_kind kind;
	const char	*name;
	enum addr_use	 use;
} places[] = {
	{ SECTION_SERVER, "address", ADDR_SERVER },
	{ SECTION_SERVER, "check_address", ADDR_CONNECT },
	{ SECTION_LISTEN, "address", ADDR_LISTEN },
	{ SECTION_LISTEN, "log", ADDR_CONNECT },
	{ SECTION_TOP, "log", ADDR_CONNECT },
};

#define PLACES	(sizeof(places) / sizeof(*places))

static const struct value *
value_of(const struct section *s, const char *name)
{
	const struct directive *d = directive_find(s->kind, name);

	return d == NULL ? NULL : section_get(s, d);
}

/* True if it is looked up regularly, and not here. */
static bool
is_resolved(const struct section *s)
{
	const struct value *v = s->kind == SECTION_SERVER ?
	    value_of(s, "resolve") : NULL;

	return v != NULL && v->n > 0 && strcmp(v->text[0], "off") != 0;
}

/* The host of syslog+udp://HOST:PORT/FACILITY; other targets have none. */
static bool
host_of_log(const char *text, char *host)
{
	struct log_target t;
	const char *why;

	if (log_target_parse(text, &t, &why) == -1)
		return false;
	memcpy(host, t.host, ADDR_HOST);
	return host[0] != '\0';
}

/* The host name in the text, if it has one. */
static bool
host_of(size_t place, const char *text, char *host)
{
	char first[ADDR_TEXT + ADDR_HOST];
	const char *why;

	if (strcmp(places[place].name, "log") == 0)
		return host_of_log(text, host);
	if (places[place].use == ADDR_LISTEN) {
		if (addr_ports(text, first, sizeof(first), &why) == 0)
			return false;
		text = first;
	}
	return strchr(text, '/') == NULL && addr_split(text,
	    places[place].use, host, ADDR_HOST, &why) != -1 &&
	    host[0] != '\0' && strcmp(host, "*") != 0 && !addr_is_ip(host);
}

/*
 * Appends the names in one section to *list* unless NULL. Returns their number.
 */
static size_t
gather_hosts(const struct section *s, struct addr_host *list)
{
	const struct value *v;
	char host[ADDR_HOST];
	size_t i, k, n = 0;

	for (i = 0; i < PLACES; i++) {
		if (places[i].kind != s->kind ||
		    (v = value_of(s, places[i].name)) == NULL ||
		    (strcmp(places[i].name, "address") == 0 && is_resolved(s)))
			continue;
		for (k = 0; k < v->n; k++) {
			if (!host_of(i, v->text[k], host))
				continue;
			if (list != NULL)
				strlcpy(list[n].name, host, ADDR_HOST);
			n++;
		}
	}
	return n;
}

int
conf_hosts_list(const struct settings *st, struct hosts *hosts)
{
	struct addr_host *list;
	size_t i, n = 0;

	hosts->n = 0;
	hosts->host = NULL;
	for (i = 0; i < st->sections; i++)
		n += gather_hosts(st->section[i], NULL);
	if (n == 0)
		return 0;
	if ((list = calloc(n, sizeof(*list))) == NULL)
		return -1;
	for (i = n = 0; i < st->sections; i++)
		n += gather_hosts(st->section[i], list + n);
	qsort(list, n, sizeof(*list), by_host_name);
	for (i = 0; i < n; i++)
		if (hosts->n == 0 ||
		    by_host_name(&list[hosts->n - 1], &list[i]) != 0)
			list[hosts->n++] = list[i];
	hosts->host = list;
	return 0;
}

/* True if there was no answer at all, not even a negative one. */
static bool
is_silent(const struct addr_host *h)
{
	return h != NULL && h->n == 0 &&
	    (h->error == ADDR_LATE || h->error == EAI_AGAIN);
}

bool
conf_hosts_answered(const struct settings *st, const struct hosts *hosts,
    struct diagnostics *cs)
{
	const struct addr_host *h;
	const struct value *v;
	char host[ADDR_HOST];
	bool all = true;
	size_t i, k;

	for (i = 0; i < st->sections; i++)
		/* Servers may wait for the first answer. */
		for (k = 1; k < PLACES; k++) {
			if (places[k].kind != st->section[i]->kind ||
			    (v = value_of(st->section[i],
			    places[k].name)) == NULL || v->n == 0 ||
			    !host_of(k, v->text[0], host))
				continue;
			h = conf_hosts_find(hosts, host);
			if (!is_silent(h))
				continue;
			value_reject(cs, v, v->text[0], addr_host_why(h));
			all = false;
		}
	return all;
}

int
conf_hosts_parse(const struct hosts *hosts, const char *text,
    enum addr_use use, struct addr *out, size_t max, const char **why)
{
	const struct addr_host *h = NULL;
	char host[ADDR_HOST];
	int i, port = -1;

	if (strchr(text, '/') == NULL)
		port = addr_split(text, use, host, sizeof(host), why);
	if (port != -1)
		h = conf_hosts_find(hosts, host);
	if (h == NULL || h->error == ADDR_NOWHERE)
		return addr_parse(text, use, out, max, why);
	if (h->n == 0) {
		*why = addr_host_why(h);
		return -1;
	}
	for (i = 0; i < h->n && (size_t)i < max; i++) {
		out[i] = h->addr[i];
		addr_set_port(&out[i], (uint16_t)port);
	}
	return i;
}

void
conf_hosts_look_up(struct hosts *hosts, uint64_t ms)
{
	uint64_t end = clock_now_ms() + ms;
	size_t i;

	for (i = 0; i < hosts->n; i++)
		if (clock_now_ms() < end)
			addr_look_up(&hosts->host[i], ADDR_CONNECT);
		else
			hosts->host[i].error = ADDR_LATE;
}

const struct addr_host *
conf_hosts_find(const struct hosts *hosts, const char *name)
{
	struct addr_host key;

	if (hosts->n == 0)
		return NULL;
	(void)strlcpy(key.name, name, sizeof(key.name));
	return bsearch(&key, hosts->host, hosts->n, sizeof(key), by_host_name);
}

uint64_t
conf_hosts_system(void)
{
	struct stat st;
	size_t len = 0;
	char *text = file_text(_PATH_RESCONF, &len, &st);
	uint64_t hash;

	hash = board_hash(text == NULL ? "" : text);
	free(text);
	return hash | 1;
}

void
conf_hosts_free(struct hosts *hosts)
{
	free(hosts->host);
	hosts->host = NULL;
	hosts->n = 0;
}
