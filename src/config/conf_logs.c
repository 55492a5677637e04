/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_logs.c: determines the logs of listeners, and the addresses of the hosts
 * of all logs. Listeners with the same target share a log.
 */
#include "config/conf_logs.h"

#include <string.h>

#include "config/conf_hosts.h"
#include "config/settings.h"
#include "log/log_target.h"

static const struct value *
said_of(const struct conf *c, const struct listener *l)
{
	return section_get(settings_find(c->settings, SECTION_LISTEN,
	    l->label), directive_find(SECTION_LISTEN, "log"));
}

/* The number of this target, from 1; 0: too many, or invalid. */
static uint32_t
number_of(struct conf *c, const struct listener *l, struct diagnostics *cs)
{
	const struct value *said;
	size_t i;

	for (i = 0; i < c->own_logs; i++)
		if (strcmp(c->own_log[i].target, l->log) == 0)
			return (uint32_t)i + 1;
	said = said_of(c, l);
	if (!c->foreground && strcmp(l->log, "stderr") == 0)
		value_reject(cs, said, l->log, "a daemon has no stderr: add -F, "
		    "or log to syslog or a file");
	else if (c->own_logs == CONF_LOGS)
		value_reject(cs, said, l->log, "there are more than 24 logs of "
		    "listeners: let some share one");
	else {
		c->own_log[c->own_logs] = (struct own_log){
		    .target = l->log, .said = said };
		return (uint32_t)++c->own_logs;
	}
	return 0;
}

/* An option wins over files. NULL: the default. */
static const struct value *
said_of_all(const struct conf *c)
{
	const struct directive *d = directive_find(SECTION_TOP, "log");
	const struct value *v;

	v = section_get(c->settings->section[SETTINGS_OPTIONS], d);
	return v != NULL ? v : section_get(c->settings->section[SETTINGS_FILES],
	    d);
}

/* The known address of its host, if that is a name. */
static void
find_host(const struct conf *c, const char *target, const struct value *said,
    struct addr *addr, struct diagnostics *cs)
{
	const struct addr_host *h;
	struct log_target t;
	const char *why;

	if (log_target_parse(target, &t, &why) == -1 || t.host[0] == '\0' ||
	    (h = conf_hosts_find(&c->hosts, t.host)) == NULL)
		return;
	if (h->n == 0) {
		value_reject(cs, said, target, addr_host_why(h));
		return;
	}
	*addr = h->addr[0];
	addr_set_port(addr, t.port);
}

void
conf_logs_list(struct conf *c, struct diagnostics *cs)
{
	struct listener *l;
	size_t i;

	for (i = 0; i < c->listeners; i++) {
		l = &c->listener[i];
		if (l->log != NULL && strcmp(l->log, c->log) != 0)
			l->own_log = number_of(c, l, cs);
	}
	find_host(c, c->log, said_of_all(c), &c->log_addr, cs);
	for (i = 0; i < c->own_logs; i++)
		find_host(c, c->own_log[i].target, c->own_log[i].said,
		    &c->own_log[i].addr, cs);
}
