/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_proxy.c: headers that clients' connections begin with: taken whole,
 * in pieces and not at all, from whom they are taken, and that nothing of one
 * is passed on and nothing behind it lost.
 */
#include "session/session.h"

#include "proxy_rig.h"

/* All is over, for this reason; the log says of it what. */
static void
ended(enum session_end end, const char *says)
{
	TURN_UNTIL(&rig, rig_ends(&rig, end) == 1);
	assert_false(comes(rig.listener[0], POLLIN, 0));
	if (strstr(rig_log(&rig), says) == NULL)
		fail_msg("no \"%s\" in: %s", says, rig_log(&rig));
}

static void
refused(enum session_end end, const char *says)
{
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	ended(end, says);
}

/* The client is who the header says; only what is behind it comes out. */
static void
came_through(size_t i)
{
	char peer[ADDR_TEXT];
	struct addr a = { .len = sizeof(a.in) };

	server = rig_server(&rig, 0);
	rig_expect(&rig, server, "behind");
	MUST(getsockname(client, &a.sa, &a.len));
	assert_endpoint(&rig_session(&rig)->client, good[i].source != NULL ?
	    good[i].source : addr_format(&a, peer, sizeof(peer)));
	over();
}

/* Every header, cut at every byte, with bytes behind it. */
TEST(split)
{
	size_t i, n;

	begin();
	for (i = 0; i < COUNT(good); i++)
		for (n = 1; n < good[i].n; n++) {
			client = rig_client(&rig);
			put_and_turn(good[i].bytes, n);
			assert_int_equal(rig_session(&rig)->state,
			    SESSION_PROXY_HEADER);
			/* What waits to be read must not keep us awake. */
			assert_false(comes(rig_session(&rig)->fd[CLIENT],
			    POLLIN, 0));
			put(good[i].bytes + n, good[i].n - n);
			rig_write(&rig, client, "behind");
			came_through(i);
		}
}

/* Kept for the log, though the header is not; the next client has none. */
TEST(id_is_noted)
{
	static const unsigned char head[] = V2 "\x21\x11\x00\x12"
	    "\1\2\3\4\5\6\7\10\0\11\0\12\5\0\3a\0b";
	struct session_record r;

	begin();
	rig.env.header_ids = calloc(SESSIONS, PROXYPROTO_ID + 1);
	client = rig_client(&rig);
	put_and_turn(head, sizeof(head) - 1);
	server = rig_server(&rig, 0);
	session_record_make(&r, &rig.env, rig_session(&rig), false);
	assert_non_null(r.header_id);
	assert_int_equal(r.header_id_len, 3);
	assert_memory_equal(r.header_id, "a\0b", 3);
	over();
	rig.route.proxies = NULL;
	client = rig_client(&rig);
	server = rig_server(&rig, 0);
	session_record_make(&r, &rig.env, rig_session(&rig), false);
	assert_null(r.header_id);
	over();
}

TEST(byte_by_byte)
{
	size_t i, n;

	begin_sending(2, 0);
	for (i = 0; i < COUNT(good); i++) {
		rig.list[0].send_proxy = 0;
		client = rig_client(&rig);
		for (n = 0; n < good[i].n; n++)
			put_and_turn(good[i].bytes + n, 1);
		rig_write(&rig, client, "behind");
		came_through(i);
	}
	assert_int_equal(rig.env.board->bytes_up,
	    COUNT(good) * strlen("behind"));
}

/* The longest header in one piece, with all that a client can say behind it. */
TEST(long)
{
	static unsigned char head[PROXYPROTO_MAX] = V2 "\x21\x11\x0f\xf0";
	static unsigned char more[100000], got[sizeof(more)];
	ssize_t n;

	begin();
	head[28] = 0xe0;		/* one TLV */
	head[29] = (sizeof(head) - 31) >> 8;
	head[30] = (sizeof(head) - 31) & 0xff;
	pattern_fill(7, 0, more, sizeof(more));
	client = rig_client(&rig);
	put(head, sizeof(head));
	n = MUST(write(client, more, sizeof(more)));
	server = rig_server(&rig, 0);
	assert_int_equal(rig_read(&rig, server, got, (size_t)n), n);
	assert_memory_equal(got, more, (size_t)n);
	over();
}

TEST(bad)
{
	begin();
	client = rig_client(&rig);
	put_and_turn("GET / \"HTTP\"\r\n", 14);
	refused(END_BAD_HEADER, "not a PROXY header of version 1 or 2; it "
	    "begins \"GET / \\\"HTTP\\\"\\r\\n\"");
	assert_non_null(strstr(rig_log(&rig),
	    "listener front: PROXY header of 127.0.0.1:"));
}

