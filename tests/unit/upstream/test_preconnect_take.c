/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_preconnect_take.c: sessions that find a connection ready, or one that seems
 * to be. Run over each engine, since a session takes over what the poller
 * knows.
 */
#include "preconnect_rig.h"

/* A client whose first bytes have come before it is accepted. */
/*
 * The server's end of the one session's connection. A new preconnected
 * connection may come first where the network loses the request to connect.
 */
static int
used_server(void)
{
	int fd = rig_server(&rig, 0), other;

	if (leads_to(rig_session(&rig)->fd[SERVER], fd))
		return fd;
	other = rig_server(&rig, 0);
	close(fd);
	return other;
}

static int
client_saying(const char *text)
{
	struct endpoint from = { .family = AF_UNIX };
	int p[2];

	rig_turn(&rig, 0);
	tcp_pair(p);
	write_text(p[1], text);
	assert_true(comes(p[0], POLLIN, PATIENCE));
	rig.route.eager = ROUTE_EAGER;
	session_open(&rig.env, p[0], &from, 0);
	return p[1];
}

TEST(taken_and_replaced)
{
	int server = begin_with_one(), next;

	client = rig_client(&rig);
	assert_int_equal(rig_session(&rig)->state, SESSION_RELAY);
	assert_int_equal(board_server_live(rig.board, 0), 1);
	assert_int_equal(rig.board->server[0].served, 1);
	rig_write(&rig, client, "request");
	rig_expect(&rig, server, "request");
	rig_write(&rig, server, "answer");
	rig_expect(&rig, client, "answer");
	/* The next one has come without a rest, and is another's. */
	next = rig_server(&rig, 0);
	assert_int_equal(board_server_live(rig.board, 0), 1);
	close(server);
	rig_expect_end(&rig, client);
	close(client);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_non_null(strstr(rig_log(&rig), " servers_tried=a bytes_up=7 "
	    "bytes_down=6 "));
	client = rig_client(&rig);
	rig_write(&rig, client, "second");
	rig_expect(&rig, next, "second");
	close(next);
}

/* Most at once, and all of them from the clients of one turn. */
TEST(all_taken_in_one_turn)
{
	int i, server[SERVER_PRECONNECT_MAX], taken[SERVER_PRECONNECT_MAX];

	begin(SERVER_PRECONNECT_MAX);
	for (i = 0; i < SERVER_PRECONNECT_MAX; i++)
		server[i] = rig_server(&rig, 0);
	rig_idle(&rig);
	for (i = 0; i < SERVER_PRECONNECT_MAX; i++) {
		taken[i] = preconnect_take(rig.env.preconnects, 0);
		assert_true(taken[i] != -1);
	}
	assert_int_equal(preconnect_take(rig.env.preconnects, 0), -1);
	assert_false(knocks());
	for (i = 0; i < SERVER_PRECONNECT_MAX; i++) {
		poller_forget(rig.env.poller, taken[i]);
		close(taken[i]);
	}
	for (i = 0; i < SERVER_PRECONNECT_MAX; i++) {
		close(rig_server(&rig, 0));
		close(server[i]);
	}
}

/* Bytes of a server that speaks first lie there without keeping us awake. */
TEST(server_speaks_first)
{
	int server = begin_with_one();

	speaks(server, "220 hello");
	assert_int_equal(poller_wait(rig.env.poller, 20), 0);
	rig_pass(&rig, 1100);
	rig_pass(&rig, 1100);
	assert_int_equal(poller_wait(rig.env.poller, 20), 0);
	client = rig_client(&rig);
	rig_expect(&rig, client, "220 hello");
	rig_write(&rig, client, "HELO");
	rig_expect(&rig, server, "HELO");
	close(server);
	rig_expect_end(&rig, client);
	close(rig_server(&rig, 0));
}

