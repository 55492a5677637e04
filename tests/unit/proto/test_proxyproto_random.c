/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_proxyproto_random.c: what is written is read as the same, and what is read is
 * written and read again as the same, damaged or not. UNIT_HEADERS in the
 * environment is how many damaged ones are tried, UNIT_SEED gives others.
 */
#include "proto/proxyproto.h"

#include "helpers.h"
#include "proxyproto_rig.h"

#define MANY	200000

/* Mapped addresses are IPv4 ones. */
static void
assert_same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	char buf[ADDR_TEXT];

	assert_endpoint(a, endpoint_format(b, buf, sizeof(buf)));
}

/* Bytes with some that are special in addresses. */
static void
random_endpoint(uint64_t *seed, struct endpoint *e, uint16_t family)
{
	size_t i;

	memset(e, 0, sizeof(*e));
	e->family = family;
	if (family == AF_UNIX)
		return;
	e->port = (uint16_t)random_next(seed);
	for (i = 0; i < (family == AF_INET ? 4 : 16); i++)
		e->ip[i] = random_below(seed, 2) == 0 ? 0 :
		    (unsigned char)random_next(seed);
	if (family == AF_INET6 && random_below(seed, 8) == 0)
		memcpy(e->ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
}

/* Whatever is written is read as the same, and written again as it was. */
static void
again(const void *bytes, size_t n)
{
	unsigned char one[PROXYPROTO_MAX], two[PROXYPROTO_MAX];
	struct proxyproto first;
	size_t written;

	if (proxyproto_decode(bytes, n, &first, &why) <= 0)
		return;
	written = proxyproto_encode(&first, one, sizeof(one));
	assert_int_equal(proxyproto_decode(one, written, &h, &why), written);
	assert_int_equal(h.version, first.version);
	assert_true(h.kind == first.kind);
	if (h.kind == PROXYPROTO_STREAM) {
		assert_same_endpoint(&h.source, &first.source);
		assert_same_endpoint(&h.destination, &first.destination);
	}
	assert_true((h.paths == NULL) == (first.paths == NULL));
	if (h.paths != NULL)
		assert_memory_equal(h.paths, first.paths, 216);
	assert_int_equal(h.crc, first.crc);
	assert_int_equal(proxyproto_encode(&h, two, sizeof(two)), written);
	assert_memory_equal(one, two, written);
}

TEST(round_trips)
{
	static const uint16_t families[] = { AF_INET, AF_INET6, AF_UNIX };
	struct proxyproto p = { .kind = PROXYPROTO_STREAM };
	unsigned char out[PROXYPROTO_MAX], bytes[256];
	uint64_t seed = random_seed();
	size_t n;
	int i;

	for (i = 0; i < 20000; i++) {
		uint16_t family = families[random_below(&seed, 3)];

		p.version = 1 + random_below(&seed, 2);
		if (p.version == 1 && family == AF_UNIX)
			family = AF_INET;
		random_endpoint(&seed, &p.source, family);
		random_endpoint(&seed, &p.destination, family);
		pattern_fill(seed, 0, bytes, sizeof(bytes));
		p.id.at = random_below(&seed, 2) == 0 ? NULL : bytes;
		p.id.n = random_below(&seed, PROXYPROTO_ID + 1);
		p.authority.at = random_below(&seed, 2) == 0 ? NULL : bytes;
		p.authority.n = random_below(&seed, sizeof(bytes));
		p.crc = p.version == 2 && random_below(&seed, 2) == 0;
		n = proxyproto_encode(&p, out, sizeof(out));
		assert_int_equal(proxyproto_decode(out, n, &h, &why), n);
		assert_int_equal(h.kind, PROXYPROTO_STREAM);
		assert_same_endpoint(&h.source, &p.source);
		assert_same_endpoint(&h.destination, &p.destination);
		assert_int_equal(h.crc, p.crc);
		if (p.version == 2 && p.id.at != NULL)
			assert_bytes(&h.id, (char *)bytes, p.id.n);
		if (p.version == 2 && p.authority.at != NULL)
			assert_bytes(&h.authority, (char *)bytes,
			    p.authority.n);
		again(out, n);
	}
}

TEST(damaged)
{
	static const char special[] = "\r\n \0:.\x03\x11\x20\x21\xff";
	const char *many = getenv("UNIT_HEADERS");
	long i, left = many == NULL ? MANY : strtol(many, NULL, 10);
	uint64_t seed = random_seed();
	unsigned char b[256];
	size_t n, at, g;
	int verdict, before;

	for (; left > 0; left--) {
		g = random_below(&seed, COUNT(good));
		n = good[g].n;
		memcpy(b, good[g].bytes, n);
		for (i = random_below(&seed, 4); i >= 0; i--) {
			at = random_below(&seed, (uint32_t)n);
			b[at] = random_below(&seed, 2) == 0 ?
			    (unsigned char)special[random_below(&seed,
			    sizeof(special) - 1)] : (unsigned char)(b[at] ^
			    1 << random_below(&seed, 8));
		}
		at = random_below(&seed, (uint32_t)n);
		before = decode(b, at);
		verdict = decode(b, n);
		/* What is decided stays so. */
		if (before != 0 && verdict != before)
			fail_msg("%d at %zu, then %d", before, at, verdict);
		assert_true((verdict == -1) == (why != NULL));
		assert_true(verdict <= (int)n);
		again(b, n);
	}
	decode(NULL, 0);
}
