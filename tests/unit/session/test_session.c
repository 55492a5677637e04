/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session.c: sessions that are connected: bytes both ways, half-closes, resets,
 * timeouts, and how it all ends. How they come to be connected is tested in
 * session_connect.c.
 */
#include "session/session.h"

#include "helpers.h"
#include "session_rig.h"

static struct rig rig;
static int	client, server;		/* the two ends; -1: closed */

int
set_up(void)
{
	client = server = -1;
	rig_start(&rig, 20, 8, 65536);
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

/* One session that relays. */
static void
connect_both(void)
{
	client = rig_client(&rig);
	server = rig_server(&rig, 0);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_RELAY);
}

TEST(request_and_answer)
{
	struct board_worker *w = rig.env.board;

	connect_both();
	assert_int_equal(w->live, 1);
	assert_int_equal(w->total, 1);
	assert_int_equal(*board_live(rig.board, 2, 0), 1);
	rig_write(&rig, client, "GET /");
	rig_expect(&rig, server, "GET /");
	rig_write(&rig, server, "200 and more");
	rig_expect(&rig, client, "200 and more");
	rig_write(&rig, client, "again");
	rig_expect(&rig, server, "again");
	rig_hang_up(&client);
	rig_expect_end(&rig, server);
	rig_hang_up(&server);
	rig_ended(&rig, END_CLIENT_CLOSE);
	assert_int_equal(w->live, 0);
	assert_int_equal(w->total, 1);
	assert_int_equal(w->bytes_up, 10);
	assert_int_equal(w->bytes_down, 12);
	assert_int_equal(rig.board->server[0].served, 1);
	assert_int_equal(rig.board->server[0].failures, 0);
}

TEST(lines_in_the_log)
{
	char name[ADDR_TEXT], id[SESSION_ID], want[400];
	struct addr a;

	connect_both();
	a.len = sizeof(a.in6);
	MUST(getsockname(client, &a.sa, &a.len));
	addr_format(&a, name, sizeof(name));
	rig_unique_id(&rig, id);
	snprintf(want, sizeof(want),
	    " debug: session start id=%s client=%s listener=front\n", id,
	    name);
	assert_non_null(strstr(rig_log(&rig), want));
	assert_null(strstr(rig_log(&rig), "session end"));
	rig_write(&rig, client, "123");
	rig_expect(&rig, server, "123");
	rig_write(&rig, server, "4");
	rig_expect(&rig, client, "4");
	session_cold(&rig.env, rig_session(&rig))->first_byte = 7;
	rig_session(&rig)->started = 5000;
	rig_session(&rig)->connected = 5003;
	rig_unique_id(&rig, id);
	rig_hang_up(&server);
	rig_expect_end(&rig, client);
	rig_hang_up(&client);
	/* So that the times are known: what is asked last is the table. */
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	snprintf(want, sizeof(want), " info: session end id=%s client=%s "
	    "listener=front servers_tried=a bytes_up=3 bytes_down=1 "
	    "connect_ms=3 first_byte_ms=7 total_ms=%llu end=server.close\n", id,
	    name, (unsigned long long)(rig.env.now - 5000));
	assert_non_null(strstr(rig_log(&rig), want));
}

TEST(quiet_log)
{
	log_close(rig.env.log);
	rig.env.log = log_open(rig.log, LOG_NOTICE);
	connect_both();
	rig_hang_up(&client);
	rig_hang_up(&server);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_string_equal(rig_log(&rig), "");
}

TEST(server_speaks_first)
{
	connect_both();
	rig_write(&rig, server, "220 hello");
	rig_expect(&rig, client, "220 hello");
	rig_hang_up(&server);
	rig_expect_end(&rig, client);
	rig_hang_up(&client);
	rig_ended(&rig, END_SERVER_CLOSE);
}

/* What came before the first look at the connection. */
TEST(bytes_that_were_waiting)
{
	client = rig_client(&rig);
	write_text(client, "early");
	MUST(shutdown(client, SHUT_WR));
	server = rig_server(&rig, 0);
	write_text(server, "bird");
	rig_hang_up(&server);
	rig_expect(&rig, client, "bird");
	/* The server closed with "early" unread or not: no matter here. */
}

