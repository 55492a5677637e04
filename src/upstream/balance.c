/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance.c: finds the candidates, in the order of last resorts; the algorithm
 * of the pool chooses among them.
 */
#include "upstream/balance_tier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct balance {
	const struct servers *bs;
	struct balance_tier *tier;	/* TIERS of each pool */
	uint32_t	*version;	/* of each pool, as of these tiers */
};

/* In the order of balance_algorithms(). */
static const struct balance_algorithm *const algorithms[] = {
	&balance_roundrobin,
	&balance_leastconn,
	&balance_random,
	&balance_client,
	&balance_hash,
	&balance_maglev,
	&balance_first,
};

const struct balance_algorithm *
balance_algorithm(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (strcmp(algorithms[i]->name, name) == 0)
			return algorithms[i];
	return NULL;
}

const char *
balance_algorithms(void)
{
	return "roundrobin, leastconn, random, client, hash, maglev, first";
}

static const struct balance_algorithm *
algorithm_of(const struct balance_tier *t)
{
	return t->pool->balance == NULL ? &balance_roundrobin :
	    t->pool->balance;
}

static void
free_tier(struct balance_tier *t)
{
	free(t->member);
	free(t->sequence);
	free(t->own);
}

/*
 * Collects the members. Servers without weight would have no position anywhere.
 * The weight is read once, because a lookup may change it between two reads.
 */
static int
make_tier(struct balance_tier *t, const struct servers *bs,
    const struct pool *p, uint32_t tier)
{
	uint32_t i, weight;

	memset(t, 0, sizeof(*t));
	t->bs = bs;
	t->pool = p;
	t->ticket = &bs->board->pool[p->slot].tier[tier].ticket;
	if (p->n == 0 || (tier == TIER_BOTH && p->min_primaries <= 1))
		return 0;
	if ((t->member = calloc(p->n, sizeof(*t->member))) == NULL)
		return -1;
	for (i = p->first; i < p->first + p->n; i++) {
		weight = server_weight(bs, i);
		if (weight == 0 || (tier != TIER_BOTH &&
		    server_tier(bs, i) != tier))
			continue;
		t->member[t->n++] = (struct member){
		    .hash = server_hash(bs, i), .slot = bs->list[i].slot,
		    .server = (uint16_t)i, .weight = (uint16_t)weight };
		t->sum += weight;
	}
	return t->n == 0 ? 0 : algorithm_of(t)->prepare(t);
}

/* Rebuilds the tiers if a lookup has changed them. Out of memory: later. */
static void
follow_pool_version(struct balance *b, uint32_t pool)
{
	const struct pool *p = &b->bs->pool[pool];
	struct balance_tier tier[TIERS] = { 0 };
	uint32_t i, version;
	bool made = true;

	/* The version first: a change from now on causes the next rebuild. */
	version = atomic_load_explicit(&b->bs->board->pool[p->slot].version,
	    memory_order_acquire);
	if (version == b->version[pool])
		return;
	for (i = 0; i < TIERS; i++)
		made &= make_tier(&tier[i], b->bs, p, i) == 0;
	for (i = 0; i < TIERS; i++)
		if (made) {
			free_tier(&b->tier[pool * TIERS + i]);
			b->tier[pool * TIERS + i] = tier[i];
		} else {
			free_tier(&tier[i]);
		}
	if (made)
		b->version[pool] = version;
}

struct balance *
balance_new(const struct servers *bs)
{
	struct balance *b;
	uint32_t i;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	b->bs = bs;
	b->tier = calloc((size_t)bs->pools * TIERS, sizeof(*b->tier));
	b->version = calloc(bs->pools, sizeof(*b->version));
	for (i = 0; b->tier != NULL && b->version != NULL &&
	    i < bs->pools * TIERS; i++)
		if (make_tier(&b->tier[i], bs, &bs->pool[i / TIERS],
		    i % TIERS) == -1)
			break;
	if (b->tier == NULL || b->version == NULL || i < bs->pools * TIERS) {
		balance_free(b);
		errno = ENOMEM;
		return NULL;
	}
	return b;
}

