/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_unavailable.c: clients that are held while no server of their pool can
 * be used, in their order, and as long as they may be.
 */
#include "session_rig.h"

#include "upstream/wait_queue.h"

#define CLIENTS	4

static struct rig rig;
static int	client[CLIENTS], server, filler;

int
set_up(void)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		client[i] = -1;
	server = filler = -1;
	rig_start(&rig, 20, 4, 4096);
	rig.pool.unavailable_timeout = 1000;
	rig.pool.queue_timeout = 300;
	rig.stopped = true;
	return 0;
}

int
tear_down(void)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		rig_hang_up(&client[i]);
	rig_hang_up(&server);
	rig_hang_up(&filler);
	return rig_stop(&rig);
}

static void
begin(int servers)
{
	while (servers-- > 0)
		rig_add_server(&rig);
	rig_ready(&rig);
}

/* Checks find the first server so. */
static void
is_found(enum server_health health)
{
	atomic_store(&rig.board->book[0].health, health);
	atomic_fetch_add(&rig.board->head->changes, 1);
	rig_turn(&rig, 0);
}

static uint32_t
waiting(void)
{
	uint32_t i, n = 0;

	for (i = 0; i < rig.env.table.used; i++)
		n += rig.env.table.session[i].state == SESSION_QUEUE;
	return n;
}

/* They come, and say which they are. */
static void
come(int n)
{
	char text[] = "1";
	int i;

	for (i = 0; i < n; i++) {
		client[i] = rig_client(&rig);
		text[0] = (char)('1' + i);
		rig_write(&rig, client[i], text);
	}
}

/* The next one that is served is this one. */
static void
next_is(int i)
{
	char text[] = "1";

	text[0] = (char)('1' + i);
	server = rig_server(&rig, 0);
	rig_expect(&rig, server, text);
	rig_hang_up(&server);
	rig_hang_up(&client[i]);
}

static void
pass(uint64_t ms)
{
	while (ms-- > 0)
		rig_pass(&rig, 1);
}

static void
ends(int i, enum session_end why)
{
	uint64_t before = rig_ends(&rig, why);

	rig_expect_end(&rig, client[i]);
	rig_hang_up(&client[i]);
	TURN_UNTIL(&rig, rig_ends(&rig, why) == before + 1);
}

TEST(checks)
{
	int i;

	rig.pool.checked = true;
	begin(1);
	rig.list[0].max_sessions = 1;
	is_found(HEALTH_DOWN);
	come(CLIENTS);
	pass(900);
	assert_int_equal(waiting(), CLIENTS);
	assert_int_equal(rig.board->server[0].failures, 0);
	is_found(HEALTH_UP);
	/* At the turn that sees it. */
	assert_int_equal(waiting(), CLIENTS - 1);
	for (i = 0; i < CLIENTS; i++)
		next_is(i);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(rig.board->pool[0].waiting, 0);
}

TEST(too_long)
{
	rig.pool.checked = true;
	begin(1);
	is_found(HEALTH_DOWN);
	come(1);
	pass(990);
	assert_int_equal(waiting(), 1);
	pass(30);
	assert_int_equal(waiting(), 0);
	ends(0, END_UNAVAILABLE);
	assert_non_null(strstr(rig_log(&rig),
	    " end=proxy.unavailable_timeout\n"));
}

/* It is off by default; and nobody waits where nobody may. */
TEST(off)
{
	rig.pool.checked = true;
	rig.pool.unavailable_timeout = 0;
	begin(1);
	is_found(HEALTH_DOWN);
	come(1);
	ends(0, END_NO_SERVER);
	rig.pool.unavailable_timeout = 1000;
	rig.pool.max_queue = 0;
	come(1);
	ends(0, END_NO_SERVER);
	rig.pool.max_queue = 1;
	rig.list[0].state = SERVER_MAINT;
	come(1);
	ends(0, END_NO_SERVER);
	assert_int_equal(rig.env.parked, 0);
}

/* The queue is bounded, also by those who are trying meanwhile. */
TEST(max_queue)
{
	rig.pool.max_queue = 2;
	begin(1);
	rig_refuse(&rig, 0);
	come(3);
	pass(400);
	ends(2, END_QUEUE_FULL);
	pass(100);
	assert_int_equal(rig.env.table.live, 2);
	assert_int_equal(board_wait(rig.board, 2, 0)->n, 2);
	MUST(listen(rig.listener[0], 10));
	pass(200);
	next_is(0);
	next_is(1);
	assert_int_equal(board_wait(rig.board, 2, 0)->n, 0);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(rig.board->pool[0].waiting, 0);
}

/* The servers refuse: one client asks again and again, and stays the first. */
static void
asks_again(uint32_t max_fails)
{
	uint64_t before;
	int i;

	rig.pool.max_fails = max_fails;
	begin(1);
	rig.list[0].max_sessions = 1;
	rig_refuse(&rig, 0);
	come(CLIENTS);
	pass(100);
	before = rig.board->server[0].failures;
	pass(600);
	assert_in_range(rig.board->server[0].failures, before + 4,
	    before + 6);
	MUST(listen(rig.listener[0], 10));
	pass(110);
	for (i = 0; i < CLIENTS; i++)
		next_is(i);
	assert_int_equal(rig_ends(&rig, END_SERVER_REFUSED), 0);
}

TEST(ejected)
{
	asks_again(1);
}

TEST(never_ejected)
{
	asks_again(0);
}

/* None is up in time: it says that, and not what the last one said. */
TEST(refused_too_long)
{
	begin(2);
	rig_refuse(&rig, 0);
	rig_refuse(&rig, 1);
	come(1);
	pass(980);
	assert_int_equal(rig.env.table.live, 1);
	pass(40);
	ends(0, END_UNAVAILABLE);
}

/* Another one serves: only this session had no luck. */
TEST(others_serve)
{
	rig.pool.attempts = 1;
	begin(2);
	rig_refuse(&rig, 0);
	come(1);
	ends(0, END_SERVER_REFUSED);
}

/* The wait for room becomes one for any server, and the other way round. */
TEST(full_and_down)
{
	rig.pool.checked = true;
	begin(1);
	rig.list[0].max_sessions = 1;
	is_found(HEALTH_UP);
	filler = rig_client(&rig);
	server = rig_server(&rig, 0);
	come(2);
	pass(200);
	is_found(HEALTH_DOWN);
	pass(600);
	assert_int_equal(waiting(), 2);
	is_found(HEALTH_UP);
	pass(100);
	assert_int_equal(waiting(), 2);
	rig_hang_up(&server);
	rig_hang_up(&filler);
	next_is(0);
	next_is(1);
}
