/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_park.c: PARKED, and which sessions may be parked. The driver counts
 * them in e->parked.
 */
#include "session/session_park.h"

#include "net/socket.h"
#include "sys/clock.h"

/* Ticks of the timers from one look to the next. */
static const uint8_t gaps[] = { 1, 1, 1, 1, 2, 2, 4 };

#define LOOKS		(sizeof(gaps) / sizeof(*gaps))

/* Sleeping workers are woken before these looks. */
#define CALLS		(LOOKS - 3)

/* While other workers may be late: this many more looks, this far apart. */
#define MORE		57
#define GAP		2

/* One in this many slots of a worker. */
#define SHARE		8

/*
 * A flood of refused clients may use some slots for parking, but not the last
 * one.
 */
static bool
has_slots(const struct session_env *e)
{
	return e->parked < (e->table.limit + SHARE - 1) / SHARE &&
	    !table_full(&e->table);
}

/* Workers that are stopped or gone are not waited for. */
static bool
is_there(const struct board *b, uint32_t worker)
{
	return board_is_held(b, worker) && atomic_load_explicit(
	    &b->ledger->process[worker].stopped, memory_order_relaxed) == 0;
}

/*
 * True if any worker may still count a session that had ended when this one
 * came. Wakes each worker once in a turn, however many sessions ask.
 */
static bool
others_may_be_late(struct session_env *e, const struct session *s)
{
	uint64_t asked = s->started + session_cold(e, s)->asked;
	const struct board *b = e->servers->board;
	uint32_t w, slots = board_worker_slots(b);
	bool late = e->ending > 0, call = e->called != e->now;

	for (w = 0; w < slots; w++) {
		if (w == e->servers->worker || !is_there(b, w))
			continue;
		late |= atomic_load(&b->worker[w].ending) > 0;
		if (board_saw(b, w, asked, e->now))
			continue;
		late = true;
		if (call)
			board_wake(b, w);
		e->called = e->now;
	}
	return late;
}

bool
session_park(struct session_env *e, const struct session *s)
{
	struct session_cold *c = session_cold(e, s);
	bool late;

	if (!has_slots(e))
		return false;
	/* The turn may have begun before its client's last session ended. */
	if (c->looks == 0)
		c->asked = (uint32_t)(clock_now_ms() - s->started);
	late = c->looks >= CALLS && others_may_be_late(e, s);
	if (c->looks >= LOOKS && (!late || c->looks >= LOOKS + MORE))
		return false;
	c->looks++;
	return true;
}

enum session_step
session_parked_stage(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	if (d->entered)
		s->last = e->now;
	return STEP_WAIT;
}

uint64_t
session_parked_at(const struct session_env *e, const struct session *s)
{
	unsigned look = session_cold(e, s)->looks - 1u;

	/* The timer rounds up to a tick. */
	return s->last + 1 + ((look < LOOKS ? gaps[look] : GAP) - 1u) *
	    TIMER_TICK;
}

enum session_step
session_parked_came(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	(void)e;
	if (socket_connected(s->fd[CLIENT]) == -1)
		return step_end(s, d, END_CLIENT_RESET, NO_SIDE);
	return step_to(d, s->admitted ? SESSION_PICK : SESSION_ADMIT);
}
