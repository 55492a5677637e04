/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_queue.c: QUEUE. Invariant: between two calls of the driver a session
 * is in the queue of its pool exactly while its state is QUEUE.
 */
#include "session/session_queue.h"

#include <errno.h>

#include "net/socket.h"
#include "session/session_park.h"
#include "session/session_pick.h"
#include "upstream/wait_queue.h"

/* Interval of attempts while no server is known to serve, in ms. */
#define GUESS	100

/* A lack this recent is what a waiting session waits for, in ms. */
#define LACK_LATELY	1000

static uint32_t
pool_of_session(const struct session_env *e, const struct session *s)
{
	return session_route(e, s)->pool;
}

/* Ends its time in the queue, which must not grow while it tries. */
static void
return_to_queue(struct session_env *e, struct session *s)
{
	struct session_cold *r = session_cold(e, s);

	r->lent = false;
	if (s->attempts > 0)
		s->queued += (uint32_t)(e->now - s->started) - r->picked;
	wait_queue_return(e->queue, pool_of_session(e, s), session_id(e, s));
}

/* A lack that others found in the pool while this one waited. */
static enum socket_lack
pool_lack(const struct session_env *e, const struct pool *p)
{
	const struct servers *bs = e->servers;
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (server_lacks(bs, i, e->now - LACK_LATELY))
			return addr_is_unix(&bs->list[i].addr) ? LACK_ROOM :
			    LACK_PORT;
	return LACK_NOTHING;
}

/* The end reason: *why*, unless something was lacking. */
static enum session_end
waited_for(const struct session *s, enum session_end why)
{
	switch (s->lack) {
	case LACK_PORT:
		return END_NO_LOCAL_PORT;
	case LACK_ROOM:
		return END_CONNECT_TIMEOUT;
	default:
		return why;
	}
}

static void
note_wait(const struct session_env *e, struct session *s)
{
	s->queued += (uint32_t)(e->now - s->last);
	s->last = e->now;
}

void
session_leave_queue(struct session_env *e, struct session *s)
{
	wait_queue_leave(e->queue, pool_of_session(e, s), session_id(e, s),
	    e->now);
	note_wait(e, s);
}

/* It is not in the queue, but has a place there. */
static void
lend_place(struct session_env *e, struct session *s, uint32_t i)
{
	struct session_cold *r = session_cold(e, s);

	/* A guess: other sessions would make the same one. */
	if (r->held && (server_on_probation(e->servers, i) ||
	    wait_queue_guesses(e->queue, pool_of_session(e, s), e->now)))
		wait_queue_pause(e->queue, pool_of_session(e, s),
		    e->now + GUESS, e->now);
	wait_queue_lend(e->queue, pool_of_session(e, s), session_id(e, s),
	    e->now);
	note_wait(e, s);
	r->lent = true;
}

void
session_settle(struct session_env *e, struct session *s, bool server)
{
	struct session_cold *r = session_cold(e, s);

	if (server && wait_queue_guesses(e->queue, pool_of_session(e, s),
	    e->now))
		wait_queue_pause(e->queue, pool_of_session(e, s), 0, e->now);
	r->held = false;
	if (!r->lent)
		return;
	r->lent = false;
	wait_queue_settle(e->queue, pool_of_session(e, s), e->now);
}

static bool
was_tried_by_session(const struct session *s, uint32_t i)
{
	unsigned n;

	for (n = 0; n < s->attempts; n++)
		if (s->tried[n] == i)
			return true;
	return false;
}

/*
 * True if the pool has no server worth a try. The first in the queue finds out
 * for those behind it, in all workers. A server that the operator took out does
 * not count; if all are out, waiting does not help.
 */
static bool
is_unavailable(const struct session_env *e, const struct session *s,
    bool waits)
{
	const struct servers *bs = e->servers;
	const struct pool *p = session_pool(e, s);
	bool wanted = false, guess;
	uint32_t i;

	if (p->unavailable_timeout == 0)
		return false;
	guess = waits && wait_queue_guesses(e->queue, pool_of_session(e, s),
	    e->now);
	for (i = p->first; i < p->first + p->n; i++) {
		if (!guess && server_serves(bs, i) &&
		    !server_on_probation(bs, i) && !was_tried_by_session(s, i))
			return false;
		wanted |= server_is_wanted(bs, i);
	}
	return wanted;
}

/* It can only wait for its turn. */
static enum session_step
enter_queue(struct session_env *e, struct session *s, struct session_drive *d)
{
	uint32_t pool = pool_of_session(e, s), id = session_id(e, s);

	if (s->lack == LACK_NOTHING)
		s->lack = pool_lack(e, session_pool(e, s));
	if (session_cold(e, s)->lent) {
		return_to_queue(e, s);
	} else if (!wait_queue_enter(e->queue, pool, id)) {
		if (session_park(e, s))
			return step_to(d, SESSION_PARKED);
		return step_reject(s, d, waited_for(s, END_QUEUE_FULL));
	} else if (d->regains && s->lack != LACK_NOTHING) {
		/* An attempt in vain does not cost it its turn. */
		wait_queue_regain(e->queue, pool, id, d->ticket);
	}
	s->last = e->now;
	return STEP_WAIT;
}

