/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_table.c: slots, and the way from a descriptor or a timer to the
 * session it belongs to. The sessions are real; see session_rig.h.
 */
#include "session/session_table.h"

#include "session/session_connect.h"

#include "helpers.h"
#include "session_rig.h"

#define LIMIT	8

static struct rig rig;
static int	client[LIMIT], server[LIMIT];

int
set_up(void)
{
	int i;

	for (i = 0; i < LIMIT; i++)
		client[i] = server[i] = -1;
	rig_start(&rig, LIMIT, 4, 4096);
	rig_add_server(&rig);
	rig_ready(&rig);
	return 0;
}

static void
open_one(int i)
{
	client[i] = rig_client(&rig);
	server[i] = rig_server(&rig, 0);
	rig_turn(&rig, 5);
}

static void
close_one(int i)
{
	if (client[i] != -1) {
		close(client[i]);
		close(server[i]);
	}
	client[i] = server[i] = -1;
}

int
tear_down(void)
{
	int i;

	for (i = 0; i < LIMIT; i++)
		close_one(i);
	return rig_stop(&rig);
}

TEST(until_it_is_full)
{
	int i, k;

	for (i = 0; i < LIMIT; i++) {
		assert_false(table_full(&rig.env.table));
		assert_int_equal(rig.env.table.live, i);
		open_one(i);
	}
	assert_true(table_full(&rig.env.table));
	/* Places that were given back are used again. */
	for (k = 0; k < 20; k++) {
		i = k * 5 % LIMIT;
		close_one(i);
		TURN_UNTIL(&rig, rig.env.table.live == LIMIT - 1);
		assert_false(table_full(&rig.env.table));
		open_one(i);
		assert_true(table_full(&rig.env.table));
	}
	assert_int_equal(rig.env.table.used, LIMIT);
}

/* Memory is touched only when a session is the first to use it. */
TEST(places_are_used_again)
{
	int i;

	for (i = 0; i < 20; i++) {
		open_one(0);
		assert_int_equal(table_id(&rig.env.table, rig_session(&rig)), 0);
		close_one(0);
		TURN_UNTIL(&rig, rig.env.table.live == 0);
	}
	assert_int_equal(rig.env.table.used, 1);
}

/* Each event finds its own session and its own side. */
TEST(events_find_their_session)
{
	char text[24];
	int i;

	for (i = 0; i < LIMIT; i++)
		open_one(i);
	for (i = 0; i < LIMIT; i++) {
		snprintf(text, sizeof(text), "up %d", i);
		write_text(client[i], text);
		snprintf(text, sizeof(text), "down %d", i);
		write_text(server[i], text);
	}
	for (i = LIMIT - 1; i >= 0; i--) {
		snprintf(text, sizeof(text), "up %d", i);
		rig_expect(&rig, server[i], text);
		snprintf(text, sizeof(text), "down %d", i);
		rig_expect(&rig, client[i], text);
	}
}

TEST(events_of_others)
{
	struct poller_event ev = { .ready = POLLER_READ };
	int fd[2];

	open_one(0);
	fd[0] = rig_session(&rig)->fd[CLIENT];
	fd[1] = rig_session(&rig)->fd[SERVER];
	for (ev.fd = 0; ev.fd < 100; ev.fd++)
		if (ev.fd != fd[0] && ev.fd != fd[1])
			assert_false(sessions_event(&rig.env, &ev));
	ev.fd = RIG_DESCRIPTORS - 1;
	assert_false(sessions_event(&rig.env, &ev));
	close_one(0);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	for (ev.fd = 0; ev.fd < 100; ev.fd++)
		assert_false(sessions_event(&rig.env, &ev));
}

