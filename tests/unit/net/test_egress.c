/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_egress.c: from which address connections come, what is done when one has no
 * ports left, what sockets inherit, and when a session has its server watched.
 */
#include "net/egress.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include "session_rig.h"

static struct rig rig;
static bool rigged;
static int listener;
static struct addr server;

int
set_up(void)
{
	memset(&rig_faults, 0, sizeof(rig_faults));
	memset(&server, 0, sizeof(server));
	listener = loopback_listen(&server.in, 5);
	server.len = sizeof(server.in);
	rigged = false;
	return 0;
}

int
tear_down(void)
{
	int result = rigged ? rig_stop(&rig) : 0;

	close(listener);
	return result;
}

static struct endpoint
address(const char *text)
{
	struct endpoint e;

	assert_true(endpoint_read(&e, text));
	return e;
}

static void
add_source(struct egress *o, const char *text)
{
	o->source[o->sources++] = address(text);
}

/* It stands, and the server sees this address. */
static void
expect_from(const struct egress *o, struct connect_request *d, const char *text)
{
	struct endpoint from;
	char ip[60];
	int fd, got;

	d->to = &server;
	fd = (int)MUST(egress_connect(o, d));
	assert_true(comes(listener, POLLIN, PATIENCE));
	got = (int)MUST(socket_accept(listener, &from));
	inet_ntop(from.family, from.ip, ip, sizeof(ip));
	assert_string_equal(ip, text);
	close(fd);
	close(got);
}

static void
expect_error(const struct egress *o, struct connect_request *d, int err)
{
	int before = open_descriptors();

	d->to = &server;
	assert_int_equal(egress_connect(o, d), -1);
	assert_int_equal(errno, err);
	assert_int_equal(open_descriptors(), before);
}

TEST(in_turn)
{
	struct egress o = { .dscp = 0 };
	struct connect_request d = { .turn = 0 };

	expect_from(&o, &d, "127.0.0.1");
	add_source(&o, "127.0.0.2");
	add_source(&o, "::1");
	add_source(&o, "127.0.0.3");
	assert_int_equal(egress_sources(&o, AF_INET), 2);
	assert_int_equal(egress_sources(&o, AF_INET6), 1);
	expect_from(&o, &d, "127.0.0.2");
	d.turn = 1;
	expect_from(&o, &d, "127.0.0.3");
	d.turn = UINT32_MAX - 1;
	expect_from(&o, &d, "127.0.0.2");
}

TEST(ports_run_out)
{
	struct egress o = { .dscp = 0 };
	struct connect_request d = { .turn = 1 };

	add_source(&o, "127.0.0.2");
	add_source(&o, "127.0.0.3");
	rig_faults.connects = 1;
	rig_faults.connect_error = EADDRNOTAVAIL;
	expect_from(&o, &d, "127.0.0.2");
	rig_faults.connects = 2;
	expect_error(&o, &d, EADDRNOTAVAIL);
	/* What is not for want of a port is not tried again. */
	rig_faults.connects = 1;
	rig_faults.connect_error = ECONNREFUSED;
	expect_error(&o, &d, ECONNREFUSED);
	rig_faults.sockets = 1;
	rig_faults.socket_error = EMFILE;
	expect_error(&o, &d, EMFILE);
	/* One that nobody has is passed over, too. */
	memset(&o, 0, sizeof(o));
	add_source(&o, "192.0.2.1");
	expect_error(&o, &d, EADDRNOTAVAIL);
	add_source(&o, "127.0.0.3");
	expect_from(&o, &d, "127.0.0.3");
}

TEST(family)
{
	struct egress o = { .dscp = 0 };
	struct connect_request d = { .turn = 0 };

	add_source(&o, "::1");
	expect_error(&o, &d, EAFNOSUPPORT);
	assert_false(egress_serves(&o, AF_INET));
	assert_true(egress_serves(&o, AF_INET6));
	assert_true(egress_serves(&o, AF_UNIX));
}

TEST(interface)
{
	struct egress o = { .interface = "lo" };
	struct connect_request d = { .turn = 0 };

	expect_from(&o, &d, "127.0.0.1");
	o.interface = "none0";
	expect_error(&o, &d, ENODEV);
}

TEST(transparent)
{
	struct egress o = { .transparent = true };
	struct endpoint client = address("127.0.0.7");
	struct connect_request d = { .client = &client };

	if (geteuid() == 0) {
		expect_from(&o, &d, "127.0.0.7");
		client = address("::ffff:127.0.0.8");
		expect_from(&o, &d, "127.0.0.8");
		client = address("::1");
		expect_error(&o, &d, EAFNOSUPPORT);
	} else {
		expect_error(&o, &d, EPERM);
	}
	memset(&client, 0, sizeof(client));
	client.family = AF_UNIX;
	expect_from(&o, &d, "127.0.0.1");
	d.client = NULL;
	expect_from(&o, &d, "127.0.0.1");
}

