/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sessions.c: finds the sessions that have work, and has the driver do it.
 * Changes none of them.
 */
#include "session/sessions.h"

#include "session/session_queue.h"
#include "upstream/wait_queue.h"

/* Upper bound of what others wait for: some 50 us of work instead of 300. */
#define STREAM_SHARE	(128u << 10)

/* Time for which a session that has acted counts as active, in ms. */
#define TALKS		100

/*
 * Large chunks are cheap and delay the other sessions: a stream may move all
 * that a pipe holds only while the others are idle.
 */
void
sessions_turn(struct session_env *e, uint64_t now)
{
	e->before = e->now;
	e->now = now;
	e->kit.splice_max = now - e->talked < TALKS ? STREAM_SHARE : 0;
}

bool
sessions_event(struct session_env *e, const struct poller_event *ev)
{
	struct session *s;
	int side;

	if ((s = table_owner(&e->table, ev->fd, &side)) == NULL)
		return false;
	session_event(e, s, side, ev->ready);
	return true;
}

void
sessions_expire(struct session_env *e)
{
	uint32_t id;

	while ((id = timer_expired(e->timers, e->now)) != TIMER_NONE)
		session_expired(e, &e->table.session[id]);
}

/* True if its server went down after it had connected. */
static bool
is_to_cut(const struct session_env *e, const struct session *s)
{
	uint32_t i;

	if (s->state != SESSION_RELAY)
		return false;
	i = session_server(s);
	return server_pool(e->servers, i)->close_on_down &&
	    server_went_down(e->servers, i, s->downs);
}

void
sessions_cut(struct session_env *e)
{
	uint32_t id, changes = atomic_load(&e->servers->board->head->changes);

	if (changes == e->changes)
		return;
	e->changes = changes;
	for (id = 0; id < e->table.used; id++)
		if (is_to_cut(e, &e->table.session[id]))
			session_kill(e, &e->table.session[id],
			    END_SERVER_DOWN, true);
}

static void
serve_pool(struct session_env *e, uint32_t pool)
{
	struct session *s;
	bool stepped = false;
	uint32_t id;

	while ((id = session_queue_next(e, pool)) != WAIT_QUEUE_NONE) {
		s = &e->table.session[id];
		if (session_serve(e, s))
			continue;
		if (stepped || !session_is_in_the_way(e, s))
			break;
		wait_queue_step_back(e->queue, pool, id);
		stepped = true;
	}
}

void
sessions_serve_queue(struct session_env *e)
{
	uint32_t pool;

	if (wait_queue_due(e->queue, e->now))
		for (pool = 0; pool < e->servers->pools; pool++)
			serve_pool(e, pool);
}

void
sessions_shut(struct session_env *e, enum session_end why)
{
	uint32_t id;

	for (id = 0; id < e->table.used; id++)
		if (e->table.session[id].state != SESSION_FREE)
			session_shut(e, &e->table.session[id], why);
}

void
sessions_kill(struct session_env *e, enum session_end why, bool abort)
{
	uint32_t id;

	for (id = 0; id < e->table.used; id++)
		if (e->table.session[id].state != SESSION_FREE)
			session_kill(e, &e->table.session[id], why, abort);
}

bool
sessions_all_served(const struct session_env *e)
{
	const struct session *s = e->table.session;
	const struct session *end = s + e->table.used;

	for (; s < end; s++)
		if (s->state != SESSION_FREE && s->state < SESSION_RELAY)
			return false;
	return true;
}

uint64_t
sessions_oldest(const struct session_env *e)
{
	const struct session *s = e->table.session;
	const struct session *end = s + e->table.used;
	uint64_t oldest = e->now;

	for (; s < end; s++)
		if (s->state != SESSION_FREE && s->started < oldest)
			oldest = s->started;
	return e->now - oldest;
}
