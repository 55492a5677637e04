/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_fast_open.c: bytes in the request to connect (RFC 7413), by sys.c and in a
 * session. Whether the system does that is a setting of a whole network, so each
 * test has a network of its own; where none can be made it is skipped.
 */
#include <sys/ioctl.h>

#include <net/if.h>
#include <sched.h>

#include "helpers.h"
#include "session_rig.h"
#include "net/socket.h"
#include "net/socket_option.h"

/* Values of net.ipv4.tcp_fastopen, as the kernel's ip-sysctl.rst has them. */
#define OFF		"0"
#define CLIENT_ONLY	"1"
#define SERVER_ONLY	"2"
#define BOTH		"3"
#define AT_ONCE		"519"		/* both, and without a cookie */

static bool	rigged;
static struct rig rig;
static int	client;

static bool
set(const char *value)
{
	int fd = open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY);

	if (fd == -1)
		return false;
	write_text(fd, value);
	close(fd);
	return true;
}

/* A network with nothing but the loopback interface, which knows no cookies. */
static void
network(const char *value)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET) == -1 || !set(value)) {
		print_message("no network of our own\n");
		skip();
	}
	fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	MUST(ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
}

int
set_up(void)
{
	client = -1;
	rigged = false;
	return 0;
}

int
tear_down(void)
{
	if (client != -1)
		close(client);
	return rigged ? rig_stop(&rig) : 0;
}

static int
listen_to(struct addr *a)
{
	const char *why;
	int fd;

	assert_int_equal(addr_parse("127.0.0.1:0", ADDR_LISTEN, a, 1, &why),
	    1);
	fd = (int)MUST(socket_listen(a));
	socket_set_fast_open(fd, true);
	return fd;
}

/* Connect with five bytes, of which so many go along; it stands in the end. */
static void
connect_with(const struct addr *a, int listener, uint32_t expected)
{
	struct endpoint from;
	uint32_t went = 99;
	int fd, pending, in;
	char c;

	fd = (int)MUST(socket_connect_with(a, "hello", 5, &went, &pending));
	assert_int_equal(went, expected);
	assert_true(!pending || comes(fd, POLLOUT, PATIENCE));
	assert_int_equal(socket_connected(fd), 0);
	assert_true(comes(listener, POLLIN, PATIENCE));
	in = (int)MUST(socket_accept(listener, &from));
	write_text(fd, &"hello"[went]);
	for (went = 0; went < 5; went++) {
		assert_int_equal(read_full(in, &c, 1), 1);
		assert_int_equal(c, "hello"[went]);
	}
	assert_false(comes(in, POLLIN, 0));
	close(fd);
	close(in);
}

TEST(along_with_the_request)
{
	struct addr a;
	int listener;

	network(AT_ONCE);
	listener = listen_to(&a);
	connect_with(&a, listener, 5);
	close(listener);
}

TEST(agreed_on_first)
{
	struct addr a;
	int listener;

	network(BOTH);
	listener = listen_to(&a);
	connect_with(&a, listener, 0);
	connect_with(&a, listener, 5);
	/* The agreement is broken: they come again, after the handshake. */
	assert_true(set(CLIENT_ONLY));
	connect_with(&a, listener, 5);
	close(listener);
}

TEST(not_offered)
{
	static const char *const values[] = { OFF, CLIENT_ONLY, SERVER_ONLY };
	struct addr a;
	int listener;
	size_t i;

	for (i = 0; i < COUNT(values); i++) {
		network(values[i]);
		listener = listen_to(&a);
		connect_with(&a, listener, 0);
		connect_with(&a, listener, 0);
		close(listener);
	}
}

