/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session.c: the driver. Calls the stage of a session's state and carries out
 * its answer: only the driver changes the state, sets interest and timer, and
 * ends the session. The file of a stage says what happens in its state.
 * Invariant: between two calls poller and timer match the state.
 */
#include "session/session.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "net/socket_option.h"
#include "session/session_access.h"
#include "session/session_connect.h"
#include "session/session_linger.h"
#include "session/session_log.h"
#include "session/session_park.h"
#include "session/session_pick.h"
#include "session/session_proxy.h"
#include "session/session_queue.h"
#include "session/session_relay.h"
#include "session/session_stall.h"
#include "session/session_timers.h"

static session_stage *const stages[] = {
	[SESSION_PROXY_HEADER] = session_header_stage,
	[SESSION_ADMIT] = session_admit_stage,
	[SESSION_PARKED] = session_parked_stage,
	[SESSION_PICK] = session_pick_stage,
	[SESSION_QUEUE] = session_queue_stage,
	[SESSION_CONNECT] = session_connect_stage,
	[SESSION_RELAY] = session_relay_stage,
	[SESSION_FLUSH] = session_flush_stage,
	[SESSION_LINGER] = session_linger_stage,
};

const char *
session_state_name(enum session_state state)
{
	static const char *const names[] = {
#define X(name) #name,
		SESSION_STATES(X)
#undef X
	};

	return names[state];
}

static void
enter_state(struct session_env *e, struct session *s, enum session_state to)
{
#define FROM(state)	(1u << SESSION_##state)
	static const unsigned from[] = {
		[SESSION_FREE] = ~0u,
		[SESSION_PROXY_HEADER] = FROM(FREE),
		[SESSION_ADMIT] = FROM(PROXY_HEADER) | FROM(PARKED),
		[SESSION_PARKED] = FROM(ADMIT) | FROM(QUEUE),
		[SESSION_PICK] = FROM(ADMIT) | FROM(PARKED) | FROM(CONNECT),
		[SESSION_QUEUE] = FROM(PICK) | FROM(QUEUE) | FROM(CONNECT),
		[SESSION_CONNECT] = FROM(PICK) | FROM(QUEUE),
		[SESSION_RELAY] = FROM(CONNECT),
		[SESSION_FLUSH] = FROM(RELAY),
		[SESSION_LINGER] = FROM(PROXY_HEADER) | FROM(ADMIT) |
		    FROM(PARKED) | FROM(QUEUE) | FROM(CONNECT),
	};
#undef FROM

	assert(from[to] & 1u << s->state);
	e->parked += (to == SESSION_PARKED) - (s->state == SESSION_PARKED);
	s->state = (uint8_t)(to & 0x1f);
}

/*
 * The only way out, from any state and with any part built. *reset* is the side
 * that gets a reset instead of an end of file.
 */
static void
finish_session(struct session_env *e, struct session *s, int reset)
{
	if (s->state == SESSION_QUEUE)
		session_leave_queue(e, s);
	session_let_go(e, s, reset == SERVER || reset == BOTH_SIDES);
	session_close(e, s, CLIENT, reset == CLIENT || reset == BOTH_SIDES);
	shuttle_drop(&s->way[UP], &e->kit);
	shuttle_drop(&s->way[DOWN], &e->kit);
	session_drop_note(e, s);
	if (s->connected == 0)		/* read, but not passed on */
		s->way[UP].out = 0;
	counter_add(&e->board->bytes_up, s->way[UP].out);
	counter_add(&e->board->bytes_down, s->way[DOWN].out);
	counter_add(&e->board->ends[s->end], 1);
	gauge_add(&e->board->live, -1);
	e->ending -= s->ending;
	session_log_end(e, s);
	session_leave(e, s);
	enter_state(e, s, SESSION_FREE);
	timer_clear(e->timers, session_id(e, s));
	table_give(&e->table, s);
}

/* The interest of the state in each descriptor. */
static void
set_interest(const struct session_env *e, const struct session *s)
{
	unsigned want[2] = { 0, 0 };
	int way;

	if (s->state == SESSION_CONNECT)
		want[SERVER] = session_proxy_due(s) ? POLLER_WRITE :
		    POLLER_READ | POLLER_WRITE;
	if (s->state == SESSION_LINGER || s->state == SESSION_PROXY_HEADER)
		want[CLIENT] = POLLER_READ;
	if (s->state == SESSION_RELAY)
		for (way = UP; way <= DOWN; way++) {
			if (shuttle_wants_read(&s->way[way]) &&
			    ((!s->done[way] && !s->paused[way]) ||
			    session_discards(s, way)))
				want[way] |= POLLER_READ;
			if (shuttle_wants_write(&s->way[way]) && !s->done[way])
				want[!way] |= POLLER_WRITE;
		}
	/* Accepted sockets have SO_OOBINLINE from the beginning. */
	if (want[SERVER] & POLLER_READ && !s->in_line)
		want[SERVER] |= POLLER_URGENT;
	poller_want(e->poller, s->fd[CLIENT],
	    s->muted & 1u << CLIENT ? 0 : want[CLIENT]);
	if (s->fd[SERVER] != -1)
		poller_want(e->poller, s->fd[SERVER],
		    s->muted & 1u << SERVER ? 0 : want[SERVER]);
}

