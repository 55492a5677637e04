/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * board_mend.c: restores rows of the board. Any worker can write to any row;
 * the owner of a row has a private copy and writes it again. Reads only used
 * parts: reading a hole would allocate memory for it.
 */
#include "board/board.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

/* Numbers of cells in use, by kind. */
struct extent {
	uint32_t servers, listeners, pools;
};

static uint32_t
at_most(const _Atomic uint32_t *n, uint32_t most)
{
	uint32_t is = atomic_load(n);

	return is < most ? is : most;
}

static struct extent
extent_of(const struct board *b)
{
	return (struct extent){
		at_most(&b->ledger->servers, BOARD_SERVER_SLOTS),
		at_most(&b->ledger->listeners, BOARD_LISTENERS),
		at_most(&b->ledger->pools, BOARD_POOLS),
	};
}

/* Writes only what differs, so that the cache line stays with its readers. */
static uint32_t
correct_word32(_Atomic uint32_t *cell, uint32_t right)
{
	if (atomic_load_explicit(cell, memory_order_relaxed) == right)
		return 0;
	atomic_store(cell, right);
	return 1;
}

static uint32_t
correct_word64(_Atomic uint64_t *cell, uint64_t right)
{
	if (atomic_load_explicit(cell, memory_order_relaxed) == right)
		return 0;
	atomic_store(cell, right);
	return 1;
}

static uint32_t
right_word32(const _Atomic uint32_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

/* Compares with *own*; NULL: all zero. */
static uint32_t
correct_row(const struct board *b, uint32_t worker, struct board_row *own)
{
	struct board_row *row = &b->row[worker];
	const struct extent n = extent_of(b);
	uint32_t i, wrong = 0;

	for (i = 0; i < n.servers; i++)
		wrong += correct_word32(&row->live[i], own == NULL ? 0 :
		    right_word32(&own->live[i]));
	for (i = 0; i < n.listeners; i++)
		wrong += correct_word32(&row->present[i], own == NULL ? 0 :
		    right_word32(&own->present[i]));
	wrong += correct_word32(&row->present[BOARD_EVERYBODY], own == NULL ?
	    0 : right_word32(&own->present[BOARD_EVERYBODY]));
	for (i = 0; i < n.pools; i++) {
		wrong += correct_word32(&row->wait[i].n, own == NULL ? 0 :
		    right_word32(&own->wait[i].n));
		wrong += correct_word64(&row->wait[i].ticket, own == NULL ? 0 :
		    atomic_load_explicit(&own->wait[i].ticket,
		    memory_order_relaxed));
	}
	return wrong;
}

/* Freed pages read as zero; where they cannot be freed, words are cleared. */
void
board_forget_clients(const struct board *b, uint32_t worker)
{
	_Atomic uint64_t *at = board_clients(b, worker);
	uint32_t i;

	if (madvise(at, BOARD_CLIENTS_ROW, MADV_REMOVE) == -1)
		for (i = 0; i < BOARD_CLIENTS; i++)
			atomic_store(&at[i], 0);
	atomic_store(&b->head->counts_clients[worker], 0);
}

uint32_t
board_clear_row(const struct board *b, uint32_t worker)
{
	uint32_t wrong = correct_row(b, worker, NULL);

	if (atomic_load(&b->head->counts_clients[worker]) != 0) {
		board_forget_clients(b, worker);
		atomic_store(&b->head->counts_clients[worker], 0);
	}
	return wrong;
}

int
board_keep_row(struct board *b, uint32_t worker)
{
	(void)board_clear_row(b, worker);
	board_forget_clients(b, worker);
	/* As in the row, only used parts take memory. */
	b->own = calloc(1, sizeof(*b->own));
	return b->own == NULL ? -1 : 0;
}

/*
 * If a master assigns one of these rows at this moment, its worker clears it.
 */
static uint32_t
mend_unused(const struct board *b, uint32_t worker)
{
	uint32_t wrong = 0;

	while (worker-- > 0 &&
	    atomic_load(&b->ledger->process[worker].pid) == 0)
		wrong += board_clear_row(b, worker);
	return wrong;
}

uint32_t
board_mend_row(const struct board *b, uint32_t worker)
{
	if (b->own == NULL)
		return 0;
	return correct_row(b, worker, b->own) + mend_unused(b, worker);
}
