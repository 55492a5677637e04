/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_unused_limits.c: limits without an effect, because another one is
 * reached first or no listener uses them.
 */
#include "config/conf_unused_limits.h"

#include <string.h>

#include "config/settings.h"

static bool
has_limit(const struct section *s)
{
	static const char *const limits[] = { "max_sessions",
	    "max_sessions_per_client", "session_rate",
	    "session_rate_per_client" };
	const struct directive *d;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if ((d = directive_find(s->kind, limits[i])) != NULL &&
		    section_get(s, d) != NULL)
			return true;
	return false;
}

/* True if this section has a limit; for the top, any section. */
bool
conf_has_limit(const struct settings *st, const struct section *s)
{
	size_t i;

	if (s->kind != SECTION_TOP)
		return has_limit(s);
	for (i = 0; i < st->sections; i++)
		if (st->section[i]->kind != SECTION_POOL &&
		    st->section[i]->kind != SECTION_SERVER &&
		    has_limit(st->section[i]))
			return true;
	return false;
}

static void
check_limit(const struct section *s, const char *name, uint32_t limit,
    const char *other, uint32_t before, struct diagnostics *cs)
{
	const struct value *v = section_get(s, directive_find(s->kind, name));

	if (v != NULL && before != 0 && limit > before)
		diagnostics_add_at(cs, &v->place, "%s has no effect: %s is %u",
		    name, other, before);
}

/* A limit that is never reached, because another one is reached first. */
void
conf_unused_limits(const struct conf *c, const struct section *s,
    struct diagnostics *cs)
{
	const struct session_counts *n;
	size_t i = 0;

	while (i < c->listeners && strcmp(c->listener[i].label, s->name) != 0)
		i++;
	if (i == c->listeners)
		return;
	n = &c->listener[i].counts;
	check_limit(s, "max_sessions", n->max_sessions,
	    "max_sessions at the top", c->max_sessions, cs);
	check_limit(s, "max_sessions_per_client", n->max_per_client,
	    "max_sessions", n->max_sessions, cs);
	check_limit(s, "session_rate_per_client", n->rate_per_client,
	    "session_rate", n->rate, cs);
}

/* Warns if no listener shares it, or if it limits nothing. */
void
conf_unused_limit(const struct conf *c, const struct section *s,
    struct diagnostics *cs)
{
	size_t i;

	for (i = 0; i < c->listeners; i++)
		if (c->listener[i].limit > 0 && strcmp(s->name,
		    c->limit[c->listener[i].limit - 1].name) == 0)
			break;
	if (i == c->listeners)
		diagnostics_add_at(cs, &s->place, "limit %s has no effect: no "
		    "listener has limit: %s", s->name, s->name);
	else if (!has_limit(s))
		diagnostics_add_at(cs, &s->place, "limit %s has no effect: it "
		    "limits nothing", s->name);
}
