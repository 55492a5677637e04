/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_timers.c: the table of deadlines: in which states they apply, their
 * times, and their consequences.
 */
#include "session/session_timers.h"

#include "session/session_connect.h"
#include "session/session_linger.h"
#include "session/session_park.h"
#include "session/session_pick.h"
#include "session/session_proxy.h"
#include "session/session_queue.h"
#include "session/session_relay.h"
#include "session/session_stall.h"
#include "session/session_throttle.h"

/*
 * Age at which keepalive is set on the server, in ms: a shorter session notices
 * a dead server all the same, and saves the calls.
 */
#define WATCH		1000

/* From end of file to the end if fin_timeout is off, in ms. */
#define SHUT_TIME	60000

static const struct session_limits *
limits_of_session(const struct session_env *e, const struct session *s)
{
	return &session_route(e, s)->limits;
}

static uint64_t
time_after(uint64_t since, uint64_t limit)
{
	return limit == 0 ? 0 : since + limit;
}

/* True if one side has ended, or both were told to. */
static bool
is_ending(const struct session *s)
{
	return s->done[UP] || s->done[DOWN] || s->shut;
}

static enum session_step
end_by_timer(struct session *s, struct session_drive *d, enum session_end why)
{
	return step_end(s, d, why, session_due_reset(s));
}

static uint64_t
connect_at(const struct session_env *e, const struct session *s)
{
	return s->last + session_pool(e, s)->connect_timeout;
}

/* A session that waits for a server to come up has its time for that. */
static uint64_t
total_at(const struct session_env *e, const struct session *s)
{
	if (s->state == SESSION_QUEUE && session_cold(e, s)->held)
		return 0;
	return session_total_at(e, s);
}

static uint64_t
fin_at(const struct session_env *e, const struct session *s)
{
	uint64_t limit = limits_of_session(e, s)->fin_timeout;

	if (!is_ending(s))
		return 0;
	return time_after(s->last, limit == 0 && s->shut ? SHUT_TIME : limit);
}

static enum session_step
fin_came(struct session_env *e, struct session *s, struct session_drive *d)
{
	(void)e;
	return end_by_timer(s, d, END_FIN_TIMEOUT);
}

static uint64_t
idle_at(const struct session_env *e, const struct session *s)
{
	return is_ending(s) ? 0 : time_after(s->last,
	    limits_of_session(e, s)->idle_timeout);
}

static enum session_step
idle_came(struct session_env *e, struct session *s, struct session_drive *d)
{
	(void)e;
	return end_by_timer(s, d, END_IDLE_TIMEOUT);
}

/*
 * A side that is not read from, because the other one is slow, cannot be idle:
 * the other one is.
 */
static uint64_t
side_at(const struct session_env *e, const struct session *s, int side)
{
	uint64_t limit = limits_of_session(e, s)->side_timeout[side], heard;

	if (limit == 0 || is_ending(s))
		return 0;
	if (!shuttle_wants_read(&s->way[side]))
		return e->now + limit;
	heard = e->now - (uint32_t)((uint32_t)(e->now - s->started) -
	    s->heard[side]);
	return limit + (heard > s->connected ? heard : s->connected);
}

static uint64_t
client_at(const struct session_env *e, const struct session *s)
{
	return side_at(e, s, CLIENT);
}

static enum session_step
client_came(struct session_env *e, struct session *s, struct session_drive *d)
{
	(void)e;
	return end_by_timer(s, d, END_CLIENT_IDLE);
}

static uint64_t
server_at(const struct session_env *e, const struct session *s)
{
	return side_at(e, s, SERVER);
}

static enum session_step
server_came(struct session_env *e, struct session *s, struct session_drive *d)
{
	(void)e;
	return end_by_timer(s, d, END_SERVER_IDLE);
}

/* Not an end: from here on the system watches for a dead server. */
static uint64_t
watch_at(const struct session_env *e, const struct session *s)
{
	(void)e;
	return s->watched ? 0 : s->connected + WATCH;
}

