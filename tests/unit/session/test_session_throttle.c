/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_throttle.c: sessions with a rate, by a clock that the test puts forward:
 * how much comes, how evenly, copied and spliced, and what goes on meanwhile.
 */
#include "session/session.h"

#include "helpers.h"
#include "session_rig.h"

#define STEP		10		/* ms from one turn to the next */

static struct rig rig;
static int	end[2];			/* of the client, of the server */
static uint64_t	came[2];		/* bytes that pump() has read, by way */

int
set_up(void)
{
	end[CLIENT] = end[SERVER] = -1;
	came[UP] = came[DOWN] = 0;
	rig_start(&rig, 20, 8, 65536);
	rig.stopped = true;
	rig_add_server(&rig);
	rig_ready(&rig);
	return 0;
}

int
tear_down(void)
{
	int side;

	sessions_kill(&rig.env, END_STOP, true);
	for (side = CLIENT; side <= SERVER; side++)
		if (end[side] != -1)
			close(end[side]);
	return rig_stop(&rig);
}

static struct session *
begin(int way, uint64_t rate)
{
	came[UP] = came[DOWN] = 0;
	rig.route.limits.rate[way] = rate;
	end[CLIENT] = rig_client(&rig);
	end[SERVER] = rig_server(&rig, 0);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_RELAY);
	return rig_session(&rig);
}

