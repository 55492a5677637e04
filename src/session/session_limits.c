/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_limits.c: counts a session in and out, where there are limits. Decides
 * nothing of how a refusal looks (session_access.c). Invariant: whoever is counted
 * is counted out once, and who was refused is counted nowhere.
 */
#include "session/session_limits.h"

#include "board/client_key.h"
#include "board/concurrency.h"
#include "board/rate.h"

/* So often the board is looked over, in ms, where there is work. */
#define MEND		500

/* What it is counted in; the rest of held is where, as a source. */
#define HELD_LISTENER	(1u << 31)
#define HELD_ALL	(1u << 30)
#define HELD_SOURCE	(1u << 29)
#define HELD_AT		(HELD_SOURCE - 1)

_Static_assert(BOARD_SOURCES - 1 <= HELD_AT, "no room for it in held");

/* The limits of a listener, or those that it shares; and what is taken there. */
struct group {
	const struct session_counts *counts;
	uint32_t	 seat;
	uint64_t	 key;		/* of the source */
	struct rate_mark source, all;
	uint32_t	*held;
	enum session_end full;
};

/* It is over a limit: is that only noted? */
static bool
is_spared(struct session_env *e, const struct session *s, bool dry_run,
    enum session_end why)
{
	struct session_cold *r = session_cold(e, s);
	char client[ADDR_TEXT];

	if (!dry_run || r->spared != END_NONE)
		return dry_run;
	r->spared = (uint8_t)why;
	counter_add(&e->board->spared[why], 1);
	log_seldom(e->log, LOG_NOTICE, "listener %s: dry_run: %s would be "
	    "refused: %s", e->route[s->listener].name, endpoint_format(
	    &s->client, client, sizeof(client)), session_end_name(why));
	return true;
}

/* Where it is not refused it is counted all the same, as it is there. */
static bool
enter_source(struct session_env *e, const struct session *s,
    struct group *g)
{
	const struct board *b = e->backends->board;
	uint32_t at, max = g->counts->max_per_source;
	bool dry = g->counts->dry_run, fits = true;

	if (max == 0)
		return true;
	if (dry)
		fits = census_count_source(b, g->key) < max;
	at = census_enter_source(b, e->backends->worker, g->key,
	    dry ? UINT32_MAX : max);
	if (at != CENSUS_FULL)
		*g->held |= HELD_SOURCE | at;
	return (fits && at != CENSUS_FULL) ||
	    is_spared(e, s, dry, END_SOURCE_FULL);
}

static enum session_end
enter_by_source(struct session_env *e, const struct session *s,
    struct group *g)
{
	const struct session_counts *c = g->counts;

	if (c->max_per_source != 0 || c->rate_per_source != 0)
		g->key = source_key(e->backends->board->ledger->seed, g->seat,
		    &s->client);
	if (!enter_source(e, s, g))
		return END_SOURCE_FULL;
	if (c->rate_per_source != 0 && !rate_take_source(
	    e->backends->board->rates, g->key, c->rate_per_source,
	    &g->source) && !is_spared(e, s, c->dry_run, END_SOURCE_RATE))
		return END_SOURCE_RATE;
	return END_NONE;
}

/* Sessions are counted without a limit, too: a reload may bring one. */
static bool
enter_seat(struct session_env *e, const struct session *s, uint32_t seat,
    uint32_t max, bool dry, enum session_end why)
{
	const struct board *b = e->backends->board;
	bool fits = true;

	if (dry && max != 0) {
		fits = census_count(b, seat) < max;
		max = 0;
	}
	return census_enter(b, e->backends->worker, seat, max) &&
	    (fits || is_spared(e, s, dry, why));
}

static enum session_end
enter_group(struct session_env *e, const struct session *s, struct group *g)
{
	const struct session_counts *c = g->counts;

	if (g->seat == BOARD_NO_SEAT)
		return END_NONE;
	if (!enter_seat(e, s, g->seat, c->max_sessions, c->dry_run, g->full))
		return g->full;
	*g->held |= HELD_LISTENER;
	if (c->rate != 0 && !rate_take(
	    &e->backends->board->listener[g->seat].rate, c->rate, &g->all) &&
	    !is_spared(e, s, c->dry_run, END_SESSION_RATE))
		return END_SESSION_RATE;
	return END_NONE;
}