TEST(client_closes_its_half)
{
	connect_both();
	rig_write(&rig, client, "question");
	MUST(shutdown(client, SHUT_WR));
	rig_expect(&rig, server, "question");
	rig_expect_end(&rig, server);
	rig_write(&rig, server, "long ");
	rig_expect(&rig, client, "long ");
	rig_write(&rig, server, "answer");
	rig_hang_up(&server);
	rig_expect(&rig, client, "answer");
	rig_expect_end(&rig, client);
	rig_ended(&rig, END_CLIENT_CLOSE);
}

TEST(server_closes_its_half)
{
	connect_both();
	MUST(shutdown(server, SHUT_WR));
	rig_expect_end(&rig, client);
	rig_write(&rig, client, "still there?");
	rig_expect(&rig, server, "still there?");
	rig_hang_up(&client);
	rig_expect_end(&rig, server);
	rig_ended(&rig, END_SERVER_CLOSE);
}

TEST(client_resets)
{
	connect_both();
	rig_write(&rig, client, "last");
	rig_abort(client);
	client = -1;
	rig_expect(&rig, server, "last");
	rig_expect_reset(&rig, server);
	rig_ended(&rig, END_CLIENT_RESET);
	assert_int_equal(rig.env.board->bytes_up, 4);
}

TEST(server_resets)
{
	connect_both();
	rig_write(&rig, server, "last");
	rig_abort(server);
	server = -1;
	rig_expect(&rig, client, "last");
	rig_expect_reset(&rig, client);
	rig_ended(&rig, END_SERVER_RESET);
}

/* A reset after an orderly close is the end that counts. */
TEST(close_and_then_a_reset)
{
	connect_both();
	MUST(shutdown(client, SHUT_WR));
	rig_expect_end(&rig, server);
	rig_abort(server);
	server = -1;
	rig_expect_reset(&rig, client);
	rig_ended(&rig, END_SERVER_RESET);
}

/*
 * A reset overtakes what was sent before it: it has to wait until the other
 * side's system has all bytes. How many they are depends on the kernel.
 */
static void
fill_and_reset(uint64_t *sent)
{
	static unsigned char bytes[65536];
	ssize_t n;
	int quiet;

	for (quiet = 0; quiet < 60; quiet++) {
		pattern_fill(1, *sent, bytes, sizeof(bytes));
		n = send(client, bytes, sizeof(bytes), MSG_DONTWAIT);
		*sent += n > 0 ? (uint64_t)n : 0;
		if (n > 0 || in_flight())
			quiet = 0;
		rig_turn(&rig, quiet > 0 ? 1 : 0);
	}
	rig_abort(client);
	client = -1;
	assert_true(comes(rig_session(&rig)->fd[CLIENT], 0, PATIENCE));
}

