/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance.h: which server a session goes to. All workers together balance as
 * one would: what has to be remembered stands on the board, the rest is worked
 * out from the list alike. Each algorithm has a file of its own.
 */
#ifndef BALANCE_H
#define BALANCE_H

#include <stdint.h>

#include "upstream/server.h"

struct balance;

/* The algorithm called so, NULL if there is none; a pool has one. */
const struct balance_algorithm *balance_algorithm(const char *name);
/* The names of all, separated by ", ". */
const char *balance_algorithms(void);

/* *servers* must outlive it. NULL with ENOMEM. */
struct balance *balance_new(const struct servers *);
void	balance_free(struct balance *);

/* Who asks for a server. */
struct balance_ask {
	uint32_t	 pool;
	const struct endpoint *client;	/* for what goes by address */
	const uint16_t	*tried;		/* not among these */
	unsigned	 n;
	uint64_t	 now;
};

/*
 * Choose a server of the pool that serves and was not tried. Primary servers
 * come before backup ones, and those that failed just now come last of all: a
 * guess must not reject a client, but where sessions may wait they rather
 * wait for one that is only full. While the first check of a primary one is
 * under way backup ones are left out, if sessions may wait. -1 with EAGAIN when
 * there will be one sooner or later, because it is full or its first check is
 * under way; with EHOSTDOWN when there is none, or all have been tried.
 */
int	balance_pick(struct balance *, const struct balance_ask *);

#endif
