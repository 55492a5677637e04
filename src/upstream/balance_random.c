/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance_random.c: draws two servers by weight and takes the one with fewer
 * sessions (Mitzenmacher, The Power of Two Choices, 2001). Nearly as good as
 * leastconn, at a cost that does not depend on the number of servers.
 */
#include "upstream/balance_tier.h"

#define DRAWS	16

static const struct member *
of_two(const struct balance_tier *t, struct balance_choice *c)
{
	uint64_t r = balance_mix(balance_draw(t));
	const struct member *m, *best = NULL;
	unsigned n;

	for (n = 0; n < DRAWS; n++, r = balance_mix(r)) {
		m = balance_at(t, r);
		if (m == best || !balance_usable(t, c, m, r >> 32))
			continue;
		if (best != NULL)
			return balance_less(balance_load(t, c, m),
			    balance_load(t, c, best)) ? m : best;
		best = m;
	}
	return best != NULL ? best : balance_any(t, c, r);
}

const struct balance_algorithm balance_random = { "random", balance_lay_out,
    of_two };
