/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_park.c: a count that another worker has yet to make less refuses
 * nothing, whichever it is, nor does one that is kept from it by a busy machine;
 * one that stays refuses within 100 ms; and those that are looked at again take
 * few slots.
 */
#include "session_rig.h"

#include <signal.h>

#include "board/concurrency.h"
#include "session/session_limits.h"
#include "board/client_key.h"

#define OTHER	0			/* the row of another worker */
#define SLOTS	20

static struct rig rig;
static struct servers others;
static bool	away;			/* the other one is not let run */

int
set_up(void)
{
	rig_start(&rig, SLOTS, 4, 4096);
	rig.pool.max_queue = 0;
	rig_add_server(&rig);
	rig_ready(&rig);
	rig.stopped = true;
	away = false;
	/* No process has this number, so none is called. */
	board_hold(rig.board, OTHER, -1, 1);
	others = rig.servers;
	others.worker = OTHER;
	return 0;
}

int
tear_down(void)
{
	return rig_stop(&rig);
}

/* Another worker has one of each. */
static uint32_t
others_have(void)
{
	const struct endpoint client = { .ip = { 127, 0, 0, 1 },
	    .family = AF_INET };
	uint64_t key = client_key_of(rig.board->ledger->seed, 0, &client);

	assert_true(server_take(&others, 0));
	assert_true(concurrency_enter(rig.board, OTHER, 0, 0));
	assert_true(concurrency_enter(rig.board, OTHER, BOARD_EVERYBODY, 0));
	return concurrency_enter_client(rig.board, OTHER, key, 9);
}

static void
others_lose(uint32_t at)
{
	server_drop(&others, 0);
	concurrency_leave(rig.board, OTHER, 0);
	concurrency_leave(rig.board, OTHER, BOARD_EVERYBODY);
	concurrency_leave_client(rig.board, OTHER, at);
}

/* Time goes by, and nothing that is due in it is late. */
static void
pass(uint64_t ms)
{
	while (ms-- > 0) {
		if (!away)
			rig.board->worker[OTHER].seen = rig.env.now + 1;
		rig_pass(&rig, 1);
	}
}

/* One that comes too early is served all the same, *late* ms later. */
static void
served_after(uint64_t late)
{
	uint32_t at = others_have();
	uint64_t refused = rig.env.board->ends[END_NO_SERVER];
	int fd = rig_client(&rig), server;

	assert_int_equal(rig_session(&rig)->state, SESSION_PARKED);
	assert_int_equal(rig.env.parked, 1);
	pass(late);
	assert_int_equal(rig.env.parked, 1);
	others_lose(at);
	pass(33);
	assert_int_equal(rig.env.parked, 0);
	server = rig_server(&rig, 0);
	rig_write(&rig, fd, "ask");
	rig_expect(&rig, server, "ask");
	assert_int_equal(rig.env.board->ends[END_NO_SERVER], refused);
	close(server);
	rig_abort(fd);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
}

/* One that is too many is told so, after so many ms. */
static void
refused_within(uint32_t least, uint32_t most, enum session_end why)
{
	uint64_t before = rig.env.board->ends[why];
	uint32_t at = others_have(), turns;
	int fd = rig_client(&rig);

	for (turns = 0; rig.env.parked > 0; turns++) {
		assert_in_range(turns, 0, most);
		pass(1);
	}
	assert_in_range(turns, least, most);
	rig_expect_end(&rig, fd);
	close(fd);
	TURN_UNTIL(&rig, rig_ends(&rig, why) == before + 1);
	others_lose(at);
}

/* More than one look, and not at the next turn. */
static void
refused_soon(enum session_end why)
{
	refused_within(50, 100, why);
}

TEST(all)
{
	rig.env.max_sessions = 1;
	served_after(8);
	served_after(60);
	refused_soon(END_MAX_SESSIONS);
}

TEST(listener)
{
	rig.route.counts.max_sessions = 1;
	served_after(8);
	served_after(60);
	refused_soon(END_LISTENER_FULL);
}

TEST(client)
{
	rig.route.counts.max_per_client = 1;
	served_after(8);
	served_after(60);
	refused_soon(END_CLIENT_FULL);
}

TEST(server)
{
	rig.list[0].max_sessions = 1;
	served_after(8);
	served_after(60);
	refused_soon(END_QUEUE_FULL);
}

TEST(leastconn)
{
	rig.pool.balance = balance_algorithm("leastconn");
	balance_free(rig.env.balance);
	rig.env.balance = balance_new(&rig.servers);
	test_server(state);
}

/* What it has not been let do it may do any moment, but not for ever. */
TEST(busy_machine)
{
	struct board_worker *w = &rig.board->worker[OTHER];

	rig.route.counts.max_per_client = 1;
	away = true;
	served_after(900);
	refused_within(900, 1100, END_CLIENT_FULL);
	/* It does not act in times to come. */
	w->seen = UINT64_MAX;
	served_after(900);
	/* One that is stopped may do so for hours. */
	rig.board->ledger->process[OTHER].stopped = 1;
	refused_soon(END_CLIENT_FULL);
	rig.board->ledger->process[OTHER].stopped = 0;
	away = false;
	refused_soon(END_CLIENT_FULL);
}