/*
 * The inputs of a deadline beside the state, as far as events change them.
 * Bytes only postpone deadlines, which the timer finds out by itself.
 */
static uint32_t
deadline_key(const struct session *s)
{
	return s->ways;
}

/*
 * Carries out the answer of a stage, until one waits or the session has ended.
 */
static void
follow_stages(struct session_env *e, struct session *s, struct session_drive *d,
    enum session_step step)
{
	while (step == STEP_AGAIN) {
		enter_state(e, s, d->next);
		d->entered = true;
		step = stages[s->state](e, s, d);
	}
	if (step == STEP_END)
		finish_session(e, s, d->reset);
}

/* At the end of each call of the driver, unless the session has ended. */
static void
watch_state(struct session_env *e, const struct session *s, bool timer)
{
	if (s->state == SESSION_FREE)
		return;
	if (timer)
		session_set_timer(e, s);
	set_interest(e, s);
}

/* Fixed for all its lines: computed from the clock each time it would vary. */
static void
begin_cold(struct session_cold *c)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	c->began = (uint64_t)ts.tv_sec * 1000 +
	    (uint64_t)ts.tv_nsec / 1000000;
	c->answered = false;
	c->lent = c->held = false;
	c->looks = 0;
	c->shared = 0;
	c->spared = END_NONE;
}

void
session_open(struct session_env *e, int fd, const struct endpoint *client,
    uint16_t listener)
{
	struct session *s = table_take(&e->table);
	struct session_drive d = { .next = SESSION_PROXY_HEADER };

	memset(s, 0, sizeof(*s));
	shuttle_init(&s->way[UP]);
	shuttle_init(&s->way[DOWN]);
	s->fd[SERVER] = -1;
	s->note = BUFPOOL_NONE;
	s->client = *client;
	s->listener = listener;
	s->started = s->last = e->now;
	begin_cold(session_cold(e, s));
	table_attach(&e->table, s, CLIENT, fd);
	counter_add(&e->board->total, 1);
	s->number = (uint16_t)e->board->total;
	gauge_add(&e->board->live, 1);
	follow_stages(e, s, &d, STEP_AGAIN);
	watch_state(e, s, true);
}

void
session_event(struct session_env *e, struct session *s, int side,
    unsigned ready)
{
	struct session_drive d = { .side = side, .ready = ready };
	uint64_t before = session_progress(s);
	uint32_t key = deadline_key(s);
	enum session_step step;
	bool timer;

	/* The server's urgent byte is announced before reading can pass it. */
	if (ready & POLLER_URGENT) {
		socket_set_urgent_inline(s->fd[SERVER]);
		s->in_line = true;
	}
	if ((step = stages[s->state](e, s, &d)) != STEP_WAIT)
		follow_stages(e, s, &d, step);
	if (s->state == SESSION_FREE)
		return;
	timer = d.entered || key != deadline_key(s);
	if (session_progress(s) != before) {
		s->way[side].vain = 0;
	} else {
		d.side = side;
		follow_stages(e, s, &d, session_in_vain(e, s, &d));
		timer = true;
	}
	watch_state(e, s, timer);
}

bool
session_serve(struct session_env *e, struct session *s)
{
	struct session_drive d = { .turn = true };

	follow_stages(e, s, &d, stages[s->state](e, s, &d));
	watch_state(e, s, true);
	return !d.stays;
}

void
session_expired(struct session_env *e, struct session *s)
{
	struct session_drive d = { .entered = false };
	session_stage *came;
	unsigned next = 0;

	/* After any event, look again at a muted descriptor. */
	s->muted = 0;
	/* FLUSH has no deadline: it polls. */
	d.entered = s->state == SESSION_FLUSH;
	if (d.entered)
		follow_stages(e, s, &d, stages[s->state](e, s, &d));
	while ((came = session_next_came(e, s, &next)) != NULL)
		follow_stages(e, s, &d, came(e, s, &d));
	watch_state(e, s, true);
}

void
session_shut(struct session_env *e, struct session *s, enum session_end why)
{
	struct session_drive d = { .entered = false };

	follow_stages(e, s, &d, session_wind_up(e, s, &d, why));
	watch_state(e, s, true);
}

void
session_kill(struct session_env *e, struct session *s, enum session_end why,
    bool abort)
{
	session_note_end(s, why);
	finish_session(e, s, abort ? BOTH_SIDES : NO_SIDE);
}
