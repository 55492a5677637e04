/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_hosts.c: gathers host names, sorted, and looks them up. Knows nothing of
 * servers.
 */
#include "conf_hosts.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sys.h"

static int
by_name(const void *a, const void *b)
{
	const struct addr_host *x = a, *y = b;

	return strcasecmp(x->name, y->name);
}

static const char *
text_of(const struct section *s, const char *name)
{
	const struct value *v = section_get(s, directive_find(s->kind, name));

	return v == NULL || v->n == 0 ? NULL : v->text[0];
}

/* The name of a host, if the server has one that is looked up once. */
static bool
name_of(const struct section *s, char *host)
{
	const char *address, *resolve, *why;

	if (s->kind != SECTION_SERVER ||
	    (address = text_of(s, "address")) == NULL ||
	    ((resolve = text_of(s, "resolve")) != NULL &&
	    strcmp(resolve, "off") != 0) || strchr(address, '/') != NULL ||
	    addr_split(address, ADDR_CONNECT, host, ADDR_HOST, &why) == -1)
		return false;
	return host[0] != '\0' && strcmp(host, "*") != 0 &&
	    !addr_is_ip(host);
}

int
conf_hosts_list(const struct settings *st, struct hosts *hosts)
{
	struct addr_host *list;
	size_t i, n = 0;

	hosts->n = 0;
	hosts->host = NULL;
	if ((list = calloc(st->sections + 1, sizeof(*list))) == NULL)
		return -1;
	for (i = 0; i < st->sections; i++)
		n += name_of(st->section[i], list[n].name);
	qsort(list, n, sizeof(*list), by_name);
	for (i = 0; i < n; i++)
		if (hosts->n == 0 ||
		    by_name(&list[hosts->n - 1], &list[i]) != 0)
			list[hosts->n++] = list[i];
	hosts->host = list;
	return 0;
}

void
conf_hosts_look_up(struct hosts *hosts, uint64_t ms)
{
	uint64_t end = sys_now() + ms;
	size_t i;

	for (i = 0; i < hosts->n; i++)
		if (sys_now() < end)
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
	return bsearch(&key, hosts->host, hosts->n, sizeof(key), by_name);
}

void
conf_hosts_free(struct hosts *hosts)
{
	free(hosts->host);
	hosts->host = NULL;
	hosts->n = 0;
}
