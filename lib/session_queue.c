/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_queue.c: sessions that wait until a backend has room for them, or is
 * known to serve. Whose turn it is says queue.c. Invariant: a session is in the
 * queue of its pool exactly while its state is QUEUE.
 */
#include "session_step.h"

#include <errno.h>

#include "queue.h"
#include "sys.h"

static uint32_t
pool_of(const struct session_table *t, const struct session *s)
{
	return t->route[s->listener].pool;
}

uint64_t
session_queued(const struct session_table *t, const struct session *s)
{
	return s->queued + (s->state == SESSION_QUEUE ? t->now - s->last : 0);
}

void
session_queue(struct session_table *t, struct session *s)
{
	if (!queue_enter(t->queue, pool_of(t, s), table_id(t, s))) {
		if (!session_park(t, s))
			session_turn_away(t, s, END_QUEUE_FULL);
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

void
session_queue_expired(struct session_table *t, struct session *s)
{
	session_leave_queue(t, s);
	session_turn_away(t, s, END_QUEUE_TIMEOUT);
}

/* It is its turn. False: there is no room for it yet. */
static bool
serve(struct session_table *t, struct session *s)
{
	int i, err;

	/* An end of file is not a reason to go: it may only have asked. */
	if (sys_connected(s->fd[CLIENT]) == -1) {
		session_kill(t, s, END_CLIENT_RESET, false);
		return true;
	}
	if ((i = session_choose(t, s)) == -1 && errno == EAGAIN)
		return false;
	err = errno;
	session_leave_queue(t, s);
	errno = err;
	session_try(t, s, i);
	return true;
}

/* Would one go there that has not tried it? */
static bool
has_room(const struct backends *bs, uint32_t i)
{
	return backend_serves(bs, i) && !backend_in_doubt(bs, i) &&
	    !backend_full(bs, i);
}

static bool
pool_has_room(const struct backends *bs, const struct pool *p)
{
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (has_room(bs, i))
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
		if (has_room(t->backends, s->tried[n]))
			return true;
	return false;
}

/* Whose turn it is, or who goes on because the others do not. */
static uint32_t
next_of(const struct session_table *t, uint32_t pool)
{
	uint32_t id = queue_next(t->queue, pool, t->now);

	return id != QUEUE_NONE ? id : queue_next_but(t->queue, pool, t->now,
	    pool_has_room(t->backends, &t->backends->pool[pool]));
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
