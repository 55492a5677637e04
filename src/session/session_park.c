/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_park.c: a second look before a session is refused by a count. Another
 * worker may not have read the end of a session yet that its client believes to
 * be over. So the session is parked, which costs a timer, and counted anew a few
 * times within some 100 ms.
 *
 * On a busy machine that worker may not have been let run for as long, nor the
 * server, which has to end its side, too. So it goes on, for a second in all,
 * while there is one that has not acted since on all that it could know, or that
 * says itself that a client's end waits for its server. One that sleeps is called:
 * then it can say that there was nothing. Looks are counted and not time: a
 * machine that stood still does not refuse what nobody has looked at again.
 *
 * Invariant: a session is among t->parked exactly while its state is PARKED.
 */
#include "session/session_step.h"

#include "net/socket.h"
#include "sys/clock.h"

/* When to look again: ticks of the timers from one look to the next. */
static const uint8_t gaps[] = { 1, 1, 1, 1, 2, 2, 4 };

#define LOOKS		(sizeof(gaps) / sizeof(*gaps))

/* Those that sleep are called before these. */
#define CALLS		(LOOKS - 3)

/* While others may be late: as many more, and so far apart. */
#define MORE		57
#define GAP		2

/* Of all slots of a worker, one in so many. */
#define SHARE		8

/*
 * A flood of clients that are refused may have some slots for that, but not the
 * last one.
 */
static bool
has_room(const struct session_table *t)
{
	return t->parked < (t->limit + SHARE - 1) / SHARE && !table_full(t);
}

/* Nor may one that was stopped be waited for, or any that there is not. */
static bool
is_there(const struct board *b, uint32_t worker)
{
	return board_is_held(b, worker) && atomic_load_explicit(
	    &b->ledger->slot[worker].stopped, memory_order_relaxed) == 0;
}

/*
 * May any worker count a session that was over when this one came? In one turn
 * each is called once, whoever asks.
 */
static bool
others_may_be_late(struct session_table *t, const struct session *s)
{
	uint64_t asked = s->started + session_record(t, s)->asked;
	const struct board *b = t->backends->board;
	uint32_t w, slots = board_slots(b);
	bool late = t->ending > 0, call = t->called != t->now;

	for (w = 0; w < slots; w++) {
		if (w == t->backends->worker || !is_there(b, w))
			continue;
		late |= atomic_load(&b->worker[w].ending) > 0;
		if (board_saw(b, w, asked, t->now))
			continue;
		late = true;
		if (call)
			board_ring(b, w);
		t->called = t->now;
	}
	return late;
}

bool
session_park(struct session_table *t, struct session *s)
{
	struct session_record *r = session_record(t, s);
	bool late;

	if (!has_room(t))
		return false;
	/* The turn may have begun before its client's last session was over. */
	if (r->looks == 0)
		r->asked = (uint32_t)(clock_now_ms() - s->started);
	late = r->looks >= CALLS && others_may_be_late(t, s);
	if (r->looks >= LOOKS && (!late || r->looks >= LOOKS + MORE))
		return false;
	r->looks++;
	t->parked++;
	session_set_state(s, SESSION_PARKED);
	s->last = t->now;
	session_set_timer(t, s);
	session_set_interest(t, s);
	return true;
}

uint64_t
session_parked_at(const struct session_table *t, const struct session *s)
{
	unsigned look = session_record(t, s)->looks - 1u;

	/* It is rounded up to a tick. */
	return s->last + 1 + ((look < LOOKS ? gaps[look] : GAP) - 1u) *
	    TIMER_TICK;
}

void
session_unpark(struct session_table *t, const struct session *s)
{
	if (s->state == SESSION_PARKED)
		t->parked--;
}

void
session_parked_expired(struct session_table *t, struct session *s)
{
	if (socket_connected(s->fd[CLIENT]) == -1) {
		session_kill(t, s, END_CLIENT_RESET, false);
		return;
	}
	session_unpark(t, s);
	if (s->admitted)
		session_pick(t, s);
	else
		session_admit(t, s);
}
