/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_count.c: counts a session in and out, where there are limits. Decides
 * nothing of how a refusal looks (session_gate.c). Invariant: whoever is counted
 * is counted out once, and who was refused is counted nowhere.
 */
#include "session_step.h"

#include "census.h"
#include "rate.h"
#include "source.h"

/* What it is counted in; the rest of held is where, as a source. */
#define HELD_LISTENER	(1u << 31)
#define HELD_ALL	(1u << 30)
#define HELD_SOURCE	(1u << 29)
#define HELD_AT		(HELD_SOURCE - 1)

_Static_assert(BOARD_SOURCES - 1 <= HELD_AT, "no room for it in held");

static bool
enter_source(const struct session_table *t, struct session *s, uint64_t source)
{
	uint32_t at, max = t->route[s->listener].counts.max_per_source;

	if (max == 0)
		return true;
	at = census_enter_source(t->backends->board, t->backends->worker,
	    source, max);
	if (at == CENSUS_FULL)
		return false;
	s->held |= HELD_SOURCE | at;
	return true;
}

/* Sessions are counted without a limit, too: a reload may bring one. */
static bool
enter(const struct session_table *t, struct session *s, uint32_t seat,
    uint32_t max)
{
	if (seat == BOARD_NO_SEAT)
		return true;
	if (!census_enter(t->backends->board, t->backends->worker, seat, max))
		return false;
	s->held |= seat == BOARD_EVERYBODY ? HELD_ALL : HELD_LISTENER;
	return true;
}

/*
 * From the narrow to the wide: who is refused for itself does not stand in the way
 * of others, be it for a moment.
 */
enum session_end
session_count_in(struct session_table *t, struct session *s)
{
	const struct session_route *r = &t->route[s->listener];
	const struct session_counts *c = &r->counts;
	const struct board *b = t->backends->board;
	struct rate_mark source = { .rate = NULL }, listener = source;
	enum session_end why;
	uint64_t key = 0;

	if (c->max_per_source != 0 || c->rate_per_source != 0)
		key = source_key(b->ledger->seed, r->seat, &s->client);
	if (!enter_source(t, s, key))
		why = END_SOURCE_FULL;
	else if (c->rate_per_source != 0 && !rate_take_source(b->rates, key,
	    c->rate_per_source, &source))
		why = END_SOURCE_RATE;
	else if (!enter(t, s, r->seat, c->max_sessions))
		why = END_LISTENER_FULL;
	else if (c->rate != 0 && !rate_take(&b->listener[r->seat].rate,
	    c->rate, &listener))
		why = END_SESSION_RATE;
	else if (!enter(t, s, BOARD_EVERYBODY, t->max_sessions))
		why = END_MAX_SESSIONS;
	else
		return END_NONE;
	rate_give(&source);
	rate_give(&listener);
	session_count_out(t, s);
	return why;
}

void
session_count_out(struct session_table *t, struct session *s)
{
	const struct board *b = t->backends->board;
	uint32_t me = t->backends->worker;

	if (s->held & HELD_SOURCE)
		census_leave_source(b, me, s->held & HELD_AT);
	if (s->held & HELD_LISTENER)
		census_leave(b, me, t->route[s->listener].seat);
	if (s->held & HELD_ALL)
		census_leave(b, me, BOARD_EVERYBODY);
	s->held = 0;
}