/* In its second piece. */
TEST(bad_later)
{
	begin();
	client = rig_client(&rig);
	put_and_turn("PROXY TCP4 1.2.3.4 ", 19);
	put_and_turn("5.6.7.8 9 nine\r\nbehind", 22);
	refused(END_BAD_HEADER, "invalid destination port; "
	    "it begins \"PROXY TCP4 1.2.3.4 5.6.7\"");
}

TEST(too_long)
{
	begin();
	client = rig_client(&rig);
	put_and_turn(V2 "\x21\x11\x0f\xf1", 16);
	refused(END_BAD_HEADER, "longer than 4096 bytes");
}

TEST(cut_off)
{
	begin();
	client = rig_client(&rig);
	put_and_turn(haproxy_ipv4, sizeof(haproxy_ipv4) - 2);
	MUST(shutdown(client, SHUT_WR));
	refused(END_BAD_HEADER, "incomplete");
}

/* Somebody who only looks whether we are there is worth no line. */
TEST(nothing_came)
{
	begin();
	client = rig_client(&rig);
	close(client);
	client = -1;
	ended(END_CLIENT_CLOSE, "end=client.close");
	assert_null(strstr(rig_log(&rig), "PROXY"));
	client = rig_client(&rig);
	put_and_turn("PROXY", 5);
	rig_abort(client);
	client = -1;
	ended(END_CLIENT_RESET, "end=client.reset");
}

TEST(too_late)
{
	begin();
	client = rig_client(&rig);
	put_and_turn("PROXY", 5);
	rig_pass(&rig, 4900);
	assert_int_equal(rig_session(&rig)->state, SESSION_PROXY_HEADER);
	rig_pass(&rig, 200);
	refused(END_HEADER_TIMEOUT, "timed out; it begins "
	    "\"PROXY\"");
}

static void
distrust(void)
{
	char text[CIDR_WHY];

	cidr_free(proxies);
	assert_non_null(proxies = cidr_new());
	assert_int_equal(cidr_add(proxies, "127.0.0.1", CIDR_DENY, text), 0);
	assert_int_equal(cidr_add(proxies, "127.0.0.0/8", CIDR_ALLOW, text), 0);
	assert_int_equal(cidr_build(proxies), 0);
	rig.route.proxies = proxies;
}

TEST(not_trusted)
{
	distrust();
	begin();
	client = rig_client(&rig);
	refused(END_NOT_TRUSTED, "the peer is not in accept_proxy");
	rig.route.reject_with = REJECT_RESET;
	client = rig_client(&rig);
	rig_expect_reset(&rig, client);
}

/* Then its bytes are its own, whatever they look like. */
TEST(others_plain)
{
	distrust();
	rig.route.untrusted_plain = true;
	begin();
	client = rig_client(&rig);
	rig_write(&rig, client, "PROXY UNKNOWN\r\n");
	server = rig_server(&rig, 0);
	rig_expect(&rig, server, "PROXY UNKNOWN\r\n");
	over();
}

/* Neither what comes in pieces nor what is to be kept has room. */
TEST(no_block)
{
	uint32_t block[SESSIONS];
	int i;

	begin_sending(2, 0);
	for (i = 0; i < SESSIONS; i++)
		block[i] = bufpool_get(rig.env.notes);
	client = rig_client(&rig);
	put_and_turn("PROXY", 5);
	rig_expect_end(&rig, client);
	close(client);
	client = rig_client(&rig);
	put_and_turn(haproxy_ipv4, sizeof(haproxy_ipv4) - 1);
	rig_expect_end(&rig, client);
	close(client);
	client = -1;
	TURN_UNTIL(&rig, rig_ends(&rig, END_RESOURCES) == 2);
	for (i = 0; i < SESSIONS; i++)
		bufpool_put(rig.env.notes, block[i]);
}

/* None of those that there is room for is rejected, and the blocks are free. */
TEST(all_at_once)
{
	int fd[SESSIONS];
	size_t i;

	begin_sending(2, 0);
	for (i = 0; i < SESSIONS; i++) {
		fd[i] = client = rig_client(&rig);
		put_and_turn("PROXY UNKN", 10);
	}
	TURN_UNTIL(&rig, bufpool_left(rig.env.notes) == 0);
	assert_int_equal(rig.env.table.live, SESSIONS);
	assert_int_equal(bufpool_left(rig.env.kit.pool), rig.blocks);
	for (i = 0; i < SESSIONS; i++)
		close(fd[i]);
	client = -1;
	TURN_UNTIL(&rig, rig.env.table.live == 0);
}
