/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_check_exchange.c: what checks send is right to the byte; what comes back is
 * judged the same in whatever pieces it comes, and never for longer than it has
 * to.
 */
#include "upstream/check_exchange.h"

#include "proto/tls_hello.h"
#include "helpers.h"

static struct check_policy plan;
static struct check_exchange *d;
static char out[CHECK_EXCHANGE_SEND], why[CHECK_EXCHANGE_WHY];
static struct addr from, to;

int
tear_down(void)
{
	check_exchange_free(d);
	d = NULL;
	memset(&plan, 0, sizeof(plan));
	plan.method = "GET";
	plan.uri = "/";
	plan.status = "200-399";
	return 0;
}

static void
make(enum check_kind kind)
{
	const char *wrong;

	plan.kind = kind;
	check_exchange_free(d);
	d = check_exchange_new(&plan);
	assert_non_null(d);
	assert_int_equal(addr_parse("127.0.0.1:8080", ADDR_CONNECT, &to, 1,
	    &wrong), 1);
	assert_int_equal(addr_parse("127.0.0.2:9", ADDR_CONNECT, &from, 1,
	    &wrong), 1);
}

/* Byte by byte: open until *at* bytes are there, then this, for this reason. */
static void
judged(const char *reply, size_t n, size_t at, enum verdict v, const char *text)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (check_exchange_judge(d, reply, i, false, why) !=
		    VERDICT_OPEN)
			fail_msg("decided at %zu: %s", i, why);
	for (i = at; i <= n; i++) {
		assert_int_equal(check_exchange_judge(d, reply, i, false, why),
		    v);
		assert_string_equal(why, text);
	}
	assert_int_equal(check_exchange_judge(d, reply, n, true, why), v);
}

TEST(bytes)
{
	unsigned char b[8];

	assert_int_equal(check_exchange_bytes("ab", b, sizeof(b)), 2);
	assert_memory_equal(b, "ab", 2);
	assert_int_equal(check_exchange_bytes("x:16030aFf00", b, sizeof(b)), 5);
	assert_memory_equal(b, "\x16\x03\x0a\xff\0", 5);
	assert_int_equal(check_exchange_bytes("x:", b, sizeof(b)), 0);
	assert_int_equal(check_exchange_bytes("x:0", b, sizeof(b)), -1);
	assert_int_equal(check_exchange_bytes("x:0g", b, sizeof(b)), -1);
	assert_int_equal(check_exchange_bytes("x:00 11", b, sizeof(b)), -1);
	/* What does not fit is counted. */
	assert_int_equal(check_exchange_bytes("x:000102030405060708", b, 2), 9);
	assert_int_equal(check_exchange_bytes("abcdefghi", b, 2), 9);
}

TEST(may)
{
	static const char *const lists[] = { "200", "200-299", "100-999",
	    "200,204,300-399", "404-404" };
	static const char *const none[] = { "", "20", "99", "1000", "200-",
	    "200-2", "200-1000", "299-200", "200,", ",200", "200;204",
	    "200 ", " 200", "-200", "200--300", "2xx", "200-+30", "+20" };
	size_t i;

	for (i = 0; i < COUNT(lists); i++)
		assert_true(check_exchange_may_list(lists[i]));
	for (i = 0; i < COUNT(none); i++)
		if (check_exchange_may_list(none[i]))
			fail_msg("%s", none[i]);
	assert_true(check_exchange_lists("200,300-310", 200));
	assert_true(check_exchange_lists("200,300-310", 300));
	assert_true(check_exchange_lists("200,300-310", 310));
	assert_false(check_exchange_lists("200,300-310", 311));
	assert_false(check_exchange_lists("200,300-310", 299));
	assert_true(check_exchange_may_expect("+PONG"));
	assert_true(check_exchange_may_expect("~^[+]PONG"));
	assert_true(check_exchange_may_expect("x:00"));
	assert_false(check_exchange_may_expect("x:"));
	assert_false(check_exchange_may_expect("x:0"));
	assert_false(check_exchange_may_expect("~("));
}

