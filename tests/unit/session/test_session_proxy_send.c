/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_proxy_send.c: headers that servers' connections begin with: before
 * anything else, for each attempt, and what they say of what came in.
 */
#include "session/session.h"

#include "proxy_rig.h"

/* A header comes, in these bytes and no others; it is in *h* then. */
static size_t
expect_header(void)
{
	char got[PROXYPROTO_MAX];
	ssize_t n;
	int len;

	n = rig_some(&rig, server, got, sizeof(got));
	assert_true(n > 0);
	while ((len = decode(got, (size_t)n)) == 0)
		n += MUST(rig_read(&rig, server, got + n, 1));
	if (len == -1)
		fail_msg("%s", why);
	assert_int_equal(len, n);
	return (size_t)len;
}

static void
expect_endpoint(const struct endpoint *e, int fd,
    int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct addr a = { .len = sizeof(a.in6) };
	char text[ADDR_TEXT];

	MUST(name(fd, &a.sa, &a.len));
	assert_endpoint(e, addr_format(&a, text, sizeof(text)));
}

/* Nobody says anything, and the server has it all the same; then both talk. */
TEST(silent)
{
	unsigned version;

	rig.route.proxies = NULL;
	begin();
	for (version = 1; version <= 2; version++) {
		rig.list[0].send_proxy = version;
		client = rig_client(&rig);
		server = rig_server(&rig, 0);
		expect_header();
		assert_int_equal(h.version, version);
		expect_endpoint(&h.source, client, getsockname);
		expect_endpoint(&h.destination, client, getpeername);
		write_text(server, "220 banner");
		rig_expect(&rig, client, "220 banner");
		rig_write(&rig, client, "QUIT");
		rig_expect(&rig, server, "QUIT");
		over();
	}
	/* It is none of the session's bytes. */
	assert_int_equal(rig.env.board->bytes_up, 8);
}

/* However little the connection takes, it comes first, and in order. */
TEST(little_room)
{
	rig.route.proxies = NULL;
	begin_sending(1, 0);
	rig_faults.send_most = 7;
	client = rig_client(&rig);
	write_text(client, "early");
	server = rig_server(&rig, 0);
	expect_header();
	rig_expect(&rig, server, "early");
	assert_int_equal(rig_session(&rig)->way[UP].out, 5);
	over();
}

TEST(retry)
{
	rig.route.proxies = NULL;
	rig_add_server(&rig);
	begin_sending(2, PROXY_TLV_UNIQUE_ID);
	rig.list[1].send_proxy = 2;
	rig_refuse(&rig, 0);
	client = rig_client(&rig);
	server = rig_server(&rig, 1);
	expect_header();
	assert_non_null(h.id.at);
	over();
}

static int
begin_with_preconnect(void)
{
	int fd;

	rig.route.proxies = NULL;
	rig_add_server(&rig);
	rig.list[0].preconnect = 1;
	rig.list[0].send_proxy = rig.pool.sends_proxy = 1;
	rig_ready(&rig);
	fd = rig_server(&rig, 0);
	rig_idle(&rig);
	return fd;
}

/* On a connection that stood before the client came. */
TEST(preconnect)
{
	int preconnect;

	server = begin_with_preconnect();
	client = rig_client(&rig);
	expect_header();
	expect_endpoint(&h.source, client, getsockname);
	preconnect = rig_server(&rig, 0);
	over();
	close(preconnect);
}

/* It breaks as the header is sent: it goes on another one, as if for the first. */
TEST(preconnect_broke)
{
	int preconnect, other;

	preconnect = begin_with_preconnect();
	while (rig_faults.send_fd < RIG_DESCRIPTORS &&
	    !leads_to(rig_faults.send_fd, preconnect))
		rig_faults.send_fd++;
	rig_faults.send_error = EPIPE;
	client = rig_client(&rig);
	rig_expect_end(&rig, preconnect);
	close(preconnect);
	/*
	 * The next preconnected connection may come first, if the network loses
	 * a request.
	 */
	server = rig_server(&rig, 0);
	preconnect = rig_server(&rig, 0);
	if (!leads_to(rig_session(&rig)->fd[SERVER], server)) {
		other = server;
		server = preconnect;
		preconnect = other;
	}
	expect_header();
	assert_int_equal(rig_session(&rig)->attempts, 1);
	over();
	close(preconnect);
}

/* What came in goes out again: addresses, also of version 1, and TLVs. */
TEST(passed_on)
{
	begin_sending(2, 0);
	client = rig_client(&rig);
	put_and_turn(haproxy_ipv4, sizeof(haproxy_ipv4) - 1);
	server = rig_server(&rig, 0);
	expect_header();
	assert_endpoint(&h.source, "127.0.0.1:41702");
	assert_endpoint(&h.destination, "127.0.0.1:59765");
	assert_bytes(&h.id, "7F000001:A2E6_7F000001:E975_6B02F235", 36);
	assert_false(h.crc);
	/* What it was kept in is free while they talk. */
	TURN_UNTIL(&rig, bufpool_left(rig.env.notes) == SESSIONS);
	over();
	rig.list[0].send_proxy = 1;
	client = rig_client(&rig);
	put_and_turn(haproxy_ipv6, sizeof(haproxy_ipv6) - 1);
	server = rig_server(&rig, 0);
	expect_header();
	assert_endpoint(&h.source, "[::1]:38464");
	assert_endpoint(&h.destination, "[::1]:36207");
	over();
}

