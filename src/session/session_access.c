/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_access.c: admits or refuses clients by the access list and the limits
 * of the listener, and makes a refusal look as configured.
 */
#include "session/session_access.h"

#include "net/socket.h"
#include "session/session_limits.h"
#include "session/session_park.h"
#include "session/session_queue.h"

/* Clients that may vanish in a minute without any answer. */
#define VANISH_MAX	128

/* More than a client can have sent before accept(). */
#define UNREAD_MAX	(1 << 20)

static bool
is_denied(const struct session_route *r, const struct endpoint *client)
{
	return (r->deny != NULL && cidr_find(r->deny, client) == CIDR_DENY) ||
	    (r->allow != NULL && cidr_find(r->allow, client) != CIDR_ALLOW);
}

/* Ended sessions may be counted for a moment; rates have no ends. */
static bool
is_count(enum session_end why)
{
	return why == END_CLIENT_FULL || why == END_LISTENER_FULL ||
	    why == END_LIMIT_FULL || why == END_MAX_SESSIONS;
}

enum session_step
session_admit_stage(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	enum session_end why = is_denied(session_route(e, s), &s->client) ?
	    END_DENIED : session_limits_enter(e, s);

	if (why == END_NONE) {
		s->admitted = true;
		session_cold(e, s)->looks = 0;
		return step_to(d, SESSION_PICK);
	}
	if (is_count(why) && session_park(e, s))
		return step_to(d, SESSION_PARKED);
	return session_reject_as_set(e, s, d, why);
}

void
session_leave(struct session_env *e, struct session *s)
{
	s->admitted = false;
	session_settle(e, s, false);
	session_limits_leave(e, s);
}

/*
 * The system keeps each vanished connection for a minute, but only a limited
 * number of them: above it resets whichever connection ends next, before all
 * its bytes are out.
 */
static bool
are_few(struct session_env *e)
{
	if (e->now - e->vanished_since >= SOCKET_VANISHED_MS) {
		e->vanished_since = e->now;
		e->vanished = 0;
	}
	return e->vanished++ < VANISH_MAX;
}

/*
 * A close with unread bytes would be a reset, and the system would answer
 * whatever arrives later.
 */
static enum session_step
drop_silently(struct session_env *e, struct session *s, struct session_drive *d,
    enum session_end why)
{
	struct shuttle *way = &s->way[UP];
	uint64_t before;

	socket_vanish(s->fd[CLIENT]);
	if (!are_few(e))
		return step_end(s, d, why, CLIENT);
	do {
		before = way->in;
		(void)shuttle_discard(way, &e->kit, s->fd[CLIENT]);
	} while (way->in != before && way->in < UNREAD_MAX);
	return step_end(s, d, why, NO_SIDE);
}

enum session_step
session_reject_as_set(struct session_env *e, struct session *s,
    struct session_drive *d, enum session_end why)
{
	switch (session_route(e, s)->reject_with) {
	case REJECT_RESET:
		return step_end(s, d, why, CLIENT);
	case REJECT_DROP:
		return drop_silently(e, s, d, why);
	case REJECT_CLOSE:
	default:
		return step_reject(s, d, why);
	}
}
