/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * board_seat.c: who sits where on the board. For the master: it alone writes the
 * seats, and an index of their names is its own. Invariant: a seat belongs to one name
 * for as long as a generation that knows the name has workers.
 */
#include "board/board.h"

#include <stdlib.h>
#include <string.h>

/* Where the names of one kind are, for one pass over a configuration. */
struct seat_index {
	uint64_t	 generation;	/* it was made for */
	uint32_t	 unused;	/* before it all are taken */
	uint32_t	 places;
	uint32_t	 place[];	/* by hash: seats, from 1 on; 0: none */
};

/* The seats of one kind. */
struct seats {
	struct board_seat *seat;
	_Atomic uint32_t *used;		/* those that were ever taken */
	uint32_t	 room;
	struct seat_index **index;
};

bool
seats_are_sound(const struct board_seat *seat, uint32_t used, uint32_t room)
{
	uint32_t i;

	if (used > room)
		return false;
	for (i = 0; i < used; i++)
		if (memchr(seat[i].name, 0, sizeof(seat[i].name)) == NULL ||
		    seat[i].hash != board_hash(seat[i].name))
			return false;
	return true;
}

static uint32_t
place_of(const struct seat_index *x, uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32) % x->places;
}

static void
note_seat(struct seat_index *x, uint64_t hash, uint32_t seat)
{
	uint32_t p = place_of(x, hash);

	while (x->place[p] != 0)
		p = (p + 1) % x->places;
	x->place[p] = seat + 1;
}

/* Another master may have given seats away since: look at them all again. */
static struct seat_index *
make_index(const struct seats *s, uint64_t generation)
{
	uint32_t i, n = atomic_load(s->used);
	struct seat_index *x;

	free(*s->index);
	x = *s->index = calloc(1, sizeof(*x) + 3 * s->room *
	    sizeof(x->place[0]));
	if (x == NULL)
		return NULL;
	x->generation = generation;
	x->places = 3 * s->room;
	for (i = 0; i < n; i++)
		note_seat(x, s->seat[i].hash, i);
	return x;
}

static uint32_t
find_seat(const struct seats *s, const char *name, uint64_t hash,
    uint64_t where)
{
	const struct seat_index *x = *s->index;
	uint32_t p = place_of(x, hash), at;
	const struct board_seat *seat;

	for (; (at = x->place[p]) != 0; p = (p + 1) % x->places) {
		seat = &s->seat[at - 1];
		if (seat->hash == hash && seat->where == where &&
		    strncmp(seat->name, name, sizeof(seat->name)) == 0)
			return at - 1;
	}
	return BOARD_NO_SEAT;
}

/* One that nobody has used since *oldest*. They are first taken in order. */
static uint32_t
free_seat(const struct seats *s, uint64_t oldest)
{
	uint32_t i = (*s->index)->unused, used = atomic_load(s->used);

	while (i < used && s->seat[i].generation >= oldest)
		i++;
	(*s->index)->unused = i;
	return i < s->room ? i : BOARD_NO_SEAT;
}

/*
 * A seat that is used again is noted by both names: there is room for that. What
 * is said of one that was away until the last of its sessions ended is out of
 * date: it is *fresh*, too.
 */
static uint32_t
take_seat(const struct seats *s, const char *name, uint64_t where,
    uint64_t generation, uint64_t oldest, bool *fresh)
{
	uint64_t hash = board_hash(name);
	struct board_seat *seat;
	uint32_t i;

	*fresh = false;
	if ((*s->index == NULL || (*s->index)->generation != generation) &&
	    make_index(s, generation) == NULL)
		return BOARD_NO_SEAT;
	if ((i = find_seat(s, name, hash, where)) != BOARD_NO_SEAT) {
		*fresh = s->seat[i].generation < oldest;
		s->seat[i].generation = generation;
		return i;
	}
	if ((i = free_seat(s, oldest)) == BOARD_NO_SEAT)
		return BOARD_NO_SEAT;
	*fresh = true;
	seat = &s->seat[i];
	memset(seat, 0, sizeof(*seat));
	(void)strlcpy(seat->name, name, sizeof(seat->name));
	seat->hash = hash;
	seat->where = where;
	seat->generation = generation;
	note_seat(*s->index, hash, i);
	if (i >= atomic_load(s->used))
		atomic_store(s->used, i + 1);
	return i;
}

uint32_t
board_seat_backend(struct board *b, const char *name, uint64_t where,
    uint64_t generation, uint64_t oldest)
{
	const struct seats s = { b->ledger->backend, &b->ledger->backends,
	    BOARD_SEATS, &b->index[0] };
	uint32_t i;
	bool fresh;

	i = take_seat(&s, name, where, generation, oldest, &fresh);
	if (fresh) {
		memset(&b->backend[i], 0, sizeof(b->backend[i]));
		memset(&b->server[i], 0, sizeof(b->server[i]));
	}
	return i;
}

uint32_t
board_seat_pool(struct board *b, const char *name, uint64_t generation,
    uint64_t oldest)
{
	const struct seats s = { b->ledger->pool, &b->ledger->pools,
	    BOARD_POOLS, &b->index[1] };
	uint32_t i;
	bool fresh;

	i = take_seat(&s, name, 0, generation, oldest, &fresh);
	if (fresh)
		memset(&b->pool[i], 0, sizeof(b->pool[i]));
	return i;
}

uint32_t
board_seat_listener(struct board *b, const char *name, uint64_t generation,
    uint64_t oldest)
{
	const struct seats s = { b->ledger->listener, &b->ledger->listeners,
	    BOARD_LISTENERS, &b->index[2] };
	uint32_t i;
	bool fresh;

	i = take_seat(&s, name, 0, generation, oldest, &fresh);
	if (fresh)
		memset(&b->listener[i], 0, sizeof(b->listener[i]));
	return i;
}

void
board_all_seated(struct board *b)
{
	size_t i;

	for (i = 0; i < sizeof(b->index) / sizeof(b->index[0]); i++) {
		free(b->index[i]);
		b->index[i] = NULL;
	}
}
