/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_flow.c: many bytes and many sessions: streams that are compared byte
 * by byte while the pool runs dry, back-pressure, and sessions that end in any
 * way at any moment without leaving anything behind.
 */
#include "session/session.h"

#include "helpers.h"
#include "session_rig.h"

#define SESSIONS	12
#define BLOCK		16384

static struct rig rig;
static uint64_t	seed;
static unsigned	held, stuck;		/* how often either was seen */

/* One way of one session as its two ends see it. */
struct flow {
	uint64_t stream, length, put, got;
	bool	 closed, ended;
};

static struct end {
	int	fd[2];			/* of the client, of the server */
	struct flow way[2];
} ends[SESSIONS];

int
set_up(void)
{
	int i;

	seed = random_seed();
	held = stuck = 0;
	for (i = 0; i < SESSIONS; i++)
		ends[i].fd[0] = ends[i].fd[1] = -1;
	return 0;
}

static void
hang_up(struct end *e)
{
	int side;

	for (side = 0; side < 2; side++) {
		if (e->fd[side] != -1)
			close(e->fd[side]);
		e->fd[side] = -1;
	}
}

int
tear_down(void)
{
	int i;

	for (i = 0; i < SESSIONS; i++)
		hang_up(&ends[i]);
	return rig_stop(&rig);
}

static void
begin(uint32_t blocks)
{
	rig_start(&rig, SESSIONS, blocks, BLOCK);
	rig_add_server(&rig);
	rig_ready(&rig);
}

static void
connect_end(struct end *e)
{
	e->fd[CLIENT] = e == &ends[0] ? rig_client(&rig) :
	    rig_unix_client(&rig);
	e->fd[SERVER] = rig_server(&rig, 0);
	memset(e->way, 0, sizeof(e->way));
}

/* One end gives a little and takes a little. */
static void
play(struct end *e, int side)
{
	struct flow *out = &e->way[side], *in = &e->way[!side];
	unsigned char buf[30000];
	ssize_t n;
	size_t len;

	if (!out->closed) {
		len = random_below(&seed, sizeof(buf));
		if (len > out->length - out->put)
			len = (size_t)(out->length - out->put);
		pattern_fill(out->stream, out->put, buf, len);
		n = len == 0 ? 0 : send(e->fd[side], buf, len, MSG_DONTWAIT);
		out->put += n > 0 ? (uint64_t)n : 0;
		if (out->put == out->length) {
			MUST(shutdown(e->fd[side], SHUT_WR));
			out->closed = true;
		}
	}
	if (in->ended || random_below(&seed, 3) == 0)
		return;
	n = recv(e->fd[side], buf, 1 + random_below(&seed, sizeof(buf)),
	    MSG_DONTWAIT);
	if (n == -1)
		assert_int_equal(errno, EAGAIN);
	else
		assert_int_equal(pattern_match(in->stream, in->got, buf,
		    (size_t)n), n);
	in->ended = n == 0;
	in->got += n > 0 ? (uint64_t)n : 0;
}

/* In every session and way: in == out + held, and blocks are accounted for. */
static void
assert_sound(uint32_t blocks)
{
	const struct session *s;
	uint32_t i, used = 0;
	int way;

	for (i = 0; i < rig.env.table.used; i++) {
		s = &rig.env.table.session[i];
		for (way = UP; s->state != SESSION_FREE && way <= DOWN;
		    way++) {
			used += s->way[way].block != BUFPOOL_NONE;
			stuck += s->way[way].stuck;
			assert_int_equal(s->way[way].in, s->way[way].out +
			    shuttle_held(&s->way[way]));
		}
	}
	assert_int_equal(bufpool_left(rig.env.kit.pool), blocks - used);
	held += used;
}

