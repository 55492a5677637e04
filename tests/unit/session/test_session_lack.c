/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_lack.c: what is lacking towards one server, a local port or a place in
 * the queue of its unix socket, is no failure of it and stops nobody else: sessions
 * go to others, or wait.
 */
#include "session/session.h"

#include <sys/un.h>

#include "helpers.h"
#include "session_rig.h"
#include "upstream/preconnect.h"

#define MANY	1000000

static struct rig rig;
static int	client[8], server, full;

int
set_up(void)
{
	size_t i;

	for (i = 0; i < COUNT(client); i++)
		client[i] = -1;
	server = full = -1;
	rig_start(&rig, 20, 20, 4096);
	return 0;
}

int
tear_down(void)
{
	size_t i;

	for (i = 0; i < COUNT(client); i++)
		rig_hang_up(&client[i]);
	rig_hang_up(&server);
	rig_hang_up(&full);
	return rig_stop(&rig);
}

/* So many servers; from now on the first one cannot be connected to. */
static void
begin(int n, int err)
{
	while (n-- > 0)
		rig_add_server(&rig);
	rig_ready(&rig);
	rig_faults.connect_port = rig.list[0].addr.in.sin_port;
	rig_faults.connects = MANY;
	rig_faults.connect_error = err;
}

static unsigned
attempts(void)
{
	return (unsigned)(MANY - rig_faults.connects);
}

static unsigned
count(const char *what)
{
	const char *text = rig_log(&rig);
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

/* Nothing of it was the server's fault, or stops the acceptor. */
static void
blameless(void)
{
	assert_int_equal(rig.board->server[0].failures, 0);
	assert_false(server_on_probation(&rig.servers, 0));
	assert_int_equal(rig.env.shortage, 0);
	assert_int_equal(count(" warning: server a: "), 1);
}

TEST(others_serve)
{
	static const int errors[] = { EADDRNOTAVAIL, EADDRINUSE, EAGAIN };
	size_t i, k;

	for (i = 0; i < COUNT(errors); i++) {
		if (i > 0) {
			assert_int_equal(tear_down(), 0);
			set_up();
		}
		begin(2, errors[i]);
		for (k = 0; k < COUNT(client); k++) {
			client[k] = rig_client(&rig);
			assert_int_not_equal(rig_session(&rig)->state,
			    SESSION_QUEUE);
			server = rig_server(&rig, 1);
			rig_write(&rig, client[k], "hello");
			rig_expect(&rig, server, "hello");
			rig_hang_up(&server);
			rig_hang_up(&client[k]);
		}
		/* It is not asked for each of them. */
		assert_in_range(attempts(), 1, 4);
		blameless();
	}
}

/* None else: then they wait, and are served in their order. */
TEST(waits)
{
	char name[2] = "0";
	unsigned i;

	begin(1, EADDRNOTAVAIL);
	for (i = 0; i < COUNT(client); i++) {
		client[i] = rig_client(&rig);
		name[0] = (char)('0' + i);
		write_text(client[i], name);
	}
	for (i = 0; i < 100; i++)
		rig_pass(&rig, 40);
	assert_int_equal(rig.env.table.live, COUNT(client));
	assert_in_range(attempts(), 40, 90);
	rig_faults.connects = 0;
	for (i = 0; i < COUNT(client); i++) {
		name[0] = (char)('0' + i);
		server = rig_server(&rig, 0);
		rig_expect(&rig, server, name);
		rig_hang_up(&server);
	}
	for (i = 0; i < COUNT(client); i++)
		rig_expect_end(&rig, client[i]);
	blameless();
}

/* Up to connect_timeout, whatever queue_timeout may be. */
TEST(in_vain)
{
	static const struct {
		int err;
		enum session_end end;
	} ways[] = {
		{ EADDRNOTAVAIL, END_NO_LOCAL_PORT },
		{ EAGAIN, END_CONNECT_TIMEOUT },
	};
	uint64_t began;
	size_t i;

	for (i = 0; i < COUNT(ways); i++) {
		if (i > 0) {
			assert_int_equal(tear_down(), 0);
			set_up();
		}
		rig.pool.connect_timeout = 3000;
		rig.pool.queue_timeout = 60000;
		begin(1, ways[i].err);
		client[0] = rig_client(&rig);
		began = rig_clock;
		while (rig_ends(&rig, ways[i].end) == 0 &&
		    rig_session(&rig)->state == SESSION_QUEUE)
			rig_pass(&rig, 4);
		assert_in_range(rig_clock - began, 2900, 3100);
		rig_expect_end(&rig, client[0]);
		rig_hang_up(&client[0]);
		rig_ended(&rig, ways[i].end);
		assert_in_range(attempts(), 20, 60);
		blameless();
	}
}

/* Where nobody may wait there is no long wait, but the reason is the same. */
TEST(no_queue)
{
	rig.pool.max_queue = 0;
	begin(1, EADDRNOTAVAIL);
	client[0] = rig_client(&rig);
	rig_expect_end(&rig, client[0]);
	rig_hang_up(&client[0]);
	rig_ended(&rig, END_NO_LOCAL_PORT);
	assert_in_range(attempts(), 1, 10);
	blameless();
}

/* What is lacking for any connection is another matter. */
TEST(want_of_ours)
{
	begin(1, ENOBUFS);
	client[0] = rig_client(&rig);
	rig_expect_end(&rig, client[0]);
	rig_hang_up(&client[0]);
	rig_ended(&rig, END_RESOURCES);
	assert_int_equal(rig.env.shortage, ENOBUFS);
	assert_string_equal(strstr(rig_log(&rig), "warning: server") == NULL ?
	    "" : rig_log(&rig), "");
}

/* One that failed is not tried again by who waits for the other. */
TEST(failed_stays_so)
{
	begin(2, EADDRNOTAVAIL);
	rig_refuse(&rig, 1);
	client[0] = rig_client(&rig);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_QUEUE);
	assert_int_equal(rig_session(&rig)->attempts, 1);
	assert_int_equal(rig_session(&rig)->tried[0], 1);
	rig_faults.connects = 0;
	server = rig_server(&rig, 0);
	assert_int_equal(rig.board->server[1].failures, 1);
	blameless();
}