/* Nobody serves it: nothing of it is kept while it lingers. */
TEST(turned_away)
{
	begin_sending(2, 0);
	rig_refuse(&rig, 0);
	client = rig_client(&rig);
	put_and_turn(haproxy_ipv4, sizeof(haproxy_ipv4) - 1);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_LINGER);
	assert_int_equal(bufpool_left(rig.env.notes), SESSIONS);
}

#define AUTHORITY	"\x02\0\x04site"
#define OTHER		"\xe5\0\x01x"

static void
send_tlvs(unsigned tlvs)
{
	static const char head[] = V2 "\x21\x11\0\x17"
	    "\x01\x02\x03\x04\x05\x06\x07\x08\0\x09\0\x0a" AUTHORITY OTHER;

	rig.pool.tlvs = tlvs;
	client = rig_client(&rig);
	put_and_turn(head, sizeof(head) - 1);
	server = rig_server(&rig, 0);
	expect_header();
	assert_endpoint(&h.source, "1.2.3.4:9");
	assert_endpoint(&h.destination, "5.6.7.8:10");
}

TEST(tlvs)
{
	char id[SESSION_ID];

	begin_sending(2, 0);
	send_tlvs(PROXY_TLV_UNIQUE_ID | PROXY_TLV_CRC32C);
	assert_bytes(&h.authority, "site", 4);
	rig_unique_id(&rig, id);
	assert_bytes(&h.id, id, strlen(id));
	assert_true(h.crc);
	assert_memory_equal(h.tlvs.at, OTHER, 4);
	over();
	send_tlvs(PROXY_TLV_NONE);
	assert_int_equal(h.tlvs.n, 0);
	over();
	send_tlvs(PROXY_TLV_NONE | PROXY_TLV_AUTHORITY);
	assert_bytes(&h.tlvs, AUTHORITY, 7);
	over();
}

/* What came in leaves no room for what is ours. */
TEST(tlvs_full)
{
	static unsigned char head[PROXYPROTO_MAX] = V2 "\x21\x11\x0f\xf0";
	static const unsigned char types[] = { 0xe0, 0x02 };
	size_t i;

	head[29] = (sizeof(head) - 31) >> 8;
	head[30] = (sizeof(head) - 31) & 0xff;
	begin_sending(2, PROXY_TLV_UNIQUE_ID);
	for (i = 0; i < COUNT(types); i++) {
		head[28] = types[i];
		client = rig_client(&rig);
		put_and_turn(head, sizeof(head));
		server = rig_server(&rig, 0);
		assert_true(expect_header() < 100);
		assert_non_null(h.id.at);
		over();
	}
}

/*
 * LOCAL: the server is told of the connection's own addresses, and nothing of
 * what else is in it, which speaks of nobody (section 2.2).
 */
TEST(local)
{
	static const char tlvs[] = V2 "\x20\0\0\x0b" "\x05\0\1i" AUTHORITY;

	begin_sending(2, 0);
	client = rig_client(&rig);
	put_and_turn(haproxy_check, sizeof(haproxy_check) - 1);
	server = rig_server(&rig, 0);
	expect_header();
	assert_true(h.kind == PROXYPROTO_STREAM);
	expect_endpoint(&h.source, client, getsockname);
	expect_endpoint(&h.destination, client, getpeername);
	over();
	client = rig_client(&rig);
	put_and_turn(tlvs, sizeof(tlvs) - 1);
	server = rig_server(&rig, 0);
	expect_header();
	assert_true(h.kind == PROXYPROTO_STREAM);
	assert_int_equal(h.tlvs.n, 0);
	over();
}

/* A client on a unix socket has no address, and may bring one. */
TEST(unix)
{
	begin_sending(2, 0);
	rig.route.proxies = NULL;
	client = rig_unix_client(&rig);
	server = rig_server(&rig, 0);
	expect_header();
	assert_true(h.kind == PROXYPROTO_LOCAL);
	over();
	rig.list[0].send_proxy = 1;
	client = rig_unix_client(&rig);
	server = rig_server(&rig, 0);
	rig_expect(&rig, server, "PROXY UNKNOWN\r\n");
	over();
	rig.route.proxies = proxies;
	client = rig_unix_client(&rig);
	put_and_turn(good[0].bytes, good[0].n);
	server = rig_server(&rig, 0);
	rig_expect(&rig, server, good[0].bytes);
	over();
}