/* It has lost patience: what it said is not for the next client. */
TEST(spoke_and_ended)
{
	int server = begin_with_one(), fd = our_end(0);

	speaks(server, "220 hello");
	write_text(server, "421 timeout");
	close(server);
	hangs_up(fd);
	client = rig_client(&rig);
	assert_int_equal(rig_session(&rig)->state, SESSION_CONNECT);
	server = rig_server(&rig, 0);
	write_text(server, "220 again");
	rig_expect(&rig, client, "220 again");
	close(server);
	rig_expect_end(&rig, client);
	assert_int_equal(rig.env.board->retries, 0);
}

/* It was to be looked at in the turn in which it was taken. */
TEST(taken_when_due)
{
	int server = begin_with_one(), taken;

	speaks(server, "220 hello");
	taken = preconnect_take(rig.env.preconnects, 0);
	assert_int_not_equal(taken, -1);
	poller_forget(rig.env.poller, taken);
	close(taken);
	close(server);
	rig_pass(&rig, 1100);
	close(rig_server(&rig, 0));
	rig_idle(&rig);
	assert_false(knocks());
}

/* The first is dead, the next is good: that is the one. */
TEST(dead_ones_are_passed_over)
{
	struct sockaddr_in mine, peer;
	socklen_t len = sizeof(mine);
	int i, server[4], good = -1, last;

	begin(4);
	for (i = 0; i < 4; i++)
		server[i] = rig_server(&rig, 0);
	rig_idle(&rig);
	/* The clock stands still: only the poller's word is not heard. */
	last = our_end(3);
	MUST(getsockname(last, (struct sockaddr *)&mine, &len));
	for (i = 0; i < 4; i++) {
		MUST(getpeername(server[i], (struct sockaddr *)&peer, &len));
		if (peer.sin_port == mine.sin_port)
			good = server[i];
		else
			close(server[i]);
	}
	for (i = 0; i < 3; i++)
		hangs_up(our_end(i));
	assert_int_equal(preconnect_take(rig.env.preconnects, 0), last);
	assert_int_equal(preconnect_take(rig.env.preconnects, 0), -1);
	poller_forget(rig.env.poller, last);
	close(last);
	close(good);
	/* One was used; the others died. */
	rig_idle(&rig);
	close(rig_server(&rig, 0));
	nobody_comes(900);
	rig_pass(&rig, 150);
	for (i = 0; i < 3; i++)
		close(rig_server(&rig, 0));
}

/* Those that stand may lead nowhere when a new one cannot be opened. */
TEST(refused_later)
{
	int i, server[2], busy;
	char got[8];

	begin(2);
	for (i = 0; i < 2; i++)
		server[i] = rig_server(&rig, 0);
	rig_idle(&rig);
	rig_faults.connects = 1;
	rig_faults.connect_error = EHOSTUNREACH;
	client = rig_client(&rig);
	rig_write(&rig, client, "request");
	TURN_UNTIL(&rig, comes(server[0], POLLIN, 0) &&
	    comes(server[1], POLLIN, 0));
	assert_int_equal(rig.board->server[0].failures, 1);
	/* One got the request, the other an end of file. */
	busy = recv(server[0], got, sizeof(got), MSG_PEEK) > 0 ? 0 : 1;
	rig_expect(&rig, server[busy], "request");
	rig_expect_end(&rig, server[!busy]);
	nobody_comes(5000);
	close(server[0]);
	close(server[1]);
	rig_expect_end(&rig, client);
}

/* Another worker has found it dead: connecting is the test. */
TEST(not_while_on_probation)
{
	int server = begin_with_one(), next;
	struct servers other = rig.servers;

	other.worker = 3;
	server_failed(&other, 0, rig.env.now);
	client = rig_client(&rig);
	assert_int_equal(rig_session(&rig)->state, SESSION_CONNECT);
	rig_expect_end(&rig, server);
	close(server);
	next = rig_server(&rig, 0);
	rig_write(&rig, client, "request");
	rig_expect(&rig, next, "request");
	assert_false(server_on_probation(&rig.servers, 0));
	rig_pass(&rig, 1100);
	close(rig_server(&rig, 0));
	close(next);
	rig_expect_end(&rig, client);
}

