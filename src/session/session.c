/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session.c: the life of a session, from its client's arrival to its end; what
 * it does in between stands in session_connect.c and session_relay.c. Owns both
 * descriptors; moves no bytes itself (shuttle.c), keeps no list of its kind
 * (session_table.c) and writes no line (session_log.c). Invariant: at the end
 * of every step the poller knows what the state wants of both descriptors.
 */
#include "session/session.h"

#include <assert.h>
#include <string.h>

#include "net/socket.h"
#include "net/socket_option.h"
#include "session/session_step.h"
#include "upstream/wait_queue.h"

void
session_set_state(struct session *s, enum session_state to)
{
	static const unsigned from[] = {
		[SESSION_FREE] = ~0u,
		[SESSION_HEADER] = 1u << SESSION_FREE,
		[SESSION_PARKED] = 1u << SESSION_FREE | 1u << SESSION_HEADER |
		    1u << SESSION_PARKED | 1u << SESSION_PICK,
		[SESSION_PICK] = 1u << SESSION_FREE | 1u << SESSION_HEADER |
		    1u << SESSION_PARKED | 1u << SESSION_CONNECT |
		    1u << SESSION_QUEUE,
		[SESSION_QUEUE] = 1u << SESSION_PICK,
		[SESSION_CONNECT] = 1u << SESSION_PICK,
		[SESSION_RELAY] = 1u << SESSION_CONNECT,
		[SESSION_FLUSH] = 1u << SESSION_RELAY,
		[SESSION_LINGER] = 1u << SESSION_PICK,
	};

	assert(from[to] & 1u << s->state);
	s->state = (uint8_t)to;
}

/*
 * The first reason counts: what follows is its consequence. But an orderly
 * close of one side is only half an end, and whatever goes wrong later counts.
 */
void
session_note_end(struct session *s, enum session_end why)
{
	if (s->end == END_NONE || ((s->end == END_CLIENT_CLOSE ||
	    s->end == END_SERVER_CLOSE) && why != END_CLIENT_CLOSE &&
	    why != END_SERVER_CLOSE))
		s->end = (uint8_t)why;
}

/* What the state wants of each descriptor. */
void
session_set_interest(struct session_table *t, const struct session *s)
{
	unsigned want[2] = { 0, 0 };
	int way;

	if (s->state == SESSION_CONNECT)
		want[SERVER] = session_header_due(s) ? POLLER_WRITE :
		    POLLER_READ | POLLER_WRITE;
	if (s->state == SESSION_LINGER || s->state == SESSION_HEADER)
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
	/* Accepted sockets have it in line from the beginning. */
	if (want[SERVER] & POLLER_READ && !s->in_line)
		want[SERVER] |= POLLER_URGENT;
	poller_want(t->poller, s->fd[CLIENT],
	    s->muted & 1u << CLIENT ? 0 : want[CLIENT]);
	if (s->fd[SERVER] != -1)
		poller_want(t->poller, s->fd[SERVER],
		    s->muted & 1u << SERVER ? 0 : want[SERVER]);
}

uint32_t
session_backend(const struct session *s)
{
	return s->tried[s->attempts - 1];
}

/* First close: else the backend might have more than it may for a moment. */
void
session_let_go(struct session_table *t, struct session *s, bool abort)
{
	if (s->fd[SERVER] == -1)
		return;
	table_detach(t, s, SERVER, abort);
	session_give_place(t, session_backend(s));
}

void
session_give_place(struct session_table *t, uint32_t i)
{
	const struct backend *b = &t->backends->list[i];

	backend_drop(t->backends, i);
	if (b->max_sessions != 0)
		queue_call(t->queue, b->pool, t->now);
}

/*
 * The one way out, from any state and however little was built. *reset* tells
 * who gets a reset instead of an end of file.
 */
