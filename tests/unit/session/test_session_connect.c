/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_connect.c: from a client's arrival to a server that answers: what is
 * tried, in which order, how long, and what a client gets that nobody serves.
 */
#include "session/session.h"

#include "helpers.h"
#include "session_rig.h"

static struct rig rig;
static int	client;
static int	crowd[64], crowded;	/* connections that fill a backlog */

int
set_up(void)
{
	client = -1;
	crowded = 0;
	rig_start(&rig, 20, 4, 65536);
	return 0;
}

int
tear_down(void)
{
	if (client != -1)
		close(client);
	while (crowded > 0)
		close(crowd[--crowded]);
	return rig_stop(&rig);
}

/* Servers a, b, c …, of which the first *refusing* refuse. */
static void
begin(int n, int refusing)
{
	int i;

	for (i = 0; i < n; i++)
		rig_add_server(&rig);
	rig_ready(&rig);
	for (i = 0; i < refusing; i++)
		rig_refuse(&rig, i);
}

/* A server that does not answer: its queue is full, for good. */
static void
silence(int server)
{
	struct sockaddr *sa = &rig.list[server].addr.sa;
	int fd;

	MUST(listen(rig.listener[server], 0));
	do {
		assert_true(crowded < (int)COUNT(crowd));
		fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK |
		    SOCK_CLOEXEC, 0));
		crowd[crowded++] = fd;
		if (connect(fd, sa, sizeof(struct sockaddr_in)) == -1)
			assert_int_equal(errno, EINPROGRESS);
	} while (comes(fd, POLLOUT, 100) ||
	    !queue_is_full(rig.listener[server]));
}

/* The only session ended so, having tried these. */
static void
ended(const char *tried, enum session_end end)
{
	char want[80];

	if (client != -1)
		close(client);
	client = -1;
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	snprintf(want, sizeof(want), " servers_tried=%s bytes_up=", tried);
	if (strstr(rig_log(&rig), want) == NULL)
		fail_msg("no \"%s\" in: %s", want, rig_log(&rig));
	snprintf(want, sizeof(want), " end=%s\n", session_end_name(end));
	if (strstr(rig_log(&rig), want) == NULL)
		fail_msg("no \"%s\" in: %s", want, rig_log(&rig));
	assert_int_equal(rig_ends(&rig, end), 1);
}

