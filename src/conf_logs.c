/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_logs.c: finds out which logs of their own the listeners have. Those with
 * the same target share one.
 */
#include "conf_logs.h"

#include <string.h>

#include "settings.h"

static const struct value *
said_of(const struct conf *c, const struct listener *l)
{
	return section_get(settings_find(c->settings, SECTION_LISTEN,
	    l->label), directive_find(SECTION_LISTEN, "log"));
}

/* The number of this target, from 1; 0: there are too many, or it is no good. */
static uint32_t
number_of(struct conf *c, const struct listener *l, struct complaints *cs)
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

void
conf_logs_list(struct conf *c, struct complaints *cs)
{
	struct listener *l;
	size_t i;

	for (i = 0; i < c->listeners; i++) {
		l = &c->listener[i];
		if (l->log != NULL && strcmp(l->log, c->log) != 0)
			l->own_log = number_of(c, l, cs);
	}
}
