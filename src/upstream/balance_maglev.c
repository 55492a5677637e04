/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance_maglev.c: the table of Maglev (Eisenbud et al., NSDI 2016, section
 * 3.4). It depends only on names and weights: machines with the same list, in
 * any order, have the same table and agree without communication.
 */
#include "upstream/balance_tier.h"

#include <stdlib.h>
#include <string.h>

#define PLACES	65537			/* must be a prime */
#define NOBODY	UINT16_MAX

/* A member with its own order of preference over all places. */
struct maglev_entry {
	const struct server *server;
	uint64_t	hash;
	uint32_t	at, skip;	/* the next preferred place */
	uint32_t	credit;		/* a turn costs the largest weight */
	uint16_t	member, weight;
};

/*
 * Compares names, so that the order of the list does not matter; and hashes, so
 * that the numbers of the servers of one name do not matter.
 */
static int
compare_entries(const void *a, const void *b)
{
	const struct maglev_entry *x = a, *y = b;
	uint64_t of = x->server->lookup;

	if (of != y->server->lookup)
		return of < y->server->lookup ? -1 : 1;
	if (of != 0 && x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->server->name, y->server->name);
}

static uint32_t
gather_entries(const struct balance_tier *t, struct maglev_entry *list)
{
	const struct server *b;
	uint32_t k, most = 0;
	uint64_t hash;

	for (k = 0; k < t->n; k++) {
		b = &t->bs->list[t->member[k].server];
		hash = balance_mix(t->member[k].hash);
		list[k] = (struct maglev_entry){ .server = b, .hash = hash,
		    .at = (uint32_t)(hash % PLACES),
		    .skip = (uint32_t)(balance_mix(hash) % (PLACES - 1)) + 1,
		    .member = (uint16_t)k, .weight = t->member[k].weight };
		if (list[k].weight > most)
			most = list[k].weight;
	}
	qsort(list, t->n, sizeof(*list), compare_entries);
	return most;
}

/* Advances to the next preferred place that is free. */
static void
take_place(struct maglev_entry *c, uint16_t *table)
{
	while (table[c->at] != NOBODY)
		c->at = (c->at + c->skip) % PLACES;
	table[c->at] = c->member;
}

static void
populate_table(uint16_t *table, struct maglev_entry *list, uint32_t n,
    uint32_t most)
{
	uint32_t k, left = PLACES;

	memset(table, 0xff, PLACES * sizeof(*table));
	for (k = 0; left > 0; k = (k + 1) % n) {
		list[k].credit += list[k].weight;
		if (list[k].credit < most)
			continue;
		list[k].credit -= most;
		take_place(&list[k], table);
		left--;
	}
}

static int
prepare_table(struct balance_tier *t)
{
	struct maglev_entry *list = calloc(t->n, sizeof(*list));

	t->own = malloc(PLACES * sizeof(uint16_t));
	if (list != NULL && t->own != NULL)
		populate_table(t->own, list, t->n, gather_entries(t, list));
	free(list);
	return list == NULL || t->own == NULL ? -1 : 0;
}

static const struct member *
table_entry(const struct balance_tier *t, uint64_t hash)
{
	const uint16_t *table = t->own;

	return &t->member[table[hash % PLACES]];
}

static const struct member *
by_table(const struct balance_tier *t, struct balance_choice *c)
{
	return balance_by_key(t, c, table_entry);
}

const struct balance_algorithm balance_maglev = { "maglev", prepare_table,
    by_table };
