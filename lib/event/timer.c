/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * timer.c: the wheels. Timers have ids instead of pointers, so that their owner
 * can move to another process. Invariant: a timer is in the slot of the tick
 * its deadline is rounded up to, or, if that is more than a turn away, in the
 * slot of the turn that contains this tick; a slot's bit is set exactly if the
 * slot has a timer.
 */
#include "event/timer.h"

#include <assert.h>
#include <stdlib.h>

#define SLOTS		2048		/* of each wheel: 16 s, and 9 h */
#define WORD		64

struct entry {
	uint32_t next, prev;		/* in its slot; TIMER_NONE at the ends */
	uint64_t tick : 48;		/* 0: not set */
	uint64_t slot : 16;		/* SLOTS and up: the slow wheel */
};

struct timers {
	uint64_t	 tick;		/* the last one visited */
	size_t		 n;
	struct entry	*entry;
	uint64_t	 used[2 * SLOTS / WORD];
	uint32_t	 first[2 * SLOTS];
};

struct timers *
timer_new(size_t n, uint64_t now)
{
	struct timers *t;
	size_t i;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	/* Untouched pages of a large table use no memory. */
	if ((t->entry = calloc(n, sizeof(*t->entry))) == NULL) {
		free(t);
		return NULL;
	}
	for (i = 0; i < 2 * SLOTS; i++)
		t->first[i] = TIMER_NONE;
	t->n = n;
	t->tick = now / TIMER_TICK;
	return t;
}

void
timer_free(struct timers *t)
{
	if (t == NULL)
		return;
	free(t->entry);
	free(t);
}

void
timer_clear(struct timers *t, uint32_t id)
{
	struct entry *e = &t->entry[id];
	size_t slot = e->slot;

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

static void
put_timer(struct timers *t, uint32_t id, uint64_t tick, size_t slot)
{
	struct entry *e = &t->entry[id];

	e->tick = tick;
	e->slot = slot;
	e->prev = TIMER_NONE;
	e->next = t->first[slot];
	if (e->next != TIMER_NONE)
		t->entry[e->next].prev = id;
	t->first[slot] = id;
	t->used[slot / WORD] |= UINT64_C(1) << slot % WORD;
}

void
timer_set(struct timers *t, uint32_t id, uint64_t at)
{
	uint64_t tick = (at + TIMER_TICK - 1) / TIMER_TICK;

	assert(id < t->n);
	/* The slots up to t->tick are visited: the next one is the earliest. */
	if (tick <= t->tick)
		tick = t->tick + 1;
	if (t->entry[id].tick == tick)
		return;
	timer_clear(t, id);
	put_timer(t, id, tick, tick - t->tick <= SLOTS ? tick % SLOTS :
	    SLOTS + tick / SLOTS % SLOTS);
}

/*
 * At the start of a turn: moves the timers of the slow wheel that are due in it
 * or before.
 */
static void
begin_turn(struct timers *t, uint64_t turn)
{
	uint32_t id, next;

	for (id = t->first[SLOTS + turn % SLOTS]; id != TIMER_NONE; id = next) {
		uint64_t tick = t->entry[id].tick;

		next = t->entry[id].next;
		if (tick / SLOTS > turn)
			continue;
		timer_clear(t, id);
		put_timer(t, id, tick, tick % SLOTS);
	}
}

/*
 * Ticks from t->tick to the next used slot of the fast wheel, at most *limit*.
 */
static uint64_t
next_fast(const struct timers *t, uint64_t limit)
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

/*
 * The same, or to the first turn with timers in the slow wheel; at most
 * *limit*.
 */
static uint64_t
next_used(const struct timers *t, uint64_t limit)
{
	uint64_t turn = SLOTS - t->tick % SLOTS, fast;
	size_t slot;

	for (; turn < limit; turn += SLOTS) {
		slot = SLOTS + (t->tick + turn) / SLOTS % SLOTS;
		if (t->used[slot / WORD] >> slot % WORD & 1)
			limit = turn;
	}
	fast = next_fast(t, limit);
	return fast < limit ? fast : limit;
}

/* After a long stop one turn visits all slots of the fast wheel. */
static void
catch_up(struct timers *t, uint64_t tick)
{
	uint64_t turn = t->tick / SLOTS, last = tick / SLOTS;

	t->tick = tick;
	if (last - turn > SLOTS)
		turn = last - SLOTS;
	while (turn < last)
		begin_turn(t, ++turn);
}

int
timer_wait(const struct timers *t, uint64_t now, int limit)
{
	uint64_t due, most = (uint64_t)limit;

	due = (t->tick + next_used(t, most / TIMER_TICK + 1)) * TIMER_TICK;
	if (due <= now)
		return 0;
	return due - now < most ? (int)(due - now) : limit;
}

uint32_t
timer_expired(struct timers *t, uint64_t now)
{
	uint64_t end = now / TIMER_TICK;
	uint32_t id;

	if (end > t->tick + SLOTS)
		catch_up(t, end - SLOTS);
	while (t->tick < end) {
		t->tick += next_used(t, end - t->tick);
		if (t->tick > end)
			t->tick = end;
		if (t->tick % SLOTS == 0)
			begin_turn(t, t->tick / SLOTS);
		for (id = t->first[t->tick % SLOTS]; id != TIMER_NONE;
		    id = t->entry[id].next)
			if (t->entry[id].tick <= t->tick) {
				timer_clear(t, id);
				t->tick--;	/* the slot may have more */
				return id;
			}
	}
	return TIMER_NONE;
}