void
balance_free(struct balance *b)
{
	uint32_t i;

	if (b == NULL)
		return;
	for (i = 0; b->tier != NULL && i < b->bs->pools * TIERS; i++)
		free_tier(&b->tier[i]);
	free(b->tier);
	free(b->version);
	free(b);
}

/* A usable server of the tier, or NULL. A cold one is better than none. */
static const struct member *
pick_from(const struct balance_tier *t, const struct balance_ask *ask,
    bool held)
{
	struct balance_choice c = { .ask = ask, .held = held };
	const struct member *m;

	if (t->n == 0)
		return NULL;
	m = algorithm_of(t)->pick(t, &c);
	if (m != NULL || !c.spared)
		return m;
	c.cold = true;
	return algorithm_of(t)->pick(t, &c);
}

/*
 * True while the first lookup or check of a primary server is in progress. Then
 * backups are not needed yet: theirs may just have been quicker. Servers
 * without an address are not members of their tier.
 */
static bool
too_early(const struct balance *b, const struct balance_ask *ask)
{
	const struct pool *p = &b->bs->pool[ask->pool];
	uint32_t i;

	if (p->max_queue == 0)
		return false;
	for (i = p->first; i < p->first + p->n; i++)
		if (!balance_was_tried(ask, i) && server_pending(b->bs, i) &&
		    server_tier(b->bs, i) == TIER_PRIMARY)
			return true;
	return false;
}

/* True if one of them would be usable but for max_sessions. */
static bool
one_is_full(const struct balance *b, const struct balance_ask *ask)
{
	const struct pool *p = &b->bs->pool[ask->pool];
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (!balance_was_tried(ask, i) && server_serves(b->bs, i) &&
		    !server_is_ejected(b->bs, i, ask->now) &&
		    server_full(b->bs, i))
			return true;
	return false;
}

/* True if a server will become usable by waiting alone. */
static bool
worth_waiting(const struct balance *b, const struct balance_ask *ask)
{
	const struct pool *p = &b->bs->pool[ask->pool];
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (!balance_was_tried(ask, i) && (server_unknown(b->bs, i) ||
		    server_serves(b->bs, i)))
			return true;
	return false;
}

/*
 * True if fewer primaries are left than min_primaries. A full one counts as
 * left; so does one whose first check is in progress, if sessions may wait.
 */
static bool
too_few(const struct balance_tier *t, const struct balance_ask *ask)
{
	uint32_t left = 0, min = t->pool->min_primaries;
	const struct member *m;

	if (min <= 1)
		return false;
	for (m = t->member; m < t->member + t->n && left < min; m++)
		left += server_unknown(t->bs, m->server) ?
		    t->pool->max_queue > 0 : server_serves(t->bs,
		    m->server) && !server_is_ejected(t->bs, m->server,
		    ask->now);
	return left < min;
}

/* A server of the first tier that has a usable one, or NULL. */
static const struct member *
pick_in_order(struct balance *b, const struct balance_ask *ask, bool held)
{
	const struct balance_tier *tier = &b->tier[ask->pool * TIERS];
	const struct member *m = NULL;
	int i;

	if (too_few(&tier[TIER_PRIMARY], ask))
		return pick_from(&tier[TIER_BOTH], ask, held);
	for (i = 0; i < TIER_BOTH && m == NULL; i++) {
		if (i == TIER_BACKUP && tier[i].n > 0 && too_early(b, ask))
			break;
		m = pick_from(&tier[i], ask, held);
	}
	return m;
}

int
balance_pick(struct balance *b, const struct balance_ask *ask)
{
	const struct member *m;

	follow_pool_version(b, ask->pool);
	m = pick_in_order(b, ask, false);
	/* Waiting for room is better than a server that failed just now. */
	if (m == NULL && (b->bs->pool[ask->pool].max_queue == 0 ||
	    !one_is_full(b, ask)))
		m = pick_in_order(b, ask, true);
	if (m != NULL)
		return m->server;
	errno = worth_waiting(b, ask) ? EAGAIN : EHOSTDOWN;
	return -1;
}
