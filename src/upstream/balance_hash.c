/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance_hash.c: consistent hashing (Karger et al., STOC 1997). Servers have
 * points on a ring by their names; a key belongs to the next point, so a change
 * of the list moves few keys. Bounded load (Mirrokni, Thorup, Zadimoghaddam,
 * SODA 2018) skips a server that has its share of the mean.
 */
#include "upstream/balance_tier.h"

#include <stdlib.h>

/*
 * Points for each unit of weight: 1024, which gives shares within some 3 %, or
 * half as many, and so on, while the largest weight has more than OF_ONE_MOST.
 * The sum of the weights does not matter, because it changes with every server
 * that comes or goes, and other points would move half of the keys. Only a ring
 * of more than RING_MOST, with very many servers, gets fewer.
 */
#define POINTS		1024
#define OF_ONE_MOST	4096
#define RING_MOST	(256 * 1024)

/* A point is its hash; the low bits are the number of the member. */
#define MEMBER_BITS	UINT64_C(0xffff)

/* Hashes are uniform: with as many parts as points, the right part is known. */
struct ring {
	uint32_t	 n;
	unsigned	 shift;		/* shifts a hash to its part */
	uint32_t	*part;		/* the start of each */
	uint64_t	 point[];	/* in ascending order */
};

static struct ring *
new_ring(uint64_t points)
{
	unsigned bits = 1;
	struct ring *r;

	while (UINT64_C(1) << bits < points)
		bits++;
	r = calloc(1, sizeof(*r) + points * sizeof(r->point[0]) +
	    ((UINT64_C(1) << bits) + 2) * sizeof(*r->part));
	if (r == NULL)
		return NULL;
	r->n = (uint32_t)points;
	r->shift = 64 - bits;
	r->part = (uint32_t *)&r->point[points];
	return r;
}

/*
 * Counts the points two parts further on, or stores them one part further on.
 */
static void
walk_ring_points(const struct balance_tier *t, struct ring *r, bool place)
{
	uint32_t k, n, points = r->n / t->sum;
	uint64_t hash;

	for (k = 0; k < t->n; k++) {
		hash = t->member[k].hash;
		for (n = 0; n < t->member[k].weight * points; n++) {
			hash = balance_mix(hash);
			if (place)
				r->point[r->part[(hash >> r->shift) + 1]++] =
				    (hash & ~MEMBER_BITS) | k;
			else
				r->part[(hash >> r->shift) + 2]++;
		}
	}
}

/* The points are in the right parts; few parts have more than two. */
static void
sort_ring_points(struct ring *r)
{
	uint64_t moving;
	uint32_t i, k;

	for (i = 1; i < r->n; i++) {
		moving = r->point[i];
		for (k = i; k > 0 && r->point[k - 1] > moving; k--)
			r->point[k] = r->point[k - 1];
		r->point[k] = moving;
	}
}

static uint64_t
points_of(const struct balance_tier *t)
{
	uint64_t points = POINTS;
	uint32_t k, most = 0;

	for (k = 0; k < t->n; k++)
		most = t->member[k].weight > most ? t->member[k].weight : most;
	while (points > 1 && (most * points > OF_ONE_MOST ||
	    t->sum * points > RING_MOST))
		points /= 2;
	return points;
}

static int
prepare_ring(struct balance_tier *t)
{
	uint64_t points = points_of(t), i;
	struct ring *r;

	if ((t->own = r = new_ring(t->sum * points)) == NULL)
		return -1;
	walk_ring_points(t, r, false);
	for (i = 2; i < (UINT64_C(1) << (64 - r->shift)) + 2; i++)
		r->part[i] += r->part[i - 1];
	/*
	 * The start of each part moves while it is filled, and ends up right.
	 */
	walk_ring_points(t, r, true);
	sort_ring_points(r);
	return 0;
}

/* The next point from here on; after the last comes the first. */
static const struct member *
next_point(const struct balance_tier *t, uint64_t hash)
{
	const struct ring *r = t->own;
	uint32_t i = r->part[hash >> r->shift];

	while (i < r->n && r->point[i] < (hash & ~MEMBER_BITS))
		i++;
	return &t->member[r->point[i == r->n ? 0 : i] & MEMBER_BITS];
}

/*
 * Including the new session, no server may have more than *factor* percent of
 * its share by weight, rounded up.
 */
static struct balance_load
load_bound(const struct balance_tier *t, const struct balance_choice *c)
{
	struct balance_load load, all = { .sessions = 1, .weight = 0 };
	const struct member *m;

	for (m = t->member; m < t->member + t->n; m++)
		if (balance_serves(t, c, m)) {
			load = balance_load(t, c, m);
			all.sessions += load.sessions;
			all.weight += load.weight;
		}
	all.sessions *= t->pool->hash_factor;
	all.weight *= 100;
	return all;
}

static const struct member *
on_the_ring(const struct balance_tier *t, struct balance_choice *c)
{
	const struct member *m;

	if (t->pool->hash_factor > 0) {
		c->bound = load_bound(t, c);
		m = balance_by_key(t, c, next_point);
		c->bound = (struct balance_load){ 0, 0 };
		if (m != NULL || c->spared)
			return m;
	}
	/* Bounded load is off, or the excluded servers have all the room. */
	return balance_by_key(t, c, next_point);
}

const struct balance_algorithm balance_hash = { "hash", prepare_ring,
    on_the_ring };
