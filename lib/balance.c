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

struct balance {
	const struct backends *bs;
	struct {
		uint16_t *order;	/* the sequence, as backend numbers */
		uint32_t  length;	/* 0: the tier is empty */
	} tier[TIERS];
};

static uint32_t
gcd(uint32_t a, uint32_t b)
{
	return b == 0 ? a : gcd(b, a % b);
}

/*
 * One period of the smooth sequence, the method that nginx made known: at each
 * step everyone gains its weight, the richest is next and pays the sum of all.
 */
static int
lay_out(struct balance *b, uint32_t tier)
{
	const struct backends *bs = b->bs;
	uint32_t i, step, best, sum = 0, unit = 0;
	int64_t *gain;

	for (i = 0; i < bs->n; i++)
		if (bs->list[i].tier == tier) {
			sum += bs->list[i].weight;
			unit = gcd(bs->list[i].weight, unit);
		}
	if (sum == 0)
		return 0;
	b->tier[tier].order = calloc(sum / unit, sizeof(uint16_t));
	if ((gain = calloc(bs->n, sizeof(*gain))) == NULL ||
	    b->tier[tier].order == NULL) {
		free(gain);
		return -1;
	}
	b->tier[tier].length = sum / unit;
	for (step = 0; step < sum / unit; step++) {
		best = bs->n;
		for (i = 0; i < bs->n; i++) {
			if (bs->list[i].tier != tier)
				continue;
			gain[i] += bs->list[i].weight;
			if (best == bs->n || gain[i] > gain[best])
				best = i;
		}
		gain[best] -= sum;
		b->tier[tier].order[step] = (uint16_t)best;
	}
	free(gain);
	return 0;
}

struct balance *
balance_new(const struct backends *bs)
{
	struct balance *b;
	uint32_t tier;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	b->bs = bs;
	for (tier = 0; tier < TIERS; tier++)
		if (lay_out(b, tier) == -1) {
			balance_free(b);
			errno = ENOMEM;
			return NULL;
		}
	return b;
}

void
balance_free(struct balance *b)
{
	uint32_t tier;

	if (b == NULL)
		return;
	for (tier = 0; tier < TIERS; tier++)
		free(b->tier[tier].order);
	free(b);
}

static bool
usable(const struct balance *b, uint32_t i, const uint16_t *tried, unsigned n,
    uint64_t now)
{
	while (n > 0)
		if (tried[--n] == i)
			return false;
	return !backend_held_off(b->bs, i, now);
}

static int
draw(struct balance *b, uint32_t tier)
{
	uint64_t ticket;

	ticket = atomic_fetch_add_explicit(&b->bs->board->tier[tier].ticket, 1,
	    memory_order_relaxed);
	return b->tier[tier].order[ticket % b->tier[tier].length];
}

/* A usable backend of the tier, or -1. *now* of UINT64_MAX: held-off ones too. */
static int
pick_from(struct balance *b, uint32_t tier, const uint16_t *tried, unsigned n,
    uint64_t now)
{
	const struct backends *bs = b->bs;
	uint32_t i, turns;
	int got;

	if (b->tier[tier].length == 0)
		return -1;
	got = draw(b, tier);
	if (usable(b, (uint32_t)got, tried, n, now))
		return got;
	for (i = 0; i < bs->n; i++)
		if (bs->list[i].tier == tier && usable(b, i, tried, n, now))
			break;
	if (i == bs->n)
		return -1;
	for (turns = b->tier[tier].length; turns > 0; turns--) {
		got = draw(b, tier);
		if (usable(b, (uint32_t)got, tried, n, now))
			return got;
	}
	/* Other workers drew all its places: it is usable all the same. */
	return (int)i;
}

int
balance_pick(struct balance *b, const uint16_t *tried, unsigned n,
    uint64_t now)
{
	uint32_t tier;
	int got;

	for (tier = 0; tier < TIERS; tier++)
		if ((got = pick_from(b, tier, tried, n, now)) != -1)
			return got;
	for (tier = 0; tier < TIERS; tier++)
		if ((got = pick_from(b, tier, tried, n, UINT64_MAX)) != -1)
			return got;
	errno = EHOSTDOWN;
	return -1;
}
