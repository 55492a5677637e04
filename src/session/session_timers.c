/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_timers.c: all deadlines of a session, in one table: in which states
 * they apply, when they come, and what happens then. A session has one timer,
 * set for the first of them. While bytes move it is left alone: when it fires
 * session_expired() sees how long it really was quiet. So a deadline may move
 * away by itself, but one that comes closer needs session_set_timer().
 */
#include "session/session_step.h"

#include <errno.h>

/* From the end of file to the end where fin_timeout is off, in ms. */
#define SHUT_TIME	60000

static const struct session_limits *
limits(const struct session_table *t, const struct session *s)
{
	return &t->route[s->listener].limits;
}

static const struct pool *
pool(const struct session_table *t, const struct session *s)
{
	return &t->backends->pool[t->route[s->listener].pool];
}

static uint64_t
after(uint64_t since, uint64_t limit)
{
	return limit == 0 ? 0 : since + limit;
}

/* Has one side ended, or were both told to? */
static bool
is_ending(const struct session *s)
{
	return s->done[UP] || s->done[DOWN] || s->shut;
}

static void
cut(struct session_table *t, struct session *s, enum session_end why)
{
	session_note_end(s, why);
	session_finish(t, s, session_due_reset(s));
}

static uint64_t
header_at(const struct session_table *t, const struct session *s)
{
	return s->started + limits(t, s)->header_timeout;
}

static uint64_t
connect_at(const struct session_table *t, const struct session *s)
{
	return s->last + pool(t, s)->connect_timeout;
}

static void
connect_came(struct session_table *t, struct session *s)
{
	session_connect_failed(t, s, ETIMEDOUT);
}

static uint64_t
fin_at(const struct session_table *t, const struct session *s)
{
	uint64_t limit = limits(t, s)->fin_timeout;

	if (!is_ending(s))
		return 0;
	return after(s->last, limit == 0 && s->shut ? SHUT_TIME : limit);
}

static void
fin_came(struct session_table *t, struct session *s)
{
	cut(t, s, END_FIN_TIMEOUT);
}

static uint64_t
idle_at(const struct session_table *t, const struct session *s)
{
	return is_ending(s) ? 0 : after(s->last, limits(t, s)->idle_timeout);
}

static void
idle_came(struct session_table *t, struct session *s)
{
	cut(t, s, END_IDLE_TIMEOUT);
}

/*
 * A side that we do not read from, since the other one is slow, cannot be
 * heard: the other one is to be blamed.
 */
static uint64_t
side_at(const struct session_table *t, const struct session *s, int side)
{
	uint64_t limit = limits(t, s)->side_timeout[side], heard;

	if (limit == 0 || is_ending(s))
		return 0;
	if (!shuttle_wants_read(&s->way[side]))
		return t->now + limit;
	heard = t->now - (uint32_t)((uint32_t)(t->now - s->started) -
	    s->heard[side]);
	return limit + (heard > s->connected ? heard : s->connected);
}

static uint64_t
client_at(const struct session_table *t, const struct session *s)
{
	return side_at(t, s, CLIENT);
}

static void
client_came(struct session_table *t, struct session *s)
{
	cut(t, s, END_CLIENT_IDLE);
}

static uint64_t
server_at(const struct session_table *t, const struct session *s)
{
	return side_at(t, s, SERVER);
}

static void
server_came(struct session_table *t, struct session *s)
{
	cut(t, s, END_SERVER_IDLE);
}

/* No end: from here on the system is to notice a server that is dead. */
static uint64_t
watch_at(const struct session_table *t, const struct session *s)
{
	(void)t;
	return s->watched ? 0 : s->connected + SESSION_WATCH;
}

static void
watch_came(struct session_table *t, struct session *s)
{
	s->watched = true;
	backend_watch(t->backends, session_backend(s), s->fd[SERVER]);
}

