/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_access.c: who comes in. Refuses clients, and knows how that is to look
 * from outside; whom, say the access list and the limits of the listener.
 */
#include "session/session_step.h"

#include "net/socket_option.h"

/* Clients that may vanish in a minute and leave nothing but silence. */
#define VANISH_MAX	128

/* More than a client can have sent before it was accepted. */
#define UNREAD_MAX	(1 << 20)

static bool
is_denied(const struct session_route *r, const struct endpoint *client)
{
	return (r->deny != NULL && cidr_find(r->deny, client) == CIDR_DENY) ||
	    (r->allow != NULL && cidr_find(r->allow, client) != CIDR_ALLOW);
}

/* Sessions that are over may be counted for a moment; rates count no ends. */
static bool
is_count(enum session_end why)
{
	return why == END_SOURCE_FULL || why == END_LISTENER_FULL ||
	    why == END_LIMIT_FULL || why == END_MAX_SESSIONS;
}

void
session_admit(struct session_table *t, struct session *s)
{
	enum session_end why = is_denied(&t->route[s->listener], &s->client) ?
	    END_DENIED : session_count_in(t, s);

	if (why == END_NONE) {
		s->admitted = true;
		session_record(t, s)->looks = 0;
		session_pick(t, s);
	} else if (!is_count(why) || !session_park(t, s)) {
		session_refuse(t, s, why);
	}
}

void
session_leave(struct session_table *t, struct session *s)
{
	s->admitted = false;
	session_settle(t, s, false);
	session_count_out(t, s);
}

/*
 * The system keeps each for a minute, but not any number of them: one too many,
 * and it resets whoever ends next, before it has all its bytes.
 */
static bool
are_few(struct session_table *t)
{
	if (t->now - t->vanished_since >= SOCKET_VANISHED_MS) {
		t->vanished_since = t->now;
		t->vanished = 0;
	}
	return t->vanished++ < VANISH_MAX;
}

/*
 * Bytes that nobody has read would make a reset of the close, after which the
 * system would answer whatever else comes.
 */
static void
vanish(struct session_table *t, struct session *s)
{
	struct shuttle *way = &s->way[UP];
	uint64_t before;

	socket_vanish(s->fd[CLIENT]);
	if (!are_few(t)) {
		session_finish(t, s, CLIENT);
		return;
	}
	do {
		before = way->in;
		(void)shuttle_discard(way, &t->kit, s->fd[CLIENT]);
	} while (way->in != before && way->in < UNREAD_MAX);
	session_finish(t, s, NOBODY);
}

void
session_refuse(struct session_table *t, struct session *s,
    enum session_end why)
{
	session_note_end(s, why);
	session_set_state(s, SESSION_PICK);
	switch (t->route[s->listener].refuse) {
	case REFUSE_CLOSE:
		session_turn_away(t, s, why);
		break;
	case REFUSE_RESET:
		session_finish(t, s, CLIENT);
		break;
	case REFUSE_DROP:
		vanish(t, s);
		break;
	}
}
