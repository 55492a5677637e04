/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_queue.c: sessions that wait until a backend has room for them, or is
 * known to serve. Whose turn it is says wait_queue.c. Invariant: a session is in the
 * queue of its pool exactly while its state is QUEUE.
 */
#include "session/session_step.h"

#include <errno.h>

#include "net/socket.h"
#include "upstream/wait_queue.h"

/* Without a server that is known to serve one is tried so often, in ms. */
#define GUESS	100

/* A session that waits is taken to wait for what was lacking then, in ms. */
#define LACK_LATELY	1000

static uint32_t
pool_of(const struct session_table *t, const struct session *s)
{
	return t->route[s->listener].pool;
}

static const struct pool *
pool_info(const struct session_table *t, const struct session *s)
{
	return &t->backends->pool[pool_of(t, s)];
}

uint64_t
session_queued(const struct session_table *t, const struct session *s)
{
	return s->queued + (s->state == SESSION_QUEUE ? t->now - s->last : 0);
}

/* Until now, or its place would be worth more the longer it tried. */
static void
return_to_queue(struct session_table *t, struct session *s)
{
	struct session_record *r = session_record(t, s);

	r->lent = false;
	if (s->attempts > 0)
		s->queued += (uint32_t)(t->now - s->started) - r->picked;
	queue_return(t->queue, pool_of(t, s), table_id(t, s));
}

/* Of one of a pool that others have found out while this one waited. */
static enum socket_lack
pool_lack(const struct session_table *t, const struct pool *p)
{
	const struct backends *bs = t->backends;
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (backend_lacks(bs, i, t->now - LACK_LATELY))
			return addr_is_unix(&bs->list[i].addr) ? LACK_ROOM :
			    LACK_PORT;
	return LACK_NOTHING;
}

enum session_end
session_waited_for(const struct session *s, enum session_end why)
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

void
session_queue(struct session_table *t, struct session *s)
{
	uint32_t pool = pool_of(t, s);

	if (s->lack == LACK_NOTHING)
		s->lack = pool_lack(t, &t->backends->pool[pool]);
	if (session_record(t, s)->lent) {
		return_to_queue(t, s);
	} else if (!queue_enter(t->queue, pool, table_id(t, s))) {
		if (!session_park(t, s))
			session_turn_away(t, s,
			    session_waited_for(s, END_QUEUE_FULL));
		return;
	}
	session_set_state(s, SESSION_QUEUE);
	s->last = t->now;
	session_set_timer(t, s);
	session_set_interest(t, s);
}

void
session_leave_queue(struct session_table *t, struct session *s)
{
	queue_leave(t->queue, pool_of(t, s), table_id(t, s), t->now);
	s->queued = (uint32_t)session_queued(t, s);
	session_set_state(s, SESSION_PICK);
}

/* It is not in the queue, but has a place there. */
static void
lend(struct session_table *t, struct session *s, uint32_t i)
{
	struct session_record *r = session_record(t, s);

	/* A guess: others would make the same one. */
	if (r->held && (backend_in_doubt(t->backends, i) ||
	    queue_guesses(t->queue, pool_of(t, s), t->now)))
		queue_pause(t->queue, pool_of(t, s), t->now + GUESS, t->now);
	queue_lend(t->queue, pool_of(t, s), table_id(t, s), t->now);
	s->queued = (uint32_t)session_queued(t, s);
	r->lent = true;
	session_set_state(s, SESSION_PICK);
}

void
session_settle(struct session_table *t, struct session *s, bool server)
{
	struct session_record *r = session_record(t, s);

	if (server && queue_guesses(t->queue, pool_of(t, s), t->now))
		queue_pause(t->queue, pool_of(t, s), 0, t->now);
	r->held = false;
	if (!r->lent)
		return;
	r->lent = false;
	queue_settle(t->queue, pool_of(t, s), t->now);
}

static bool
was_tried(const struct session *s, uint32_t i)
{
	unsigned n;

	for (n = 0; n < s->attempts; n++)
		if (s->tried[n] == i)
			return true;
	return false;
}

/*
 * Has the pool no server that is worth a try? The first in the queue knows it for
 * those behind, in all workers. One that the operator took out is
 * none; if all are it is not for us to wait until that changes.
 */
static bool
is_unavailable(const struct session_table *t, const struct session *s)
{
	const struct backends *bs = t->backends;
	const struct pool *p = pool_info(t, s);
	bool wanted = false, guess;
	uint32_t i;

	if (p->unavailable_timeout == 0)
		return false;
	guess = s->state == SESSION_QUEUE &&
	    queue_guesses(t->queue, pool_of(t, s), t->now);
	for (i = p->first; i < p->first + p->n; i++) {
		if (!guess && backend_serves(bs, i) && !backend_in_doubt(bs, i) &&
		    !was_tried(s, i))
			return false;
		wanted |= backend_is_wanted(bs, i);
	}
	return wanted;
}