TEST(attach_and_detach)
{
	struct session *s = table_take(&rig.env.table);
	char c;
	int p[2];

	tcp_pair(p);
	s->fd[CLIENT] = s->fd[SERVER] = -1;
	session_close(&rig.env, s, CLIENT, false);
	session_close(&rig.env, s, SERVER, true);
	table_attach(&rig.env.table, s, SERVER, p[0]);
	assert_int_equal(s->fd[SERVER], p[0]);
	session_close(&rig.env, s, SERVER, false);
	assert_int_equal(s->fd[SERVER], -1);
	assert_false(is_open(p[0]));
	assert_int_equal(read_full(p[1], &c, 1), 0);
	close(p[1]);
	/* The number is nobody's now, and can be attached again. */
	tcp_pair(p);
	table_attach(&rig.env.table, s, CLIENT, p[0]);
	session_close(&rig.env, s, CLIENT, true);
	assert_int_equal(read_full(p[1], &c, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	close(p[1]);
	table_give(&rig.env.table, s);
	assert_int_equal(rig.env.table.live, 0);
}

/* A timer that was set dies with its session, and hits no other. */
TEST(timers_end_with_the_session)
{
	rig.route.limits.idle_timeout = 1000;
	open_one(0);
	open_one(1);
	close_one(0);
	TURN_UNTIL(&rig, rig.env.table.live == 1);
	rig.route.limits.idle_timeout = 0;
	open_one(0);
	rig_pass(&rig, 1500);
	assert_int_equal(rig.env.table.live, 2);
	rig_write(&rig, client[0], "alive");
	rig_expect(&rig, server[0], "alive");
	/* Nor does it wake anybody for nothing. */
	rig.route.limits.idle_timeout = 1000;
	open_one(2);
	close_one(2);
	TURN_UNTIL(&rig, rig.env.table.live == 2);
	assert_int_equal(timer_wait(rig.env.timers, rig.env.now, 200000),
	    200000);
}

TEST(expire_all)
{
	int i;

	rig.route.limits.idle_timeout = 1000;
	for (i = 0; i < LIMIT; i++)
		open_one(i);
	rig.env.now += 2000;
	sessions_expire(&rig.env);
	assert_int_equal(rig.env.table.live, 0);
	assert_int_equal(rig_ends(&rig, END_IDLE_TIMEOUT), LIMIT);
}

TEST(kill_all)
{
	int i;

	for (i = 0; i < LIMIT; i++)
		open_one(i);
	/* A hole in between is passed over. */
	close_one(3);
	TURN_UNTIL(&rig, rig.env.table.live == LIMIT - 1);
	sessions_kill(&rig.env, END_STOP, true);
	assert_int_equal(rig.env.table.live, 0);
	assert_int_equal(rig_ends(&rig, END_STOP), LIMIT - 1);
	rig_expect_reset(&rig, client[0]);
	rig_expect_reset(&rig, server[LIMIT - 1]);
	sessions_kill(&rig.env, END_STOP, true);
	assert_int_equal(rig_ends(&rig, END_STOP), LIMIT - 1);
}

TEST(shut_all)
{
	int i;

	for (i = 0; i < LIMIT; i++)
		open_one(i);
	sessions_shut(&rig.env, END_DRAIN);
	for (i = 0; i < LIMIT; i++) {
		rig_expect_end(&rig, client[i]);
		rig_expect_end(&rig, server[i]);
		close_one(i);
	}
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(rig_ends(&rig, END_DRAIN), LIMIT);
	sessions_shut(&rig.env, END_DRAIN);
}

TEST(oldest)
{
	assert_int_equal(sessions_oldest(&rig.env), 0);
	open_one(0);
	rig_clock += 5000;
	open_one(1);
	rig_clock += 300;
	open_one(2);
	assert_in_range(sessions_oldest(&rig.env), 5300, 5300 + PATIENCE);
	close_one(0);
	TURN_UNTIL(&rig, rig.env.table.live == 2);
	assert_in_range(sessions_oldest(&rig.env), 300, 299 + 5000);
	close_one(1);
	close_one(2);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(sessions_oldest(&rig.env), 0);
}

/* In the steady state nothing is allocated: no session needs the heap. */
TEST(sessions_allocate_nothing)
{
	int i;

	alloc_needed();
	alloc_fail(0);
	for (i = 0; i < 5; i++) {
		open_one(0);
		rig_write(&rig, client[0], "x");
		rig_expect(&rig, server[0], "x");
		close_one(0);
		TURN_UNTIL(&rig, rig.env.table.live == 0);
	}
	assert_false(alloc_failed());
}

TEST(out_of_memory)
{
	struct session_table t;
	int n, rc;

	alloc_needed();
	for (n = 0; ; n++) {
		memset(&t, 0, sizeof(t));
		alloc_fail(n);
		errno = 0;
		rc = table_init(&t, 10, 100);
		if (!alloc_failed())
			break;
		assert_int_equal(rc, -1);
		assert_int_equal(errno, ENOMEM);
	}
	assert_true(n > 0);
	assert_int_equal(rc, 0);
	assert_int_equal(t.limit, 10);
	assert_int_equal(t.descriptors, 100);
	table_free(&t);
	table_free(&t);
}

/* Whatever was there before, an empty table comes of it. */
TEST(init_sets_what_it_says)
{
	struct session_table t;

	memset(&t, 0xa5, sizeof(t));
	assert_int_equal(table_init(&t, 10, 100), 0);
	assert_int_equal(t.live, 0);
	assert_int_equal(t.used, 0);
	assert_int_equal(t.free_ids, 0);
	table_free(&t);
}
