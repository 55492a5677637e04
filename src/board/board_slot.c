/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * board_slot.c: assigns the slots of the board. For the master: it alone writes
 * them, and the index of names is private. Invariant: a slot belongs to one
 * name for as long as a generation that has the name has workers.
 */
#include "board/board.h"

#include <stdlib.h>
#include <string.h>

/* Index of the names of one kind, for one pass over a configuration. */
struct slot_index {
	uint64_t	 generation;	/* of this index */
	uint32_t	 unused;	/* all slots before it are taken */
	uint32_t	 places;
	uint32_t	 place[];	/* hash table of slot + 1; 0: empty */
};

/* The slots of one kind. */
struct slots {
	struct board_slot *slot;
	_Atomic uint32_t *used;		/* number of those ever used */
	uint32_t	 room;
	struct slot_index **index;
};

uint64_t
board_hash(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return h == 0 ? 1 : h;
}

bool
board_slots_are_sound(const struct board_slot *slot, uint32_t used,
    uint32_t room)
{
	uint32_t i;

	if (used > room)
		return false;
	for (i = 0; i < used; i++)
		if (memchr(slot[i].name, 0, sizeof(slot[i].name)) == NULL ||
		    slot[i].hash != board_hash(slot[i].name))
			return false;
	return true;
}

static uint32_t
index_place_of(const struct slot_index *x, uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32) % x->places;
}

static void
note_slot(struct slot_index *x, uint64_t hash, uint32_t slot)
{
	uint32_t p = index_place_of(x, hash);

	while (x->place[p] != 0)
		p = (p + 1) % x->places;
	x->place[p] = slot + 1;
}

/* Another master may have assigned slots since: index all again. */
static struct slot_index *
make_index(const struct slots *s, uint64_t generation)
{
	uint32_t i, n = atomic_load(s->used);
	struct slot_index *x;

	free(*s->index);
	x = *s->index = calloc(1, sizeof(*x) + 3 * s->room *
	    sizeof(x->place[0]));
	if (x == NULL)
		return NULL;
	x->generation = generation;
	x->places = 3 * s->room;
	for (i = 0; i < n; i++)
		note_slot(x, s->slot[i].hash, i);
	return x;
}

static uint32_t
find_slot(const struct slots *s, const char *name, uint64_t hash,
    uint64_t where)
{
	const struct slot_index *x = *s->index;
	uint32_t p = index_place_of(x, hash), at;
	const struct board_slot *slot;

	for (; (at = x->place[p]) != 0; p = (p + 1) % x->places) {
		slot = &s->slot[at - 1];
		if (slot->hash == hash && slot->where == where &&
		    strncmp(slot->name, name, sizeof(slot->name)) == 0)
			return at - 1;
	}
	return BOARD_NO_SLOT;
}

/* Finds a slot without a user since *oldest*. New slots are taken in order. */
static uint32_t
free_slot(const struct slots *s, uint64_t oldest)
{
	uint32_t i = (*s->index)->unused, used = atomic_load(s->used);

	while (i < used && s->slot[i].generation >= oldest)
		i++;
	(*s->index)->unused = i;
	return i < s->room ? i : BOARD_NO_SLOT;
}

/*
 * A reused slot stays indexed by both names: there is room for that. The state
 * of a name that was absent until its last session ended is out of date, so its
 * slot is *fresh*, too.
 */
static uint32_t
take_slot(const struct slots *s, const char *name, uint64_t where,
    uint64_t generation, uint64_t oldest, bool *fresh)
{
	uint64_t hash = board_hash(name);
	struct board_slot *slot;
	uint32_t i;

	*fresh = false;
	if ((*s->index == NULL || (*s->index)->generation != generation) &&
	    make_index(s, generation) == NULL)
		return BOARD_NO_SLOT;
	if ((i = find_slot(s, name, hash, where)) != BOARD_NO_SLOT) {
		*fresh = s->slot[i].generation < oldest;
		s->slot[i].generation = generation;
		return i;
	}
	if ((i = free_slot(s, oldest)) == BOARD_NO_SLOT)
		return BOARD_NO_SLOT;
	*fresh = true;
	slot = &s->slot[i];
	memset(slot, 0, sizeof(*slot));
	(void)strlcpy(slot->name, name, sizeof(slot->name));
	slot->hash = hash;
	slot->where = where;
	slot->generation = generation;
	note_slot(*s->index, hash, i);
	if (i >= atomic_load(s->used))
		atomic_store(s->used, i + 1);
	return i;
}

uint32_t
board_assign_server(struct board *b, const char *name, uint64_t where,
    uint64_t generation, uint64_t oldest)
{
	const struct slots s = { b->ledger->server, &b->ledger->servers,
	    BOARD_SERVER_SLOTS, &b->index[0] };
	uint32_t i;
	bool fresh;

	i = take_slot(&s, name, where, generation, oldest, &fresh);
	if (fresh) {
		memset(&b->server[i], 0, sizeof(b->server[i]));
		memset(&b->book[i], 0, sizeof(b->book[i]));
	}
	return i;
}

uint32_t
board_assign_pool(struct board *b, const char *name, uint64_t generation,
    uint64_t oldest)
{
	const struct slots s = { b->ledger->pool, &b->ledger->pools,
	    BOARD_POOLS, &b->index[1] };
	uint32_t i;
	bool fresh;

	i = take_slot(&s, name, 0, generation, oldest, &fresh);
	if (fresh)
		memset(&b->pool[i], 0, sizeof(b->pool[i]));
	return i;
}

uint32_t
board_assign_listener(struct board *b, const char *name, uint64_t generation,
    uint64_t oldest)
{
	const struct slots s = { b->ledger->listener, &b->ledger->listeners,
	    BOARD_LISTENERS, &b->index[2] };
	uint32_t i;
	bool fresh;

	i = take_slot(&s, name, 0, generation, oldest, &fresh);
	if (fresh)
		memset(&b->listener[i], 0, sizeof(b->listener[i]));
	return i;
}

void
board_end_assigning(struct board *b)
{
	size_t i;

	for (i = 0; i < sizeof(b->index) / sizeof(b->index[0]); i++) {
		free(b->index[i]);
		b->index[i] = NULL;
	}
}
