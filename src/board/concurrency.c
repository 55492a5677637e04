/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * concurrency.c: adds to the worker's own number, then sums those of all
 * workers, in one total order: of several sessions that race for the last
 * place, all but the first see it taken. All may step back, so each tries again
 * a few times.
 */
#include "board/concurrency.h"

/* Lost races before a session is refused. */
#define RACES		4

/*
 * The clients of a worker: buckets of 16, two adjacent cache lines. An entry is
 * one word, the upper part of the hash and the count, so that a reader always
 * sees both of the same moment.
 */
#define WAYS		16
#define BUCKETS		(BOARD_CLIENTS / WAYS)
#define COUNT_BITS	20
#define COUNT		((UINT64_C(1) << COUNT_BITS) - 1)

_Static_assert(BUCKETS <= 1 << COUNT_BITS, "parts of the hash are not used");

uint32_t
concurrency_count(const struct board *b, uint32_t listener)
{
	uint32_t i, n = 0, slots = board_worker_slots(b);

	for (i = 0; i < slots; i++)
		n += atomic_load(board_present(b, i, listener));
	return n;
}

bool
concurrency_enter(const struct board *b, uint32_t worker, uint32_t listener,
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
		/*
		 * Look first: a session that will be refused must not count for
		 * a moment.
		 */
		if (concurrency_count(b, listener) >= max)
			return false;
		atomic_fetch_add(mine, 1);
		if (concurrency_count(b, listener) <= max) {
			board_own_present(b, listener, 1);
			return true;
		}
		atomic_fetch_sub(mine, 1);
	}
	return false;
}

void
concurrency_leave(const struct board *b, uint32_t worker, uint32_t listener)
{
	gauge_add(board_present(b, worker, listener), -1);
	board_own_present(b, listener, -1);
}

static _Atomic uint64_t *
client_bucket(const struct board *b, uint32_t worker, uint64_t client)
{
	return &board_clients(b, worker)[client % BUCKETS * WAYS];
}

uint32_t
concurrency_count_client(const struct board *b, uint64_t client)
{
	uint32_t w, i, n = 0, slots = board_worker_slots(b);
	const _Atomic uint64_t *at;
	uint64_t word;

	for (w = 0; w < slots; w++) {
		/* Unused memory must not be touched. */
		if (atomic_load(&b->head->counts_clients[w]) == 0)
			continue;
		at = client_bucket(b, w, client);
		for (i = 0; i < WAYS; i++) {
			word = atomic_load(&at[i]);
			if (word >> COUNT_BITS == client >> COUNT_BITS)
				n += (uint32_t)(word & COUNT);
		}
	}
	return n;
}

/* This worker's entry of a client, or a free one. NULL: the bucket is full. */
static _Atomic uint64_t *
entry_for(const struct board *b, uint32_t worker, uint64_t client)
{
	_Atomic uint64_t *at = client_bucket(b, worker, client), *unused = NULL;
	uint64_t word;
	int i;

	for (i = 0; i < WAYS; i++) {
		word = atomic_load_explicit(&at[i], memory_order_relaxed);
		if (word >> COUNT_BITS == client >> COUNT_BITS)
			return &at[i];
		if ((word & COUNT) == 0 && unused == NULL)
			unused = &at[i];
	}
	if (unused != NULL)
		atomic_store(unused, client & ~COUNT);
	else if (b->own != NULL)
		atomic_store(&b->own->crowded, 1);
	return unused;
}

uint32_t
concurrency_put_client(const struct board *b, uint32_t worker, uint64_t client)
{
	_Atomic uint64_t *mine = entry_for(b, worker, client);

	if (mine == NULL)
		return CONCURRENCY_FULL;
	atomic_store(&b->head->counts_clients[worker], 1);
	atomic_fetch_add(mine, 1);
	return (uint32_t)(mine - board_clients(b, worker));
}

uint32_t
concurrency_enter_client(const struct board *b, uint32_t worker,
    uint64_t client, uint32_t max)
{
	_Atomic uint64_t *mine;
	int i;

	if (atomic_load(&b->head->counts_clients[worker]) == 0)
		atomic_store(&b->head->counts_clients[worker], 1);
	for (i = 0; i < RACES; i++) {
		if (concurrency_count_client(b, client) >= max ||
		    (mine = entry_for(b, worker, client)) == NULL)
			return CONCURRENCY_FULL;
		atomic_fetch_add(mine, 1);
		if (concurrency_count_client(b, client) <= max)
			return (uint32_t)(mine - board_clients(b, worker));
		atomic_fetch_sub(mine, 1);
	}
	return CONCURRENCY_FULL;
}

void
concurrency_leave_client(const struct board *b, uint32_t worker, uint32_t at)
{
	_Atomic uint64_t *mine = &board_clients(b, worker)[at];

	/*
	 * This worker is the only writer, so no locked instruction is needed.
	 */
	if ((atomic_load_explicit(mine, memory_order_relaxed) & COUNT) != 0)
		counter_add(mine, UINT64_MAX);
}