TEST(reset_waits_for_what_was_read)
{
	static unsigned char bytes[65536];
	uint64_t sent = 0, got = 0, read_by_us;
	ssize_t n;

	connect_both();
	fill_and_reset(&sent);
	rig_turn(&rig, 5);
	rig_pass(&rig, 100);
	rig_pass(&rig, 1000);
	read_by_us = rig_session(&rig)->way[UP].in;
	assert_in_range(read_by_us, 1, sent);
	/* The server was slow, and gets every byte that we had. */
	while ((n = rig_some(&rig, server, bytes, sizeof(bytes))) > 0) {
		assert_int_equal(pattern_match(1, got, bytes, (size_t)n), n);
		got += (uint64_t)n;
		rig_clock += 20;
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	rig_ended(&rig, END_CLIENT_RESET);
	assert_true(got >= read_by_us);
	assert_int_equal(rig.env.board->bytes_up, got);
}

/* But not for ever. */
TEST(reset_does_not_wait_for_ever)
{
	uint64_t sent = 0;
	int i;

	rig.route.limits.fin_timeout = 0;
	connect_both();
	fill_and_reset(&sent);
	for (i = 0; i < 200 && rig.env.table.live > 0; i++)
		rig_pass(&rig, 1000);
	/* Bytes that we hold ourselves are under the FIN timeout, here off. */
	if (rig.env.table.live > 0)
		assert_int_equal(rig_session(&rig)->state, SESSION_RELAY);
	else
		rig_ended(&rig, END_CLIENT_RESET);
}

/* Errors that are no resets: the network lost the peer. */
static void
lose(int side, int err, enum session_end end)
{
	connect_both();
	rig_faults.recv_error = err;
	rig_faults.recv_fd = rig_session(&rig)->fd[side];
	rig_write(&rig, side == CLIENT ? client : server, "x");
	TURN_UNTIL(&rig, rig.env.table.live == 0 || rig_session(&rig)->done[side]);
	/* The other side learns of it, and ends it. */
	rig_hang_up(&client);
	rig_hang_up(&server);
	rig_ended(&rig, end);
}

TEST(client_is_lost)
{
	lose(CLIENT, ETIMEDOUT, END_CLIENT_LOST);
}

TEST(server_is_lost)
{
	lose(SERVER, EHOSTUNREACH, END_SERVER_LOST);
}

TEST(errors_of_send)
{
	connect_both();
	rig_faults.send_error = EPIPE;
	rig_faults.send_fd = rig_session(&rig)->fd[SERVER];
	rig_write(&rig, client, "x");
	TURN_UNTIL(&rig, rig.env.table.live == 0 || rig_session(&rig)->done[UP]);
	rig_hang_up(&server);
	rig_hang_up(&client);
	rig_ended(&rig, END_SERVER_RESET);
}

TEST(idle_timeout)
{
	rig.route.limits.idle_timeout = 10000;
	connect_both();
	rig_pass(&rig, 9900);
	assert_int_equal(rig.env.table.live, 1);
	/* One byte one way is enough. */
	rig_write(&rig, server, "x");
	rig_expect(&rig, client, "x");
	rig_pass(&rig, 9900);
	assert_int_equal(rig.env.table.live, 1);
	rig_write(&rig, client, "y");
	rig_expect(&rig, server, "y");
	rig_pass(&rig, 9900);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 200);
	assert_int_equal(rig.env.table.live, 0);
	rig_expect_end(&rig, client);
	rig_expect_end(&rig, server);
	rig_ended(&rig, END_IDLE_TIMEOUT);
}

TEST(no_idle_timeout_unless_asked_for)
{
	connect_both();
	rig_pass(&rig, 1000);
	rig_pass(&rig, UINT64_C(30) * 86400 * 1000);
	assert_int_equal(rig.env.table.live, 1);
	rig_write(&rig, client, "awake");
	rig_expect(&rig, server, "awake");
}

TEST(fin_timeout)
{
	rig.route.limits.fin_timeout = 3000;
	connect_both();
	rig_pass(&rig, 100000);
	MUST(shutdown(client, SHUT_WR));
	rig_expect_end(&rig, server);
	/* As long as the other way is used the session lives. */
	rig_pass(&rig, 2900);
	rig_write(&rig, server, "x");
	rig_expect(&rig, client, "x");
	rig_pass(&rig, 2900);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 200);
	assert_int_equal(rig.env.table.live, 0);
	rig_expect_end(&rig, client);
	rig_ended(&rig, END_FIN_TIMEOUT);
}

/* Half-closed, it is the FIN timeout that counts, also when it is longer. */
TEST(fin_timeout_instead_of_idle_timeout)
{
	rig.route.limits.idle_timeout = 1000;
	rig.route.limits.fin_timeout = 5000;
	connect_both();
	MUST(shutdown(server, SHUT_WR));
	rig_expect_end(&rig, client);
	rig_pass(&rig, 4900);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 200);
	rig_ended(&rig, END_FIN_TIMEOUT);
}

