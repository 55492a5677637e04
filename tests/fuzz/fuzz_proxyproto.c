/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_proxyproto.c: any bytes as a header of the PROXY protocol. What is
 * decided stays so, however much comes; what is read can be written, and is
 * then read as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/proxyproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool right)
{
	if (!right)
		abort();
}

/* Mapped addresses are IPv4 ones. */
static bool
same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	char one[ADDR_TEXT], two[ADDR_TEXT];

	return strcmp(endpoint_format(a, one, sizeof(one)),
	    endpoint_format(b, two, sizeof(two))) == 0;
}

static bool
same_bytes(const struct proxyproto_bytes *a, const struct proxyproto_bytes *b)
{
	return a->n == b->n && (a->at == NULL) == (b->at == NULL) &&
	    (a->n == 0 || memcmp(a->at, b->at, a->n) == 0);
}

static void
again(const struct proxyproto *a)
{
	unsigned char out[PROXYPROTO_MAX], more[PROXYPROTO_MAX];
	struct proxyproto b;
	const char *why;
	size_t n;

	must((n = proxyproto_encode(a, out, sizeof(out))) > 0);
	must(proxyproto_decode(out, n, &b, &why) == (int)n);
	must(a->version == b.version && a->kind == b.kind && a->crc == b.crc);
	must(a->source.family == AF_UNSPEC ||
	    same_endpoint(&a->source, &b.source));
	must(a->destination.family == AF_UNSPEC ||
	    same_endpoint(&a->destination, &b.destination));
	must((a->paths == NULL) == (b.paths == NULL));
	must(a->paths == NULL ||
	    memcmp(a->paths, b.paths, 2 * PROXYPROTO_PATH) == 0);
	must(same_bytes(&a->id, &b.id));
	must(same_bytes(&a->authority, &b.authority));
	must(proxyproto_encode(&b, more, sizeof(more)) == n);
	must(memcmp(out, more, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n, step = size / 8 + 1;
	int verdict, first = 0;
	struct proxyproto h;
	unsigned char *b;
	const char *why;

	for (n = 0; n <= size; n = n < size && n + step > size ? size :
	    n + step) {
		/* Exactly so large, so that one byte too far is noticed. */
		if ((b = malloc(n + 1)) == NULL)
			abort();
		if (n > 0)
			memcpy(b + 1, data, n);
		verdict = proxyproto_decode(b + 1, n, &h, &why);
		must(verdict <= (int)n && verdict <= PROXYPROTO_MAX);
		must(first == 0 || verdict == first);
		must(verdict != 0 || n < PROXYPROTO_MAX);
		first = verdict;
		if (verdict > 0)
			again(&h);
		free(b);
	}
	return 0;
}
