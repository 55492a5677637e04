/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_client_key.c: who is taken for one client, and who is not; and the hash, by
 * the vector that its authors give for these 16 bytes.
 */
#include "board/client_key.h"

#include "helpers.h"

static const uint64_t seed[2] = { 1, 2 };

static uint64_t
key(uint32_t listener, const char *text)
{
	struct endpoint e;
	struct addr a;
	const char *why;

	assert_int_equal(addr_parse(text, ADDR_LISTEN, &a, 1, &why), 1);
	endpoint_set(&e, &a);
	return client_key_of(seed, listener, &e);
}

TEST(who_is_one)
{
	assert_true(key(1, "10.0.0.1:5") == key(1, "10.0.0.1:6"));
	assert_true(key(1, "10.0.0.1:5") != key(1, "10.0.0.2:5"));
	assert_true(key(1, "10.0.0.1:5") != key(2, "10.0.0.1:5"));
	/* Through a socket of both families: it is no IPv6 network. */
	assert_true(key(1, "[::ffff:10.0.0.1]:5") == key(1, "10.0.0.1:5"));
	assert_true(key(1, "[::ffff:10.0.0.2]:5") != key(1, "10.0.0.1:5"));
	assert_true(key(1, "[2001:db8::1]:5") ==
	    key(1, "[2001:db8::ffff:0:0:2]:6"));
	assert_true(key(1, "[2001:db8::1]:5") !=
	    key(1, "[2001:db8:0:1::1]:5"));
	assert_true(key(1, "unix:/a") == key(1, "unix:/b"));
	assert_true(key(1, "unix:/a") != key(1, "[::]:0"));
	assert_true(key(1, "unix:/a") != key(1, "0.0.0.0:0"));
}

TEST(seeds_differ)
{
	static const uint64_t other[2] = { 1, 3 };
	struct endpoint e = { .family = AF_INET };

	assert_true(client_key_of(seed, 0, &e) != client_key_of(other, 0, &e));
}

TEST(hash)
{
	/* Key and message are 00 01 02 … 0f. */
	static const uint64_t bytes[2] = {
		UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)
	};

	assert_true(client_key_hash(bytes, bytes) ==
	    UINT64_C(0x3f2acc7f57c29bdb));
}
