/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * concurrency.c: adds to what is the worker's own, then sums up what all have, in one
 * order for all: of those that race for the last place all but the first see it
 * taken. All may step back, so they look again a few times.
 */
#include "board/concurrency.h"

/* Places lost to others before there is none. */
#define RACES		4

/*
 * The sources of a worker: buckets of 16, two lines of the cache that come
 * together. An entry is one word, the upper part of the hash over the number,
 * so that readers always see both of the same moment.
 */
#define WAYS		16
#define BUCKETS		(BOARD_SOURCES / WAYS)
#define COUNT_BITS	20
#define COUNT		((UINT64_C(1) << COUNT_BITS) - 1)

_Static_assert(BUCKETS <= 1 << COUNT_BITS, "parts of the hash are not used");

uint32_t
census_count(const struct board *b, uint32_t listener)
{
	uint32_t i, n = 0, slots = board_slots(b);

	for (i = 0; i < slots; i++)
		n += atomic_load(board_present(b, i, listener));
	return n;
}

bool
census_enter(const struct board *b, uint32_t worker, uint32_t listener,
    uint32_t max)
{
	_Atomic uint32_t *mine = board_present(b, worker, listener);
	int i;

	if (max == 0) {
		gauge_add(mine, 1);
		board_own_present(b, listener, 1);
		return true;
	}
	for (i = 0; i < RACES; i++) {
		/* Look first: who is refused should not count for a moment. */
		if (census_count(b, listener) >= max)
			return false;
		atomic_fetch_add(mine, 1);
		if (census_count(b, listener) <= max) {
			board_own_present(b, listener, 1);
			return true;
		}
		atomic_fetch_sub(mine, 1);
	}
	return false;
}

void
census_leave(const struct board *b, uint32_t worker, uint32_t listener)
{
	gauge_add(board_present(b, worker, listener), -1);
	board_own_present(b, listener, -1);
}

static _Atomic uint64_t *
bucket(const struct board *b, uint32_t worker, uint64_t source)
{
	return &board_sources(b, worker)[source % BUCKETS * WAYS];
}

uint32_t
census_count_source(const struct board *b, uint64_t source)
{
	uint32_t w, i, n = 0, slots = board_slots(b);
	const _Atomic uint64_t *at;
	uint64_t word;

	for (w = 0; w < slots; w++) {
		/* Memory that nobody has used is not to be touched. */
		if (atomic_load(&b->head->counts_sources[w]) == 0)
			continue;
		at = bucket(b, w, source);
		for (i = 0; i < WAYS; i++) {
			word = atomic_load(&at[i]);
			if (word >> COUNT_BITS == source >> COUNT_BITS)
				n += (uint32_t)(word & COUNT);
		}
	}
	return n;
}

/* Our own entry of a source, else one that is free. NULL: there is none. */
static _Atomic uint64_t *
entry_for(const struct board *b, uint32_t worker, uint64_t source)
{
	_Atomic uint64_t *at = bucket(b, worker, source), *unused = NULL;
	uint64_t word;
	int i;

	for (i = 0; i < WAYS; i++) {
		word = atomic_load_explicit(&at[i], memory_order_relaxed);
		if (word >> COUNT_BITS == source >> COUNT_BITS)
			return &at[i];
		if ((word & COUNT) == 0 && unused == NULL)
			unused = &at[i];
	}
	if (unused != NULL)
		atomic_store(unused, source & ~COUNT);
	else if (b->own != NULL)
		atomic_store(&b->own->crowded, 1);
	return unused;
}

uint32_t
census_put_source(const struct board *b, uint32_t worker, uint64_t source)
{
	_Atomic uint64_t *mine = entry_for(b, worker, source);

	if (mine == NULL)
		return CENSUS_FULL;
	atomic_store(&b->head->counts_sources[worker], 1);
	atomic_fetch_add(mine, 1);
	return (uint32_t)(mine - board_sources(b, worker));
}

uint32_t
census_enter_source(const struct board *b, uint32_t worker, uint64_t source,
    uint32_t max)
{
	_Atomic uint64_t *mine;
	int i;

	if (atomic_load(&b->head->counts_sources[worker]) == 0)
		atomic_store(&b->head->counts_sources[worker], 1);
	for (i = 0; i < RACES; i++) {
		if (census_count_source(b, source) >= max ||
		    (mine = entry_for(b, worker, source)) == NULL)
			return CENSUS_FULL;
		atomic_fetch_add(mine, 1);
		if (census_count_source(b, source) <= max)
			return (uint32_t)(mine - board_sources(b, worker));
		atomic_fetch_sub(mine, 1);
	}
	return CENSUS_FULL;
}

void
census_leave_source(const struct board *b, uint32_t worker, uint32_t at)
{
	_Atomic uint64_t *mine = &board_sources(b, worker)[at];

	/* Nobody else writes here: it needs no lock of the bus. */
	if ((atomic_load_explicit(mine, memory_order_relaxed) & COUNT) != 0)
		counter_add(mine, UINT64_MAX);
}