static int
count(const char *text, const char *what)
{
	int n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

TEST(refused_so_the_next)
{
	int server;

	begin(3, 1);
	client = rig_client(&rig);
	write_text(client, "for whoever comes");
	server = rig_server(&rig, 1);
	rig_expect(&rig, server, "for whoever comes");
	assert_int_equal(board_server_live(rig.board, 0), 0);
	assert_int_equal(board_server_live(rig.board, 1), 1);
	assert_int_equal(rig.env.board->retries, 1);
	assert_int_equal(rig.board->server[0].failures, 1);
	assert_int_equal(rig.board->server[1].served, 1);
	assert_true(server_is_ejected(&rig.servers, 0, rig.env.now));
	assert_false(server_is_ejected(&rig.servers, 1, rig.env.now));
	close(server);
	rig_expect_end(&rig, client);
	/* What went wrong on the way is not how it ended. */
	ended("a,b", END_SERVER_CLOSE);
	assert_int_equal(rig_ends(&rig, END_SERVER_REFUSED), 0);
}

TEST(all_refuse)
{
	begin(2, 2);
	client = rig_client(&rig);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended("a,b", END_SERVER_REFUSED);
	assert_non_null(strstr(rig_log(&rig), " connect_ms=- "));
	assert_int_equal(rig.env.board->live, 0);
	assert_int_equal(rig.env.board->total, 1);
	assert_int_equal(rig.env.shortage, 0);
}

/* As many as the pool says are tried, not more. */
TEST(attempts_are_limited)
{
	begin(5, 5);
	client = rig_client(&rig);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended("a,b,c", END_SERVER_REFUSED);
	assert_int_equal(rig.env.board->retries, 2);
	assert_int_equal(rig.pool.attempts, 3);
}

/* It gets an end of file, and no reset, though nobody has read its request. */
TEST(turned_away_while_it_sends)
{
	static char bytes[200000];
	ssize_t n;

	begin(1, 0);
	silence(0);
	client = rig_client(&rig);
	n = MUST(send(client, bytes, sizeof(bytes), 0));
	assert_true(n > 0);
	rig_pass(&rig, 5100);
	(void)!send(client, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended("a", END_CONNECT_TIMEOUT);
	/* Nothing of that went anywhere. */
	assert_int_equal(rig.env.board->bytes_up, 0);
	assert_non_null(strstr(rig_log(&rig), " bytes_up=0 bytes_down=0 "));
}

/* Nor may it stay for ever by not closing. */
TEST(turned_away_and_stays)
{
	begin(1, 1);
	client = rig_client(&rig);
	write_text(client, "request");
	rig_expect_end(&rig, client);
	rig_idle(&rig);
	rig_pass(&rig, 2100);
	assert_int_equal(rig.env.table.live, 0);
	ended("a", END_SERVER_REFUSED);
}

/* Slots are not for those who are rejected. */
TEST(turned_away_in_crowds)
{
	char c;
	int i;

	begin(1, 1);
	for (i = 0; i < 60; i++) {
		assert_false(table_full(&rig.env.table));
		crowd[crowded] = rig_client(&rig);
		assert_int_equal(rig_read(&rig, crowd[crowded++], &c, 1), 0);
	}
	rig_pass(&rig, 2100);
	assert_int_equal(rig.env.table.live, 0);
	assert_int_equal(rig_ends(&rig, END_SERVER_REFUSED), 60);
}

TEST(no_server_at_all)
{
	begin(0, 0);
	client = rig_client(&rig);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended("-", END_NO_SERVER);
}

TEST(backup_when_the_others_fail)
{
	int server;

	begin(3, 2);
	rig.pool.eject_time = 60000;
	balance_free(rig.env.balance);
	rig.list[2].tier = TIER_BACKUP;
	rig.env.balance = balance_new(&rig.servers);
	client = rig_client(&rig);
	server = rig_server(&rig, 2);
	close(server);
	rig_expect_end(&rig, client);
	close(client);
	/* From now on at once. */
	client = rig_client(&rig);
	server = rig_server(&rig, 2);
	close(server);
	rig_expect_end(&rig, client);
	assert_int_equal(rig.env.board->retries, 2);
	close(client);
	client = -1;
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(count(rig_log(&rig), " servers_tried=a,b,c "), 1);
	assert_int_equal(count(rig_log(&rig), " servers_tried=c "), 1);
}

TEST(connect_timeout)
{
	int server;

	begin(2, 0);
	silence(0);
	client = rig_client(&rig);
	rig_idle(&rig);
	assert_int_equal(rig_session(&rig)->state, SESSION_CONNECT);
	assert_int_equal(board_server_live(rig.board, 0), 1);
	rig_pass(&rig, 4800);
	assert_int_equal(rig_session(&rig)->attempts, 1);
	rig_pass(&rig, 300);
	assert_int_equal(board_server_live(rig.board, 0), 0);
	server = rig_server(&rig, 1);
	rig_write(&rig, server, "late");
	rig_expect(&rig, client, "late");
	assert_int_equal(rig.board->server[0].failures, 1);
	assert_true(server_is_ejected(&rig.servers, 0, rig.env.now));
	close(server);
	close(client);
	client = -1;
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_non_null(strstr(rig_log(&rig), " servers_tried=a,b "));
	assert_non_null(strstr(rig_log(&rig), strerror(ETIMEDOUT)));
}

/* The time that it took does not count as silence. */
TEST(slow_connect_is_not_idle)
{
	rig.route.limits.idle_timeout = 1000;
	begin(1, 0);
	client = rig_client(&rig);
	assert_true(comes(rig.listener[0], POLLIN, PATIENCE));
	rig_pass(&rig, 4000);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_RELAY);
	rig_pass(&rig, 800);
	assert_int_equal(rig.env.table.live, 1);
	rig_pass(&rig, 300);
	rig_expect_end(&rig, client);
	ended("a", END_IDLE_TIMEOUT);
}

/* Each attempt has the whole time. */
TEST(all_are_silent)
{
	rig.pool.connect_timeout = 1000;
	begin(2, 0);
	silence(0);
	silence(1);
	client = rig_client(&rig);
	rig_pass(&rig, 900);
	assert_int_equal(rig_session(&rig)->attempts, 1);
	rig_pass(&rig, 200);
	assert_int_equal(rig_session(&rig)->attempts, 2);
	rig_pass(&rig, 900);
	assert_int_equal(rig_session(&rig)->state, SESSION_CONNECT);
	rig_pass(&rig, 200);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended("a,b", END_CONNECT_TIMEOUT);
}

/*
 * But all together no more than they may; who had all of that time has failed,
 * and who had some of it has not.
 */
TEST(total)
{
	rig.pool.connect_timeout = 600;
	rig.pool.connect_total_timeout = 1000;
	begin(2, 0);
	silence(0);
	silence(1);
	client = rig_client(&rig);
	rig_pass(&rig, 620);
	assert_int_equal(rig_session(&rig)->attempts, 2);
	rig_pass(&rig, 360);
	assert_int_equal(rig_session(&rig)->state, SESSION_CONNECT);
	rig_pass(&rig, 40);
	rig_expect_end(&rig, client);
	rig_hang_up(&client);
	ended("a,b", END_CONNECT_TOTAL);
	assert_int_equal(rig.board->server[0].failures, 1);
	assert_int_equal(rig.board->server[1].failures, 0);
	rig.pool.connect_total_timeout = 300;
	(void)server_answered(&rig.servers, 0);
	rig.list[1].state = SERVER_DRAIN;
	client = rig_client(&rig);
	rig_pass(&rig, 320);
	rig_expect_end(&rig, client);
	rig_hang_up(&client);
	TURN_UNTIL(&rig, rig_ends(&rig, END_CONNECT_TOTAL) == 2);
	assert_int_equal(rig.board->server[0].failures, 2);
}

/* No server is asked when it is over, and time in the queue counts. */
TEST(total_in_the_queue)
{
	int other, server;

	rig.pool.connect_total_timeout = 1000;
	rig.pool.max_fails = 0;
	begin(2, 2);
	MUST(listen(rig.listener[1], 10));
	rig.list[1].max_sessions = 1;
	rig.pool.balance = balance_algorithm("first");
	other = rig_client(&rig);
	server = rig_server(&rig, 1);
	client = rig_client(&rig);
	rig_pass(&rig, 900);
	assert_int_equal(rig.env.table.live, 2);
	rig_pass(&rig, 120);
	rig_expect_end(&rig, client);
	rig_hang_up(&client);
	TURN_UNTIL(&rig, rig_ends(&rig, END_CONNECT_TOTAL) == 1);
	assert_int_equal(rig.board->pool[0].waiting, 0);
	close(other);
	close(server);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
}

static const struct {
	int	err;
	enum session_end end;
	bool	failed;			/* is it the server's fault? */
} errors[] = {
	{ ECONNREFUSED, END_SERVER_REFUSED, true },
	{ ENOENT, END_SERVER_REFUSED, true },
	{ ETIMEDOUT, END_CONNECT_TIMEOUT, true },
	{ ENETUNREACH, END_SERVER_UNREACHABLE, true },
	{ EHOSTUNREACH, END_SERVER_UNREACHABLE, true },
	{ EACCES, END_SERVER_UNREACHABLE, true },
	{ ENOBUFS, END_RESOURCES, false },
	{ ENOMEM, END_RESOURCES, false },
};

TEST(errors_of_connect)
{
	size_t i;

	for (i = 0; i < COUNT(errors); i++) {
		if (i > 0) {
			rig_stop(&rig);
			set_up();
		}
		begin(1, 0);
		rig_faults.connects = 1;
		rig_faults.connect_error = errors[i].err;
		client = rig_client(&rig);
		rig_expect_end(&rig, client);
		close(client);
		client = -1;
		ended("a", errors[i].end);
		assert_int_equal(server_on_probation(&rig.servers, 0),
		    errors[i].failed);
		assert_int_equal(rig.board->server[0].failures,
		    errors[i].failed);
		assert_int_equal(rig.env.shortage,
		    errors[i].failed ? 0 : errors[i].err);
	}
}

/* Our own want is no server's fault, and the acceptor is told of it. */
TEST(no_descriptor)
{
	static const int wants[] = { EMFILE, ENFILE };
	size_t i;

	for (i = 0; i < COUNT(wants); i++) {
		if (i > 0) {
			rig_stop(&rig);
			set_up();
		}
		begin(2, 0);
		rig_faults.sockets = 100;
		rig_faults.socket_error = wants[i];
		client = rig_client(&rig);
		rig_faults.sockets = 0;
		rig_expect_end(&rig, client);
		assert_int_equal(rig.env.shortage, wants[i]);
		close(client);
		client = -1;
		TURN_UNTIL(&rig, rig.env.table.live == 0);
		assert_int_equal(rig_ends(&rig, END_RESOURCES), 1);
		assert_false(server_is_ejected(&rig.servers, 0,
		    rig.env.now));
		assert_int_equal(board_server_live(rig.board, 0), 0);
		assert_int_equal(board_server_live(rig.board, 1), 0);
	}
}

TEST(ejections_are_logged)
{
	int i, server;

	begin(2, 1);
	for (i = 0; i < 4; i++) {
		/* Past its ejection, so that it is tried again. */
		rig_pass(&rig, 30000);
		client = rig_client(&rig);
		server = rig_server(&rig, 1);
		close(server);
		rig_expect_end(&rig, client);
		close(client);
	}
	client = -1;
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(rig.board->server[0].failures, 4);
	assert_int_equal(count(rig_log(&rig), "server a: connect: "), 4);
	assert_int_equal(count(rig_log(&rig), " warning: server a: connect: "
	    "Connection refused; ejected for 2 s\n"), 1);
	assert_int_equal(count(rig_log(&rig), " warning: server a: connect: "
	    "Connection refused; ejected for 16 s\n"), 1);
	/* And that it is back. */
	MUST(listen(rig.listener[0], 10));
	for (i = 0; i < 4; i++) {
		rig_pass(&rig, 30000);
		client = rig_client(&rig);
		TURN_UNTIL(&rig, comes(rig.listener[0], POLLIN, 0) ||
		    comes(rig.listener[1], POLLIN, 0));
		server = rig_server(&rig,
		    comes(rig.listener[0], POLLIN, 0) ? 0 : 1);
		close(server);
		rig_expect_end(&rig, client);
		close(client);
	}
	client = -1;
	assert_int_equal(count(rig_log(&rig),
	    " notice: server a: answers again\n"), 1);
}

TEST(ejected_is_not_asked)
{
	int i;

	begin(2, 1);
	for (i = 0; i < 6; i++) {
		client = rig_client(&rig);
		close(rig_server(&rig, 1));
		rig_expect_end(&rig, client);
		close(client);
	}
	client = -1;
	assert_int_equal(rig.board->server[0].failures, 1);
}

/* What a server says before it slams the door is worth hearing. */
TEST(answer_and_reset_at_once)
{
	int server;

	begin(1, 0);
	client = rig_client(&rig);
	assert_true(comes(rig.listener[0], POLLIN, PATIENCE));
	server = (int)MUST(accept(rig.listener[0], NULL, NULL));
	write_text(server, "421 too many");
	rig_abort(server);
	rig_expect(&rig, client, "421 too many");
	rig_expect_reset(&rig, client);
	ended("a", END_SERVER_RESET);
}

TEST(killed_while_connecting)
{
	begin(1, 0);
	silence(0);
	client = rig_client(&rig);
	rig_idle(&rig);
	assert_int_equal(rig_session(&rig)->state, SESSION_CONNECT);
	session_kill(&rig.env, rig_session(&rig), END_STOP, false);
	assert_int_equal(board_server_live(rig.board, 0), 0);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended("a", END_STOP);
	assert_int_equal(rig.board->server[0].failures, 0);
}

/* There is nothing to finish yet: it is rejected, whatever it has sent. */
TEST(shut_while_connecting)
{
	begin(1, 0);
	silence(0);
	client = rig_client(&rig);
	rig_idle(&rig);
	rig_write(&rig, client, "question");
	session_shut(&rig.env, rig_session(&rig), END_DRAIN);
	assert_int_equal(board_server_live(rig.board, 0), 0);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended("a", END_DRAIN);
}

TEST(unix_socket)
{
	struct sockaddr_un *un;
	int listener, server;

	begin(2, 0);
	un = &rig.list[0].addr.un;
	memset(&rig.list[0].addr, 0, sizeof(rig.list[0].addr));
	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof(un->sun_path), "%s/s", rig.dir);
	rig.list[0].addr.len = sizeof(*un);
	/* Gone: the next one, at once. */
	client = rig_client(&rig);
	close(rig_server(&rig, 1));
	rig_expect_end(&rig, client);
	close(client);
	rig_pass(&rig, 3000);
	listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(bind(listener, &rig.list[0].addr.sa, sizeof(*un)));
	MUST(listen(listener, 5));
	balance_free(rig.env.balance);
	rig.servers.n = rig.pool.n = 1;
	rig.env.balance = balance_new(&rig.servers);
	client = rig_unix_client(&rig);
	/* Nothing is pending: it relays at once. */
	assert_int_equal(rig_session(&rig)->state, SESSION_RELAY);
	server = (int)MUST(accept(listener, NULL, NULL));
	rig_write(&rig, client, "over unix");
	rig_expect(&rig, server, "over unix");
	close(server);
	rig_expect_end(&rig, client);
	close(listener);
	assert_non_null(strstr(rig_log(&rig), " client=unix: "));
	rig.servers.n = rig.pool.n = 2;
}
