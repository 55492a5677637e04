/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_dns_message.c: messages as name servers send them, and as nobody should: cut
 * off anywhere, with pointers to themselves, and made of random bytes.
 */
#include "proto/dns_message.h"

#include "helpers.h"

#define HEAD(answers)	0, 1, 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0
#define NAME		1, 'x', 4, 't', 'e', 's', 't', 0	/* at 12 */
#define ASKED(type)	NAME, 0, type, 0, 1
#define OWNER		0xc0, 12

/* An alias, whose TTL is the least, and two addresses. */
static const unsigned char aliased[] = {
	HEAD(3), ASKED(1),
	OWNER, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4, 1, 'y', 0xc0, 14,
	0xc0, 36, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1,
	0xc0, 36, 0, 1, 0, 1, 0, 0, 0, 90, 0, 4, 127, 0, 0, 2,
};

static const unsigned char services[] = {
	HEAD(3), ASKED(33),
	OWNER, 0, 33, 0, 1, 0, 0, 1, 0, 0, 10, 0, 5, 1, 0, 0x1f, 0x90,
	    1, 'a', 0xc0, 12,
	OWNER, 0, 33, 0, 1, 0x80, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 1, 0,
	OWNER, 0, 33, 0, 1, 0, 0, 1, 0, 0, 10, 0, 5, 1, 0, 0x1f, 0x90,
	    1, '/', 0xc0, 12,
};

TEST(addresses)
{
	const unsigned char two[4] = { 127, 0, 0, 2 };
	struct answer a;
	struct record r;

	assert_int_equal(dns_message_begin(&a, aliased, sizeof(aliased)), 0);
	assert_int_equal(dns_message_next(&a, DNS_RR_A, &r), 1);
	assert_int_equal(r.ip[3], 1);
	assert_int_equal(dns_message_next(&a, DNS_RR_A, &r), 1);
	assert_memory_equal(r.ip, two, 4);
	assert_int_equal(dns_message_next(&a, DNS_RR_A, &r), 0);
	assert_int_equal(a.ttl, 30);
	/* Of another type there is none. */
	assert_int_equal(dns_message_begin(&a, aliased, sizeof(aliased)), 0);
	assert_int_equal(dns_message_next(&a, DNS_RR_AAAA, &r), 0);
}

TEST(services)
{
	struct answer a;
	struct record r;

	assert_int_equal(dns_message_begin(&a, services, sizeof(services)), 0);
	assert_int_equal(dns_message_next(&a, DNS_RR_SRV, &r), 1);
	assert_string_equal(r.target, "a.x.test");
	assert_int_equal(r.priority, 5);
	assert_int_equal(r.weight, 256);
	assert_int_equal(r.port, 8080);
	assert_int_equal(a.ttl, 256);
	/* "." is no target, and a TTL with the highest bit is 0. */
	assert_int_equal(dns_message_next(&a, DNS_RR_SRV, &r), 1);
	assert_string_equal(r.target, "");
	assert_int_equal(a.ttl, 0);
	/* No host has such a name. */
	assert_int_equal(dns_message_next(&a, DNS_RR_SRV, &r), -1);
}

/* An alias of an alias, in whatever order, and one that leads nowhere else. */
TEST(aliases)
{
	static const unsigned char chain[] = {
		HEAD(2), ASKED(28),
		1, 'y', 0xc0, 14, 0, 5, 0, 1, 0, 0, 0, 30, 0, 3, 1, 'z', 0,
		OWNER, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4, 1, 'Y', 0xc0, 14,
	};
	static const unsigned char circle[] = {
		HEAD(1), ASKED(28),
		OWNER, 0, 5, 0, 1, 0, 0, 0, 30, 0, 2, 0xc0, 12,
	};
	char target[DNS_MESSAGE_NAME];

	assert_int_equal(dns_message_alias(chain, sizeof(chain), target), 1);
	assert_string_equal(target, "z");
	assert_int_equal(dns_message_alias(aliased, sizeof(aliased), target),
	    1);
	assert_string_equal(target, "y.test");
	assert_int_equal(dns_message_alias(services, sizeof(services), target),
	    0);
	assert_int_equal(dns_message_alias(circle, sizeof(circle), target), -1);
	assert_int_equal(dns_message_alias(chain, sizeof(chain) - 1, target),
	    -1);
}

/* Nothing, for how long stands in the SOA behind an alias and another record. */
static const unsigned char nothing[] = {
	0, 1, 0x81, 0x83, 0, 1, 0, 1, 0, 2, 0, 0, ASKED(28),
	OWNER, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4, 1, 'y', 0xc0, 14,
	0xc0, 14, 0, 2, 0, 1, 0, 0, 0, 5, 0, 2, 0xc0, 14,
	0xc0, 14, 0, 6, 0, 1, 0, 0, 14, 16, 0, 25, 1, 'm', 0xc0, 14, 0, 0,
	    0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 60,
};

