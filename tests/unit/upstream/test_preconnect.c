/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_preconnect.c: connections that are there before the client: when they are
 * opened, what becomes of those that end or do not come to be, and that nobody
 * is asked too often. Who takes them is in test_preconnect_take.c. Run over each
 * engine.
 */
#include "preconnect_rig.h"

TEST(sum)
{
	struct server list[3] = {
		{ .preconnect = 5 }, { .preconnect = 0 }, { .preconnect = 64 }
	};

	assert_int_equal(preconnect_sum(list, 3), 69);
	assert_int_equal(preconnect_sum(list, 2), 5);
	assert_int_equal(preconnect_sum(NULL, 0), 0);
}

TEST(none_asked_for)
{
	begin(0);
	assert_int_equal(preconnect_wait(rig.env.preconnects, 1000), 1000);
	nobody_comes(5000);
	assert_int_equal(preconnect_take(rig.env.preconnects, 0), -1);
}

/* Each server has its own, and they are no sessions. */
TEST(opened_ahead)
{
	int i, server[5];

	for (i = 0; i < 3; i++)
		rig_add_server(&rig);
	rig.list[0].preconnect = 2;
	rig.list[2].preconnect = 3;
	rig_ready(&rig);
	assert_true(preconnect_wait(rig.env.preconnects, 1000) <= TIMER_TICK);
	for (i = 0; i < 5; i++)
		server[i] = rig_server(&rig, i < 2 ? 0 : 2);
	for (i = 0; i < 3; i++) {
		nobody_comes(1000);
		assert_false(comes(rig.listener[i], POLLIN, 0));
		assert_int_equal(board_server_live(rig.board, (uint32_t)i),
		    0);
	}
	assert_int_equal(rig.env.table.live, 0);
	for (i = 0; i < 5; i++)
		close(server[i]);
	assert_string_equal(rig_log(&rig), "");
}

/* Its end is noticed while nobody wants it, and it is replaced after a rest. */
TEST(ended_while_idle)
{
	int server = begin_with_one();

	/* At once also when it is old. */
	nobody_comes(6000);
	close(server);
	assert_true(comes(our_end(0), POLLIN, PATIENCE));
	rig_turn(&rig, 0);
	assert_int_equal(our_end(0), -1);
	nobody_comes(900);
	rig_pass(&rig, 150);
	server = rig_server(&rig, 0);
	rig_abort(server);
	TURN_UNTIL(&rig, our_end(0) == -1);
	nobody_comes(900);
	assert_int_equal(rig.board->server[0].failures, 0);
	assert_int_equal(preconnect_take(rig.env.preconnects, 0), -1);
}

TEST(not_hammered)
{
	uint64_t start = rig.env.now, give_up = clock_ms() + PATIENCE;
	int came = 0;

	/* A request that the network loses is on its way for seconds. */
	rig.pool.connect_timeout = 3600000;
	begin(2);
	while (came < 2 * 8 && clock_ms() < give_up) {
		rig_pass(&rig, 100);
		rig_turn(&rig, 1);
		for (; knocks(); came++)
			close(rig_server(&rig, 0));
	}
	assert_in_range(came, 2 * 8, 2 * ((rig.env.now - start) / 1000 + 1));
	assert_int_equal(rig.board->server[0].failures, 0);
	assert_string_equal(rig_log(&rig), "");
}

TEST(spoke_and_ended_unseen)
{
	int server = begin_with_one();

	speaks(server, "220 hello");
	close(server);
	hangs_up(our_end(0));
	nobody_comes(500);
	assert_int_not_equal(our_end(0), -1);
	rig_pass(&rig, 600);
	assert_int_equal(our_end(0), -1);
	nobody_comes(900);
	rig_pass(&rig, 150);
	close(rig_server(&rig, 0));
}

/* The usual failure, once, and from then on only sessions ask. */
TEST(refused)
{
	int i, server;

	begin(2);
	rig_refuse(&rig, 0);
	TURN_UNTIL(&rig, rig.board->server[0].failures == 2);
	assert_true(server_on_probation(&rig.servers, 0));
	for (i = 0; i < 20; i++) {
		rig_pass(&rig, 1000);
		rig_turn(&rig, 1);
	}
	assert_int_equal(rig.board->server[0].failures, 2);
	assert_int_equal(count(" warning: server a: preconnected connection: "
	    "Connection refused; not ejected: too few other servers are "
	    "left\n"), 1);
	MUST(listen(rig.listener[0], 10));
	nobody_comes(5000);
	client = rig_client(&rig);
	server = rig_server(&rig, 0);
	rig_write(&rig, client, "request");
	rig_expect(&rig, server, "request");
	assert_int_equal(count(" notice: server a: answers again\n"), 1);
	rig_pass(&rig, 1100);
	close(rig_server(&rig, 0));
	close(rig_server(&rig, 0));
	close(server);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	/* Beside these two only those of the session. */
	assert_int_equal(count("\n"), 4);
}