void
session_finish(struct session_table *t, struct session *s, int reset)
{
	if (s->state == SESSION_QUEUE)
		session_leave_queue(t, s);
	session_unpark(t, s);
	session_let_go(t, s, reset == SERVER || reset == EVERYBODY);
	table_detach(t, s, CLIENT, reset == CLIENT || reset == EVERYBODY);
	shuttle_drop(&s->way[UP], &t->kit);
	shuttle_drop(&s->way[DOWN], &t->kit);
	session_drop_note(t, s);
	if (s->connected == 0)		/* read, but not passed on */
		s->way[UP].out = 0;
	counter_add(&t->board->up, s->way[UP].out);
	counter_add(&t->board->down, s->way[DOWN].out);
	counter_add(&t->board->ends[s->end], 1);
	gauge_add(&t->board->live, -1);
	t->ending -= s->ending;
	session_log_end(t, s);
	session_leave(t, s);
	session_set_state(s, SESSION_FREE);
	table_give(t, s);
}

/* Said in all its lines: counted back from the clock it would waver. */
static void
begin_record(struct session_record *r)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	r->began = (uint64_t)ts.tv_sec * 1000 +
	    (uint64_t)ts.tv_nsec / 1000000;
	r->answered = false;
	r->lent = r->held = false;
	r->looks = 0;
	r->shared = 0;
	r->spared = END_NONE;
}

void
session_open(struct session_table *t, int fd, const struct endpoint *client,
    uint16_t listener)
{
	struct session *s = table_take(t);

	memset(s, 0, sizeof(*s));
	shuttle_init(&s->way[UP]);
	shuttle_init(&s->way[DOWN]);
	s->fd[SERVER] = -1;
	s->client = *client;
	s->listener = listener;
	s->started = s->last = t->now;
	begin_record(session_record(t, s));
	table_attach(t, s, CLIENT, fd);
	counter_add(&t->board->total, 1);
	s->number = (uint16_t)t->board->total;
	gauge_add(&t->board->live, 1);
	session_meet(t, s);
}

static void
act_on(struct session_table *t, struct session *s, int side, unsigned ready)
{
	if (s->state == SESSION_CONNECT)
		session_connect_event(t, s, ready);
	else if (s->state == SESSION_RELAY)
		session_relay_event(t, s, side, ready);
	else if (s->state == SESSION_HEADER)
		session_header_event(t, s);
	else if (s->state == SESSION_LINGER)
		session_linger_event(t, s);
}

/* The server's urgent byte is announced before one can read past it. */
void
session_event(struct session_table *t, struct session *s, int side,
    unsigned ready)
{
	uint64_t before = session_progress(s);

	if (ready & POLLER_URGENT) {
		socket_set_urgent_inline(s->fd[SERVER]);
		s->in_line = true;
	}
	act_on(t, s, side, ready);
	if (s->state == SESSION_FREE)
		return;
	if (session_progress(s) == before)
		session_in_vain(t, s, side);
	else
		s->way[side].vain = 0;
}

/* No server has it yet, so nothing is on its way. */
static void
send_home(struct session_table *t, struct session *s, enum session_end why)
{
	if (s->state == SESSION_QUEUE) {
		session_leave_queue(t, s);
	} else {
		session_unpark(t, s);
		session_let_go(t, s, false);
		session_set_state(s, SESSION_PICK);
	}
	session_turn_away(t, s, why);
}

void
session_shut(struct session_table *t, struct session *s, enum session_end why)
{
	int way;

	if (s->state == SESSION_HEADER || s->state == SESSION_PARKED ||
	    s->state == SESSION_QUEUE || s->state == SESSION_CONNECT) {
		send_home(t, s, why);
		return;
	}
	if (s->state != SESSION_RELAY) {
		session_kill(t, s, why, false);
		return;
	}
	session_note_end(s, why);
	s->shut = true;
	s->last = t->now;
	for (way = UP; way <= DOWN; way++) {
		if (s->done[way])
			continue;
		/* What has been read comes first: its end is the end. */
		if (shuttle_held(&s->way[way]) > 0)
			s->way[way].eof = true;
		else
			(void)socket_shut_write(s->fd[!way]);
	}
	session_set_timer(t, s);
	session_set_interest(t, s);
}

void
session_kill(struct session_table *t, struct session *s, enum session_end why,
    bool abort)
{
	session_note_end(s, why);
	session_finish(t, s, abort ? EVERYBODY : NOBODY);
}