static void
carry(uint32_t blocks, uint64_t length)
{
	uint64_t up = 0, down = 0, give_up = clock_ms() + PATIENCE;
	uint32_t i, k;

	begin(blocks);
	for (i = 0; i < SESSIONS; i++) {
		connect_end(&ends[i]);
		for (k = 0; k < 2; k++) {
			ends[i].way[k].stream = i * 2 + k;
			ends[i].way[k].length = random_below(&seed, 3) == 0 ?
			    random_below(&seed, 10) :
			    random_below(&seed, (uint32_t)length);
		}
		up += ends[i].way[UP].length;
		down += ends[i].way[DOWN].length;
	}
	while (rig.env.table.live > 0 || clock_ms() > give_up) {
		assert_true(clock_ms() < give_up);
		for (i = 0; i < SESSIONS; i++)
			play(&ends[i], (int)random_below(&seed, 2));
		rig_turn(&rig, 0);
		assert_sound(blocks);
	}
	for (i = 0; i < SESSIONS; i++)
		for (k = 0; k < 2; k++)
			while (!ends[i].way[k].ended)
				play(&ends[i], !k);
	for (i = 0; i < SESSIONS; i++)
		for (k = 0; k < 2; k++)
			assert_int_equal(ends[i].way[k].got,
			    ends[i].way[k].length);
	assert_int_equal(rig.env.board->bytes_up, up);
	assert_int_equal(rig.env.board->bytes_down, down);
	assert_int_equal(rig_ends(&rig, END_CLIENT_CLOSE) +
	    rig_ends(&rig, END_SERVER_CLOSE), SESSIONS);
}

TEST(blocks_for_all)
{
	carry(2 * SESSIONS, 700000);
	assert_true(held > 10);
	assert_int_equal(stuck, 0);
}

TEST(too_few_blocks)
{
	carry(1, 400000);
	assert_true(held > 10 && stuck > 10);
}

