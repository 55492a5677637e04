/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_park.c: a second look before a session is refused by a count. Another
 * worker may not have read the end of a session yet that its client believes to
 * be over. So the session is parked, which costs a timer, and counted anew a few
 * times within some 100 ms. Looks are counted and not time: a machine that stood
 * still does not refuse what nobody has looked at again.
 *
 * Invariant: a session is among t->parked exactly while its state is PARKED.
 */
#include "session_step.h"

#include "sys.h"

/* When to look again: ticks of the timers from one look to the next. */
static const uint8_t gaps[] = { 1, 1, 1, 1, 2, 2, 4 };

#define LOOKS		(sizeof(gaps) / sizeof(*gaps))

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

bool
session_park(struct session_table *t, struct session *s)
{
	if (s->looks >= LOOKS || !has_room(t))
		return false;
	s->looks++;
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
	(void)t;
	/* It is rounded up to a tick. */
	return s->last + 1 + (gaps[s->looks - 1] - 1u) * TIMER_TICK;
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
	if (sys_connected(s->fd[CLIENT]) == -1) {
		session_kill(t, s, END_CLIENT_RESET, false);
		return;
	}
	session_unpark(t, s);
	if (s->admitted)
		session_pick(t, s);
	else
		session_admit(t, s);
}
