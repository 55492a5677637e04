/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance_first.c: the first server of the list that has room. The others stay
 * idle, and may be switched off, until it is full.
 */
#include "upstream/balance_tier.h"

static int
prepare_nothing(struct balance_tier *t)
{
	(void)t;
	return 0;
}

static const struct member *
first_usable(const struct balance_tier *t, struct balance_choice *c)
{
	uint64_t score = t->pool->slow_start == 0 ? 0 :
	    balance_mix(balance_draw(t));
	const struct member *m;

	for (m = t->member; m < t->member + t->n; m++)
		if (balance_usable(t, c, m, score))
			return m;
	return NULL;
}

const struct balance_algorithm balance_first =
    { "first", prepare_nothing, first_usable };
