/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_limits.c: counts a session in and out, where limits exist. How a
 * refusal looks is left to session_access.c. Invariant: a counted session is
 * removed exactly once, and a refused one is counted nowhere.
 */
#include "session/session_limits.h"

#include "board/client_key.h"
#include "board/concurrency.h"
#include "board/rate.h"

/* Interval of the check of the board, in ms, while there is work. */
#define MEND		500

/* Flags of held; the other bits are the place of its client's entry. */
#define HELD_LISTENER	(1u << 31)
#define HELD_ALL	(1u << 30)
#define HELD_CLIENT	(1u << 29)
#define HELD_AT		(HELD_CLIENT - 1)

_Static_assert(BOARD_CLIENTS - 1 <= HELD_AT, "no room for it in held");

/* The limits of a listener, or shared ones; and what is taken of them. */
struct group {
	const struct session_counts *counts;
	uint32_t	 slot;
	uint64_t	 key;		/* of the client */
	struct rate_mark client, all;
	uint32_t	*held;
	enum session_end full;
};

/* It is over a limit: true if that is only logged (dry_run). */
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

/* A session that dry_run admits is counted all the same. */
static bool
enter_client(struct session_env *e, const struct session *s,
    struct group *g)
{
	const struct board *b = e->servers->board;
	uint32_t at, max = g->counts->max_per_client;
	bool dry = g->counts->dry_run, fits = true;

	if (max == 0)
		return true;
	if (dry)
		fits = concurrency_count_client(b, g->key) < max;
	at = concurrency_enter_client(b, e->servers->worker, g->key,
	    dry ? UINT32_MAX : max);
	if (at != CONCURRENCY_FULL)
		*g->held |= HELD_CLIENT | at;
	return (fits && at != CONCURRENCY_FULL) ||
	    is_spared(e, s, dry, END_CLIENT_FULL);
}

static enum session_end
enter_by_client(struct session_env *e, const struct session *s,
    struct group *g)
{
	const struct session_counts *c = g->counts;

	if (c->max_per_client != 0 || c->rate_per_client != 0)
		g->key = client_key_of(e->servers->board->ledger->seed, g->slot,
		    &s->client);
	if (!enter_client(e, s, g))
		return END_CLIENT_FULL;
	if (c->rate_per_client != 0 && !rate_take_client(
	    e->servers->board->rates, g->key, c->rate_per_client,
	    &g->client) && !is_spared(e, s, c->dry_run, END_CLIENT_RATE))
		return END_CLIENT_RATE;
	return END_NONE;
}

/* Sessions are counted without a limit, too: a reload may add one. */
static bool
enter_slot(struct session_env *e, const struct session *s, uint32_t slot,
    uint32_t max, bool dry, enum session_end why)
{
	const struct board *b = e->servers->board;
	bool fits = true;

	if (dry && max != 0) {
		fits = concurrency_count(b, slot) < max;
		max = 0;
	}
	return concurrency_enter(b, e->servers->worker, slot, max) &&
	    (fits || is_spared(e, s, dry, why));
}

static enum session_end
enter_group(struct session_env *e, const struct session *s, struct group *g)
{
	const struct session_counts *c = g->counts;

	if (g->slot == BOARD_NO_SLOT)
		return END_NONE;
	if (!enter_slot(e, s, g->slot, c->max_sessions, c->dry_run, g->full))
		return g->full;
	*g->held |= HELD_LISTENER;
	if (c->rate != 0 && !rate_take(
	    &e->servers->board->listener[g->slot].rate, c->rate, &g->all) &&
	    !is_spared(e, s, c->dry_run, END_SESSION_RATE))
		return END_SESSION_RATE;
	return END_NONE;
}

static enum session_end
enter_all(struct session_env *e, struct session *s)
{
	if (!enter_slot(e, s, BOARD_EVERYBODY, e->max_sessions, e->dry_run,
	    END_MAX_SESSIONS))
		return END_MAX_SESSIONS;
	s->held |= HELD_ALL;
	return END_NONE;
}