/* A reader that sleeps stops its writer, and costs one block and no more. */
TEST(back_pressure)
{
	static unsigned char bytes[65536];
	uint64_t sent = 0, got = 0;
	const struct session *s;
	ssize_t n;
	int quiet;

	begin(4);
	connect_end(&ends[0]);
	s = rig_session(&rig);
	for (quiet = 0; quiet < 100 || shuttle_held(&s->way[UP]) == 0;
	    quiet++) {
		pattern_fill(7, sent, bytes, sizeof(bytes));
		n = send(ends[0].fd[CLIENT], bytes, sizeof(bytes),
		    MSG_DONTWAIT);
		sent += n > 0 ? (uint64_t)n : 0;
		quiet = n > 0 || in_flight() ? 0 : quiet;
		assert_true(sent < 100000000);
		/* An acknowledgement may be 40 ms late. */
		rig_turn(&rig, quiet > 0 ? 1 : 0);
		assert_sound(4);
	}
	assert_in_range(shuttle_held(&s->way[UP]), 1, BLOCK);
	assert_int_equal(bufpool_left(rig.env.kit.pool), 3);
	/* The other way is free. */
	rig_write(&rig, ends[0].fd[SERVER], "hurry");
	rig_expect(&rig, ends[0].fd[CLIENT], "hurry");
	MUST(shutdown(ends[0].fd[CLIENT], SHUT_WR));
	while ((n = rig_some(&rig, ends[0].fd[SERVER], bytes,
	    sizeof(bytes))) > 0) {
		assert_int_equal(pattern_match(7, got, bytes, (size_t)n), n);
		got += (uint64_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	assert_int_equal(bufpool_left(rig.env.kit.pool), 4);
}

/* Bytes that are only written out are a sign of life, too. */
TEST(slow_reader_is_not_idle)
{
	static unsigned char bytes[15000];
	const struct session *s;

	begin(1);
	rig.route.limits.idle_timeout = 10000;
	connect_end(&ends[1]);
	s = rig_session(&rig);
	TURN_UNTIL(&rig, s->state == SESSION_RELAY);
	MUST(send(ends[1].fd[SERVER], bytes, sizeof(bytes), 0));
	TURN_UNTIL(&rig, s->way[DOWN].in == sizeof(bytes));
	held = shuttle_held(&s->way[DOWN]);
	assert_true(held > 0);
	rig_pass(&rig, 9000);
	/* Enough for all the rest to go out. */
	assert_true(rig_read(&rig, ends[1].fd[CLIENT], bytes,
	    sizeof(bytes) - held) > 0);
	rig_idle(&rig);
	assert_int_equal(shuttle_held(&s->way[DOWN]), 0);
	rig_pass(&rig, 9000);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 10100);
	assert_int_equal(rig.env.table.live, 0);
	assert_int_equal(rig_ends(&rig, END_IDLE_TIMEOUT), 1);
}

/* The first session's server does not read, and we hold bytes for it. */
static uint64_t
fill_up(void)
{
	static unsigned char bytes[65536];
	const struct session *s = rig_session(&rig);
	uint64_t sent = 0;
	ssize_t n;
	int quiet;

	for (quiet = 0; quiet < 80 || shuttle_held(&s->way[UP]) == 0;
	    quiet++) {
		pattern_fill(7, sent, bytes, sizeof(bytes));
		n = send(ends[0].fd[CLIENT], bytes, sizeof(bytes),
		    MSG_DONTWAIT);
		sent += n > 0 ? (uint64_t)n : 0;
		quiet = n > 0 || in_flight() ? 0 : quiet;
		rig_turn(&rig, quiet > 0 ? 1 : 0);
	}
	rig_abort(ends[0].fd[CLIENT]);
	ends[0].fd[CLIENT] = -1;
	assert_true(comes(s->fd[CLIENT], 0, PATIENCE));
	return s->way[UP].in;
}

/* Write *length* bytes to a client that is gone. How many were taken. */
static uint64_t
write_in_vain(uint64_t length)
{
	static unsigned char bytes[65536];
	uint64_t done = 0, give_up = clock_ms() + PATIENCE;
	ssize_t n;

	while (done < length && clock_ms() < give_up) {
		n = send(ends[0].fd[SERVER], bytes, sizeof(bytes),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN)
			break;
		done += n > 0 ? (uint64_t)n : 0;
		rig_turn(&rig, 0);
	}
	return done;
}

/* It may read what it was sent only after it has said all it has to say. */
TEST(server_writes_on_after_a_reset)
{
	static unsigned char bytes[65536];
	uint64_t had, got = 0;
	ssize_t n;

	begin(4);
	connect_end(&ends[0]);
	had = fill_up();
	assert_true(write_in_vain(12 << 20) >= 12 << 20);
	while ((n = rig_some(&rig, ends[0].fd[SERVER], bytes,
	    sizeof(bytes))) > 0) {
		assert_int_equal(pattern_match(7, got, bytes, (size_t)n), n);
		got += (uint64_t)n;
		rig_clock += 20;
	}
	assert_int_equal(errno, ECONNRESET);
	assert_true(got >= had);
	assert_int_equal(rig_ends(&rig, END_CLIENT_RESET), 1);
}

/* One that neither reads nor ends is given up, and learns of the reset. */
TEST(fin_timeout_after_a_reset)
{
	static unsigned char bytes[65536];
	ssize_t n;

	begin(4);
	rig.route.limits.fin_timeout = 3000;
	connect_end(&ends[0]);
	fill_up();
	/* So little that nothing is left unread, which would be a reset. */
	rig_write(&rig, ends[0].fd[SERVER], "x");
	TURN_UNTIL(&rig, rig_session(&rig)->reset[CLIENT]);
	rig_pass(&rig, 2800);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 300);
	assert_int_equal(rig.env.table.live, 0);
	assert_int_equal(rig_ends(&rig, END_CLIENT_RESET), 1);
	while ((n = rig_some(&rig, ends[0].fd[SERVER], bytes,
	    sizeof(bytes))) > 0)
		continue;
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
}

/* But one who never stops is stopped. */
TEST(server_writes_for_ever_after_a_reset)
{
	begin(4);
	connect_end(&ends[0]);
	fill_up();
	assert_true(write_in_vain(200 << 20) < 100 << 20);
	assert_int_equal(rig.env.table.live, 0);
	assert_int_equal(rig_ends(&rig, END_CLIENT_RESET), 1);
}

/* While nothing can be done the loop sleeps. */
TEST(blocked_sessions_do_not_spin)
{
	static unsigned char bytes[65536];
	uint64_t give_up = clock_ms() + PATIENCE;
	int i, quiet, woken;

	begin(1);
	for (i = 0; i < 3; i++) {
		connect_end(&ends[i]);
		for (quiet = 0; quiet < 80 ||
		    bufpool_left(rig.env.kit.pool) > 0; quiet++) {
			if (send(ends[i].fd[CLIENT], bytes, sizeof(bytes),
			    MSG_DONTWAIT) > 0 || in_flight())
				quiet = 0;
			rig_turn(&rig, quiet > 0 ? 1 : 0);
		}
	}
	/* Until what came late has been dealt with. */
	do {
		rig_turn(&rig, 1);
		for (i = woken = 0; i < 20; i++)
			woken += poller_wait(rig.env.poller, 1) > 0;
	} while (woken > 5 && clock_ms() < give_up);
	assert_in_range(woken, 0, 5);
}

