/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolved_addr.h: where a server is whose name is looked up again and again.
 * One process writes it on the board, any number read it: none waits, none sees
 * half of a change, and a writer that is killed in the midst of one leaves what
 * was there before.
 */
#ifndef RESOLVED_ADDR_H
#define RESOLVED_ADDR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

struct resolved_addr {
	/* Of which question this is the answer; 0: of none yet. */
	uint64_t	lookup;
	unsigned char	ip[16];		/* the first 4 for AF_INET */
	uint16_t	family;		/* 0: there was no server here */
	uint16_t	port;		/* host order */
	uint16_t	weight;		/* times that of the server */
	/* Of which host and service it was the answer; of SRV many have one. */
	uint16_t	origin;
	bool		backup;		/* only when others are down */
	bool		gone;		/* the server that was here */
	bool		failed;		/* the question, and nothing is known */
};

/* What a host that has this hash is told apart by. */
static inline uint16_t
resolved_addr_origin(uint64_t hash)
{
	return (uint16_t)(hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48);
}

/* Is a server here? */
static inline bool
resolved_addr_serves(const struct resolved_addr *p)
{
	return p->family != 0 && !p->gone;
}

/* The same on the board, twice: the one that is read is never written. */
struct board_addr {
	_Alignas(64)
	_Atomic uint32_t version;	/* changes with each write */
	_Atomic uint64_t word[2][4];
};

/* Returns the version that was read; 0: it was never written. */
uint32_t resolved_addr_read(const struct board_addr *, struct resolved_addr *);
void	resolved_addr_write(struct board_addr *, const struct resolved_addr *);

static inline uint32_t
resolved_addr_version(const struct board_addr *b)
{
	return atomic_load_explicit(&b->version, memory_order_relaxed);
}

/* Is it the same address, port included? */
bool	resolved_addr_same(const struct resolved_addr *,
	    const struct resolved_addr *);

void	resolved_addr_to_addr(const struct resolved_addr *, struct addr *);

#endif
