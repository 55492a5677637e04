/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_relay.c: RELAY and FLUSH. Invariant: a way that is done holds no
 * bytes; bytes that still arrive on it are dropped.
 */
#include "session/session_relay.h"

#include <errno.h>

#include "net/socket.h"
#include "net/socket_option.h"
#include "session/session_throttle.h"

/* Time to wait until all bytes have arrived before a reset, in ms. */
#define FLUSH_MAX	60000

/*
 * A source that sends this many bytes to an ended side will not stop to read
 * what that side has sent.
 */
#define DISCARD_MAX	(16u << 20)

/* Up to this many bytes a first send is not delayed by Nagle's algorithm. */
#define ONE_SEGMENT	512

/* True for an error of a connection that had been established. */
bool
session_had_stood(int err)
{
	return err == ECONNRESET || err == EPIPE;
}

/*
 * A side has failed. Nothing can be sent to it any more; what it sent before is
 * still read and passed on.
 */
void
session_side_failed(struct session_env *e, struct session *s, int side,
    int err)
{
	bool lost = !session_had_stood(err);

	if (side == CLIENT)
		session_note_end(s, lost ? END_CLIENT_LOST : END_CLIENT_RESET);
	else
		session_note_end(s, lost ? END_SERVER_LOST : END_SERVER_RESET);
	s->reset[side] = true;
	s->done[!side] = true;
	shuttle_drop(&s->way[!side], &e->kit);
	s->last = e->now;
}

/*
 * Nagle's algorithm (RFC 896) delays a small message only while another is on
 * its way: the one message of a short session needs no TCP_NODELAY. Setting it
 * later also sends what has been waiting.
 */
void
session_send_promptly(struct session *s)
{
	if (s->sends < 2 && (++s->sends == 2 || s->way[UP].out > ONE_SEGMENT)) {
		socket_set_nodelay(s->fd[SERVER]);
		s->sends = 2;
	}
}

/* The side that a reset must be passed on to, or NO_SIDE. */
int
session_due_reset(const struct session *s)
{
	if (s->reset[CLIENT] == s->reset[SERVER])
		return NO_SIDE;
	return s->reset[CLIENT] ? SERVER : CLIENT;
}

/*
 * The destination has ended, but the source still writes: continue to read,
 * because it may finish writing before it reads.
 */
bool
session_discards(const struct session *s, int way)
{
	return s->done[way] && s->reset[!way] && !s->way[way].eof;
}

/* End of file was read and all bytes before it are out. */
static void
way_ended(struct session_env *e, struct session *s, int way)
{
	s->done[way] = true;
	session_note_end(s, way == UP ? END_CLIENT_CLOSE : END_SERVER_CLOSE);
	if (s->done[!way])
		return;
	(void)socket_shut_write(s->fd[!way]);
	s->last = e->now;
}

static void
discard_bytes(struct session_env *e, struct session *s, int way)
{
	struct shuttle nowhere;

	shuttle_init(&nowhere);
	if (shuttle_discard(&nowhere, &e->kit, s->fd[way]) != SHUTTLE_GOING)
		s->way[way].eof = true;
	s->discarded += (uint32_t)nowhere.in;
}

static void
relay_result(struct session_env *e, struct session *s, int way,
    enum shuttle_result result)
{
	int err = errno;

	switch (result) {
	case SHUTTLE_GOING:
		break;
	case SHUTTLE_ENDED:
		way_ended(e, s, way);
		break;
	case SHUTTLE_FROM_FAILED:
		s->done[way] = true;
		session_side_failed(e, s, way, err);
		break;
	case SHUTTLE_TO_FAILED:
		session_side_failed(e, s, !way, err);
		break;
	}
}

static void
note_move(const struct session_env *e, struct session *s, int way)
{
	/* After session_shut() it has its time for that, however slow it is. */
	if (!s->shut)
		s->last = e->now;
	s->heard[way] = (uint32_t)(e->now - s->started);
}

/* For its client it may be over: see session_park.c. */
static void
note_end(struct session_env *e, struct session *s)
{
	if (!s->done[UP] || s->ending)
		return;
	s->ending = true;
	e->ending++;
}

/* By the clock of this turn. */
static void
note_answer(const struct session_env *e, const struct session *s)
{
	struct session_cold *r = session_cold(e, s);

	r->answered = true;
	r->first_byte = (uint32_t)(e->now - s->started);
}

static void
move_ready(struct session_env *e, struct session *s, int side, unsigned ready)
{
	struct shuttle *out = &s->way[!side], *in = &s->way[side];
	uint64_t before = in->in + in->out, other = out->in + out->out;
	uint64_t sent = s->way[UP].out;

	if (ready & POLLER_WRITE && !s->done[!side])
		relay_result(e, s, !side, session_move(e, s, !side,
		    shuttle_write));
	if (ready & POLLER_READ && !s->done[side])
		relay_result(e, s, side, session_move(e, s, side,
		    shuttle_read));
	else if (ready & POLLER_READ && session_discards(s, side))
		discard_bytes(e, s, side);
	if (in->in + in->out != before) {
		if (before == 0 && side == SERVER)
			note_answer(e, s);
		note_move(e, s, side);
	}
	if (out->in + out->out != other)
		note_move(e, s, !side);
	if (!in->splicing && !out->splicing)
		e->talked = e->now;
	if (s->way[UP].out != sent)
		session_send_promptly(s);
	note_end(e, s);
}

enum session_step
session_relay_stage(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	if (d->ready != 0)
		move_ready(e, s, d->side, d->ready);
	if (s->done[UP] && s->done[DOWN])
		return step_to(d, SESSION_FLUSH);
	if (s->discarded > DISCARD_MAX)
		return step_over(d, session_due_reset(s));
	return STEP_WAIT;
}

enum session_step
session_flush_stage(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	int side = session_due_reset(s);

	/* Only time can complete it, not an event. */
	if (!d->entered)
		return STEP_WAIT;
	if (side == NO_SIDE || socket_unacked(s->fd[side]) == 0 ||
	    e->now - s->last >= FLUSH_MAX)
		return step_over(d, side);
	return STEP_WAIT;
}

void
session_relay_shut(struct session_env *e, struct session *s,
    enum session_end why)
{
	int way;

	session_note_end(s, why);
	s->shut = true;
	s->last = e->now;
	for (way = UP; way <= DOWN; way++) {
		if (s->done[way])
			continue;
		/* Bytes read come first: their end is the end. */
		if (shuttle_held(&s->way[way]) > 0)
			s->way[way].eof = true;
		else
			(void)socket_shut_write(s->fd[!way]);
	}
}
