/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * proxyproto_rig.h: headers that haproxy, nginx and the specification have, and
 * decoding in memory of exactly the size of what there is, which a sanitizer
 * watches.
 */
#ifndef PROXYPROTO_RIG_H
#define PROXYPROTO_RIG_H

#include "proto/proxyproto.h"

#include "helpers.h"

#define V2		"\r\n\r\n\0\r\nQUIT\n"
#define TEXT(s)		(s), sizeof(s) - 1

/* haproxy 2.6, send-proxy-v2 proxy-v2-options crc32c,unique-id */
static const char haproxy_ipv4[] = V2 "\x21\x11\0\x3a\x7f\0\0\x01\x7f\0\0\x01"
    "\xa2\xe6\xe9\x75\x03\0\x04\xd8\x4a\x23\xd4\x05\0\x24"
    "7F000001:A2E6_7F000001:E975_6B02F235";
static const char haproxy_ipv6[] = V2 "\x21\x21\0\x82"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
    "\x96\x40\x8d\x6f\x03\0\x04\x1b\xe0\x1f\xdf\x05\0\x54"
    "00000000000000000000000000000001:9640_"
    "00000000000000000000000000000001:8D6F_6B02F235";
/* of a client on a unix socket, and of a check */
static const char haproxy_unix[] =
    V2 "\x20\0\0\x0a\x03\0\x04\x82\x63\x74\xb8\x05\0\0";
static const char haproxy_check[] = V2 "\x20\0\0\x07\x03\0\x04\xa9\xb8\x7e\x8f";

static const struct {
	const char		*bytes;
	size_t			 n;
	enum proxyproto_kind	 kind;
	const char		*source, *destination;
	bool			 crc;
} good[] = {
	/* section 2.1 */
	{ TEXT("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"),
	    PROXYPROTO_STREAM, "192.168.0.1:56324", "192.168.0.11:443", false },
	{ TEXT("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	    PROXYPROTO_STREAM, "255.255.255.255:65535", "255.255.255.255:65535",
	    false },
	{ TEXT("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"),
	    PROXYPROTO_STREAM, "0.0.0.0:0", "0.0.0.0:0", false },
	{ TEXT("PROXY UNKNOWN\r\n"), PROXYPROTO_UNKNOWN, NULL, NULL, false },
	/* haproxy and nginx say the same. */
	{ TEXT("PROXY TCP4 127.0.0.1 127.0.0.1 55850 38433\r\n"),
	    PROXYPROTO_STREAM, "127.0.0.1:55850", "127.0.0.1:38433", false },
	{ TEXT("PROXY TCP6 ::1 ::1 38914 36208\r\n"),
	    PROXYPROTO_STREAM, "[::1]:38914", "[::1]:36208", false },
	{ TEXT("PROXY TCP6 ::ffff:1.2.3.4 2001:db8::1 1 2\r\n"),
	    PROXYPROTO_STREAM, "1.2.3.4:1", "[2001:db8::1]:2", false },
	{ TEXT(V2 "\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\xb1\x38\xb3\x3b"),
	    PROXYPROTO_STREAM, "127.0.0.1:45368", "127.0.0.1:45883", false },
	{ TEXT(haproxy_ipv4), PROXYPROTO_STREAM, "127.0.0.1:41702",
	    "127.0.0.1:59765", true },
	{ TEXT(haproxy_ipv6), PROXYPROTO_STREAM, "[::1]:38464", "[::1]:36207",
	    true },
	{ TEXT(haproxy_unix), PROXYPROTO_LOCAL, NULL, NULL, true },
	{ TEXT(haproxy_check), PROXYPROTO_LOCAL, NULL, NULL, true },
	{ TEXT(V2 "\x20\0\0\0"), PROXYPROTO_LOCAL, NULL, NULL, false },
	{ TEXT(V2 "\x21\0\0\0"), PROXYPROTO_UNKNOWN, NULL, NULL, false },
};

static struct proxyproto h;
static const char *why;

/* In memory of exactly this size. What is found stays until the next. */
static inline int
decode(const void *bytes, size_t n)
{
	static void *copy;

	free(copy);
	copy = NULL;
	if (bytes == NULL)
		return 0;
	assert_non_null(copy = malloc(n == 0 ? 1 : n));
	memcpy(copy, bytes, n);
	why = NULL;
	return proxyproto_decode(n == 0 ? (char *)copy + 1 : copy, n, &h, &why);
}

static inline void
assert_endpoint(const struct endpoint *e, const char *text)
{
	char buf[ADDR_TEXT];

	assert_string_equal(endpoint_format(e, buf, sizeof(buf)), text);
}

static inline void
assert_bytes(const struct proxyproto_bytes *b, const char *text, size_t n)
{
	assert_non_null(b->at);
	assert_int_equal(b->n, n);
	assert_memory_equal(b->at, text, n);
}

#endif
