/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * peer_pattern.c: the bytes that peers send each other. Byte p of a stream
 * depends on its key and on p alone, so any part can be made or checked
 * without the rest. Not cryptography: it has to be cheap, and no two streams
 * and no two places of a stream may look alike.
 */
#include "peer.h"

uint64_t
pattern_mix(uint64_t x)
{
	x ^= x >> 31;
	x *= UINT64_C(0xa3b195354a39b70d);
	x ^= x >> 28;
	x *= UINT64_C(0x1b03738712fad5c9);
	x ^= x >> 32;
	return x;
}

uint64_t
pattern_key(uint64_t seed, uint64_t id)
{
	return pattern_mix(seed + 1) ^ pattern_mix(~id);
}

/* Eight bytes come from one mix of the word's number. */
void
pattern_fill(unsigned char *buf, size_t len, uint64_t key, uint64_t pos)
{
	uint64_t word;
	size_t i;

	word = pattern_mix(key + pos / 8) >> (8 * (pos % 8));
	for (i = 0; i < len; i++, pos++) {
		if (pos % 8 == 0)
			word = pattern_mix(key + pos / 8);
		buf[i] = (unsigned char)(word & 0xff);
		word >>= 8;
	}
}