/*
 * From the narrow limit to the wide one: a session refused by its own limit
 * never takes a place of others, even for a moment.
 */
enum session_end
session_limits_enter(struct session_env *e, struct session *s)
{
	static const struct session_counts none;
	const struct session_route *r = &e->route[s->listener];
	const struct session_limit *l = r->limit;
	struct group own = { .counts = &r->counts, .slot = r->slot,
	    .held = &s->held, .full = END_LISTENER_FULL };
	struct group shared = { .counts = l == NULL ? &none : &l->counts,
	    .slot = l == NULL ? BOARD_NO_SLOT : l->slot,
	    .held = &session_cold(e, s)->shared, .full = END_LIMIT_FULL };
	enum session_end why;

	if ((why = enter_by_client(e, s, &own)) == END_NONE &&
	    (why = enter_by_client(e, s, &shared)) == END_NONE &&
	    (why = enter_group(e, s, &own)) == END_NONE &&
	    (why = enter_group(e, s, &shared)) == END_NONE &&
	    (why = enter_all(e, s)) == END_NONE)
		return END_NONE;
	rate_give(&own.client);
	rate_give(&own.all);
	rate_give(&shared.client);
	rate_give(&shared.all);
	session_limits_leave(e, s);
	return why;
}

static void
leave_group(const struct session_env *e, uint32_t *held, uint32_t slot)
{
	const struct board *b = e->servers->board;
	uint32_t me = e->servers->worker;

	if (*held & HELD_CLIENT)
		concurrency_leave_client(b, me, *held & HELD_AT);
	if (*held & HELD_LISTENER)
		concurrency_leave(b, me, slot);
	if (*held & HELD_ALL)
		concurrency_leave(b, me, BOARD_EVERYBODY);
	*held = 0;
}

static void
count_client_again(const struct session_env *e, const struct session *s,
    uint32_t *held, uint32_t slot)
{
	const struct board *b = e->servers->board;
	uint32_t at;

	if ((*held & HELD_CLIENT) == 0)
		return;
	*held &= HELD_LISTENER | HELD_ALL;
	at = concurrency_put_client(b, e->servers->worker,
	    client_key_of(b->ledger->seed, slot, &s->client));
	if (at != CONCURRENCY_FULL)
		*held |= HELD_CLIENT | at;
}

static void
count_clients_again(struct session_env *e)
{
	const struct session_route *r;
	struct session *s;

	board_forget_clients(e->servers->board, e->servers->worker);
	for (s = e->table.session; s < e->table.session + e->table.used; s++) {
		if (s->state == SESSION_FREE)
			continue;
		r = &e->route[s->listener];
		count_client_again(e, s, &s->held, r->slot);
		if (r->limit != NULL)
			count_client_again(e, s, &session_cold(e, s)->shared,
			    r->limit->slot);
	}
}

void
session_count_mend(struct session_env *e)
{
	const struct board *b = e->servers->board;
	uint32_t wrong;

	atomic_store_explicit(&e->board->live, e->table.live, memory_order_relaxed);
	if (e->now < e->mend_at || b->own == NULL)
		return;
	e->mend_at = e->now + MEND;
	wrong = board_mend_row(b, e->servers->worker);
	if (wrong == 0 && atomic_exchange(&b->own->crowded, 0) == 0)
		return;
	count_clients_again(e);
	if (wrong > 0)
		log_seldom(e->log, LOG_WARNING, "board: %u number%s of this "
		    "worker overwritten; restored", wrong, text_s(wrong));
}

void
session_count_saw(const struct session_env *e)
{
	/* In this order: a reader of the time sees the number. */
	atomic_store_explicit(&e->board->ending, e->ending,
	    memory_order_relaxed);
	atomic_store_explicit(&e->board->seen, e->before, memory_order_release);
}

void
session_limits_leave(struct session_env *e, struct session *s)
{
	const struct session_route *r = &e->route[s->listener];

	leave_group(e, &s->held, r->slot);
	if (r->limit != NULL)
		leave_group(e, &session_cold(e, s)->shared, r->limit->slot);
}