/* No server of the pool is left for it to try: waits for one if configured. */
static enum session_step
no_server(struct session_env *e, struct session *s, struct session_drive *d)
{
	if (session_pool(e, s)->max_queue != 0 && is_unavailable(e, s, false)) {
		if (s->attempts > 0)
			wait_queue_pause(e->queue, pool_of_session(e, s),
			    e->now + GUESS, e->now);
		session_cold(e, s)->held = true;
		return enter_queue(e, s, d);
	}
	if (d->none != ETIMEDOUT)
		return step_reject(s, d, END_NO_SERVER);
	s->end = END_NONE;
	return step_reject(s, d, END_CONNECT_TOTAL);
}

/*
 * The time to wait for room, or without a server. A session that waited for a
 * server gets the longer of both if servers are back, but full.
 */
uint64_t
session_queue_at(const struct session_env *e, const struct session *s)
{
	const struct pool *p = session_pool(e, s);
	uint64_t limit = s->lack == LACK_NOTHING ? p->queue_timeout :
	    p->connect_timeout;

	if (session_cold(e, s)->held && (is_unavailable(e, s, true) ||
	    p->unavailable_timeout > limit))
		limit = p->unavailable_timeout;
	return s->last - s->queued + limit;
}

enum session_step
session_queue_came(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	bool down = is_unavailable(e, s, true);

	if (down) {
		session_cold(e, s)->held = true;
		if (session_queue_at(e, s) > e->now)
			return STEP_WAIT;
		s->end = END_NONE;
	}
	session_leave_queue(e, s);
	return step_reject(s, d, down ? END_UNAVAILABLE :
	    waited_for(s, END_QUEUE_TIMEOUT));
}

/* True if all servers have gone meanwhile. */
static bool
goes_on_waiting(struct session_env *e, struct session *s)
{
	if (!is_unavailable(e, s, true))
		return false;
	session_cold(e, s)->held = true;
	return true;
}

/* It is its turn. */
static enum session_step
serve_first(struct session_env *e, struct session *s, struct session_drive *d)
{
	int i;

	/*
	 * End of file alone does not end it: the client may wait for the
	 * answer.
	 */
	if (socket_connected(s->fd[CLIENT]) == -1)
		return step_end(s, d, END_CLIENT_RESET, NO_SIDE);
	/* After a hold it may try any server, even those tried before. */
	if (session_cold(e, s)->held) {
		s->attempts = 0;
		s->end = END_NONE;
	}
	i = session_choose(e, s);
	d->none = errno;
	if (i == -1 && (d->none == EAGAIN || goes_on_waiting(e, s))) {
		d->stays = true;
		return STEP_WAIT;
	}
	d->ticket = wait_queue_ticket(e->queue, session_id(e, s));
	d->regains = i == -1 || session_pool(e, s)->unavailable_timeout == 0;
	if (d->regains)
		session_leave_queue(e, s);
	else
		lend_place(e, s, (uint32_t)i);
	if (i == -1)
		return step_to(d, SESSION_QUEUE);
	d->server = (uint32_t)i;
	return step_to(d, SESSION_CONNECT);
}

enum session_step
session_queue_stage(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	if (d->entered)
		return d->none == EAGAIN ? enter_queue(e, s, d) : no_server(e, s, d);
	return d->turn ? serve_first(e, s, d) : STEP_WAIT;
}

/* True if a session that has not tried it would use this server. */
static bool
has_server_room(const struct servers *bs, uint32_t i, uint64_t now)
{
	return server_serves(bs, i) && !server_on_probation(bs, i) &&
	    !server_full(bs, i) && !server_lacks(bs, i, now);
}

static bool
pool_has_room(const struct servers *bs, const struct pool *p, uint64_t now)
{
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (has_server_room(bs, i, now))
			return true;
	return false;
}

bool
session_is_in_the_way(const struct session_env *e, const struct session *s)
{
	unsigned n;

	for (n = 0; n < s->attempts; n++)
		if (has_server_room(e->servers, s->tried[n], e->now))
			return true;
	return false;
}

/* The session whose turn it is, or that goes because others do not. */
uint32_t
session_queue_next(const struct session_env *e, uint32_t pool)
{
	const struct pool *p = &e->servers->pool[pool];
	uint32_t id;

	if (wait_queue_paused(e->queue, pool, e->now))
		return WAIT_QUEUE_NONE;
	id = wait_queue_next(e->queue, pool, e->now);
	return id != WAIT_QUEUE_NONE ? id :
	    wait_queue_next_but(e->queue, pool, e->now,
	    !wait_queue_guesses(e->queue, pool, e->now) &&
	    pool_has_room(e->servers, p, e->now));
}