/*
 * Those that began together are not to end together. Multiples of the golden
 * ratio spread numbers that follow each other evenly (Knuth, volume 3, 6.4):
 * the places in the table, from where no other worker begins. Nothing that
 * moves by itself, as the clock, may come into it: that would spoil the order.
 */
static uint64_t
lifetime_at(const struct session_table *t, const struct session *s)
{
	const struct session_limits *l = limits(t, s);
	uint64_t lot = t->seed + table_id(t, s);

	if (l->max_lifetime == 0 || s->shut)
		return 0;
	lot = lot * UINT64_C(0x9e3779b97f4a7c15) >> 54;
	return s->started + l->max_lifetime -
	    l->max_lifetime * l->lifetime_jitter * lot / (100 << 10);
}

static void
lifetime_came(struct session_table *t, struct session *s)
{
	session_shut(t, s, END_MAX_LIFETIME);
}

static uint64_t
flush_at(const struct session_table *t, const struct session *s)
{
	(void)s;
	return t->now + SESSION_FLUSH_POLL;
}

static uint64_t
linger_at(const struct session_table *t, const struct session *s)
{
	(void)t;
	return s->last + SESSION_LINGER_TIME;
}

static void
linger_came(struct session_table *t, struct session *s)
{
	session_finish(t, s, NOBODY);
}

/* Of two that have come the first one counts. */
#define IN(state)	(1u << SESSION_##state)
static const struct {
	unsigned	 states;
	uint64_t	 (*at)(const struct session_table *,
			    const struct session *);	/* 0: never */
	void		 (*came)(struct session_table *, struct session *);
} table[] = {
	{ IN(HEADER), header_at, session_header_expired },
	{ IN(PARKED), session_parked_at, session_parked_expired },
	{ IN(QUEUE), session_queue_at, session_queue_expired },
	{ IN(CONNECT), connect_at, connect_came },
	{ IN(CONNECT) | IN(QUEUE), session_total_at, session_total_expired },
	{ IN(RELAY), fin_at, fin_came },
	{ IN(RELAY), idle_at, idle_came },
	{ IN(RELAY), client_at, client_came },
	{ IN(RELAY), server_at, server_came },
	{ IN(RELAY), watch_at, watch_came },
	{ IN(RELAY), session_pace_at, session_pace_came },
	{ IN(HEADER) | IN(QUEUE) | IN(CONNECT) | IN(RELAY), lifetime_at,
	    lifetime_came },
	{ IN(HEADER) | IN(CONNECT) | IN(RELAY) | IN(LINGER),
	    session_muted_until, session_unmute },
	{ IN(FLUSH), flush_at, session_relay_done },
	{ IN(LINGER), linger_at, linger_came },
};
#define DEADLINES	(sizeof(table) / sizeof(*table))

void
session_set_timer(struct session_table *t, struct session *s)
{
	uint64_t at, first = 0;
	size_t i;

	for (i = 0; i < DEADLINES; i++) {
		if (!(table[i].states & 1u << s->state))
			continue;
		at = table[i].at(t, s);
		if (at != 0 && (first == 0 || at < first))
			first = at;
	}
	if (first == 0)
		timers_clear(t->timers, table_id(t, s));
	else
		timers_set(t->timers, table_id(t, s), first);
}

/* What comes changes the state, or what there is to wait for. */
void
session_expired(struct session_table *t, struct session *s)
{
	uint64_t at;
	size_t i;

	/* It has no deadline: it asks again and again. */
	if (s->state == SESSION_FLUSH) {
		session_relay_done(t, s);
		return;
	}
	/* The same, but whatever else has come is as good a moment. */
	if (s->muted != 0)
		session_unmute(t, s);
	for (i = 0; i < DEADLINES; i++)
		if (table[i].states & 1u << s->state &&
		    (at = table[i].at(t, s)) != 0 && at <= t->now)
			table[i].came(t, s);
	if (s->state != SESSION_FREE)
		session_set_timer(t, s);
}
