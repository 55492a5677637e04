/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_queue.c: sessions that wait for a server that is full, and what ends
 * the wait; and those whose server goes down.
 */
#include "session/session.h"

#include "helpers.h"
#include "upstream/wait_queue.h"
#include "session_rig.h"

static struct rig rig;
static int	client[4], server;

int
set_up(void)
{
	size_t i;

	for (i = 0; i < COUNT(client); i++)
		client[i] = -1;
	server = -1;
	rig_start(&rig, 20, 4, 65536);
	return 0;
}

static void
drop(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

int
tear_down(void)
{
	size_t i;

	for (i = 0; i < COUNT(client); i++)
		drop(&client[i]);
	drop(&server);
	return rig_stop(&rig);
}

/* So many servers, each of which takes one session at a time. */
static void
begin(int n)
{
	int i;

	for (i = 0; i < n; i++)
		rig.list[rig_add_server(&rig)].max_sessions = 1;
	rig_ready(&rig);
}

/* This many wait. */
static uint32_t
waiting(void)
{
	uint32_t i, n = 0;

	for (i = 0; i < rig.env.table.used; i++)
		n += rig.env.table.session[i].state == SESSION_QUEUE;
	assert_int_equal(board_wait(rig.board, 2, 0)->n, n);
	return n;
}

/* The first client has the server, which takes no more than one. */
static void
one_is_served(void)
{
	client[0] = rig_client(&rig);
	server = rig_server(&rig, 0);
}

/* Both sides end the session of client *i*, and the server has the next one. */
static void
next_server(int i)
{
	drop(&client[i]);
	drop(&server);
	server = rig_server(&rig, 0);
}

static bool
logged(const char *what)
{
	return strstr(rig_log(&rig), what) != NULL;
}

TEST(first_come_first_served)
{
	char text[] = "1";
	int i;

	begin(1);
	for (i = 0; i < 4; i++) {
		client[i] = rig_client(&rig);
		text[0] = (char)('1' + i);
		rig_write(&rig, client[i], text);
	}
	assert_int_equal(waiting(), 3);
	server = rig_server(&rig, 0);
	rig_idle(&rig);
	assert_false(comes(rig.listener[0], POLLIN, 0));
	for (i = 0; i < 4; i++) {
		text[0] = (char)('1' + i);
		rig_expect(&rig, server, text);
		assert_int_equal(board_server_live(rig.board, 0), 1);
		if (i < 3)
			next_server(i);
	}
	drop(&client[3]);
	drop(&server);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(rig.board->pool[0].waiting, 0);
}

TEST(timeout)
{
	rig.pool.queue_timeout = 300;
	begin(1);
	one_is_served();
	client[1] = rig_client(&rig);
	rig_pass(&rig, 290);
	assert_int_equal(waiting(), 1);
	rig_pass(&rig, 20);
	rig_expect_end(&rig, client[1]);
	assert_int_equal(waiting(), 0);
	drop(&client[1]);
	TURN_UNTIL(&rig, rig.env.table.live == 1);
	assert_true(logged(" servers_tried=- "));
	assert_true(logged(" end=proxy.queue_timeout\n"));
	assert_int_equal(rig_ends(&rig, END_QUEUE_TIMEOUT), 1);
}

TEST(queue_is_full)
{
	rig.pool.max_queue = 1;
	begin(1);
	one_is_served();
	client[1] = rig_client(&rig);
	client[2] = rig_client(&rig);
	rig_expect_end(&rig, client[2]);
	drop(&client[2]);
	TURN_UNTIL(&rig, rig.env.table.live == 2);
	assert_int_equal(rig_ends(&rig, END_QUEUE_FULL), 1);
	assert_true(logged(" end=proxy.queue_full\n"));
	next_server(0);
	assert_int_equal(waiting(), 0);
}

TEST(nobody_may_wait)
{
	rig.pool.max_queue = 0;
	begin(1);
	one_is_served();
	client[1] = rig_client(&rig);
	rig_expect_end(&rig, client[1]);
	drop(&client[1]);
	TURN_UNTIL(&rig, rig.env.table.live == 1);
	assert_int_equal(rig_ends(&rig, END_QUEUE_FULL), 1);
	assert_int_equal(rig.board->pool[0].waiting, 0);
	drop(&client[0]);
	drop(&server);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	one_is_served();
}

/* No connection is made for one that has reset its own. */
TEST(client_is_gone)
{
	begin(1);
	one_is_served();
	client[1] = rig_client(&rig);
	client[2] = rig_client(&rig);
	rig_abort(client[1]);
	client[1] = -1;
	TURN_UNTIL(&rig, rig_ends(&rig, END_CLIENT_RESET) == 1);
	/* An end of file is no reason: it has asked, and listens. */
	rig_write(&rig, client[2], "question");
	MUST(shutdown(client[2], SHUT_WR));
	rig_idle(&rig);
	next_server(0);
	rig_expect(&rig, server, "question");
	rig_expect_end(&rig, server);
	write_text(server, "answer");
	rig_expect(&rig, client[2], "answer");
	assert_int_equal(rig_ends(&rig, END_CLIENT_RESET), 1);
	assert_int_equal(rig.board->server[0].served, 2);
}

/* Those who wait are asked to end like all others. */
TEST(stop)
{
	begin(1);
	one_is_served();
	client[1] = rig_client(&rig);
	client[2] = rig_client(&rig);
	sessions_shut(&rig.env, END_DRAIN);
	rig_expect_end(&rig, client[2]);
	rig_expect_end(&rig, client[1]);
	assert_int_equal(waiting(), 0);
	rig_hang_up(&client[1]);
	rig_hang_up(&client[2]);
	TURN_UNTIL(&rig, rig_ends(&rig, END_DRAIN) == 2);
}

/* What all refused, or did not, is kept as the reason. */
TEST(waits_for_those_not_tried)
{
	begin(2);
	rig_refuse(&rig, 1);
	one_is_served();
	client[1] = rig_client(&rig);
	TURN_UNTIL(&rig, waiting() == 1);
	rig_idle(&rig);
	assert_int_equal(rig.board->server[1].failures, 1);
	next_server(0);
	drop(&client[1]);
	drop(&server);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_true(logged(" servers_tried=b,a "));
	/* With no attempt left there is nothing to wait for. */
	rig.pool.attempts = 1;
	one_is_served();
	client[1] = rig_client(&rig);
	rig_expect_end(&rig, client[1]);
	drop(&client[1]);
	TURN_UNTIL(&rig, rig_ends(&rig, END_SERVER_REFUSED) == 1);
	assert_int_equal(waiting(), 0);
}

/* b answers again: who waits for a, having tried b, lets others pass. */
TEST(is_not_in_the_way)
{
	int other;

	begin(2);
	one_is_served();
	rig_refuse(&rig, 1);
	client[1] = rig_client(&rig);
	TURN_UNTIL(&rig, waiting() == 1);
	MUST(listen(rig.listener[1], 10));
	(void)server_answered(&rig.servers, 1);
	client[2] = rig_client(&rig);
	other = rig_server(&rig, 1);
	assert_int_equal(waiting(), 1);
	drop(&client[2]);
	close(other);
	next_server(0);
	assert_int_equal(waiting(), 0);
}

/* Until the first check is over nobody knows whether it serves. */
TEST(waits_for_the_first_check)
{
	rig.pool.checked = true;
	rig_add_server(&rig);
	rig_ready(&rig);
	client[0] = rig_client(&rig);
	client[1] = rig_client(&rig);
	rig_idle(&rig);
	assert_int_equal(waiting(), 2);
	atomic_store(&rig.board->book[0].health, HEALTH_UP);
	atomic_fetch_add(&rig.board->head->changes, 1);
	rig_turn(&rig, 0);
	assert_int_equal(waiting(), 0);
	server = rig_server(&rig, 0);
	drop(&server);
	server = rig_server(&rig, 0);
	/* Or it does not. */
	atomic_store(&rig.board->book[0].health, HEALTH_UNKNOWN);
	client[2] = rig_client(&rig);
	assert_int_equal(waiting(), 1);
	atomic_store(&rig.board->book[0].health, HEALTH_DOWN);
	atomic_fetch_add(&rig.board->head->changes, 1);
	rig_expect_end(&rig, client[2]);
	drop(&client[2]);
	TURN_UNTIL(&rig, rig_ends(&rig, END_NO_SERVER) == 1);
}

/* A process has this slot, which nobody can call, and lives for a while. */
static void
lives(uint32_t worker)
{
	board_hold(rig.board, worker, -1, 1);
	atomic_store(&rig.board->worker[worker].heartbeat,
	    rig.env.now + 700);
}

/* Another worker has the place, and then an older ticket. */
TEST(others_come_first)
{
	struct servers others;
	struct wait_queue *q;

	begin(1);
	others = rig.servers;
	others.worker = 0;
	q = wait_queue_new(&others, 1);
	assert_true(server_take(&others, 0));
	assert_true(wait_queue_enter(q, 0, 0));
	client[0] = rig_client(&rig);
	assert_int_equal(waiting(), 1);
	server_drop(&others, 0);
	lives(0);
	rig_idle(&rig);
	assert_int_equal(waiting(), 1);
	wait_queue_leave(q, 0, 0, 0);
	server = rig_server(&rig, 0);
	assert_int_equal(waiting(), 0);
	wait_queue_free(q);
}

/* The older ticket is of a worker that can do nothing with the place. */
TEST(others_do_not_use_the_room)
{
	struct servers others;
	struct wait_queue *q;

	begin(2);
	others = rig.servers;
	others.worker = 0;
	q = wait_queue_new(&others, 1);
	lives(0);
	assert_true(server_take(&others, 0) && server_take(&others, 1));
	assert_true(wait_queue_enter(q, 0, 0));
	client[0] = rig_client(&rig);
	client[1] = rig_client(&rig);
	rig_pass(&rig, 300);
	assert_int_equal(waiting(), 2);
	server_drop(&others, 0);
	rig_idle(&rig);
	assert_int_equal(waiting(), 2);
	rig_pass(&rig, 200);
	server = rig_server(&rig, 0);
	assert_int_equal(waiting(), 1);
	server_drop(&others, 1);
	wait_queue_leave(q, 0, 0, 0);
	TURN_UNTIL(&rig, waiting() == 0);
	wait_queue_free(q);
}

/* A server went down: only what was there before is cut, if at all. */
static void
go_down(uint32_t downs)
{
	atomic_store(&rig.board->book[0].downs, downs);
	atomic_store(&rig.board->book[0].health, HEALTH_DOWN);
	atomic_fetch_add(&rig.board->head->changes, 1);
	rig_turn(&rig, 0);
}

TEST(server_goes_down)
{
	rig.pool.checked = rig.pool.close_on_down = true;
	rig_add_server(&rig);
	rig_ready(&rig);
	atomic_store(&rig.board->book[0].health, HEALTH_UP);
	atomic_store(&rig.board->book[0].downs, 7);
	one_is_served();
	rig_write(&rig, client[0], "request");
	rig_expect(&rig, server, "request");
	/* That was before it came. */
	go_down(7);
	assert_int_equal(rig.env.table.live, 1);
	go_down(8);
	rig_expect_reset(&rig, client[0]);
	rig_expect_reset(&rig, server);
	assert_int_equal(rig_ends(&rig, END_SERVER_DOWN), 1);
	assert_true(logged(" end=proxy.server_down\n"));
}

/* Its name means another server, which is down. */
TEST(successor_goes_down)
{
	struct board_book *b;

	rig.pool.checked = rig.pool.close_on_down = true;
	rig_add_server(&rig);
	rig_ready(&rig);
	b = &rig.board->book[0];
	atomic_store(&b->health, HEALTH_UP);
	atomic_store(&b->downs, 7);
	one_is_served();
	rig_write(&rig, client[0], "request");
	rig_expect(&rig, server, "request");
	board_renew(rig.board, 0, HEALTH_UNKNOWN);
	go_down(atomic_load(&b->downs) + 1);
	assert_int_equal(rig.env.table.live, 1);
	write_text(server, "answer");
	rig_expect(&rig, client[0], "answer");
}

TEST(server_goes_down_and_sessions_stay)
{
	rig.pool.checked = true;
	rig_add_server(&rig);
	rig_ready(&rig);
	atomic_store(&rig.board->book[0].health, HEALTH_UP);
	one_is_served();
	rig_write(&rig, client[0], "request");
	go_down(1);
	rig_expect(&rig, server, "request");
	assert_int_equal(rig.env.table.live, 1);
}