TEST(nothing)
{
	unsigned char m[sizeof(nothing)];
	/* Of the SOA: its TTL, the length of its data, its minimum. */
	size_t ttl = sizeof(m) - 31, n = sizeof(m) - 26, minimum = sizeof(m) - 4;
	uint32_t s;
	size_t len;

	/* The least of TTL and minimum, whatever other records say. */
	assert_int_equal(dns_message_nothing_ttl(nothing, sizeof(nothing), &s),
	    1);
	assert_int_equal(s, 60);
	memcpy(m, nothing, sizeof(m));
	m[ttl + 2] = 0;
	assert_int_equal(dns_message_nothing_ttl(m, sizeof(m), &s), 1);
	assert_int_equal(s, 16);
	/* What is negative is 0. */
	memcpy(m, nothing, sizeof(m));
	m[minimum] = 0x80;
	assert_int_equal(dns_message_nothing_ttl(m, sizeof(m), &s), 1);
	assert_int_equal(s, 0);
	/* One that has no room for its numbers. */
	memcpy(m, nothing, sizeof(m));
	m[n] = 21;
	assert_int_equal(dns_message_nothing_ttl(m, sizeof(m), &s), -1);
	assert_int_equal(dns_message_nothing_ttl(aliased, sizeof(aliased), &s),
	    0);
	for (len = 0; len < sizeof(nothing); len++) {
		unsigned char *copy = malloc(len == 0 ? 1 : len);

		assert_non_null(copy);
		memcpy(copy, nothing, len);
		assert_int_equal(dns_message_nothing_ttl(copy, len, &s), -1);
		free(copy);
	}
}

/* All records, or where they end. The copy is as long as the message: ASan. */
static int
walk(const unsigned char *message, size_t len, int type)
{
	unsigned char *copy = malloc(len == 0 ? 1 : len);
	struct answer a;
	struct record r;
	int got = -1, n = 0;

	assert_non_null(copy);
	memcpy(copy, message, len);
	if (dns_message_begin(&a, copy, len) == 0)
		while ((got = dns_message_next(&a, type, &r)) == 1)
			n++;
	free(copy);
	return got == -1 ? -1 : n;
}

TEST(cut_off)
{
	size_t len;

	for (len = 0; len < sizeof(aliased); len++)
		assert_int_equal(walk(aliased, len, DNS_RR_A), -1);
	assert_int_equal(walk(aliased, len, DNS_RR_A), 2);
	for (len = 0; len < sizeof(services); len++)
		assert_int_equal(walk(services, len, DNS_RR_SRV), -1);
}

/* What the message is the answer to, and how it went. */
TEST(questions)
{
	static const unsigned char failed[] = {
		0, 1, 0x81, 0x82, 0, 1, 0, 0, 0, 0, 0, 0, ASKED(28) };
	unsigned char m[sizeof(failed)];
	char name[DNS_MESSAGE_NAME];
	size_t n;
	int type;

	assert_int_equal(dns_message_asked(failed, sizeof(failed), name,
	    &type), 2);
	assert_string_equal(name, "x.test");
	assert_int_equal(type, DNS_RR_AAAA);
	assert_string_equal(dns_message_rcode_name(2), "SERVFAIL");
	assert_string_equal(dns_message_rcode_name(5), "REFUSED");
	assert_null(dns_message_rcode_name(15));
	assert_null(dns_message_rcode_name(-1));
	assert_int_equal(dns_message_asked(aliased, sizeof(aliased), name,
	    &type), 0);
	for (n = 0; n < sizeof(failed); n++)
		assert_int_equal(dns_message_asked(failed, n, name, &type),
		    -1);
	/* A question, and one of another class. */
	memcpy(m, failed, sizeof(m));
	m[2] = 1;
	assert_int_equal(dns_message_asked(m, sizeof(m), name, &type), -1);
	memcpy(m, failed, sizeof(m));
	m[sizeof(m) - 1] = 3;
	assert_int_equal(dns_message_asked(m, sizeof(m), name, &type), -1);
}

/* A target that points to itself, or forwards, has no end. */
TEST(loops)
{
	unsigned char m[sizeof(services)];
	size_t at = 12 + 12 + 12 + 6 + 2;

	memcpy(m, services, sizeof(m));
	assert_int_equal(m[at], 0xc0);
	m[at + 1] = (unsigned char)at;
	assert_int_equal(walk(m, sizeof(m), DNS_RR_SRV), -1);
	m[at + 1] = (unsigned char)(at + 2);
	assert_int_equal(walk(m, sizeof(m), DNS_RR_SRV), -1);
	m[at + 1] = (unsigned char)(at - 2);
	assert_int_equal(walk(m, sizeof(m), DNS_RR_SRV), -1);
}

TEST(garbage)
{
	uint64_t seed = random_seed();
	unsigned char m[sizeof(services)];
	int i, k;

	for (i = 0; i < 20000; i++) {
		memcpy(m, i & 1 ? services : aliased, sizeof(aliased));
		for (k = 0; k < 4; k++)
			m[random_next(&seed) % sizeof(aliased)] =
			    (unsigned char)random_next(&seed);
		assert_true(walk(m, sizeof(aliased), DNS_RR_SRV) <= 65535);
		assert_true(walk(m, sizeof(aliased), DNS_RR_A) <= 65535);
	}
}
