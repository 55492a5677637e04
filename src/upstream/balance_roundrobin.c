/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance_roundrobin.c: draws positions in a sequence that every worker
 * computes identically. A draw is one atomic addition; an unusable server
 * causes another draw, so that its share goes to the others evenly.
 */
#include "upstream/balance_tier.h"

#include <stdlib.h>

/* This many draws miss a server with 1/16 of the weight one time in 60. */
#define DRAWS	64

#define FEW	16u			/* groups compared at once */

static uint32_t
greatest_divisor(uint32_t a, uint32_t b)
{
	return b == 0 ? a : greatest_divisor(b, a % b);
}

/*
 * Members of equal weight take turns, whatever the others do: the one drawn
 * least often has the highest gain. So members are grouped by weight, and each
 * step looks only at the groups.
 */
struct groups {
	int32_t	gain[SERVER_WEIGHT_MAX];	/* of the next member */
	int32_t	weight[SERVER_WEIGHT_MAX];	/* 0: no such group */
	struct {
		uint32_t first, n;	/* range in order of weight */
		uint32_t next;		/* the next member */
	} of[SERVER_WEIGHT_MAX];
	uint32_t n;
	uint16_t sorted[];			/* member numbers */
};

static struct groups *
group_by_weight(const struct balance_tier *t)
{
	uint32_t k, w, count[SERVER_WEIGHT_MAX + 1] = { 0 };
	uint32_t place[SERVER_WEIGHT_MAX + 1], first = 0;
	struct groups *g;

	g = calloc(1, sizeof(*g) + t->n * sizeof(g->sorted[0]));
	if (g == NULL)
		return NULL;
	for (k = 0; k < t->n; k++)
		count[t->member[k].weight]++;
	for (w = 1; w <= SERVER_WEIGHT_MAX; first += count[w++]) {
		place[w] = first;
		if (count[w] == 0)
			continue;
		g->weight[g->n] = (int32_t)w;
		g->of[g->n].first = first;
		g->of[g->n++].n = count[w];
	}
	for (k = g->n; k < SERVER_WEIGHT_MAX; k++)
		g->gain[k] = INT32_MIN;
	for (k = 0; k < t->n; k++)
		g->sorted[place[t->member[k].weight]++] = (uint16_t)k;
	return g;
}

static uint16_t
turn_of(const struct groups *g, uint32_t k)
{
	return g->sorted[g->of[k].first + g->of[k].next];
}

/* Adds to each group its weight. Returns the highest gain. */
static int32_t
step_gains(int32_t *gain, const int32_t *weight)
{
	int32_t most = INT32_MIN;
	unsigned k;

	/* Always the whole block, so that compilers can vectorise it. */
	for (k = 0; k < FEW; k++) {
		gain[k] += weight[k];
		most = gain[k] > most ? gain[k] : most;
	}
	return most;
}

/*
 * The group with the highest gain after one more step: of several, the one
 * whose member is first in the list.
 */
static uint32_t
richest_group(struct groups *g)
{
	int32_t few, most = INT32_MIN;
	uint32_t i, k, best = 0;

	for (i = 0; i < g->n; i += FEW) {
		if ((few = step_gains(&g->gain[i], &g->weight[i])) < most)
			continue;
		for (k = i; k < i + FEW; k++)
			if (g->gain[k] == few && (few > most ||
			    turn_of(g, k) < turn_of(g, best))) {
				most = few;
				best = k;
			}
	}
	return best;
}

/*
 * One period of the smooth sequence made known by nginx: at each step every
 * server gains its weight; the one with the highest gain is next and pays the
 * sum.
 */
int
balance_lay_out(struct balance_tier *t)
{
	struct groups *g = group_by_weight(t);
	uint32_t i, k, unit = 0;

	if (g == NULL)
		return -1;
	for (k = 0; k < g->n; k++)
		unit = greatest_divisor((uint32_t)g->weight[k], unit);
	t->length = t->sum / unit;
	t->sequence = calloc(t->length, sizeof(*t->sequence));
	for (i = 0; t->sequence != NULL && i < t->length; i++) {
		k = richest_group(g);
		t->sequence[i] = turn_of(g, k);
		if (++g->of[k].next == g->of[k].n) {
			g->of[k].next = 0;
			g->gain[k] -= (int32_t)t->sum;
		}
	}
	free(g);
	return t->sequence == NULL ? -1 : 0;
}

uint64_t
balance_draw(const struct balance_tier *t)
{
	return atomic_fetch_add_explicit(t->ticket, 1, memory_order_relaxed);
}

static const struct member *
in_turn(const struct balance_tier *t, struct balance_choice *c)
{
	const struct member *m;
	uint64_t ticket = 0;
	unsigned n;

	for (n = 0; n < DRAWS; n++) {
		ticket = balance_draw(t);
		m = balance_at(t, ticket);
		if (balance_usable(t, c, m, balance_mix(ticket)))
			return m;
	}
	return balance_any(t, c, balance_mix(ticket));
}

const struct balance_algorithm balance_roundrobin = { "roundrobin",
    balance_lay_out, in_turn };
