/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_timers.c: what ends a session by the clock: a side that says nothing,
 * and its lifetime. The idle and FIN timeouts are tested in test_session.c.
 */
#include "session/session.h"

#include "helpers.h"
#include "session_rig.h"

#define CROWD	60

static struct rig rig;
static int	client, server;		/* the two ends; -1: closed */

int
set_up(void)
{
	client = server = -1;
	rig_start(&rig, CROWD, 8, 65536);
	rig_add_server(&rig);
	rig_ready(&rig);
	return 0;
}

int
tear_down(void)
{
	rig_hang_up(&client);
	rig_hang_up(&server);
	return rig_stop(&rig);
}

static void
connect_both(void)
{
	client = rig_client(&rig);
	server = rig_server(&rig, 0);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_RELAY);
}

/* Only one side counts, and each byte of it. */
static void
one_side(int *from, int *to, enum session_end why)
{
	connect_both();
	rig_pass(&rig, 1900);
	rig_write(&rig, *from, "x");
	rig_expect(&rig, *to, "x");
	rig_pass(&rig, 1900);
	assert_int_equal(rig.env.table.live, 1);
	/* What the other side sends does not. */
	rig_write(&rig, *to, "y");
	rig_expect(&rig, *from, "y");
	rig_pass(&rig, 200);
	assert_int_equal(rig.env.table.live, 0);
	rig_expect_end(&rig, client);
	rig_expect_end(&rig, server);
	rig_ended(&rig, why);
}

TEST(client_idle)
{
	rig.route.limits.side_timeout[CLIENT] = 2000;
	rig.route.limits.idle_timeout = 3000;
	one_side(&client, &server, END_CLIENT_IDLE);
}

TEST(server_idle)
{
	rig.route.limits.side_timeout[SERVER] = 2000;
	rig.route.limits.max_lifetime = 3600000;
	one_side(&server, &client, END_SERVER_IDLE);
}

/* It counts from when there is a server to talk to. */
TEST(not_before_it_is_connected)
{
	rig.route.limits.side_timeout[CLIENT] = 1000;
	connect_both();
	rig_session(&rig)->connected += 5000;
	rig_pass(&rig, 5900);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 200);
	rig_ended(&rig, END_CLIENT_IDLE);
}

/* One that has ended is not idle: then it is the FIN timeout that counts. */
TEST(half_closed_is_not_idle)
{
	rig.route.limits.side_timeout[CLIENT] = 1000;
	rig.route.limits.side_timeout[SERVER] = 1000;
	rig.route.limits.fin_timeout = 5000;
	connect_both();
	MUST(shutdown(client, SHUT_WR));
	rig_expect_end(&rig, server);
	rig_pass(&rig, 4900);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 200);
	rig_ended(&rig, END_FIN_TIMEOUT);
}

/* Who is not read from, since the other side is slow, is not idle. */
TEST(blocked_side_is_not_idle)
{
	static unsigned char bytes[65536];
	const struct session *s;

	rig.route.limits.side_timeout[CLIENT] = 1000;
	connect_both();
	s = rig_session(&rig);
	while (shuttle_held(&s->way[UP]) == 0) {
		(void)send(client, bytes, sizeof(bytes), MSG_DONTWAIT);
		rig_turn(&rig, 0);
	}
	rig_pass(&rig, 5000);
	rig_pass(&rig, 5000);
	assert_int_equal(rig.env.table.live, 1);
	/* It is read from again, and has nothing more to say. */
	while (rig.env.table.live > 0) {
		while (recv(server, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			rig_turn(&rig, 0);
		rig_pass(&rig, 100);
	}
	rig_ended(&rig, END_CLIENT_IDLE);
}

/* However much it talks; and both sides may end it in good order. */
TEST(max_lifetime)
{
	int i;

	rig.route.limits.max_lifetime = 10000;
	rig.route.limits.idle_timeout = 3000;
	connect_both();
	for (i = 0; i < 9; i++) {
		rig_pass(&rig, 1000);
		rig_write(&rig, client, "x");
		rig_expect(&rig, server, "x");
	}
	rig_write(&rig, server, "last");
	rig_pass(&rig, 1100);
	rig_expect(&rig, client, "last");
	rig_expect_end(&rig, client);
	rig_expect_end(&rig, server);
	assert_int_equal(rig.env.table.live, 1);
	rig_hang_up(&client);
	rig_hang_up(&server);
	rig_ended(&rig, END_MAX_LIFETIME);
}

/* Who does not end gets the FIN timeout, or a minute. */
TEST(lifetime_of_the_stubborn)
{
	rig.route.limits.max_lifetime = 10000;
	rig.route.limits.fin_timeout = 2000;
	connect_both();
	rig_pass(&rig, 10100);
	rig_expect_end(&rig, client);
	rig_pass(&rig, 1800);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 300);
	assert_int_equal(rig.env.table.live, 0);
	rig_ended(&rig, END_MAX_LIFETIME);
}

TEST(lifetime_without_a_fin_timeout)
{
	rig.route.limits.max_lifetime = 10000;
	rig.route.limits.fin_timeout = 0;
	connect_both();
	rig_pass(&rig, 10100);
	rig_pass(&rig, 59000);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 1100);
	rig_ended(&rig, END_MAX_LIFETIME);
}

