/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolved_addr.c: a sequence lock with two copies. The version selects the
 * valid copy; the writer fills the other one and then increments the version. A
 * reader repeats only if that happened meanwhile, so it never waits.
 */
#include "board/resolved_addr.h"

#include <string.h>

enum { LOOKUP, REST, IP };		/* the IP takes two words */

static void
pack_addr(const struct resolved_addr *p, uint64_t word[4])
{
	word[LOOKUP] = p->lookup;
	word[REST] = (uint64_t)(p->family & 0xff) << 56 |
	    (uint64_t)(p->backup | p->gone << 1 | p->failed << 2) << 48 |
	    (uint64_t)p->port << 32 | (uint64_t)p->weight << 16 | p->origin;
	memcpy(&word[IP], p->ip, sizeof(p->ip));
}

static void
unpack_addr(const uint64_t word[4], struct resolved_addr *p)
{
	p->lookup = word[LOOKUP];
	p->family = (uint16_t)(word[REST] >> 56);
	p->backup = word[REST] >> 48 & 1;
	p->gone = word[REST] >> 49 & 1;
	p->failed = word[REST] >> 50 & 1;
	p->port = (uint16_t)(word[REST] >> 32);
	p->weight = (uint16_t)(word[REST] >> 16);
	p->origin = (uint16_t)word[REST];
	memcpy(p->ip, &word[IP], sizeof(p->ip));
}

uint32_t
resolved_addr_read(const struct board_addr *b, struct resolved_addr *p)
{
	uint64_t word[4];
	uint32_t version;
	int i;

	do {
		version = atomic_load_explicit(&b->version,
		    memory_order_acquire);
		for (i = 0; i < 4; i++)
			word[i] = atomic_load_explicit(
			    &b->word[version & 1][i], memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
	} while (resolved_addr_version(b) != version);
	unpack_addr(word, p);
	return version;
}

void
resolved_addr_write(struct board_addr *b, const struct resolved_addr *p)
{
	uint32_t version = resolved_addr_version(b) + 1;
	uint64_t word[4];
	int i;

	pack_addr(p, word);
	/* A reader of one of these words sees that its copy is out of date. */
	atomic_thread_fence(memory_order_release);
	for (i = 0; i < 4; i++)
		atomic_store_explicit(&b->word[version & 1][i], word[i],
		    memory_order_relaxed);
	atomic_store_explicit(&b->version, version, memory_order_release);
}

bool
resolved_addr_same(const struct resolved_addr *a, const struct resolved_addr *b)
{
	return a->family == b->family && a->port == b->port &&
	    memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

void
resolved_addr_to_addr(const struct resolved_addr *p, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	/* Whatever a compromised worker writes, this is an IP address. */
	a->sa.sa_family = p->family == AF_INET ? AF_INET : AF_INET6;
	if (p->family == AF_INET) {
		memcpy(&a->in.sin_addr, p->ip, sizeof(a->in.sin_addr));
		a->len = sizeof(a->in);
	} else {
		memcpy(&a->in6.sin6_addr, p->ip, sizeof(a->in6.sin6_addr));
		a->len = sizeof(a->in6);
	}
	addr_set_port(a, p->port);
}
