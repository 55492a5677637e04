/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_proxyproto.c: headers of haproxy, nginx and of the specification are read and
 * written to the byte, in whatever pieces they come; what is not one is refused
 * as soon as that is known; nothing is written behind what there is room for.
 */
#include "proto/proxyproto.h"

#include "helpers.h"
#include "proxyproto_rig.h"

static void
refused(const char *bytes, size_t n, const char *text)
{
	if (decode(bytes, n) != -1)
		fail_msg("not refused: %.60s", bytes);
	if (strstr(why, text) == NULL)
		fail_msg("%.60s: %s", bytes, why);
}

/* RFC 3720, appendix B.4; the check value of all catalogues. */
TEST(crc)
{
	unsigned char b[32];
	size_t i;

	memset(b, 0, sizeof(b));
	assert_int_equal(proxyproto_crc32c(0, b, 32), 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	assert_int_equal(proxyproto_crc32c(0, b, 32), 0x62a8ab43);
	for (i = 0; i < 32; i++)
		b[i] = (unsigned char)i;
	assert_int_equal(proxyproto_crc32c(0, b, 32), 0x46dd794e);
	assert_int_equal(proxyproto_crc32c(proxyproto_crc32c(0, b, 5), b + 5,
	    27), 0x46dd794e);
	for (i = 0; i < 32; i++)
		b[i] = (unsigned char)(31 - i);
	assert_int_equal(proxyproto_crc32c(0, b, 32), 0x113fdb5c);
	assert_int_equal(proxyproto_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(proxyproto_crc32c(0, b, 0), 0);
}

TEST(good)
{
	char long_one[512];
	size_t i, n;

	for (i = 0; i < COUNT(good); i++) {
		/* Every piece of it asks for more, the whole takes no more. */
		for (n = 0; n < good[i].n; n++)
			if (decode(good[i].bytes, n) != 0)
				fail_msg("%zu: decided at %zu", i, n);
		memset(long_one, '\n', sizeof(long_one));
		memcpy(long_one, good[i].bytes, good[i].n);
		assert_int_equal(decode(long_one, sizeof(long_one)), good[i].n);
		assert_int_equal(decode(good[i].bytes, good[i].n), good[i].n);
		assert_int_equal(h.version, good[i].bytes[0] == 'P' ? 1 : 2);
		assert_int_equal(h.kind, good[i].kind);
		assert_int_equal(h.crc, good[i].crc);
		if (good[i].source == NULL) {
			assert_int_equal(h.source.family, AF_UNSPEC);
			assert_int_equal(h.destination.family, AF_UNSPEC);
			continue;
		}
		assert_endpoint(&h.source, good[i].source);
		assert_endpoint(&h.destination, good[i].destination);
	}
}

/* What has been read is written to the same bytes, the order of TLVs apart. */
TEST(good_again)
{
	unsigned char out[PROXYPROTO_MAX];
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(decode(good[i].bytes, good[i].n), good[i].n);
		assert_int_equal(proxyproto_encode(&h, out, sizeof(out)),
		    good[i].n);
		if (h.id.at == NULL)
			assert_memory_equal(out, good[i].bytes, good[i].n);
		else
			assert_memory_equal(out, good[i].bytes, 16);
	}
	/* haproxy begins with the checksum, we end with it. */
	assert_int_equal(decode(TEXT(haproxy_ipv4)), 74);
	assert_bytes(&h.id, TEXT("7F000001:A2E6_7F000001:E975_6B02F235"));
	assert_bytes(&h.tlvs, haproxy_ipv4 + 28, 46);
	proxyproto_encode(&h, out, sizeof(out));
	assert_memory_equal(out, haproxy_ipv4, 28);
	assert_memory_equal(out + 28, haproxy_ipv4 + 35, 39);
	assert_memory_equal(out + 67, "\x03\0\x04", 3);
}

TEST(v1)
{
	static const char *const unusual[] = {
		"PROXY UNKNOWN \r\n",
		"PROXY UNKNOWN whatever \1 there is\r\n",
		"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
		"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		    "FFFF:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
		"PROXY TCP6 2001:0DB8:0000:0000:0000:0000:0000:0001 :: 1 2\r\n",
	};
	static const struct {
		const char	*line, *why;
	} bad[] = {
		{ "GET / HTTP/1.1\r\n", "not a PROXY header" },
		{ "PROXX", "neither PROXY" },
		{ "proxy TCP4", "not a PROXY" },
		{ "PROXY\r\n", "neither PROXY" },
		{ "PROXY  TCP4", "neither PROXY" },
		{ "PROXY TCP5", "neither PROXY" },
		{ "PROXY UDP4", "neither PROXY" },
		{ "PROXY TCP4\r", "neither PROXY" },
		{ "PROXY UNKNOWNX", "neither PROXY" },
		{ "PROXY UNKNOWN\n", "neither PROXY" },
		{ "PROXY UNKNOWN \n", "not a CRLF" },
		{ "PROXY UNKNOWN\rX", "not a CRLF" },
		{ "PROXY UNKNOWN a\r\r\n", "not a CRLF" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "not a CRLF" },
		{ "PROXY TCP4 \r\n", "source address" },
		{ "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", "source address" },
		{ "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", "source address" },
		{ "PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n", "source address" },
		{ "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n", "source address" },
		{ "PROXY TCP4 0x1.2.3.4 1.2.3.4 1 2\r\n", "source address" },
		{ "PROXY TCP4 ::1 ::1 1 2\r\n", "source address" },
		{ "PROXY TCP4 1.2.3.4\t1.2.3.4 1 2\r\n", "source address" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4. 1 2\r\n", "destination address" },
		{ "PROXY TCP4 1.2.3.4 ::1 1 2\r\n", "destination address" },
		{ "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "source address" },
		{ "PROXY TCP6 [::1] ::1 1 2\r\n", "source address" },
		{ "PROXY TCP6 ::1%lo ::1 1 2\r\n", "source address" },
		{ "PROXY TCP6 1::2::3 ::1 1 2\r\n", "source address" },
		{ "PROXY TCP6 ::12345 ::1 1 2\r\n", "source address" },
		{ "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n", "source address" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4\r\n", "destination address" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "source port" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "source port" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", "source port" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "source port" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 99999999999 2\r\n",
		    "source port" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 1  2\r\n", "destination port" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "destination port" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n", "destination port" },
		{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 00\r\n", "destination port" },
	};
	char line[PROXYPROTO_V1 + 2] = "PROXY UNKNOWN ";
	size_t i;

	for (i = 0; i < COUNT(unusual); i++)
		assert_int_equal(decode(unusual[i], strlen(unusual[i])),
		    strlen(unusual[i]));
	assert_endpoint(&h.source, "[2001:db8::1]:1");
	for (i = 0; i < COUNT(bad); i++)
		refused(bad[i].line, strlen(bad[i].line), bad[i].why);
	refused(TEXT("PROXY TCP4 1.2.3.4\0x 1.2.3.4 1 2\r\n"), "source address");
	refused(TEXT("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\0\r\n"),
	    "destination port");
	memset(line + 14, 'x', sizeof(line) - 14);
	assert_int_equal(decode(line, 106), 0);
	refused(line, 107, "within 107");
	memcpy(line + 106, "\r\n", 2);
	refused(line, 107, "within 107");
	refused(line, 108, "within 107");
	memcpy(line + 105, "\r\n", 2);
	assert_int_equal(decode(line, 108), 107);
}

TEST(v2)
{
	char b[PROXYPROTO_MAX + 1] = V2 "\x20";
	char unix_path[] = V2 "\x21\x31\0\xd8";

	refused(TEXT("\r\nX"), "not a PROXY");
	refused(TEXT("\r\n\r\n\0\r\nQUIT\r"), "not a PROXY");
	refused(TEXT("\x16\x03\x01"), "not a PROXY");
	/* As soon as the byte is there. */
	refused(TEXT(V2 "\x11"), "unknown version");
	refused(TEXT(V2 "\x31"), "unknown version");
	refused(TEXT(V2 "\x22"), "neither LOCAL");
	refused(TEXT(V2 "\x21\x41"), "unknown address");
	refused(TEXT(V2 "\x21\x13"), "unknown address");
	refused(TEXT(V2 "\x21\x10"), "unknown address");
	refused(TEXT(V2 "\x21\x01"), "unknown address");
	refused(TEXT(V2 "\x21\x11\0\x0b"), "shorter than");
	refused(TEXT(V2 "\x21\x21\0\x23"), "shorter than");
	refused(TEXT(V2 "\x21\x31\0\xd7"), "shorter than");
	refused(TEXT(V2 "\x21\x11\x0f\xf1"), "longer than 4096");
	refused(TEXT(V2 "\x20\0\xff\xff"), "longer than 4096");
	/* LOCAL is taken with whatever there is in it, its family, too. */
	memcpy(b + 13, "\xff\x0f\xf0", 3);
	memset(b + 16, 0xff, sizeof(b) - 16);
	assert_int_equal(decode(b, 4095), 0);
	assert_int_equal(decode(b, 4097), 4096);
	assert_int_equal(h.kind, PROXYPROTO_LOCAL);
	assert_null(h.tlvs.at);
	assert_int_equal(decode(TEXT(V2 "\x20\x31\0\4\x02\0\1a")), 20);
	assert_bytes(&h.tlvs, TEXT("\x02\0\1a"));
	/* A datagram's addresses are not the connection's. */
	assert_int_equal(decode(TEXT(V2 "\x21\x12\0\x10"
	    "\1\2\3\4\5\6\7\10\0\1\0\2\x02\0\1a")), 32);
	assert_int_equal(h.kind, PROXYPROTO_UNKNOWN);
	assert_bytes(&h.authority, TEXT("a"));

	memset(b, 0, sizeof(b));
	memcpy(b, unix_path, 16);
	memcpy(b + 16, "/run/a", 6);
	memcpy(b + 16 + 108, "/run/b", 6);
	assert_int_equal(decode(b, sizeof(b)), 16 + 216);
	assert_int_equal(h.kind, PROXYPROTO_STREAM);
	assert_int_equal(h.source.family, AF_UNIX);
	assert_int_equal(h.destination.family, AF_UNIX);
	assert_string_equal((const char *)h.paths, "/run/a");
	assert_string_equal((const char *)h.paths + PROXYPROTO_PATH, "/run/b");
}

/* Put *tlvs* behind the head of PROXY and UNSPEC. */
static int
decode_tlvs(const char *tlvs, size_t n)
{
	char b[PROXYPROTO_MAX] = V2 "\x21";

	b[14] = (char)(n >> 8);
	b[15] = (char)n;
	memcpy(b + 16, tlvs, n);
	return decode(b, 16 + n);
}

TEST(tlvs)
{
	char id[3 + 129 + 3] = "\x05\0\x80";

	assert_int_equal(decode_tlvs(TEXT("\x01\0\2h2\x02\0\3a.b\x05\0\0"
	    "\x04\0\0\xee\0\1x\x02\0\1c\x05\0\1d")), 16 + 29);
	assert_bytes(&h.tlvs, TEXT("\x01\0\2h2\x02\0\3a.b\x05\0\0"
	    "\x04\0\0\xee\0\1x\x02\0\1c\x05\0\1d"));
	assert_bytes(&h.authority, TEXT("a.b"));
	assert_bytes(&h.id, TEXT(""));
	assert_int_equal(decode_tlvs(TEXT("\x04\0\1x")), 20);
	assert_null(h.authority.at);
	assert_null(h.id.at);
	assert_false(h.crc);

	assert_int_equal(decode_tlvs(TEXT("\x04")), -1);
	assert_int_equal(decode_tlvs(TEXT("\x04\0")), -1);
	assert_int_equal(decode_tlvs(TEXT("\x04\0\1")), -1);
	assert_int_equal(decode_tlvs(TEXT("\x04\xff\xff\0")), -1);
	assert_int_equal(decode_tlvs(TEXT("\x02\0\1a\x04\0\2x")), -1);
	assert_non_null(strstr(why, "TLV is longer"));
	assert_int_equal(decode_tlvs(TEXT("\x03\0\3\0\0\0")), -1);
	assert_int_equal(decode_tlvs(TEXT("\x03\0\4\0\0\0\0\x03\0\4\0\0\0\0")),
	    -1);
	assert_non_null(strstr(why, "not one checksum"));
	assert_int_equal(decode_tlvs(TEXT("\x03\0\4\0\0\0\0")), -1);
	assert_non_null(strstr(why, "checksum is wrong"));

	assert_int_equal(decode_tlvs(id, 3 + 128), 16 + 131);
	assert_int_equal(h.id.n, 128);
	id[2]++;
	assert_int_equal(decode_tlvs(id, 3 + 129), -1);
	assert_non_null(strstr(why, "unique id"));
}

/*
 * Only what makes another TLV of the checksum itself cannot be noticed, and
 * LOCAL is taken with whatever is in it; neither is said to be checked then.
 */
TEST(bits)
{
	char b[sizeof(haproxy_ipv6)];
	size_t i, g, type;

	for (g = 0; g < COUNT(good); g++) {
		if (!good[g].crc)
			continue;
		assert_int_equal(decode(good[g].bytes, good[g].n), good[g].n);
		/* The checksum is the first TLV of haproxy's. */
		type = good[g].n - h.tlvs.n;
		for (i = 0; i < 8 * good[g].n; i++) {
			memcpy(b, good[g].bytes, good[g].n);
			b[i / 8] ^= (char)(1 << i % 8);
			if (decode(b, good[g].n) <= 0)
				continue;
			if (h.crc || (i / 8 != type &&
			    good[g].kind != PROXYPROTO_LOCAL))
				fail_msg("%zu: bit %zu of byte %zu", g, i % 8,
				    i / 8);
		}
	}
}

static void
set(struct endpoint *e, const char *text)
{
	struct addr a;
	const char *wrong;

	assert_int_equal(addr_parse(text, ADDR_LISTEN, &a, 1, &wrong), 1);
	endpoint_set(e, &a);
}

static void
writes(unsigned version, const char *from, const char *to, const char *bytes,
    size_t n)
{
	struct proxyproto p = { .version = version, .kind = PROXYPROTO_STREAM };
	unsigned char out[PROXYPROTO_MAX];

	set(&p.source, from);
	set(&p.destination, to);
	assert_int_equal(proxyproto_encode(&p, out, sizeof(out)), n);
	assert_memory_equal(out, bytes, n);
}

TEST(families)
{
	char unix_path[16 + 216] = V2 "\x21\x31\0\xd8";

	writes(1, "1.2.3.4:5", "6.7.8.9:10",
	    TEXT("PROXY TCP4 1.2.3.4 6.7.8.9 5 10\r\n"));
	/* A socket for both families says so of IPv4 clients. */
	writes(1, "[::ffff:1.2.3.4]:5", "[::ffff:6.7.8.9]:10",
	    TEXT("PROXY TCP4 1.2.3.4 6.7.8.9 5 10\r\n"));
	writes(1, "1.2.3.4:5", "[::ffff:6.7.8.9]:10",
	    TEXT("PROXY TCP4 1.2.3.4 6.7.8.9 5 10\r\n"));
	writes(1, "[::ffff:1.2.3.4]:5", "[::1]:10",
	    TEXT("PROXY TCP6 ::ffff:1.2.3.4 ::1 5 10\r\n"));
	writes(1, "1.2.3.4:5", "[::1]:10", TEXT("PROXY UNKNOWN\r\n"));
	writes(1, "unix:/a", "1.2.3.4:5", TEXT("PROXY UNKNOWN\r\n"));
	writes(1, "unix:/a", "unix:/b", TEXT("PROXY UNKNOWN\r\n"));
	writes(2, "1.2.3.4:5", "6.7.8.9:258",
	    TEXT(V2 "\x21\x11\0\x0c\1\2\3\4\6\7\x8\x9\0\5\1\2"));
	writes(2, "[::ffff:1.2.3.4]:5", "6.7.8.9:258",
	    TEXT(V2 "\x21\x11\0\x0c\1\2\3\4\6\7\x8\x9\0\5\1\2"));
	writes(2, "1.2.3.4:5", "[1::2]:258", TEXT(V2 "\x21\x21\0\x24"
	    "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4"
	    "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\5\1\2"));
	writes(2, "unix:/a", "1.2.3.4:5", TEXT(V2 "\x21\0\0\0"));
	writes(2, "unix:/a", "unix:/b", unix_path, sizeof(unix_path));
}

/* With less room there is none, and nothing behind it is touched. */
static void
bounded(const struct proxyproto *p, size_t n)
{
	unsigned char out[PROXYPROTO_MAX + 1];
	size_t size;

	for (size = 0; size <= n; size++) {
		memset(out, 0x55, sizeof(out));
		assert_int_equal(proxyproto_encode(p, out, size),
		    size < n ? 0 : n);
		assert_int_equal(out[size], 0x55);
	}
}

TEST(room)
{
	static const unsigned char tlvs[] =
	    "\x01\0\2h2\x03\0\4\0\0\0\0\x02\0\1z\x05\0\1y";
	static const unsigned char much[PROXYPROTO_MAX];
	struct proxyproto p = { .version = 1, .kind = PROXYPROTO_STREAM };
	unsigned char out[PROXYPROTO_MAX + 16];

	set(&p.source, "[1:2::3]:4");
	set(&p.destination, "[5:6::7]:8");
	bounded(&p, strlen("PROXY TCP6 1:2::3 5:6::7 4 8\r\n"));
	p.version = 2;
	p.crc = true;
	p.tlvs = (struct proxyproto_bytes){ tlvs, sizeof(tlvs) - 1 };
	p.id = (struct proxyproto_bytes){ (const unsigned char *)"ID", 2 };
	p.authority = (struct proxyproto_bytes){
	    (const unsigned char *)"a.b", 3 };
	bounded(&p, 16 + 36 + 5 + 5 + 6 + 7);
	/* Ours instead of those that were there, and a checksum of all. */
	assert_int_equal(proxyproto_encode(&p, out, sizeof(out)), 75);
	assert_memory_equal(out + 52,
	    "\x01\0\2h2\x05\0\2ID\x02\0\3a.b\x03\0\4", 19);
	assert_int_equal(decode(out, 75), 75);
	assert_true(h.crc);
	p.id.at = p.authority.at = NULL;
	assert_int_equal(proxyproto_encode(&p, out, sizeof(out)), 72);
	assert_memory_equal(out + 52, "\x01\0\2h2\x02\0\1z\x05\0\1y\x03\0\4",
	    16);

	p.authority = (struct proxyproto_bytes){ much, 4096 - 16 - 36 - 23 };
	p.tlvs.at = NULL;
	p.crc = false;
	p.authority.n = 4096 - 16 - 36 - 3;
	assert_int_equal(proxyproto_encode(&p, out, sizeof(out)), 4096);
	assert_int_equal(decode(out, 4096), 4096);
	p.authority.n++;
	assert_int_equal(proxyproto_encode(&p, out, sizeof(out)), 0);
	p.authority.n = 70000;
	assert_int_equal(proxyproto_encode(&p, out, sizeof(out)), 0);
	p.authority.at = NULL;
	p.id = (struct proxyproto_bytes){ much, PROXYPROTO_ID + 1 };
	assert_int_equal(proxyproto_encode(&p, out, sizeof(out)), 0);
}
