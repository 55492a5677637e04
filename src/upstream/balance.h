/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance.h: chooses the server of a session. All workers together balance as
 * one would: state that must be remembered is on the board, the rest is
 * computed identically from the list. Each algorithm has a file of its own.
 */
#ifndef BALANCE_H
#define BALANCE_H

#include <stdint.h>

#include "upstream/server.h"

struct balance;

/* The algorithm called *name*, or NULL; a pool has one. */
const struct balance_algorithm *balance_algorithm(const char *name);
/* The names of all algorithms, separated by ", ". */
const char *balance_algorithms(void);

/* *servers* must outlive it. NULL with ENOMEM. */
struct balance *balance_new(const struct servers *);
void	balance_free(struct balance *);

/* A request for a server. */
struct balance_ask {
	uint32_t	 pool;
	const struct endpoint *client;	/* for hashes of the address */
	const uint16_t	*tried;		/* excluded servers */
	unsigned	 n;
	uint64_t	 now;
};

/*
 * Chooses a usable server of the pool that was not tried. Primary servers come
 * before backups. Servers that failed just now come last, because a guess must
 * not reject a client; but where sessions may wait, they wait for a full server
 * instead. While the first check of a primary is in progress, backups are left
 * out if sessions may wait. -1 with EAGAIN if a server will become usable,
 * because it is full or its first check is in progress; with EHOSTDOWN if there
 * is none, or all were tried.
 */
int	balance_pick(struct balance *, const struct balance_ask *);

#endif