static enum session_step
watch_came(struct session_env *e, struct session *s, struct session_drive *d)
{
	(void)d;
	s->watched = true;
	server_watch(e->servers, session_server(s), s->fd[SERVER]);
	return STEP_WAIT;
}

/*
 * Sessions that began together must not end together. Multiples of the golden
 * ratio spread consecutive numbers evenly (Knuth, volume 3, 6.4): here those of
 * the slots in the table, offset by worker. An input that changes by itself,
 * such as the clock, would spoil the order.
 */
static uint64_t
lifetime_at(const struct session_env *e, const struct session *s)
{
	const struct session_limits *l = limits_of_session(e, s);
	uint64_t jitter = e->seed + session_id(e, s);

	if (l->max_lifetime == 0 || s->shut)
		return 0;
	jitter = jitter * UINT64_C(0x9e3779b97f4a7c15) >> 54;
	return s->started + l->max_lifetime -
	    l->max_lifetime * l->lifetime_jitter * jitter / (100 << 10);
}

static enum session_step
lifetime_came(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	return session_wind_up(e, s, d, END_MAX_LIFETIME);
}

static uint64_t
flush_at(const struct session_env *e, const struct session *s)
{
	(void)s;
	return e->now + SESSION_FLUSH_POLL;
}

static uint64_t
linger_at(const struct session_env *e, const struct session *s)
{
	(void)e;
	return s->last + SESSION_LINGER_TIME;
}

/* Of two deadlines that have passed the first one in the table counts. */
#define IN(state)	(1u << SESSION_##state)
static const struct {
	unsigned	 states;
	uint64_t	 (*at)(const struct session_env *,
			    const struct session *);	/* 0: never */
	session_stage	*came;		/* NULL: handled by the driver */
} table[] = {
	{ IN(PROXY_HEADER), session_header_at, session_header_came },
	{ IN(PARKED), session_parked_at, session_parked_came },
	{ IN(QUEUE), session_queue_at, session_queue_came },
	{ IN(CONNECT), connect_at, session_connect_came },
	{ IN(CONNECT) | IN(QUEUE), total_at, session_total_came },
	{ IN(RELAY), fin_at, fin_came },
	{ IN(RELAY), idle_at, idle_came },
	{ IN(RELAY), client_at, client_came },
	{ IN(RELAY), server_at, server_came },
	{ IN(RELAY), watch_at, watch_came },
	{ IN(RELAY), session_throttle_at, session_throttle_came },
	{ IN(PROXY_HEADER) | IN(QUEUE) | IN(CONNECT) | IN(RELAY), lifetime_at,
	    lifetime_came },
	{ IN(PROXY_HEADER) | IN(CONNECT) | IN(RELAY) | IN(LINGER),
	    session_muted_until, NULL },
	{ IN(FLUSH), flush_at, NULL },
	{ IN(LINGER), linger_at, session_linger_came },
};
#define DEADLINES	(sizeof(table) / sizeof(*table))

void
session_set_timer(struct session_env *e, const struct session *s)
{
	uint64_t at, first = 0;
	size_t i;

	for (i = 0; i < DEADLINES; i++) {
		if (!(table[i].states & 1u << s->state))
			continue;
		at = table[i].at(e, s);
		if (at != 0 && (first == 0 || at < first))
			first = at;
	}
	if (first == 0)
		timer_clear(e->timers, session_id(e, s));
	else
		timer_set(e->timers, session_id(e, s), first);
}

session_stage *
session_next_came(const struct session_env *e, const struct session *s,
    unsigned *next)
{
	uint64_t at;
	unsigned i;

	while (*next < DEADLINES) {
		i = (*next)++;
		if (table[i].states & 1u << s->state &&
		    table[i].came != NULL &&
		    (at = table[i].at(e, s)) != 0 && at <= e->now)
			return table[i].came;
	}
	return NULL;
}
