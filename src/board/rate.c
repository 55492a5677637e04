/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * rate.c: counts in slices of time. Add first, then sum: of several sessions
 * that race for the last place, all but the first see it taken. Invariant: an
 * admitted session was counted during its slice, so the last one of any second
 * has seen all others.
 */
#include "board/rate.h"

#include <stddef.h>

#include "sys/clock.h"

/* Slices summed besides the current one. */
#define WINDOW		16		/* a second */

/* A slice: its number, and the count in the lower bits. */
#define COUNT_BITS	24
#define COUNT		((UINT64_C(1) << COUNT_BITS) - 1)

/* An owner: part of its hash, and its last slice in the lower bits. */
#define LAST_BITS	28
#define LAST		((UINT64_C(1) << LAST_BITS) - 1)

/* Lost races or passed slices before a session is refused. */
#define RACES		4

#define TOO_LATE	UINT64_MAX

/* The number of the current slice. */
static uint64_t
rate_slice_now(void)
{
	return clock_now_ms() * WINDOW / 1000;
}

/* All processes use one clock. */
#define AHEAD		WINDOW

/* True for a slice in the future: a process has written garbage. */
static bool
is_nonsense(uint64_t word, uint64_t k)
{
	return word >> COUNT_BITS > k &&
	    word >> COUNT_BITS > rate_slice_now() + AHEAD;
}

/* False: the slice is too old and has been overwritten. */
static bool
add_to_slice(struct rate *r, uint64_t k)
{
	_Atomic uint64_t *at = &r->slice[k % RATE_SLICES];
	uint64_t was = atomic_load(at), is;

	do {
		if (was >> COUNT_BITS > k && !is_nonsense(was, k))
			return false;
		is = was >> COUNT_BITS == k ? was : k << COUNT_BITS;
	} while (!atomic_compare_exchange_weak(at, &was, is + 1));
	return true;
}

static void
take_from_slice(struct rate *r, uint64_t k)
{
	_Atomic uint64_t *at = &r->slice[k % RATE_SLICES];
	uint64_t was = atomic_load(at);

	do {
		if (was >> COUNT_BITS != k || (was & COUNT) == 0)
			return;
	} while (!atomic_compare_exchange_weak(at, &was, was - 1));
}

/*
 * The sum of the window that ends with slice *k*, and of later slices.
 * TOO_LATE: slices of it are overwritten.
 */
static uint64_t
sum_window(const struct rate *r, uint64_t k)
{
	uint64_t word, n = 0;
	int i;

	for (i = 0; i < RATE_SLICES; i++) {
		word = atomic_load(&r->slice[i]);
		if (is_nonsense(word, k))
			continue;
		if ((word >> COUNT_BITS) + WINDOW >= k)
			n += word & COUNT;
		if (word >> COUNT_BITS >= k + RATE_SLICES - WINDOW)
			return TOO_LATE;
	}
	return n;
}

bool
rate_take(struct rate *r, uint32_t max, struct rate_mark *m)
{
	uint64_t k;
	int i;

	for (i = 0; i < RACES; i++) {
		k = rate_slice_now();
		/*
		 * Look first: a session that will be refused must not count for
		 * a moment.
		 */
		if (sum_window(r, k) >= max)
			return false;
		if (!add_to_slice(r, k))
			continue;
		if (rate_slice_now() == k && sum_window(r, k) <= max) {
			*m = (struct rate_mark){ .rate = r, .slice = k };
			return true;
		}
		take_from_slice(r, k);
	}
	return false;
}

void
rate_give(const struct rate_mark *m)
{
	if (m->rate != NULL)
		take_from_slice(m->rate, m->slice);
}

/*
 * True if the place was used within a window of slice *k*; before or after,
 * because processes read their clocks in turn.
 */
static bool
is_near(uint64_t owner, uint64_t k)
{
	return owner != 0 && ((k + WINDOW - owner) & LAST) <= 2 * WINDOW;
}

/* The place of a client, or else a free one; -1: none. */
static int
look_up(struct rate_bucket *b, uint64_t tag, uint64_t k, uint64_t *owner)
{
	int i, at = -1;
	uint64_t was;

	for (i = 0; i < RATE_WAYS; i++) {
		was = atomic_load(&b->owner[i]);
		if (was >> LAST_BITS == tag && was != 0) {
			*owner = was;
			return i;
		}
		if (at == -1 && !is_near(was, k)) {
			*owner = was;
			at = i;
		}
	}
	return at;
}

/*
 * The place of a client, reserved for the window from now on. NULL: all are
 * taken. If two processes find one each, sum_up() counts both.
 */
static struct rate *
find_rate(struct rate_bucket *b, uint64_t tag, uint64_t k)
{
	uint64_t was = 0;
	int at;

	do {
		if ((at = look_up(b, tag, k, &was)) == -1)
			return NULL;
		/* A process with a later clock has written it already. */
		if (was >> LAST_BITS == tag && ((was - k) & LAST) <= WINDOW)
			break;
	} while (!atomic_compare_exchange_weak(&b->owner[at], &was,
	    tag << LAST_BITS | (k & LAST)));
	return &b->rate[at];
}

static uint64_t
sum_up(const struct rate_bucket *b, uint64_t tag, uint64_t k)
{
	uint64_t n = 0, one;
	int i;

	for (i = 0; i < RATE_WAYS; i++)
		if (atomic_load(&b->owner[i]) >> LAST_BITS == tag) {
			if ((one = sum_window(&b->rate[i], k)) == TOO_LATE)
				return TOO_LATE;
			n += one;
		}
	return n;
}

bool
rate_take_client(struct rate_bucket *table, uint64_t client, uint32_t max,
    struct rate_mark *m)
{
	struct rate_bucket *b = &table[client % RATE_BUCKETS];
	uint64_t k, tag = client >> LAST_BITS;
	struct rate *r;
	int i;

	for (i = 0; i < RACES; i++) {
		k = rate_slice_now();
		if ((r = find_rate(b, tag, k)) == NULL ||
		    sum_up(b, tag, k) >= max)
			return false;
		if (!add_to_slice(r, k))
			continue;
		if (rate_slice_now() == k && sum_up(b, tag, k) <= max) {
			*m = (struct rate_mark){ .rate = r, .slice = k };
			return true;
		}
		take_from_slice(r, k);
	}
	return false;
}
