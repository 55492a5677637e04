/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance_key.c: the common part of the algorithms that use a key, and
 * `client`, which is no more than that. A key has an order of preference over
 * all servers that depends on nothing else; the first usable one gets it. So if
 * one goes or comes, no other key moves.
 */
#include "upstream/balance_tier.h"

#include <string.h>

/* Hashes that are tried in the table before all servers are compared. */
#define LOOKUPS	16

/* Eight bytes as a number, the same on all machines. */
static uint64_t
read_key_word(const unsigned char *p)
{
	uint64_t w = 0;
	int i;

	for (i = 0; i < 8; i++)
		w = w << 8 | p[i];
	return w;
}

/* Clients without an address get a random key. */
static uint64_t
key_of(const struct balance_tier *t, const struct endpoint *e)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned char ip[16];
	uint64_t h;

	if (e->family == AF_INET) {
		/* The family of the listening socket must not matter. */
		memcpy(ip, mapped, sizeof(mapped));
		memcpy(ip + sizeof(mapped), e->ip, 4);
	} else if (e->family == AF_INET6)
		memcpy(ip, e->ip, sizeof(ip));
	else
		return balance_mix(balance_draw(t));
	h = balance_mix(balance_mix(read_key_word(ip)) ^ read_key_word(ip + 8));
	return t->pool->hash_port ? balance_mix(h ^ e->port) : h;
}

static uint64_t
score_of(const struct member *m, uint64_t key)
{
	return balance_mix(key ^ m->hash);
}

/*
 * The server with the highest score (Thaler, Ravishankar, rendezvous hashing,
 * 1998).
 */
static const struct member *
highest_weight_member(const struct balance_tier *t, struct balance_choice *c,
    uint64_t key)
{
	const struct member *m, *best = NULL;
	uint64_t score, most = 0;

	for (m = t->member; m < t->member + t->n; m++) {
		score = score_of(m, key);
		if ((best == NULL || score > most) &&
		    balance_usable(t, c, m, score >> 32)) {
			best = m;
			most = score;
		}
	}
	return best;
}

const struct member *
balance_by_key(const struct balance_tier *t, struct balance_choice *c,
    const struct member *(*at)(const struct balance_tier *, uint64_t))
{
	uint64_t key = key_of(t, c->ask->client), hash = key;
	const struct member *m;
	unsigned n;

	for (n = 0; n < LOOKUPS; n++, hash = balance_mix(hash)) {
		m = at(t, hash);
		if (balance_usable(t, c, m, score_of(m, key) >> 32))
			return m;
	}
	return highest_weight_member(t, c, key);
}

static const struct member *
by_client(const struct balance_tier *t, struct balance_choice *c)
{
	return balance_by_key(t, c, balance_at);
}

const struct balance_algorithm balance_client = { "client", balance_lay_out,
    by_client };
