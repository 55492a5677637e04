/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance_tier.c: which members of a tier may be chosen. All algorithms call it;
 * it knows none of them.
 */
#include "upstream/balance_tier.h"

bool
balance_serves(const struct balance_tier *t, const struct balance_choice *c,
    const struct member *m)
{
	return server_serves(t->bs, m->server) && (c->held ||
	    !server_is_ejected(t->bs, m->server, c->ask->now));
}

struct balance_load
balance_load(const struct balance_tier *t, const struct balance_choice *c,
    const struct member *m)
{
	return (struct balance_load){
	    .sessions = board_server_live(t->bs->board, m->slot),
	    .weight = (uint64_t)m->weight * balance_warmth(t, c, m) };
}

bool
balance_usable(const struct balance_tier *t, struct balance_choice *c,
    const struct member *m, uint64_t score)
{
	if (balance_was_tried(c->ask, m->server) || !balance_serves(t, c, m) ||
	    server_full(t->bs, m->server) ||
	    server_lacks(t->bs, m->server, c->ask->now) ||
	    (c->bound.weight > 0 && !balance_less(balance_load(t, c, m),
	    c->bound)))
		return false;
	if (score % SERVER_WARM < balance_warmth(t, c, m))
		return true;
	c->spared = true;
	return false;
}

const struct member *
balance_any(const struct balance_tier *t, struct balance_choice *c,
    uint64_t r)
{
	const struct member *m, *any = NULL;
	uint64_t score = r;
	uint32_t sum = 0;

	for (m = t->member; m < t->member + t->n; m++) {
		if (!balance_usable(t, c, m, score))
			continue;
		sum += m->weight;
		r = balance_mix(r);
		if (r % sum < m->weight)
			any = m;
	}
	return any;
}
