/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance.c: draws places in a sequence that every worker has worked out alike.
 * Drawing is one atomic addition; a backend that cannot be used is answered by
 * drawing again, so that its share goes to the others evenly.
 */
#include "balance.h"

#include <errno.h>
#include <stdlib.h>

/* The sequence of one tier of one pool, as backend numbers. */
struct order {
	uint16_t	*at;
	uint32_t	 length;	/* 0: the tier is empty */
};

struct balance {
	const struct backends *bs;
	struct order	*order;		/* TIERS of each pool */
};

static struct order *
order_of(const struct balance *b, uint32_t pool, uint32_t tier)
{
	return &b->order[pool * TIERS + tier];
}

static uint32_t
gcd(uint32_t a, uint32_t b)
{
	return b == 0 ? a : gcd(b, a % b);
}

/*
 * Backends of one weight take turns among themselves, whatever the others do:
 * whoever has been drawn least often is the richest of them.
 */
struct group {
	uint32_t	weight;
	uint32_t	first, n;	/* of the list of members */
	uint32_t	next;		/* whose turn it is */
	uint32_t	rounds;		/* how often all had theirs */
};

/* Sort those of the tier into groups. Returns how many groups there are. */
static uint32_t
gather(const struct pool *p, const struct backend *list, uint32_t tier,
    struct group *group, uint16_t *member)
{
	uint32_t i, w, count[BACKEND_WEIGHT_MAX + 1] = { 0 };
	uint32_t place[BACKEND_WEIGHT_MAX + 1], groups = 0, first = 0;

	for (i = 0; i < p->n; i++)
		if (list[i].tier == tier)
			count[list[i].weight]++;
	for (w = 1; w <= BACKEND_WEIGHT_MAX; w++) {
		place[w] = first;
		if (count[w] == 0)
			continue;
		group[groups++] = (struct group){ .weight = w, .first = first,
		    .n = count[w] };
		first += count[w];
	}
	for (i = 0; i < p->n; i++)
		if (list[i].tier == tier && list[i].weight > 0)
			member[place[list[i].weight]++] =
			    (uint16_t)(p->first + i);
	return groups;
}

static uint16_t
turn_of(const struct group *g, const uint16_t *member)
{
	return member[g->first + g->next];
}

/* The richest after so many steps: of several the first in the list. */
static struct group *
richest(struct group *group, uint32_t groups, const uint16_t *member,
    uint32_t step, uint32_t sum)
{
	struct group *g, *best = NULL;
	int64_t gain, most = 0;

	for (g = group; g < group + groups; g++) {
		gain = (int64_t)g->weight * step - (int64_t)sum * g->rounds;
		if (best == NULL || gain > most || (gain == most &&
		    turn_of(g, member) < turn_of(best, member))) {
			best = g;
			most = gain;
		}
	}
	return best;
}

/*
 * One period of the smooth sequence, the method that nginx made known: at each
 * step everyone gains its weight, the richest is next and pays the sum of all.
 */
static int
lay_out(struct balance *b, uint32_t pool, uint32_t tier)
{
	const struct pool *p = &b->bs->pool[pool];
	struct group group[BACKEND_WEIGHT_MAX], *g;
	struct order *o = order_of(b, pool, tier);
	uint32_t i, groups, sum = 0, unit = 0;
	uint16_t *member;

	if (p->n == 0)
		return 0;
	if ((member = calloc(p->n, sizeof(*member))) == NULL)
		return -1;
	groups = gather(p, b->bs->list + p->first, tier, group, member);
	for (g = group; g < group + groups; g++) {
		sum += g->weight * g->n;
		unit = gcd(g->weight, unit);
	}
	o->length = groups == 0 ? 0 : sum / unit;
	o->at = calloc(o->length, sizeof(*o->at));
	for (i = 0; o->at != NULL && i < o->length; i++) {
		g = richest(group, groups, member, i + 1, sum);
		o->at[i] = turn_of(g, member);
		if (++g->next == g->n) {
			g->next = 0;
			g->rounds++;
		}
	}
	free(member);
	return o->at == NULL && groups > 0 ? -1 : 0;
}

struct balance *
balance_new(const struct backends *bs)
{
	struct balance *b;
	uint32_t i;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	b->bs = bs;
	b->order = calloc((size_t)bs->pools * TIERS, sizeof(*b->order));
	for (i = 0; b->order != NULL && i < bs->pools * TIERS; i++)
		if (lay_out(b, i / TIERS, i % TIERS) == -1)
			break;
	if (b->order == NULL || i < bs->pools * TIERS) {
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
	for (i = 0; b->order != NULL && i < b->bs->pools * TIERS; i++)
		free(b->order[i].at);
	free(b->order);
	free(b);
}

static bool
was_tried(const struct balance_ask *ask, uint32_t i)
{
	unsigned n;

	for (n = 0; n < ask->n; n++)
		if (ask->tried[n] == i)
			return true;
	return false;
}

/* *held*: even if it failed just now. */
static bool
usable(const struct balance *b, const struct balance_ask *ask, uint32_t i,
    bool held)
{
	return !was_tried(ask, i) && backend_serves(b->bs, i) &&
	    (held || !backend_held_off(b->bs, i, ask->now)) &&
	    !backend_full(b->bs, i);
}

static uint32_t
draw(struct balance *b, uint32_t pool, uint32_t tier)
{
	const struct order *o = order_of(b, pool, tier);
	struct board_pool *shared;
	uint64_t ticket;

	shared = &b->bs->board->pool[b->bs->pool[pool].seat];
	ticket = atomic_fetch_add_explicit(&shared->tier[tier].ticket, 1,
	    memory_order_relaxed);
	return o->at[ticket % o->length];
}

/* A usable backend of the tier, or -1. */
static int
pick_from(struct balance *b, const struct balance_ask *ask, uint32_t tier,
    bool held)
{
	const struct pool *p = &b->bs->pool[ask->pool];
	uint32_t i, got, turns, end = p->first + p->n;

	if ((turns = order_of(b, ask->pool, tier)->length) == 0)
		return -1;
	if (usable(b, ask, got = draw(b, ask->pool, tier), held))
		return (int)got;
	for (i = p->first; i < end; i++)
		if (b->bs->list[i].tier == tier && usable(b, ask, i, held))
			break;
	if (i == end)
		return -1;
	for (; turns > 0; turns--)
		if (usable(b, ask, got = draw(b, ask->pool, tier), held))
			return (int)got;
	/* Other workers drew all its places: it is usable all the same. */
	return (int)i;
}

/* Will there be one if only one waits? */
static bool
worth_waiting(const struct balance *b, const struct balance_ask *ask)
{
	const struct pool *p = &b->bs->pool[ask->pool];
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (!was_tried(ask, i) && (backend_unknown(b->bs, i) ||
		    backend_serves(b->bs, i)))
			return true;
	return false;
}

int
balance_pick(struct balance *b, const struct balance_ask *ask)
{
	uint32_t tier;
	int got, held;

	for (held = 0; held <= 1; held++)
		for (tier = 0; tier < TIERS; tier++)
			if ((got = pick_from(b, ask, tier, held)) != -1)
				return got;
	errno = worth_waiting(b, ask) ? EAGAIN : EHOSTDOWN;
	return -1;
}
