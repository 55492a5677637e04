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

/*
 * Choose a backend of the pool that is not among the *n* in *tried*. Primary backends come
 * before backup ones, and those that failed just now come last of all: a guess
 * must not turn away a client. -1 with EHOSTDOWN when all have been tried.
 */
int	balance_pick(struct balance *, uint32_t pool, const uint16_t *tried,
	    unsigned n, uint64_t now);

#endif
