/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * timer.c: the wheel. Ids instead of pointers, so that what has a timer can be
 * handed to another process. Invariant: a timer stands in the slot of the tick
 * its deadline is rounded up to, and a slot's bit is set exactly when a timer
 * stands in it.
 */
#include "timer.h"

#include <assert.h>
#include <stdlib.h>

#define SLOTS		2048		/* one turn: 16 s */
#define WORD		64

struct entry {
	uint32_t next, prev;		/* in its slot; TIMER_NONE at the ends */
	uint64_t tick;			/* 0: not set */
};

struct timers {
	uint64_t	 tick;		/* the last one that was visited */
	size_t		 n;
	struct entry	*entry;
	uint64_t	 used[SLOTS / WORD];
	uint32_t	 first[SLOTS];
};

struct timers *
timers_new(size_t n, uint64_t now)
{
	struct timers *t;
	size_t i;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	/* Untouched pages of a large table cost no memory. */
	if ((t->entry = calloc(n, sizeof(*t->entry))) == NULL) {
		free(t);
		return NULL;
	}
	for (i = 0; i < SLOTS; i++)
		t->first[i] = TIMER_NONE;
	t->n = n;
	t->tick = now / TIMER_TICK;
	return t;
}

void
timers_free(struct timers *t)
{
	if (t == NULL)
		return;
	free(t->entry);
	free(t);
}

void
timers_clear(struct timers *t, uint32_t id)
{
	struct entry *e = &t->entry[id];
	size_t slot = e->tick % SLOTS;

	if (e->tick == 0)
		return;
	if (e->next != TIMER_NONE)
		t->entry[e->next].prev = e->prev;
	if (e->prev != TIMER_NONE)
		t->entry[e->prev].next = e->next;
	else
		t->first[slot] = e->next;
	if (t->first[slot] == TIMER_NONE)
		t->used[slot / WORD] &= ~(UINT64_C(1) << slot % WORD);
	e->tick = 0;
}

void
timers_set(struct timers *t, uint32_t id, uint64_t at)
{
	struct entry *e = &t->entry[id];
	uint64_t tick = (at + TIMER_TICK - 1) / TIMER_TICK;
	size_t slot;

	assert(id < t->n);
	/* The slots up to t->tick have been visited: the next is the soonest. */
	if (tick <= t->tick)
		tick = t->tick + 1;
	if (e->tick == tick)
		return;
	timers_clear(t, id);
	slot = tick % SLOTS;
	e->tick = tick;
	e->prev = TIMER_NONE;
	e->next = t->first[slot];
	if (e->next != TIMER_NONE)
		t->entry[e->next].prev = id;
	t->first[slot] = id;
	t->used[slot / WORD] |= UINT64_C(1) << slot % WORD;
}

/* Ticks from t->tick to the next used slot, at most *limit*. */
static uint64_t
next_used(const struct timers *t, uint64_t limit)
{
	uint64_t ahead = 1, bits;
	size_t slot;

	while (ahead <= limit && ahead <= SLOTS) {
		slot = (t->tick + ahead) % SLOTS;
		bits = t->used[slot / WORD] >> slot % WORD;
		if (bits != 0)
			return ahead + (uint64_t)__builtin_ctzll(bits);
		ahead += WORD - slot % WORD;
	}
	return limit;
}

int
timers_wait(const struct timers *t, uint64_t now, int limit)
{
	uint64_t due, most = (uint64_t)limit;

	due = (t->tick + next_used(t, most / TIMER_TICK + 1)) * TIMER_TICK;
	if (due <= now)
		return 0;
	return due - now < most ? (int)(due - now) : limit;
}

uint32_t
timers_expired(struct timers *t, uint64_t now)
{
	uint64_t end = now / TIMER_TICK;
	uint32_t id;

	/* After a long stop one whole turn visits every slot. */
	if (end > t->tick + SLOTS)
		t->tick = end - SLOTS;
	while (t->tick < end) {
		t->tick += next_used(t, end - t->tick);
		if (t->tick > end)
			t->tick = end;
		for (id = t->first[t->tick % SLOTS]; id != TIMER_NONE;
		    id = t->entry[id].next)
			if (t->entry[id].tick <= t->tick) {
				timers_clear(t, id);
				t->tick--;	/* the slot may have more */
				return id;
			}
	}
	return TIMER_NONE;
}