TEST(preconnects)
{
	rig_add_server(&rig);
	rig.list[0].preconnect = 3;
	rig.servers.n = 0;
	rig.pool.n = 0;
	rig_hang_up(&rig.listener[0]);
	begin(1, EADDRNOTAVAIL);
	for (server = 0; server < 300; server++)
		rig_pass(&rig, 20);
	server = -1;
	assert_in_range(attempts(), 4, 20);
	blameless();
	rig_faults.connects = 0;
	TURN_UNTIL(&rig, comes(rig.listener[0], POLLIN, 0));
}

/* The queue of a real one: full as long as nobody accepts. */
TEST(unix_queue)
{
	struct sockaddr_un *un = &rig.list[0].addr.un;
	int i, fd;

	rig_add_server(&rig);
	rig_hang_up(&rig.listener[0]);
	memset(&rig.list[0].addr, 0, sizeof(rig.list[0].addr));
	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof(un->sun_path), "%s/sock", rig.dir);
	rig.list[0].addr.len = sizeof(*un);
	fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(bind(fd, &rig.list[0].addr.sa, sizeof(*un)));
	MUST(listen(fd, 0));
	set_nonblocking(fd);
	rig.listener[0] = fd;
	full = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(connect(full, &rig.list[0].addr.sa, sizeof(*un)));
	rig_ready(&rig);
	for (i = 0; i < (int)COUNT(client); i++) {
		client[i] = rig_client(&rig);
		assert_int_equal(rig_session(&rig)->state, SESSION_QUEUE);
	}
	for (i = 0; i < 20; i++)
		rig_pass(&rig, 50);
	close((int)MUST(accept(fd, NULL, NULL)));
	for (i = 0; i < (int)COUNT(client); i++) {
		TURN_UNTIL(&rig, comes(fd, POLLIN, 0));
		close((int)MUST(accept(fd, NULL, NULL)));
		rig_expect_end(&rig, client[i]);
		rig_hang_up(&client[i]);
	}
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(rig_ends(&rig, END_SERVER_CLOSE), COUNT(client));
	blameless();
}

static void
goes_to_the_other(void)
{
	client[0] = rig_client(&rig);
	server = rig_server(&rig, 1);
	rig_hang_up(&client[0]);
	rig_hang_up(&server);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
}

/* A want that comes back much later is another episode, with its own line. */
TEST(a_line_an_episode)
{
	int i;

	begin(2, EADDRNOTAVAIL);
	for (i = 0; i < 3; i++) {
		goes_to_the_other();
		rig_pass(&rig, 500);
		goes_to_the_other();
		assert_int_equal(count(" warning: server a: no local port: "
		    "Cannot assign requested address; sessions use other "
		    "servers or wait\n"), i + 1);
		rig_pass(&rig, 20000);
	}
}