/* Nor does who reads a little now and then hold the end off for ever. */
TEST(lifetime_of_the_slow)
{
	static unsigned char bytes[65536];
	const struct session *s;
	int i;

	rig.route.limits.max_lifetime = 10000;
	rig.route.limits.fin_timeout = 2000;
	client = rig_unix_client(&rig);
	server = rig_server(&rig, 0);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_RELAY);
	s = rig_session(&rig);
	while (shuttle_held(&s->way[DOWN]) == 0) {
		(void)send(server, bytes, sizeof(bytes), MSG_DONTWAIT);
		rig_turn(&rig, 0);
	}
	rig_pass(&rig, 10100);
	assert_true(s->shut);
	for (i = 0; i < 4; i++) {
		MUST(recv(client, bytes, 4096, MSG_DONTWAIT));
		rig_pass(&rig, 600);
	}
	assert_int_equal(rig.env.table.live, 0);
	rig_ended(&rig, END_MAX_LIFETIME);
}

/* What was read is delivered before the end of file. */
TEST(lifetime_loses_nothing)
{
	static unsigned char bytes[65536];
	uint64_t sent = 0, got = 0, taken;
	const struct session *s;
	ssize_t n;

	rig.route.limits.max_lifetime = 10000;
	connect_both();
	s = rig_session(&rig);
	while (shuttle_held(&s->way[UP]) == 0) {
		pattern_fill(1, sent, bytes, sizeof(bytes));
		n = send(client, bytes, sizeof(bytes), MSG_DONTWAIT);
		sent += n > 0 ? (uint64_t)n : 0;
		rig_turn(&rig, 0);
	}
	rig_pass(&rig, 10100);
	taken = s->way[UP].in;
	rig_expect_end(&rig, client);
	while ((n = rig_some(&rig, server, bytes, sizeof(bytes))) > 0) {
		assert_int_equal(pattern_match(1, got, bytes, (size_t)n), n);
		got += (uint64_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(got, taken);
	rig_hang_up(&server);
	rig_hang_up(&client);
	rig_ended(&rig, END_MAX_LIFETIME);
}

/* Also while it waits for a server: what it has asked makes no reset of that. */
TEST(lifetime_in_the_queue)
{
	int other;

	rig.list[0].max_sessions = 1;
	rig.pool.queue_timeout = 60000;
	connect_both();
	rig.route.limits.max_lifetime = 2000;
	other = rig_client(&rig);
	rig_idle(&rig);
	assert_int_equal(rig.env.table.session[1].state, SESSION_QUEUE);
	rig_write(&rig, other, "question");
	rig_pass(&rig, 2100);
	rig_expect_end(&rig, other);
	close(other);
	TURN_UNTIL(&rig, rig.env.table.live == 1);
	assert_int_equal(rig_ends(&rig, END_MAX_LIFETIME), 1);
}

/* Those that began together end one after the other, none too late. */
TEST(lifetimes_are_spread)
{
	int fd[CROWD], i, part, n, ended_in[10] = { 0 };
	uint64_t before, all = 0, seed = random_seed();

	rig.env.seed = seed;
	rig.route.limits.max_lifetime = 1000000;
	rig.route.limits.lifetime_jitter = 50;
	/* Not quite together: the moment is not to count. */
	for (i = 0; i < CROWD; i++) {
		rig_pass(&rig, random_below(&seed, 10));
		fd[i] = rig_client(&rig);
	}
	for (i = 0; i < CROWD; i++)
		TURN_UNTIL(&rig, rig.env.table.session[i].state == SESSION_RELAY);
	rig_pass(&rig, 499000);
	assert_int_equal(rig.env.table.live, CROWD);
	for (part = 0; part < 10; part++) {
		before = all;
		rig_pass(&rig, 50000 + (part == 9 ? 2000 : 0));
		for (all = 0, i = 0; i < CROWD; i++)
			all += rig.env.table.session[i].shut;
		ended_in[part] = (int)(all - before);
	}
	for (part = n = 0; part < 10; n += ended_in[part++])
		assert_in_range(ended_in[part], 4, 8);
	assert_int_equal(n, CROWD);
	for (i = 0; i < CROWD; i++)
		close(fd[i]);
}
