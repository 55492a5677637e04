/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolved_addr.h: the current address of a server whose name is looked up
 * regularly. One process writes it on the board, any number read it: a reader
 * never waits and never sees half of a change, and a writer killed in the
 * middle of a change leaves the old address.
 */
#ifndef RESOLVED_ADDR_H
#define RESOLVED_ADDR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

struct resolved_addr {
	/* The lookup that this is the answer of; 0: none yet. */
	uint64_t	lookup;
	unsigned char	ip[16];		/* the first 4 for AF_INET */
	uint16_t	family;		/* 0: no server in this place */
	uint16_t	port;		/* host order */
	uint16_t	weight;		/* multiplies that of the server */
	/* Host and service of the answer; an SRV name has several. */
	uint16_t	origin;
	bool		backup;		/* used if primaries are down */
	bool		gone;		/* the server has left the answer */
	bool		failed;		/* lookup failed, nothing known */
};

/* A short hash that tells hosts apart. */
static inline uint16_t
resolved_addr_origin(uint64_t hash)
{
	return (uint16_t)(hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48);
}

/* True if there is a server in this place. */
static inline bool
resolved_addr_serves(const struct resolved_addr *p)
{
	return p->family != 0 && !p->gone;
}

/* The same on the board, twice: the valid copy is never written. */
struct board_addr {
	_Alignas(64)
	_Atomic uint32_t version;	/* changes with each write */
	_Atomic uint64_t word[2][4];
};

/* Returns the version that was read; 0: never written. */
uint32_t resolved_addr_read(const struct board_addr *, struct resolved_addr *);
void	resolved_addr_write(struct board_addr *, const struct resolved_addr *);

static inline uint32_t
resolved_addr_version(const struct board_addr *b)
{
	return atomic_load_explicit(&b->version, memory_order_relaxed);
}

/* True for the same address and port. */
bool	resolved_addr_same(const struct resolved_addr *,
	    const struct resolved_addr *);

void	resolved_addr_to_addr(const struct resolved_addr *, struct addr *);

#endif
