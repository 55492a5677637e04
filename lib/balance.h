/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance.h: which backend a session goes to. Smooth weighted round robin: of
 * weights 5, 1, 1 the sequence is a a b a c a a, never a a a a a b c. All
 * workers draw from one sequence: its next place is a ticket on the board.
 */
#ifndef BALANCE_H
#define BALANCE_H

#include <stdint.h>

#include "backend.h"

struct balance;

/* *backends* must outlive it. NULL with ENOMEM. */
struct balance *balance_new(const struct backends *);
void	balance_free(struct balance *);

/* Who asks for a backend. */
struct balance_ask {
	uint32_t	 pool;
	const struct endpoint *client;	/* for what goes by address */
	const uint16_t	*tried;		/* not among these */
	unsigned	 n;
	uint64_t	 now;
};

/*
 * Choose a backend of the pool that serves and was not tried. Primary backends come
 * before backup ones, and those that failed just now come last of all: a guess
 * must not turn away a client. -1 with EAGAIN when there will be one sooner or
 * later, because it is full or its first check is under way; with EHOSTDOWN when
 * there is none, or all have been tried.
 */
int	balance_pick(struct balance *, const struct balance_ask *);

#endif