/* Ended between the look and the first bytes: they go on another connection. */
TEST(broken_when_used)
{
	int server = begin_with_one(), next;

	rig_faults.send_fd = our_end(0);
	rig_faults.send_error = EPIPE;
	client = client_saying("request");
	assert_int_equal(rig_faults.send_error, 0);
	rig_expect_end(&rig, server);
	close(server);
	next = used_server();
	rig_expect(&rig, next, "request");
	assert_int_equal(rig_session(&rig)->attempts, 1);
	assert_int_equal(board_server_live(rig.board, 0), 1);
	assert_int_equal(rig.board->server[0].failures, 0);
	assert_int_equal(rig.env.board->retries, 0);
	close(next);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_non_null(strstr(rig_log(&rig), " servers_tried=a bytes_up=7 "
	    "bytes_down=0 "));
}

/* As for any that takes bytes and is reset: who knows what it did. */
TEST(reset_after_use)
{
	int server = begin_with_one();

	client = client_saying("request");
	rig_expect(&rig, server, "request");
	rig_abort(server);
	rig_expect_reset(&rig, client);
	assert_int_equal(rig_ends(&rig, END_SERVER_RESET), 1);
	close(rig_server(&rig, 0));
}

TEST(unix_socket)
{
	struct sockaddr_un *un;
	int listener, server;

	begin(1);
	un = &rig.list[0].addr.un;
	memset(&rig.list[0].addr, 0, sizeof(rig.list[0].addr));
	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof(un->sun_path), "%s/s", rig.dir);
	rig.list[0].addr.len = sizeof(*un);
	listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(bind(listener, &rig.list[0].addr.sa, sizeof(*un)));
	MUST(listen(listener, 5));
	TURN_UNTIL(&rig, comes(listener, POLLIN, 0));
	server = (int)MUST(accept(listener, NULL, NULL));
	client = rig_client(&rig);
	rig_write(&rig, client, "over unix");
	rig_expect(&rig, server, "over unix");
	close(server);
	rig_expect_end(&rig, client);
	close(client);
	/* The second one ends unused. */
	TURN_UNTIL(&rig, comes(listener, POLLIN, 0));
	close((int)MUST(accept(listener, NULL, NULL)));
	rig_idle(&rig);
	rig_pass(&rig, 900);
	assert_false(comes(listener, POLLIN, 0));
	rig_pass(&rig, 150);
	assert_true(comes(listener, POLLIN, 0));
	close(listener);
	client = -1;
}

/* Its name means another server: those that stand are not given out. */
TEST(its_name_moves)
{
	struct board_book *b;
	struct resolved_addr s = { .lookup = 5 };
	int server, other;

	rig_add_server(&rig);
	rig_add_server(&rig);
	rig.list[0].preconnect = 1;
	rig.list[0].lookup = 5;
	rig_ready(&rig);
	/* Nobody knows where it is. */
	rig_pass(&rig, 1100);
	assert_false(knocks());
	b = &rig.board->book[0];
	s.family = AF_INET;
	s.port = addr_port(&rig.list[0].addr);
	memcpy(s.ip, &rig.list[0].addr.in.sin_addr, 4);
	resolved_addr_write(&b->resolved, &s);
	atomic_fetch_add(&rig.board->head->changes, 1);
	rig_pass(&rig, 1100);
	server = rig_server(&rig, 0);
	rig_idle(&rig);
	s.port = addr_port(&rig.list[1].addr);
	resolved_addr_write(&b->resolved, &s);
	assert_int_equal(preconnect_take(rig.env.preconnects, 0), -1);
	rig_expect_end(&rig, server);
	rig_pass(&rig, 1100);
	other = rig_server(&rig, 1);
	/* And it goes when nobody is there any more. */
	s.family = 0;
	resolved_addr_write(&b->resolved, &s);
	atomic_fetch_add(&rig.board->head->changes, 1);
	rig_expect_end(&rig, other);
	close(server);
	close(other);
}

OVER_ENGINES