static void
put_health(enum server_health health)
{
	atomic_store(&rig.board->book[0].health, health);
	atomic_fetch_add(&rig.board->head->changes, 1);
}

/* By the time that it is up again what stood may be dead without a sign. */
TEST(checked_down)
{
	int server;

	rig.pool.checked = true;
	begin(1);
	put_health(HEALTH_UP);
	rig_pass(&rig, 1100);
	server = rig_server(&rig, 0);
	rig_idle(&rig);
	put_health(HEALTH_DOWN);
	rig_expect_end(&rig, server);
	close(server);
	nobody_comes(5000);
	put_health(HEALTH_UP);
	rig_pass(&rig, 1100);
	close(rig_server(&rig, 0));
}

TEST(not_answered_in_time)
{
	rig.pool.connect_timeout = 3000;
	begin(1);
	/* It takes one connection, which the first spare is. */
	MUST(listen(rig.listener[0], 0));
	TURN_UNTIL(&rig, knocks());
	client = rig_client(&rig);
	rig_idle(&rig);
	rig_pass(&rig, 2900);
	assert_int_equal(rig.board->server[0].failures, 0);
	rig_pass(&rig, 200);
	assert_int_equal(rig.board->server[0].failures, 1);
	assert_int_equal(count(strerror(ETIMEDOUT)), 1);
	assert_int_equal(our_end(1), -1);
}

/* A connection that was reset had stood: that is no refusal. */
TEST(reset_while_opening)
{
	begin(1);
	/* Do not turn until it is over. */
	rig.env.now = rig_clock += TIMER_TICK;
	preconnect_turn(rig.env.preconnects);
	assert_true(comes(rig.listener[0], POLLIN, PATIENCE));
	rig_abort((int)MUST(accept(rig.listener[0], NULL, NULL)));
	TURN_UNTIL(&rig, our_end(0) == -1);
	assert_int_equal(rig.board->server[0].failures, 0);
	nobody_comes(900);
	rig_pass(&rig, 150);
	close(rig_server(&rig, 0));
}

TEST(no_descriptor)
{
	begin(2);
	rig_faults.sockets = 2;
	rig_faults.socket_error = EMFILE;
	TURN_UNTIL(&rig, rig_faults.sockets == 0);
	nobody_comes(900);
	rig_pass(&rig, 150);
	close(rig_server(&rig, 0));
	close(rig_server(&rig, 0));
	assert_int_equal(rig.board->server[0].failures, 0);
	assert_int_equal(rig.env.shortage, 0);
	assert_string_equal(rig_log(&rig), "");
}

TEST(close)
{
	int i, server[3];

	begin(3);
	for (i = 0; i < 3; i++)
		server[i] = rig_server(&rig, 0);
	rig_idle(&rig);
	client = rig_client(&rig);
	preconnect_close(rig.env.preconnects);
	assert_int_equal(preconnect_take(rig.env.preconnects, 0), -1);
	nobody_comes(5000);
	assert_int_equal(preconnect_wait(rig.env.preconnects, 1000), 1000);
	/* The session goes on. */
	assert_int_equal(rig.env.table.live, 1);
	rig_write(&rig, client, "request");
	for (i = 0; i < 3; i++)
		assert_true(comes(server[i], POLLIN, PATIENCE));
	for (i = 0; i < 3; i++)
		close(server[i]);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	preconnect_free(NULL);
}

TEST(out_of_memory)
{
	struct preconnects *s;
	int n;

	alloc_needed();
	begin(3);
	for (n = 0; ; n++) {
		alloc_fail(n);
		s = rig_preconnect(&rig);
		if (!alloc_failed())
			break;
		assert_null(s);
		assert_int_equal(errno, ENOMEM);
	}
	assert_true(n > 0);
	preconnect_free(s);
}

OVER_ENGINES