TEST(refused)
{
	struct addr a = { .len = sizeof(a.in) };
	int holder, fd, pending;
	uint32_t went;

	network(AT_ONCE);
	holder = loopback_bind(&a.in);
	fd = (int)MUST(socket_connect_with(&a, "hello", 5, &went, &pending));
	assert_int_equal(went, 5);
	assert_int_equal(pending, 1);
	assert_true(comes(fd, POLLOUT, PATIENCE));
	assert_int_equal(socket_connected(fd), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	close(holder);
}

/* These never can; and connect() has the better reason. */
TEST(unix_socket)
{
	struct addr a = { .un = { .sun_family = AF_UNIX,
	    .sun_path = "/no/such/path" }, .len = sizeof(a.un) };
	uint32_t went = 99;
	int pending;

	assert_int_equal(socket_connect_with(&a, "hello", 5, &went, &pending),
	    -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(went, 0);
}

/* Servers a, b …, of which the first *refusing* refuse. */
static void
begin(const char *value, int n, int refusing)
{
	int i;

	network(value);
	rig_start(&rig, 20, 4, 65536);
	rigged = true;
	for (i = 0; i < n; i++)
		socket_set_fast_open(rig.listener[rig_add_server(&rig)], true);
	rig_ready(&rig);
	for (i = 0; i < refusing; i++)
		rig_refuse(&rig, i);
	rig.pool.fast_open = true;
	rig.route.eager = ROUTE_EAGER;
}

/* A client whose bytes are there before its session begins. */
static void
come(const void *bytes, size_t len)
{
	struct endpoint from = { .family = AF_INET };
	int p[2];

	rig_turn(&rig, 0);
	tcp_pair(p);
	client = p[1];
	if (len > 0) {
		assert_int_equal(MUST(write(client, bytes, len)), len);
		assert_true(comes(p[0], POLLIN, PATIENCE));
	}
	session_open(&rig.env, p[0], &from, 0);
}

/* The only session ended so. */
static void
ended(const char *how)
{
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	if (strstr(rig_log(&rig), how) == NULL)
		fail_msg("no \"%s\" in: %s", how, rig_log(&rig));
}

TEST(session)
{
	int server;

	begin(AT_ONCE, 1, 0);
	come("hello", 5);
	assert_int_equal(rig_session(&rig)->early, 5);
	assert_int_equal(rig_session(&rig)->state, SESSION_CONNECT);
	server = rig_server(&rig, 0);
	rig_expect(&rig, server, "hello");
	rig_write(&rig, server, "who is there?");
	rig_expect(&rig, client, "who is there?");
	rig_write(&rig, client, "me");
	rig_expect(&rig, server, "me");
	close(server);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended(" servers_tried=a bytes_up=7 bytes_down=13 ");
}

/* Refused with the bytes: they go to the next one that answers. */
TEST(session_refused)
{
	int server;

	begin(AT_ONCE, 3, 2);
	come("hello", 5);
	server = rig_server(&rig, 2);
	rig_expect(&rig, server, "hello");
	close(server);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended(" servers_tried=a,b,c bytes_up=5 bytes_down=0 ");
}

/* What the first segment does not take follows it. */
TEST(session_with_more)
{
	static unsigned char bytes[60000], got[60000];
	int server;

	begin(AT_ONCE, 1, 0);
	pattern_fill(1, 0, bytes, sizeof(bytes));
	come(bytes, sizeof(bytes));
	assert_true(rig_session(&rig)->early > 0);
	server = rig_server(&rig, 0);
	assert_int_equal(rig_read(&rig, server, got, sizeof(got)),
	    sizeof(got));
	assert_memory_equal(got, bytes, sizeof(got));
	rig_write(&rig, client, "the end");
	rig_expect(&rig, server, "the end");
	close(server);
}

/* Without bytes there is nothing to send along: connect as ever. */
TEST(session_of_a_silent_client)
{
	static const uint8_t eager[] = { 0, ROUTE_EAGER };
	int server;
	size_t i;

	begin(AT_ONCE, 1, 0);
	for (i = 0; i < COUNT(eager); i++) {
		rig.route.eager = eager[i];
		come(NULL, 0);
		assert_int_equal(rig_session(&rig)->early, 0);
		server = rig_server(&rig, 0);
		rig_write(&rig, server, "220 hello");
		rig_expect(&rig, client, "220 hello");
		close(server);
		rig_expect_end(&rig, client);
		close(client);
		client = -1;
		TURN_UNTIL(&rig, rig.env.table.live == 0);
	}
}

/* The bytes were read for it, but it does not go: sent as soon as may be. */
TEST(session_without_agreement)
{
	static const char *const values[] = { OFF, BOTH };
	int server;
	size_t i;

	begin(OFF, 2, 1);
	for (i = 0; i < COUNT(values); i++) {
		assert_true(set(values[i]));
		come("hello", 5);
		assert_int_equal(rig_session(&rig)->early, 0);
		server = rig_server(&rig, 1);
		rig_expect(&rig, server, "hello");
		close(server);
		rig_expect_end(&rig, client);
		close(client);
		client = -1;
		TURN_UNTIL(&rig, rig.env.table.live == 0);
	}
}

/*
 * A header of the PROXY protocol goes before them, once for each server, and
 * along with them or alone, however much of it goes with the request.
 */
TEST(session_with_header)
{
	static const char *const values[] = { AT_ONCE, OFF, BOTH };
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	char want[120];
	size_t i, n;
	int server;

	begin(OFF, 2, 1);
	rig.list[0].send_proxy = rig.list[1].send_proxy = 1;
	for (i = 0; i < COUNT(values); i++)
		for (n = 0; n <= 5; n += 5) {
			assert_true(set(values[i]));
			rig.route.eager = ROUTE_EAGER;
			come("hello", n);
			if (i == 0)
				assert_int_equal(rig_session(&rig)->early, n);
			MUST(getpeername(client, (struct sockaddr *)&to, &len));
			snprintf(want, sizeof(want), "PROXY TCP4 0.0.0.0 "
			    "127.0.0.1 0 %u\r\n%.*s", ntohs(to.sin_port),
			    (int)n, "hello");
			server = rig_server(&rig, 1);
			rig_expect(&rig, server, want);
			close(server);
			rig_expect_end(&rig, client);
			close(client);
			client = -1;
			TURN_UNTIL(&rig, rig.env.table.live == 0);
		}
	assert_int_equal(rig.env.board->bytes_up, 5 * COUNT(values));
}

/* No block to hold them: they stay with the client until it stands. */
TEST(session_without_a_block)
{
	uint32_t block[4];
	int server, i;

	begin(AT_ONCE, 1, 0);
	for (i = 0; i < 4; i++)
		block[i] = bufpool_get(rig.env.kit.pool);
	come("hello", 5);
	assert_int_equal(rig_session(&rig)->early, 0);
	server = rig_server(&rig, 0);
	rig_expect(&rig, server, "hello");
	for (i = 0; i < 4; i++)
		bufpool_put(rig.env.kit.pool, block[i]);
	close(server);
}

/* Gone before anybody was asked to serve it. */
TEST(session_of_a_client_that_is_gone)
{
	struct endpoint from = { .family = AF_INET };
	int p[2];

	begin(AT_ONCE, 1, 0);
	tcp_pair(p);
	rig_abort(p[1]);
	assert_true(comes(p[0], POLLIN, PATIENCE));
	session_open(&rig.env, p[0], &from, 0);
	ended(" servers_tried=- bytes_up=0 bytes_down=0 connect_ms=- ");
	assert_int_equal(rig_ends(&rig, END_CLIENT_RESET), 1);
	assert_false(comes(rig.listener[0], POLLIN, 0));
}