/* Send as much as goes, and read all that has come, which is how much. */
static uint64_t
pump(int from)
{
	static unsigned char bytes[1 << 20];
	uint64_t got = 0;
	ssize_t n;

	(void)send(end[from], bytes, sizeof(bytes), MSG_DONTWAIT);
	while ((n = recv(end[!from], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		got += (uint64_t)n;
	came[from] += got;
	return got;
}

/*
 * Time goes on by one step, and all that may come now comes: what has been paid
 * for as well, which the kernel brings in a time of its own.
 */
static uint64_t
step(int from)
{
	const struct session *s = rig_session(&rig);
	int i, turns = rig.route.limits.rate[from] > 0 ? 5000 : 100;
	uint64_t before = came[from];

	rig_clock += STEP;
	rig_turn(&rig, 0);
	for (i = 0; i < turns; i++) {
		(void)pump(from);
		if (s->paused[from] && came[from] == s->way[from].in)
			break;
		rig_turn(&rig, 1);
	}
	return came[from] - before;
}

/* For ten seconds: all that the rate allows, and never much at once. */
static void
keeps_rate(int way, uint64_t rate)
{
	uint64_t all = 0, begun = begin(way, rate)->started, ms;

	while ((ms = rig_clock - begun) < 10000) {
		all += step(way);
		ms = rig_clock - begun;
		if (all > (ms + 50) * rate / 1000 + 100 ||
		    (ms > 100 && all < (ms - 70) * rate / 1000))
			fail_msg("%llu bytes in %llu ms", (unsigned long long)
			    all, (unsigned long long)ms);
	}
}

TEST(download_rate)
{
	keeps_rate(DOWN, 300000);
	assert_int_equal(rig.env.board->shuttles.spliced, 0);
}

TEST(upload_rate)
{
	keeps_rate(UP, 300000);
	assert_int_equal(rig.env.board->shuttles.spliced, 0);
}

TEST(least_rate)
{
	keeps_rate(UP, 1024);
}

/* So slow that a byte takes longer than what is saved up elsewhere. */
static void
keeps_exactly(uint64_t rate)
{
	uint64_t all = 0, begun = begin(UP, rate)->started, ms;
	/* What it begins with, and what is not worth a read. */
	uint64_t more = rate / 10 + 1;

	while ((ms = rig_clock - begun) < 20000) {
		all += step(UP);
		ms = rig_clock - begun;
		if (all > ms * rate / 1000 + more ||
		    all + more < ms * rate / 1000)
			fail_msg("%llu a second: %llu bytes in %llu ms",
			    (unsigned long long)rate, (unsigned long long)all,
			    (unsigned long long)ms);
	}
	sessions_kill(&rig.env, END_STOP, true);
	rig_hang_up(&end[CLIENT]);
	rig_hang_up(&end[SERVER]);
}

TEST(slow_rates)
{
	keeps_exactly(1);
	keeps_exactly(3);
	keeps_exactly(19);
	keeps_exactly(30);
	keeps_exactly(333);
}

TEST(rate_of_a_stream)
{
	rig.env.kit.pipes = pipepool_new();
	keeps_rate(DOWN, 2 << 20);
	assert_true(rig.env.board->shuttles.spliced > 19 << 20);
}

/* Without a block bytes are peeked at. */
TEST(rate_without_a_block)
{
	uint32_t block[8];
	int i;

	for (i = 0; i < 8; i++)
		block[i] = bufpool_get(rig.env.kit.pool);
	keeps_rate(DOWN, 1 << 20);
	assert_true(rig.env.board->shuttles.peeked > 0);
	for (i = 0; i < 8; i++)
		bufpool_put(rig.env.kit.pool, block[i]);
}

/* The other way is not slowed down, and neither is anybody else. */
TEST(others_are_not_paced)
{
	uint64_t fast = 0;
	int i;

	(void)begin(UP, 2048);
	for (i = 0; i < 20; i++)
		(void)step(UP);
	assert_true(rig_session(&rig)->paused[UP]);
	for (i = 0; i < 20; i++)
		fast += step(DOWN);
	assert_true(fast > 1 << 20);
}

/* Nothing is to be done while it pauses: the loop does not spin. */
TEST(pause_is_silent)
{
	struct poller_event ev;
	struct session *s;

	s = begin(UP, 1000);
	(void)pump(UP);
	TURN_UNTIL(&rig, s->paused[UP]);
	assert_int_equal(poller_wait(rig.env.poller, 0), 0);
	assert_int_equal(poller_next(rig.env.poller, &ev), 0);
	assert_in_range(timer_wait(rig.env.timers, rig.env.now, 1000), 1,
	    50 + 2 * TIMER_TICK);
}

/* What was not used is saved up for a tenth of a second only. */
TEST(no_more_is_saved_up)
{
	(void)begin(UP, 100000);
	rig_clock += 30000;
	assert_in_range(step(UP), 1, 10000);
	rig_clock += UINT64_C(3) * 24 * 3600 * 1000;
	assert_in_range(step(UP), 1, 10000);
}

/* After any silence whatever it goes on soon: time is kept modulo 65 s. */
TEST(after_any_silence)
{
	uint64_t got, ms;
	int i;

	(void)begin(UP, 100000);
	for (ms = 65300; ms < 65800; ms += 20) {
		rig_clock += ms;
		for (got = 0, i = 0; i < 10; i++)
			got += step(UP);
		assert_in_range(got, 5000, 30000);
	}
}

/* An end of file and a reset come through when the pause is over. */
TEST(ends)
{
	(void)begin(UP, 20000);
	(void)pump(UP);
	rig_idle(&rig);
	rig_abort(end[CLIENT]);
	end[CLIENT] = -1;
	while (rig.env.table.live > 0) {
		rig_clock += STEP;
		rig_turn(&rig, 0);
	}
	assert_int_equal(rig_ends(&rig, END_CLIENT_RESET), 1);
}

TEST(end_of_file)
{
	char got[256];
	uint64_t begun;
	ssize_t n, all = 0;

	begun = begin(UP, 1000)->started;
	MUST(send(end[CLIENT], got, 200, 0));
	MUST(shutdown(end[CLIENT], SHUT_WR));
	do {
		rig_clock += STEP;
		rig_turn(&rig, 0);
		n = recv(end[SERVER], got, sizeof(got), MSG_DONTWAIT);
		all += n > 0 ? n : 0;
	} while (n != 0);
	assert_int_equal(all, 200);
	assert_in_range(rig_clock - begun, 140, 300);
}

/* Bytes read while connecting count as well. */
TEST(early_bytes_count)
{
	static unsigned char bytes[60000];
	int i;

	rig.pool.fast_open = true;
	rig.route.limits.rate[UP] = 10000;
	rig.route.eager = ROUTE_EAGER;
	end[CLIENT] = rig_client(&rig);
	end[SERVER] = rig_server(&rig, 0);
	MUST(send(end[CLIENT], bytes, sizeof(bytes), MSG_DONTWAIT));
	TURN_UNTIL(&rig, rig_session(&rig)->way[UP].in > 0);
	for (i = 0; i < 10; i++) {
		rig_clock += STEP;
		rig_turn(&rig, 0);
	}
	assert_in_range(rig_session(&rig)->way[UP].in, 500, 2500);
}