TEST(endpoints)
{
	struct endpoint e;
	struct addr a;

	assert_false(endpoint_read(&e, "eth0"));
	assert_false(endpoint_read(&e, "1.2.3.4:5"));
	e = address("1.2.3.4");
	assert_true(endpoint_as(&e, AF_INET, &a));
	assert_int_equal(a.len, sizeof(a.in));
	assert_int_equal(addr_port(&a), 0);
	assert_false(endpoint_as(&e, AF_INET6, &a));
	e = address("::ffff:1.2.3.4");
	assert_true(endpoint_as(&e, AF_INET, &a));
	assert_int_equal(a.in.sin_addr.s_addr, htonl(0x01020304));
	assert_false(endpoint_as(&e, AF_INET6, &a));
	e = address("fe80::1");
	e.scope = 3;
	assert_true(endpoint_as(&e, AF_INET6, &a));
	assert_int_equal(a.in6.sin6_scope_id, 3);
	assert_int_equal(a.len, sizeof(a.in6));
	assert_false(endpoint_as(&e, AF_INET, &a));
}

/* --- what is watched, and how it is marked ---------------------------------- */

static int
option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	MUST(getsockopt(fd, level, name, &value, &len));
	return value;
}

static void
expect_watched(int fd, int idle, int interval, int user_timeout)
{
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), idle);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), interval);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 4);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT),
	    user_timeout);
}

/* So that nothing has to be set when a client comes. */
TEST(accepted_sockets_inherit)
{
	struct peer_watch w = { .keepalive = 120, .user_timeout = 300000 };
	struct egress plain = { .dscp = 0 };
	struct connect_request d = { .to = &server };
	struct endpoint from;
	int out, got;

	socket_watch_peer(listener, &w);
	socket_set_dscp(listener, AF_INET, 46);
	out = (int)MUST(egress_connect(&plain, &d));
	assert_true(comes(listener, POLLIN, PATIENCE));
	got = (int)MUST(socket_accept(listener, &from));
	expect_watched(got, 120, 30, 300000);
	assert_int_equal(option(got, IPPROTO_IP, IP_TOS), 46 << 2);
	/* And off again. */
	w.keepalive = w.user_timeout = 0;
	socket_watch_peer(got, &w);
	assert_int_equal(option(got, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(option(got, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	/* The kernel knows nothing shorter than a second. */
	w.keepalive = 1;
	socket_watch_peer(got, &w);
	expect_watched(got, 1, 1, 0);
	close(out);
	close(got);
}

TEST(backlog)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	socket_set_backlog(listener, 7);
	MUST(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len));
	assert_int_equal(info.tcpi_sacked, 7);
	socket_set_backlog(listener, 0);
	MUST(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len));
	assert_true(info.tcpi_sacked > 7);
}

static int client, in;			/* the ends of a session */

static struct session *
begin_session(struct peer_watch w)
{
	rig_start(&rig, 10, 10, 1000);
	rigged = true;
	rig_add_server(&rig);
	rig.list[0].egress.watch = w;
	rig_ready(&rig);
	client = rig_client(&rig);
	rig_write(&rig, client, "hello");
	in = rig_server(&rig, 0);
	rig_expect(&rig, in, "hello");
	return rig_session(&rig);
}

/* Short sessions go without; and it has to be done but once. */
TEST(servers_are_watched_later)
{
	struct session *s = begin_session((struct peer_watch){
	    .keepalive = 60, .user_timeout = 9000 });

	rig.route.limits.idle_timeout = 5000;
	assert_false(s->watched);
	rig_pass(&rig, 500);
	assert_int_equal(option(s->fd[SERVER], SOL_SOCKET, SO_KEEPALIVE), 0);
	rig_pass(&rig, 600);
	assert_true(s->watched);
	expect_watched(s->fd[SERVER], 60, 15, 9000);
	/* The other deadline has not been forgotten. */
	rig_pass(&rig, 3000);
	assert_non_null(rig_any_session(&rig));
	rig_pass(&rig, 1500);
	rig_expect_end(&rig, client);
	assert_int_equal(rig_ends(&rig, END_IDLE_TIMEOUT), 1);
	close(client);
	close(in);
}

TEST(nobody_is_watched)
{
	assert_true(begin_session((struct peer_watch){ .keepalive = 0 })->
	    watched);
	close(client);
	close(in);
}

/* A session with the one server, whose connection fails so; then all goes on. */
static void
expect_our_end(struct egress o, int err, const char *told)
{
	rig_start(&rig, 10, 10, 1000);
	rig_add_server(&rig);
	rig.list[0].egress = o;
	rig_ready(&rig);
	rig_faults.connects = 1;
	rig_faults.connect_error = err;
	client = rig_client(&rig);
	rig_expect_end(&rig, client);
	assert_int_equal(rig.env.shortage, 0);
	assert_int_equal(rig.board->server[0].failures, 0);
	assert_non_null(strstr(rig_log(&rig), told));
	close(client);
	rig_stop(&rig);
}

/* One client that has used up its ports, or is of nowhere, stops nobody else. */
TEST(want_of_one_client)
{
	struct egress o = { .transparent = true };

	if (geteuid() != 0)
		skip();
	expect_our_end(o, EADDRNOTAVAIL, "server a: transparent: "
	    "Cannot assign requested address");
	expect_our_end(o, EINVAL, "server a: transparent: Invalid argument");
	expect_our_end(o, ENETUNREACH, "server a: transparent: Network is "
	    "unreachable");
}