/* The client's end was read, in this worker or another; its server's was not. */
TEST(ends_wait_for_their_server)
{
	struct board_worker *w = &rig.board->worker[OTHER];
	int fd, server;

	rig.route.counts.max_per_client = 2;
	fd = rig_client(&rig);
	server = rig_server(&rig, 0);
	assert_int_equal(rig.env.ending, 0);
	MUST(shutdown(fd, SHUT_WR));
	rig_expect_end(&rig, server);
	assert_int_equal(rig.env.ending, 1);
	sessions_turn(&rig.env, rig.env.now);
	session_count_saw(&rig.env);
	assert_int_equal(rig.env.board->ending, 1);
	assert_int_equal(rig.env.board->seen, rig.env.now);
	refused_within(900, 1100, END_CLIENT_FULL);
	close(server);
	rig_expect_end(&rig, fd);
	close(fd);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(rig.env.ending, 0);
	rig.route.counts.max_per_client = 1;
	refused_soon(END_CLIENT_FULL);
	w->ending = 1;
	served_after(900);
	w->ending = 0;
	refused_soon(END_CLIENT_FULL);
}

static volatile sig_atomic_t rung;

static void
on_wakeup(int sig)
{
	(void)sig;
	rung++;
}

/* It may sleep: then it is called, to say that there was nothing. */
TEST(who_sleeps_is_called)
{
	uint32_t at;
	int fd[2];

	rig.route.counts.max_per_client = 1;
	board_hold(rig.board, OTHER, (int32_t)getpid(), 1);
	signal(BOARD_WAKEUP, on_wakeup);
	at = others_have();
	fd[0] = rig_client(&rig);
	fd[1] = rig_client(&rig);
	away = true;
	pass(24);
	assert_int_equal(rung, 0);
	pass(30);
	/* Not once for each of them. */
	assert_int_equal(rung, 2);
	away = false;
	pass(50);
	assert_int_equal(rung, 2);
	assert_int_equal(rig.env.parked, 0);
	signal(BOARD_WAKEUP, SIG_DFL);
	others_lose(at);
	close(fd[0]);
	close(fd[1]);
}

/* The place in the queue that is seen taken may be free as well. */
TEST(queue)
{
	struct session *s;
	int fd[2];

	rig.pool.max_queue = 1;
	rig.list[0].max_sessions = 1;
	assert_true(server_take(&others, 0));
	atomic_store(&board_wait(rig.board, OTHER, 0)->n, 1);
	fd[0] = rig_client(&rig);
	s = rig_session(&rig);
	assert_int_equal(s->state, SESSION_PARKED);
	atomic_store(&board_wait(rig.board, OTHER, 0)->n, 0);
	rig_pass(&rig, 9);
	assert_int_equal(s->state, SESSION_QUEUE);
	fd[1] = rig_client(&rig);
	rig_pass(&rig, 9);
	assert_int_equal(rig.env.parked, 1);
	while (rig.env.parked > 0)
		pass(8);
	rig_expect_end(&rig, fd[1]);
	server_drop(&others, 0);
	rig_pass(&rig, 9);
	assert_int_equal(s->state, SESSION_CONNECT);
	close(fd[1]);
	rig_abort(fd[0]);
	close(rig_server(&rig, 0));
}

/* No more than an eighth of the slots, and the rest is refused at once. */
TEST(flood)
{
	uint32_t at, i, most = (SLOTS + 7) / 8;
	int fd[SLOTS];

	rig.route.counts.max_per_client = 1;
	at = others_have();
	for (i = 0; i < SLOTS / 2; i++) {
		fd[i] = rig_client(&rig);
		assert_in_range(rig.env.parked, 1, most);
	}
	assert_int_equal(rig.env.parked, most);
	assert_int_equal(rig_ends(&rig, END_CLIENT_FULL), 0);
	for (i = 0; i < SLOTS / 2; i++)
		close(fd[i]);
	TURN_UNTIL(&rig, rig_ends(&rig, END_CLIENT_FULL) ==
	    SLOTS / 2 - most);
	others_lose(at);
	/* Of those that were, one comes in; its end waits for the server. */
	pass(100);
	assert_int_equal(rig.env.parked, most - 1);
	assert_int_equal(rig.env.ending, 1);
	pass(1000);
	assert_int_equal(rig.env.parked, 0);
	assert_int_equal(concurrency_count(rig.board, 0), 1);
}

/* Who gives up meanwhile, or is sent away, is parked no more. */
TEST(ends_meanwhile)
{
	uint32_t at;
	int fd;

	rig.route.counts.max_per_client = 1;
	at = others_have();
	rig_abort(rig_client(&rig));
	rig_pass(&rig, 9);
	assert_int_equal(rig_ends(&rig, END_CLIENT_RESET), 1);
	assert_int_equal(rig.env.parked, 0);
	fd = rig_client(&rig);
	assert_int_equal(rig.env.parked, 1);
	sessions_shut(&rig.env, END_DRAIN);
	assert_int_equal(rig.env.parked, 0);
	rig_expect_end(&rig, fd);
	close(fd);
	TURN_UNTIL(&rig, rig_ends(&rig, END_DRAIN) == 1);
	fd = rig_client(&rig);
	assert_int_equal(rig.env.parked, 1);
	sessions_kill(&rig.env, END_STOP, true);
	assert_int_equal(rig.env.parked, 0);
	close(fd);
	others_lose(at);
}

/* A rate counts no ends: waiting would not help. */
TEST(rates)
{
	int fd[2];

	rig.route.counts.rate = 1;
	fd[0] = rig_client(&rig);
	close(rig_server(&rig, 0));
	fd[1] = rig_client(&rig);
	assert_int_equal(rig.env.parked, 0);
	rig_expect_end(&rig, fd[1]);
	close(fd[0]);
	close(fd[1]);
}