TEST(fin_timeout_off)
{
	rig.route.limits.idle_timeout = 1000;
	rig.route.limits.fin_timeout = 0;
	connect_both();
	MUST(shutdown(server, SHUT_WR));
	rig_expect_end(&rig, client);
	rig_pass(&rig, 1100);
	rig_pass(&rig, UINT64_C(30) * 86400 * 1000);
	assert_int_equal(rig.env.table.live, 1);
	rig_hang_up(&client);
	rig_ended(&rig, END_SERVER_CLOSE);
}

TEST(shut)
{
	connect_both();
	session_shut(&rig.env, rig_session(&rig), END_DRAIN);
	rig_expect_end(&rig, client);
	rig_expect_end(&rig, server);
	assert_int_equal(rig.env.table.live, 1);
	rig_hang_up(&client);
	rig_hang_up(&server);
	rig_ended(&rig, END_DRAIN);
}

/* Bytes that are held are not cut off by it. */
TEST(shut_with_bytes_held)
{
	static unsigned char bytes[65536];
	uint64_t sent = 0, got = 0, held;
	ssize_t n;

	connect_both();
	while (shuttle_held(&rig_session(&rig)->way[UP]) == 0) {
		pattern_fill(1, sent, bytes, sizeof(bytes));
		n = send(client, bytes, sizeof(bytes), MSG_DONTWAIT);
		sent += n > 0 ? (uint64_t)n : 0;
		rig_turn(&rig, 0);
	}
	held = rig_session(&rig)->way[UP].in;
	session_shut(&rig.env, rig_session(&rig), END_DRAIN);
	rig_expect_end(&rig, client);
	while (got < held) {
		n = rig_read(&rig, server, bytes, held - got <
		    sizeof(bytes) ? held - got : sizeof(bytes));
		assert_true(n > 0);
		assert_int_equal(pattern_match(1, got, bytes, (size_t)n), n);
		got += (uint64_t)n;
	}
	rig_hang_up(&client);
	rig_hang_up(&server);
	rig_ended(&rig, END_DRAIN);
}

TEST(kill)
{
	connect_both();
	session_kill(&rig.env, rig_session(&rig), END_STOP, false);
	assert_int_equal(rig.env.table.live, 0);
	rig_expect_end(&rig, client);
	rig_expect_end(&rig, server);
	rig_ended(&rig, END_STOP);
}

TEST(kill_with_a_reset)
{
	connect_both();
	session_kill(&rig.env, rig_session(&rig), END_DRAIN, true);
	rig_expect_reset(&rig, client);
	rig_expect_reset(&rig, server);
	rig_ended(&rig, END_DRAIN);
}

/* The first reason counts: what follows is its consequence. */
TEST(first_reason_counts)
{
	connect_both();
	session_shut(&rig.env, rig_session(&rig), END_DRAIN);
	rig_abort(client);
	client = -1;
	rig_idle(&rig);
	if (rig_any_session(&rig) != NULL)
		session_kill(&rig.env, rig_session(&rig), END_STOP, true);
	rig_ended(&rig, END_DRAIN);
	assert_int_equal(rig_ends(&rig, END_STOP), 0);
	assert_int_equal(rig_ends(&rig, END_CLIENT_RESET), 0);
}

TEST(plain_data)
{
	/* A session with no bytes in flight, and its places in the tables. */
	assert_true(sizeof(struct session) + 3 * sizeof(uint32_t) <= 256);
}

TEST(names)
{
	int i, k;

	assert_string_equal(session_state_name(SESSION_FREE), "FREE");
	assert_string_equal(session_state_name(SESSION_RELAY), "RELAY");
	assert_string_equal(session_end_name(END_STOP), "proxy.stop");
	assert_string_equal(session_end_name(END_CLIENT_CLOSE),
	    "client.close");
	assert_int_equal(END_NONE, 0);
	for (i = 0; i < END_REASONS; i++)
		for (k = 0; k < i; k++)
			assert_string_not_equal(
			    session_end_name((enum session_end)i),
			    session_end_name((enum session_end)k));
}