static enum session_end
enter_all(struct session_env *e, struct session *s)
{
	if (!enter_seat(e, s, BOARD_EVERYBODY, e->max_sessions, e->dry_run,
	    END_MAX_SESSIONS))
		return END_MAX_SESSIONS;
	s->held |= HELD_ALL;
	return END_NONE;
}

/*
 * From the narrow to the wide: who is refused for itself does not stand in the way
 * of others, be it for a moment.
 */
enum session_end
session_count_in(struct session_env *e, struct session *s)
{
	static const struct session_counts none;
	const struct session_route *r = &e->route[s->listener];
	const struct session_limit *l = r->limit;
	struct group own = { .counts = &r->counts, .seat = r->seat,
	    .held = &s->held, .full = END_LISTENER_FULL };
	struct group shared = { .counts = l == NULL ? &none : &l->counts,
	    .seat = l == NULL ? BOARD_NO_SEAT : l->seat,
	    .held = &session_cold(e, s)->shared, .full = END_LIMIT_FULL };
	enum session_end why;

	if ((why = enter_by_source(e, s, &own)) == END_NONE &&
	    (why = enter_by_source(e, s, &shared)) == END_NONE &&
	    (why = enter_group(e, s, &own)) == END_NONE &&
	    (why = enter_group(e, s, &shared)) == END_NONE &&
	    (why = enter_all(e, s)) == END_NONE)
		return END_NONE;
	rate_give(&own.source);
	rate_give(&own.all);
	rate_give(&shared.source);
	rate_give(&shared.all);
	session_count_out(e, s);
	return why;
}

static void
leave_group(const struct session_env *e, uint32_t *held, uint32_t seat)
{
	const struct board *b = e->backends->board;
	uint32_t me = e->backends->worker;

	if (*held & HELD_SOURCE)
		census_leave_source(b, me, *held & HELD_AT);
	if (*held & HELD_LISTENER)
		census_leave(b, me, seat);
	if (*held & HELD_ALL)
		census_leave(b, me, BOARD_EVERYBODY);
	*held = 0;
}

static void
count_source_again(const struct session_env *e, const struct session *s,
    uint32_t *held, uint32_t seat)
{
	const struct board *b = e->backends->board;
	uint32_t at;

	if ((*held & HELD_SOURCE) == 0)
		return;
	*held &= HELD_LISTENER | HELD_ALL;
	at = census_put_source(b, e->backends->worker,
	    source_key(b->ledger->seed, seat, &s->client));
	if (at != CENSUS_FULL)
		*held |= HELD_SOURCE | at;
}

static void
count_sources_again(struct session_env *e)
{
	const struct session_route *r;
	struct session *s;

	board_forget_sources(e->backends->board, e->backends->worker);
	for (s = e->table.session; s < e->table.session + e->table.used; s++) {
		if (s->state == SESSION_FREE)
			continue;
		r = &e->route[s->listener];
		count_source_again(e, s, &s->held, r->seat);
		if (r->limit != NULL)
			count_source_again(e, s, &session_cold(e, s)->shared,
			    r->limit->seat);
	}
}

void
session_count_mend(struct session_env *e)
{
	const struct board *b = e->backends->board;
	uint32_t wrong;

	atomic_store_explicit(&e->board->live, e->table.live, memory_order_relaxed);
	if (e->now < e->mend_at || b->own == NULL)
		return;
	e->mend_at = e->now + MEND;
	wrong = board_mend_row(b, e->backends->worker);
	if (wrong == 0 && atomic_exchange(&b->own->crowded, 0) == 0)
		return;
	count_sources_again(e);
	if (wrong > 0)
		log_seldom(e->log, LOG_WARNING, "board: %u numbers of this "
		    "worker's row were overwritten, and are put right", wrong);
}

void
session_count_saw(const struct session_env *e)
{
	/* In this order: whoever sees the time sees the number. */
	atomic_store_explicit(&e->board->ending, e->ending,
	    memory_order_relaxed);
	atomic_store_explicit(&e->board->seen, e->before, memory_order_release);
}

void
session_count_out(struct session_env *e, struct session *s)
{
	const struct session_route *r = &e->route[s->listener];

	leave_group(e, &s->held, r->seat);
	if (r->limit != NULL)
		leave_group(e, &session_cold(e, s)->shared, r->limit->seat);
}