bool
session_await_server(struct session_table *t, struct session *s)
{
	if (pool_info(t, s)->max_queue == 0 || !is_unavailable(t, s))
		return false;
	if (s->attempts > 0)
		queue_pause(t->queue, pool_of(t, s), t->now + GUESS, t->now);
	session_record(t, s)->held = true;
	session_queue(t, s);
	return true;
}

/*
 * For room it waits as long as for room, without a server as long as for one.
 * Who was held has the longer of both when servers are back, but full.
 */
uint64_t
session_queue_at(const struct session_table *t, const struct session *s)
{
	const struct pool *p = pool_info(t, s);
	uint64_t limit = s->lack == LACK_NOTHING ? p->queue_timeout :
	    p->connect_timeout;

	if (session_record(t, s)->held && (is_unavailable(t, s) ||
	    p->unavailable_timeout > limit))
		limit = p->unavailable_timeout;
	return s->last - s->queued + limit;
}

void
session_queue_expired(struct session_table *t, struct session *s)
{
	bool down = is_unavailable(t, s);

	if (down) {
		session_record(t, s)->held = true;
		if (session_queue_at(t, s) > t->now)
			return;
		s->end = END_NONE;
	}
	session_leave_queue(t, s);
	session_turn_away(t, s, down ? END_UNAVAILABLE :
	    session_waited_for(s, END_QUEUE_TIMEOUT));
}

/* All that there were are gone meanwhile. */
static bool
goes_on_waiting(struct session_table *t, struct session *s)
{
	if (!is_unavailable(t, s))
		return false;
	if (!session_record(t, s)->held) {
		session_record(t, s)->held = true;
		session_set_timer(t, s);
	}
	return true;
}

/* It is its turn. False: there is no room for it yet. */
static bool
serve(struct session_table *t, struct session *s)
{
	uint64_t ticket;
	bool lent;
	int i, err;

	/* An end of file is not a reason to go: it may only have asked. */
	if (socket_connected(s->fd[CLIENT]) == -1) {
		session_kill(t, s, END_CLIENT_RESET, false);
		return true;
	}
	/* Once held it tries any, also those that it has tried. */
	if (session_record(t, s)->held) {
		s->attempts = 0;
		s->end = END_NONE;
	}
	i = session_choose(t, s);
	err = errno;
	if (i == -1 && (err == EAGAIN || goes_on_waiting(t, s)))
		return false;
	ticket = queue_ticket(t->queue, table_id(t, s));
	lent = i != -1 && pool_info(t, s)->unavailable_timeout != 0;
	if (lent)
		lend(t, s, (uint32_t)i);
	else
		session_leave_queue(t, s);
	errno = err;
	session_try(t, s, i);
	/* It was tried in vain: that does not cost it its turn. */
	if (!lent && s->state == SESSION_QUEUE && s->lack != LACK_NOTHING)
		queue_regain(t->queue, pool_of(t, s), table_id(t, s), ticket);
	return true;
}

/* Would one go there that has not tried it? */
static bool
has_room(const struct backends *bs, uint32_t i, uint64_t now)
{
	return backend_serves(bs, i) && !backend_in_doubt(bs, i) &&
	    !backend_full(bs, i) && !backend_lacks(bs, i, now);
}

static bool
pool_has_room(const struct backends *bs, const struct pool *p, uint64_t now)
{
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (has_room(bs, i, now))
			return true;
	return false;
}

/*
 * Does it keep others from a backend that has room, only because it has tried
 * that one itself?
 */
static bool
is_in_the_way(const struct session_table *t, const struct session *s)
{
	unsigned n;

	for (n = 0; n < s->attempts; n++)
		if (has_room(t->backends, s->tried[n], t->now))
			return true;
	return false;
}

/* Whose turn it is, or who goes on because the others do not. */
static uint32_t
next_of(const struct session_table *t, uint32_t pool)
{
	const struct pool *p = &t->backends->pool[pool];
	uint32_t id;

	if (queue_paused(t->queue, pool, t->now))
		return QUEUE_NONE;
	id = queue_next(t->queue, pool, t->now);
	return id != QUEUE_NONE ? id : queue_next_but(t->queue, pool, t->now,
	    !queue_guesses(t->queue, pool, t->now) && pool_has_room(t->backends, p, t->now));
}

static void
serve_pool(struct session_table *t, uint32_t pool)
{
	struct session *s;
	bool stepped = false;
	uint32_t id;

	while ((id = next_of(t, pool)) != QUEUE_NONE) {
		s = &t->session[id];
		if (serve(t, s))
			continue;
		if (stepped || !is_in_the_way(t, s))
			break;
		queue_step_back(t->queue, pool, id);
		stepped = true;
	}
}

void
table_serve_queue(struct session_table *t)
{
	uint32_t pool;

	if (queue_due(t->queue, t->now))
		for (pool = 0; pool < t->backends->pools; pool++)
			serve_pool(t, pool);
}
