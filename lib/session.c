/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session.c: the life of a session, from its client's arrival to its end.
 * Owns both descriptors; moves no bytes itself (shuttle.c), keeps no list of
 * its kind (session_table.c) and writes no line (session_log.c). Invariant: at
 * the end of every step the poller knows what the session's state wants of both
 * descriptors.
 */
#include "session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "session_log.h"
#include "session_table.h"
#include "sys.h"

/* How often to ask whether all bytes have arrived, and for how long, in ms. */
#define FLUSH_POLL	(2 * TIMER_TICK)
#define FLUSH_MAX	60000

/*
 * Who has so many bytes more for a side that is gone will not stop to read what
 * that side has sent.
 */
#define DISCARD_MAX	(16u << 20)

/* How long a client that is turned away may go on sending, in ms. */
#define LINGER		2000

/* Who gets a reset when a session ends: a side, or one of these. */
enum { NOBODY = -1, EVERYBODY = 2 };

static void	pick(struct session_table *, struct session *);

static void
set_state(struct session *s, enum session_state to)
{
	static const unsigned from[] = {
		[SESSION_FREE] = ~0u,
		[SESSION_PICK] = 1u << SESSION_FREE | 1u << SESSION_CONNECT,
		[SESSION_CONNECT] = 1u << SESSION_PICK,
		[SESSION_RELAY] = 1u << SESSION_PICK | 1u << SESSION_CONNECT,
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
static void
note_end(struct session *s, enum session_end why)
{
	if (s->end == END_NONE || ((s->end == END_CLIENT_CLOSE ||
	    s->end == END_SERVER_CLOSE) && why != END_CLIENT_CLOSE &&
	    why != END_SERVER_CLOSE))
		s->end = (uint8_t)why;
}

/* When the state that the session is in has lasted too long; 0: never. */
static uint64_t
deadline(const struct session_table *t, const struct session *s)
{
	uint64_t limit;

	switch (s->state) {
	case SESSION_CONNECT:
		return s->last + t->limits->connect_timeout;
	case SESSION_RELAY:
		limit = s->done[UP] || s->done[DOWN] ?
		    t->limits->fin_timeout : t->limits->idle_timeout;
		return limit == 0 ? 0 : s->last + limit;
	case SESSION_FLUSH:
		return t->now + FLUSH_POLL;
	case SESSION_LINGER:
		return s->last + LINGER;
	default:
		return 0;
	}
}

/*
 * To be called when the state changes. While bytes move the timer is left
 * alone: session_expired() sees how long it really was quiet.
 */
static void
set_timer(struct session_table *t, struct session *s)
{
	uint64_t at = deadline(t, s);

	if (at == 0)
		timers_clear(t->timers, table_id(t, s));
	else
		timers_set(t->timers, table_id(t, s), at);
}

/* The side that a reset is to be passed on to, or NOBODY. */
static int
due_reset(const struct session *s)
{
	if (s->reset[CLIENT] == s->reset[SERVER])
		return NOBODY;
	return s->reset[CLIENT] ? SERVER : CLIENT;
}

/*
 * Its destination is gone, but the source still writes: read on, since it may
 * not read what we have for it before it has finished.
 */
static bool
discards(const struct session *s, int way)
{
	return s->done[way] && s->reset[!way] && !s->way[way].eof;
}

/* What the state wants of each descriptor. */
static void
set_interest(struct session_table *t, const struct session *s)
{
	unsigned want[2] = { 0, 0 };
	int way;

	if (s->state == SESSION_CONNECT)
		want[SERVER] = POLLER_READ | POLLER_WRITE;
	if (s->state == SESSION_LINGER)
		want[CLIENT] = POLLER_READ;
	if (s->state == SESSION_RELAY)
		for (way = UP; way <= DOWN; way++) {
			if (shuttle_wants_read(&s->way[way]) &&
			    (!s->done[way] || discards(s, way)))
				want[way] |= POLLER_READ;
			if (shuttle_wants_write(&s->way[way]) && !s->done[way])
				want[!way] |= POLLER_WRITE;
		}
	poller_want(t->poller, s->fd[CLIENT], want[CLIENT]);
	if (s->fd[SERVER] != -1)
		poller_want(t->poller, s->fd[SERVER], want[SERVER]);
}

static uint32_t
backend_of(const struct session *s)
{
	return s->tried[s->attempts - 1];
}

/*
 * The one way out, from any state and however little was built. *reset* tells
 * who gets a reset instead of an end of file.
 */
static void
finish(struct session_table *t, struct session *s, int reset)
{
	if (s->fd[SERVER] != -1)
		backend_drop(t->backends, backend_of(s));
	table_detach(t, s, SERVER, reset == SERVER || reset == EVERYBODY);
	table_detach(t, s, CLIENT, reset == CLIENT || reset == EVERYBODY);
	shuttle_drop(&s->way[UP], &t->kit);
	shuttle_drop(&s->way[DOWN], &t->kit);
	if (s->connected == 0)		/* read, but not passed on */
		s->way[UP].out = 0;
	counter_add(&t->board->up, s->way[UP].out);
	counter_add(&t->board->down, s->way[DOWN].out);
	counter_add(&t->board->ends[s->end], 1);
	gauge_add(&t->board->live, -1);
	session_log_end(t, s);
	set_state(s, SESSION_FREE);
	table_give(t, s);
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
	table_attach(t, s, CLIENT, fd);
	counter_add(&t->board->total, 1);
	gauge_add(&t->board->live, 1);
	session_log_start(t, s);
	pick(t, s);
}

static enum session_end
connect_error(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ENOENT:			/* a unix socket that is gone */
		return END_SERVER_REFUSED;
	case ETIMEDOUT:
		return END_CONNECT_TIMEOUT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRNOTAVAIL:		/* no local port is left */
		return END_RESOURCES;
	default:
		return END_SERVER_UNREACHABLE;
	}
}

/* This attempt came to nothing. The want of our own is not the backend's. */
static void
attempt_failed(struct session_table *t, struct session *s, int err)
{
	uint32_t i = backend_of(s);
	enum session_end why = connect_error(err);

	note_end(s, why);
	if (why != END_RESOURCES && backend_failed(t->backends, i, t->now))
		log_line(t->log, LOG_WARNING,
		    "backend %s: connect: %s; others are tried first for %d s",
		    t->backends->list[i].name, strerror(err),
		    BACKEND_HOLD_OFF / 1000);
	else if (why == END_RESOURCES)
		t->shortage = err;
}

static void
attempt_stands(struct session_table *t, struct session *s)
{
	uint32_t i = backend_of(s);

	set_state(s, SESSION_RELAY);
	s->end = END_NONE;
	s->connected = s->last = t->now;
	if (backend_answered(t->backends, i))
		log_line(t->log, LOG_NOTICE, "backend %s: answers again",
		    t->backends->list[i].name);
	set_timer(t, s);
	set_interest(t, s);
}

/* Begin to connect to backend *i*. False: it failed at once. */
static bool
attempt(struct session_table *t, struct session *s, uint32_t i)
{
	int fd, pending;

	s->tried[s->attempts++] = (uint16_t)i;
	fd = sys_connect(&t->backends->list[i].addr, &pending);
	if (fd == -1) {
		attempt_failed(t, s, errno);
		return false;
	}
	backend_take(t->backends, i);
	table_attach(t, s, SERVER, fd);
	if (!pending) {
		attempt_stands(t, s);
		return true;
	}
	set_state(s, SESSION_CONNECT);
	s->last = t->now;
	set_timer(t, s);
	set_interest(t, s);
	return true;
}

/*
 * Nobody can serve this client. It reads end of file at once; closing now would
 * turn that into a reset if it has sent anything, or is about to. When slots
 * are getting scarce they are worth more than that.
 */
static void
turn_away(struct session_table *t, struct session *s)
{
	note_end(s, END_NO_BACKEND);
	if (t->live > t->limit / 2) {
		finish(t, s, NOBODY);
		return;
	}
	(void)sys_shut_write(s->fd[CLIENT]);
	set_state(s, SESSION_LINGER);
	s->last = t->now;
	set_timer(t, s);
	set_interest(t, s);
}

/* Try backends until one is being connected to; end the session if none is. */
static void
pick(struct session_table *t, struct session *s)
{
	int i;

	set_state(s, SESSION_PICK);
	while (s->attempts < SESSION_ATTEMPTS) {
		i = balance_pick(t->balance, s->tried, s->attempts, t->now);
		if (i == -1)
			break;
		if (s->attempts > 0)
			counter_add(&t->board->retries, 1);
		if (attempt(t, s, (uint32_t)i))
			return;
	}
	turn_away(t, s);
}

/* The connection to the backend failed or took too long: the next one. */
static void
connect_failed(struct session_table *t, struct session *s, int err)
{
	table_detach(t, s, SERVER, false);
	backend_drop(t->backends, backend_of(s));
	attempt_failed(t, s, err);
	pick(t, s);
}

/* Both ways have ended: close, or pass the reset on when its turn has come. */
static void
relay_done(struct session_table *t, struct session *s)
{
	int side = due_reset(s);

	if (side == NOBODY || sys_unacked(s->fd[side]) == 0 ||
	    t->now - s->last >= FLUSH_MAX) {
		finish(t, s, side);
		return;
	}
	if (s->state != SESSION_FLUSH)
		set_state(s, SESSION_FLUSH);
	set_timer(t, s);
	set_interest(t, s);
}

/* End of file was read and everything before it is out. */
static void
way_ended(struct session_table *t, struct session *s, int way)
{
	s->done[way] = true;
	note_end(s, way == UP ? END_CLIENT_CLOSE : END_SERVER_CLOSE);
	if (s->done[!way])
		return;
	/* A reset follows instead, once the other way has ended. */
	if (!s->reset[way])
		(void)sys_shut_write(s->fd[!way]);
	s->last = t->now;
	set_timer(t, s);
}

/*
 * A side is gone with an error. Nothing can be sent to it any more; what it
 * sent before is still read and passed on.
 */
static void
side_failed(struct session_table *t, struct session *s, int side, int err)
{
	bool lost = err != ECONNRESET && err != EPIPE;

	if (side == CLIENT)
		note_end(s, lost ? END_CLIENT_LOST : END_CLIENT_RESET);
	else
		note_end(s, lost ? END_SERVER_LOST : END_SERVER_RESET);
	s->reset[side] = true;
	s->done[!side] = true;
	shuttle_drop(&s->way[!side], &t->kit);
	s->last = t->now;
	set_timer(t, s);
}

static void
discard(struct session_table *t, struct session *s, int way)
{
	struct shuttle nowhere;

	shuttle_init(&nowhere);
	if (shuttle_discard(&nowhere, &t->kit, s->fd[way]) != SHUTTLE_GOING)
		s->way[way].eof = true;
	s->discarded += (uint32_t)nowhere.in;
}

static void
relay_result(struct session_table *t, struct session *s, int way,
    enum shuttle_result result)
{
	int err = errno;

	switch (result) {
	case SHUTTLE_GOING:
		break;
	case SHUTTLE_ENDED:
		way_ended(t, s, way);
		break;
	case SHUTTLE_FROM_FAILED:
		s->done[way] = true;
		side_failed(t, s, way, err);
		break;
	case SHUTTLE_TO_FAILED:
		side_failed(t, s, !way, err);
		break;
	}
}

static void
relay_event(struct session_table *t, struct session *s, int side, unsigned ready)
{
	struct shuttle *out = &s->way[!side], *in = &s->way[side];
	uint64_t before = in->in + in->out + out->in + out->out;

	if (ready & POLLER_WRITE && !s->done[!side])
		relay_result(t, s, !side, shuttle_write(out, &t->kit,
		    s->fd[!side], s->fd[side]));
	if (ready & POLLER_READ && !s->done[side])
		relay_result(t, s, side, shuttle_read(in, &t->kit,
		    s->fd[side], s->fd[!side]));
	else if (ready & POLLER_READ && discards(s, side))
		discard(t, s, side);
	if (in->in + in->out + out->in + out->out != before)
		s->last = t->now;
	if (s->done[UP] && s->done[DOWN])
		relay_done(t, s);
	else if (s->discarded > DISCARD_MAX)
		finish(t, s, due_reset(s));
	else
		set_interest(t, s);
}

/*
 * A socket that is only writable is connected. One that is readable too has
 * bytes for us or an error: only then is it worth asking. Asking takes the error
 * away; one of a connection that had stood is dealt with as any later one,
 * since bytes may have come before it.
 */
static void
connect_event(struct session_table *t, struct session *s, unsigned ready)
{
	int err = 0;

	if (ready & POLLER_READ && sys_connected(s->fd[SERVER]) == -1)
		err = errno;
	if (err != 0 && err != ECONNRESET && err != EPIPE) {
		connect_failed(t, s, err);
		return;
	}
	attempt_stands(t, s);
	if (err != 0)
		side_failed(t, s, SERVER, err);
	relay_event(t, s, SERVER, ready);
}

static void
linger_event(struct session_table *t, struct session *s)
{
	enum shuttle_result result;

	result = shuttle_discard(&s->way[UP], &t->kit, s->fd[CLIENT]);
	if (result != SHUTTLE_GOING)
		finish(t, s, NOBODY);
}

void
session_event(struct session_table *t, struct session *s, int side, unsigned ready)
{
	if (s->state == SESSION_CONNECT)
		connect_event(t, s, ready);
	else if (s->state == SESSION_RELAY)
		relay_event(t, s, side, ready);
	else if (s->state == SESSION_LINGER)
		linger_event(t, s);
}

void
session_expired(struct session_table *t, struct session *s)
{
	uint64_t at = deadline(t, s);

	if (s->state == SESSION_FLUSH) {
		relay_done(t, s);
	} else if (s->state == SESSION_LINGER) {
		finish(t, s, NOBODY);
	} else if (at == 0) {
		return;
	} else if (at > t->now) {
		timers_set(t->timers, table_id(t, s), at);
	} else if (s->state == SESSION_CONNECT) {
		connect_failed(t, s, ETIMEDOUT);
	} else if (s->state == SESSION_RELAY) {
		note_end(s, s->done[UP] || s->done[DOWN] ?
		    END_FIN_TIMEOUT : END_IDLE_TIMEOUT);
		finish(t, s, due_reset(s));
	}
}

void
session_shut(struct session_table *t, struct session *s, enum session_end why)
{
	int way;

	if (s->state != SESSION_RELAY) {
		session_kill(t, s, why, false);
		return;
	}
	note_end(s, why);
	/* Held bytes would come after the end of file: that way just goes on. */
	for (way = UP; way <= DOWN; way++)
		if (!s->done[way] && !shuttle_wants_write(&s->way[way]))
			(void)sys_shut_write(s->fd[!way]);
}

void
session_kill(struct session_table *t, struct session *s, enum session_end why,
    bool abort)
{
	note_end(s, why);
	finish(t, s, abort ? EVERYBODY : NOBODY);
}
