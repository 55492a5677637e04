/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance_tier.h: the interface between balance.c and the algorithms: a tier of
 * a pool, which every worker computes identically, and the choice in progress.
 * For src/upstream/balance*.c only: balance.c calls the algorithms, the
 * algorithms call balance_tier.c, and balance_tier.c calls neither.
 */
#ifndef BALANCE_TIER_H
#define BALANCE_TIER_H

#include <stdatomic.h>

#include "upstream/balance.h"

/* A server of the tier with a weight above 0. */
struct member {
	uint64_t	hash;		/* see server_hash() */
	uint32_t	slot;
	uint16_t	server;	/* its number in the list */
	uint16_t	weight;
};

struct balance_tier {
	const struct servers *bs;
	const struct pool *pool;
	_Atomic uint64_t *ticket;	/* on the board, one for all workers */
	struct member	*member;	/* in the order of the list */
	uint32_t	 n;		/* 0: the tier is never used */
	uint32_t	 sum;		/* of their weights */
	uint16_t	*sequence;	/* members in smooth order, or NULL */
	uint32_t	 length;
	void		*own;		/* memory of the algorithm, or NULL */
};

struct balance_choice {
	const struct balance_ask *ask;
	bool		 held;		/* includes ejected servers */
	bool		 cold;		/* includes cold servers fully */
	bool		 spared;	/* a cold server was skipped */
	/*
	 * A server with this many sessions by weight is full; 0 and 0: no
	 * limit.
	 */
	struct balance_load {
		uint64_t sessions, weight;
	} bound;
};

struct balance_algorithm {
	const char	*name;
	/* Prepares a tier with members. -1 with ENOMEM. */
	int		 (*prepare)(struct balance_tier *);
	/* A usable member, or NULL. */
	const struct member *(*pick)(const struct balance_tier *,
			    struct balance_choice *);
};

extern const struct balance_algorithm balance_roundrobin, balance_leastconn,
    balance_random, balance_client, balance_hash, balance_maglev,
    balance_first;

/*
 * The generator SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), whose last steps
 * are variant 13 of Stafford's mixers: a bijection in which each bit of *x*
 * changes half of the bits of the result.
 */
static inline uint64_t
balance_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Has the session tried this one, by its number in the list? */
static inline bool
balance_was_tried(const struct balance_ask *ask, uint32_t i)
{
	unsigned n;

	for (n = 0; n < ask->n; n++)
		if (ask->tried[n] == i)
			return true;
	return false;
}

/*
 * True if this server may be chosen. A cold one may be for a share of the draws
 * that grows with its warmth, always the same draws and more of them.
 */
bool	balance_usable(const struct balance_tier *, struct balance_choice *,
	    const struct member *, uint64_t score);

/* The same with regard to checks and failures only. */
bool	balance_serves(const struct balance_tier *,
	    const struct balance_choice *, const struct member *);

/* Its sessions, and its weight, which is lower while it is cold. */
struct balance_load balance_load(const struct balance_tier *,
	    const struct balance_choice *, const struct member *);

/* The weight in parts of SERVER_WARM. */
static inline uint32_t
balance_warmth(const struct balance_tier *t, const struct balance_choice *c,
    const struct member *m)
{
	return t->pool->slow_start == 0 || c->cold ? SERVER_WARM :
	    server_warmth(t->bs, m->server, c->ask->now);
}

/* True if *a* has fewer sessions by weight. Weight 0 counts as the most. */
static inline bool
balance_less(struct balance_load a, struct balance_load b)
{
	return a.sessions * b.weight < b.sessions * a.weight;
}

/*
 * Any usable server, by weight; *r* is random. The last resort of algorithms.
 */
const struct member *balance_any(const struct balance_tier *,
	    struct balance_choice *, uint64_t r);

/* For prepare: computes the sequence. -1 with ENOMEM. */
int	balance_lay_out(struct balance_tier *);

/* The next ticket of the tier, and the member at its position. */
uint64_t balance_draw(const struct balance_tier *);

static inline const struct member *
balance_at(const struct balance_tier *t, uint64_t place)
{
	return &t->member[t->sequence[place % t->length]];
}

/*
 * The first usable member that *at* returns for successive hashes of the
 * client's key. If a server is not usable, only its own keys move, to all
 * others, and they return with it.
 */
const struct member *balance_by_key(const struct balance_tier *,
	    struct balance_choice *, const struct member *(*at)(
	    const struct balance_tier *, uint64_t hash));

#endif