TEST(proxy)
{
	static const char v1[] = "PROXY TCP4 127.0.0.2 127.0.0.1 9 8080\r\n",
	    none[] = "PROXY UNKNOWN\r\n",
	    v2[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

	make(CHECK_TCP);
	assert_int_equal(check_exchange_request(d, plan.proxy, &from, &to, out),
	    0);
	plan.proxy = 1;
	assert_int_equal(check_exchange_request(d, plan.proxy, &from, &to, out),
	    strlen(v1));
	assert_memory_equal(out, v1, strlen(v1));
	from.sa.sa_family = to.sa.sa_family = AF_UNIX;
	assert_int_equal(check_exchange_request(d, plan.proxy, &from, &to, out),
	    strlen(none));
	assert_memory_equal(out, none, strlen(none));
	plan.proxy = 2;
	assert_int_equal(check_exchange_request(d, plan.proxy, &from, &to, out),
	    16);
	assert_memory_equal(out, v2, 16);
	plan.send = "x:00ff";
	make(CHECK_SEND_EXPECT);
	assert_int_equal(check_exchange_request(d, plan.proxy, &from, &to, out),
	    18);
	assert_memory_equal(out + 16, "\0\xff", 2);
	assert_int_equal(check_exchange_judge(d, "", 0, false, why),
	    VERDICT_PASSED);
	assert_string_equal(why, "connected");
}

TEST(expect)
{
	static const char pong[] = "hello +PO+PONG\r\n";
	char many[CHECK_EXCHANGE_REPLY + 1];

	plan.expect = "+PONG";
	make(CHECK_SEND_EXPECT);
	judged(pong, 16, 14, VERDICT_PASSED, "expected reply");
	plan.expect = "~^[+]PONG|P(O|N)G";
	make(CHECK_SEND_EXPECT);
	judged("+PONG", 5, 5, VERDICT_PASSED, "expected reply");
	judged(".+PONG.POG", 10, 10, VERDICT_PASSED, "expected reply");
	/* A zero byte ends nothing. */
	plan.expect = "~b$";
	make(CHECK_SEND_EXPECT);
	judged("\0a\0b", 4, 4, VERDICT_PASSED, "expected reply");
	plan.expect = "x:00ff00";
	make(CHECK_SEND_EXPECT);
	judged("\xff\0\xff\0\xff", 5, 4, VERDICT_PASSED, "expected reply");
	assert_int_equal(check_exchange_judge(d, "", 0, true, why),
	    VERDICT_FAILED);
	assert_string_equal(why, "closed without an answer");
	assert_int_equal(check_exchange_judge(d, "-ERR x\r\nmore", 12, true,
	    why), VERDICT_FAILED);
	assert_string_equal(why, "unexpected reply \"-ERR x\"");
	memset(many, 'x', CHECK_EXCHANGE_REPLY);
	many[CHECK_EXCHANGE_REPLY] = '\0';
	assert_int_equal(check_exchange_judge(d, many, CHECK_EXCHANGE_REPLY - 1,
	    false, why), VERDICT_OPEN);
	assert_int_equal(check_exchange_judge(d, many, CHECK_EXCHANGE_REPLY,
	    false, why), VERDICT_FAILED);
	assert_int_equal(strlen(why), 18 + 60 + 1);
}

#define INTERIM	"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" \
	"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" \
	"HTTP/1.1 204 No Content\r\n"

TEST(http)
{
	static const char request[] = "HEAD /x?y HTTP/1.1\r\nHost: a.test\r\n"
	    "User-Agent: shuttled\r\nAccept: */*\r\nConnection: close\r\n\r\n";
	static const char *const wrong[] = { "http/1.1 200 OK\r\n",
	    "HTTP/2 200 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 2000 OK\r\n",
	    "HTTP/1.1 20 OK\r\n", "HTTP/1.1 020 OK\r\n", "HTTP/1.1 200OK\r\n",
	    "SSH-2.0-x\r\n", "\r\nHTTP/1.1 200 OK\r\n", "HTTP/1.1\t200 OK\r\n" };
	size_t i;

	plan.method = "HEAD";
	plan.uri = "/x?y";
	plan.host = "a.test";
	make(CHECK_HTTP);
	assert_int_equal(check_exchange_request(d, plan.proxy, &from, &to, out),
	    strlen(request));
	assert_memory_equal(out, request, strlen(request));
	plan.host = NULL;
	check_exchange_request(d, plan.proxy, &from, &to, out);
	assert_non_null(strstr(out, "\r\nHost: 127.0.0.1:8080\r\n"));
	judged("HTTP/1.1 200 OK\r\nX", 18, 17, VERDICT_PASSED,
	    "HTTP status 200");
	judged("HTTP/1.0 399\r\n", 14, 14, VERDICT_PASSED, "HTTP status 399");
	judged("HTTP/1.1 404 \r\n", 15, 15, VERDICT_FAILED,
	    "HTTP status 404, expected 200-399");
	/* What only announces it is not the answer; 101 is all that comes. */
	judged(INTERIM, sizeof(INTERIM) - 1, sizeof(INTERIM) - 1,
	    VERDICT_PASSED, "HTTP status 204");
	judged("HTTP/1.1 103 Hints\n\nHTTP/1.1 500\n", 33, 33, VERDICT_FAILED,
	    "HTTP status 500, expected 200-399");
	judged("HTTP/1.1 100 Go\r\n\r\nwhat", 20, 20, VERDICT_FAILED,
	    "the answer is not HTTP/1");
	judged("HTTP/1.1 101 Up\r\n", 17, 17, VERDICT_FAILED,
	    "HTTP status 101, expected 200-399");
	for (i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(check_exchange_judge(d, wrong[i],
		    strlen(wrong[i]), false, why), VERDICT_FAILED);
		assert_string_equal(why, "the answer is not HTTP/1");
	}
	assert_int_equal(check_exchange_judge(d, "HTTP/1.1 200", 12, true, why),
	    VERDICT_FAILED);
	/* It has to say what was waited for. */
	assert_int_equal(check_exchange_judge(d, "HTTP/1.1 100 "
	    "Continue\r\n\r\n", 25, true, why), VERDICT_FAILED);
	assert_string_equal(why, "incomplete answer \"HTTP/1.1 100 Continue\", "
	    "expected HTTP status 200-399");
}

/* All lengths in it are right: walk through it as a server would. */
TEST(hello)
{
	unsigned char h[2000];
	size_t n, at, end;
	unsigned seen = 0;

	n = tls_hello_make("x.test", h, sizeof(h));
	assert_int_equal(h[0], 22);
	assert_int_equal(h[3] << 8 | h[4], n - 5);
	assert_int_equal(h[5], 1);
	assert_int_equal(h[6] << 16 | h[7] << 8 | h[8], n - 9);
	at = 9 + 2 + 32;
	at += 1u + h[at];
	at += 2u + (h[at] << 8 | h[at + 1]);
	at += 1u + h[at];
	assert_int_equal(h[at] << 8 | h[at + 1], n - at - 2);
	for (at += 2; at < n; at = end) {
		end = at + 4 + (size_t)(h[at + 2] << 8 | h[at + 3]);
		seen |= 1u << (h[at + 1] < 32 ? h[at + 1] : h[at + 1] - 32);
		if (h[at + 1] == 0)
			assert_memory_equal(h + at + 4, "\0\x09\0\0\6x.test",
			    11);
	}
	assert_int_equal(at, n);
	/* name, groups, points, signatures, secret; versions, share, less 32 */
	assert_int_equal(seen, 1u | 1u << 10 | 1u << 11 | 1u << 13 | 1u << 23 |
	    1u << 19);
	/* Servers that are twenty years old choke on lengths in between. */
	assert_false(n - 5 >= 256 && n - 5 < 512);
	assert_int_equal(tls_hello_make(NULL, h, sizeof(h)), n - 15);
	/* What has no room is not half a hello. */
	assert_int_equal(tls_hello_make(NULL, h, 100), 0);
}

TEST(tls)
{
	make(CHECK_TLS);
	assert_true(check_exchange_request(d, plan.proxy, &from, &to, out) >
	    100);
	judged("\x16\3\3\0\x7a\2\0\0\x76\3\3", 11, 6, VERDICT_PASSED,
	    "TLS ServerHello");
	judged("\x15\3\3\0\2\2\x28", 7, 7, VERDICT_FAILED,
	    "TLS alert 40 (handshake_failure)");
	judged("\x15\3\1\0\2\2\xff", 7, 7, VERDICT_FAILED,
	    "TLS alert 255 (unknown)");
	judged("\x16\3\3\0\4\0\0\0\0", 9, 6, VERDICT_FAILED,
	    "TLS handshake message 0, not ServerHello");
	/* A warning is no answer; that it closes is one. */
	judged("\x15\3\3\0\2\1\x70\x16\3\3\0\x7a\2\0\0\x76\3\3", 18, 13,
	    VERDICT_PASSED, "TLS ServerHello");
	judged("\x15\3\3\0\2\1\x70\x15\3\3\0\2\1\0", 14, 14,
	    VERDICT_FAILED, "TLS alert 0 (close_notify)");
	judged("HTTP/1.1 400", 12, 1, VERDICT_FAILED,
	    "the answer is not TLS");
	judged("\x16\2\0", 3, 2, VERDICT_FAILED, "the answer is not TLS");
	assert_int_equal(check_exchange_judge(d, "\x16\3\3", 3, true, why),
	    VERDICT_FAILED);
}
