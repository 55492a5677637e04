/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * client_key.c: hashes the part of an address that identifies a client, with a
 * key, because an attacker with a choice of addresses must not be able to
 * choose buckets. Keeps no state.
 */
#include "board/client_key.h"

#include <string.h>

static uint64_t
rotate_left(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
sip_rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate_left(v[1], 13) ^ v[0];
		v[3] = rotate_left(v[3], 16) ^ v[2];
		v[0] = rotate_left(v[0], 32) + v[3];
		v[2] += v[1];
		v[3] = rotate_left(v[3], 21) ^ v[0];
		v[1] = rotate_left(v[1], 17) ^ v[2];
		v[2] = rotate_left(v[2], 32);
	}
}

static void
sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_rounds(v, 2);
	v[0] ^= word;
}

uint64_t
client_key_hash(const uint64_t key[2], const uint64_t words[2])
{
	uint64_t v[4] = {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573),
	};

	sip_word(v, words[0]);
	sip_word(v, words[1]);
	sip_word(v, UINT64_C(16) << 56);	/* length of the message */
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
client_key_of(const uint64_t seed[2], uint32_t listener,
    const struct endpoint *e)
{
	const unsigned char *ipv4 = endpoint_ipv4(e);
	uint64_t words[2] = { 0, (uint64_t)listener << 32 };

	if (ipv4 != NULL) {
		memcpy(&words[0], ipv4, 4);
		words[1] |= AF_INET;
	} else if (e->family == AF_INET6) {
		memcpy(&words[0], e->ip, 8);
		words[1] |= AF_INET6;
	}
	return client_key_hash(seed, words);
}
