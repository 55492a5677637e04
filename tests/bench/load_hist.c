/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load_hist.c: the histogram of latencies and the pattern of payloads. Values
 * below 2 * HIST_HALF have a bucket each; above, each power of two has
 * HIST_HALF. Owns no time: callers say what to count.
 */
#include <stdlib.h>

#include "load.h"

static size_t
hist_index(uint64_t v)
{
	unsigned shift;
	size_t i;

	if (v < 2 * HIST_HALF)
		return (size_t)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - 6;
	i = shift * HIST_HALF + (size_t)(v >> shift);
	return i < HIST_BUCKETS ? i : HIST_BUCKETS - 1;
}

/* The middle of the values that share a bucket. */
static uint64_t
hist_value(size_t i)
{
	size_t shift;
	uint64_t low;

	if (i < 2 * HIST_HALF)
		return i;
	shift = i / HIST_HALF - 1;
	low = (uint64_t)(i % HIST_HALF + HIST_HALF) << shift;
	return low + ((1ULL << shift) - 1) / 2;
}

void
hist_add(struct hist *h, uint64_t v)
{
	h->n++;
	if (v > h->max)
		h->max = v;
	h->count[hist_index(v)]++;
}

uint64_t
hist_at(const struct hist *h, double q)
{
	uint64_t seen = 0, want, v;
	size_t i;

	if (h->n == 0)
		return 0;
	want = (uint64_t)(q * (double)h->n);
	if (want >= h->n)
		want = h->n - 1;
	for (i = 0; i < HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen > want)
			break;
	}
	v = hist_value(i);
	return v < h->max ? v : h->max;
}

unsigned char *
pattern_new(void)
{
	uint64_t x = 0x9e3779b97f4a7c15ULL;
	unsigned char *b;
	size_t i;

	if ((b = malloc(PATTERN_PERIOD + PATTERN_SPAN)) == NULL)
		return NULL;
	for (i = 0; i < PATTERN_PERIOD; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		b[i] = (unsigned char)(x >> 32);
	}
	for (; i < PATTERN_PERIOD + PATTERN_SPAN; i++)
		b[i] = b[i - PATTERN_PERIOD];
	return b;
}