/* Anything that can happen to an end, at any moment. */
static void
disturb(struct end *e)
{
	int side = (int)random_below(&seed, 2);

	switch (random_below(&seed, 60)) {
	case 0:
		rig_abort(e->fd[side]);
		e->fd[side] = -1;
		hang_up(e);
		break;
	case 1:
		hang_up(e);
		break;
	case 2:
		close(e->fd[side]);
		e->fd[side] = -1;
		rig_turn(&rig, 0);
		hang_up(e);
		break;
	case 3:
		if (rig_any_session(&rig) != NULL)
			session_kill(&rig.env, rig_session(&rig), END_STOP,
			    side == 0);
		break;
	case 4:
		if (rig_any_session(&rig) != NULL)
			session_shut(&rig.env, rig_session(&rig), END_DRAIN);
		break;
	case 5:
		rig_clock += random_below(&seed, 3000);
		break;
	default:
		break;
	}
}

static void
exchange(struct end *e)
{
	static unsigned char bytes[20000];
	int side;

	for (side = 0; side < 2 && e->fd[side] != -1; side++) {
		(void)!send(e->fd[side], bytes,
		    random_below(&seed, sizeof(bytes)),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)!recv(e->fd[side], bytes, sizeof(bytes), MSG_DONTWAIT);
	}
}

/* In the end the counts are even: set against what was begun. */
TEST(any_end_at_any_moment)
{
	uint64_t opened = 0, ended = 0;
	int i, k;

	begin(3);
	rig.route.limits.idle_timeout = 30000;
	rig.route.limits.fin_timeout = 10000;
	for (i = 0; i < 15000; i++) {
		k = (int)random_below(&seed, SESSIONS);
		if (ends[k].fd[0] == -1 && !table_full(&rig.env.table)) {
			ends[k].fd[0] = rig_client(&rig);
			ends[k].fd[1] = rig_server(&rig, 0);
			opened++;
		} else if (ends[k].fd[0] != -1) {
			exchange(&ends[k]);
			disturb(&ends[k]);
		}
		rig_turn(&rig, 0);
		if (i % 16 == 0)
			assert_sound(3);
	}
	for (i = 0; i < SESSIONS; i++)
		hang_up(&ends[i]);
	for (i = 0; i < 100 && rig.env.table.live > 0; i++)
		rig_pass(&rig, 1000);
	assert_int_equal(rig.env.table.live, 0);
	assert_int_equal(rig.env.board->live, 0);
	assert_int_equal(board_server_live(rig.board, 0), 0);
	for (i = 0; i < END_REASONS; i++)
		ended += rig.env.board->ends[i];
	assert_int_equal(ended, opened);
	assert_int_equal(rig.env.board->total, opened);
	assert_int_equal(rig_ends(&rig, END_NONE), 0);
	assert_sound(3);
}

/* Large chunks are for a stream that has the worker to itself. */
TEST(streams_make_way)
{
	struct session *s;

	begin(4);
	connect_end(&ends[0]);
	rig_write(&rig, ends[0].fd[CLIENT], "x");
	TURN_UNTIL(&rig, rig_session(&rig)->way[UP].out == 1);
	rig_turn(&rig, 0);
	assert_true(rig.env.kit.splice_max > 0);
	rig_pass(&rig, 1000);
	assert_int_equal(rig.env.kit.splice_max, 0);
	/* What streams do is not what they have to make way for. */
	assert_non_null(rig.env.kit.pipes = pipepool_new());
	s = rig_session(&rig);
	s->way[UP].splicing = true;
	rig_write(&rig, ends[0].fd[CLIENT], "y");
	TURN_UNTIL(&rig, rig_session(&rig)->way[UP].in == 2);
	rig_turn(&rig, 0);
	assert_int_equal(rig.env.kit.splice_max, 0);
}
