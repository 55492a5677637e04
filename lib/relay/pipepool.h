/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * pipepool.h: empty pipes for splice(2), known by number. A worker needs a few
 * large ones: a stream holds one only while bytes are in it.
 *
 * The kernel allows an unprivileged user 64 pipes of 1 MiB over all processes
 * (pipe-user-pages-soft, pipe(7)) and makes tiny ones beyond that: those are
 * not used.
 */
#ifndef PIPEPOOL_H
#define PIPEPOOL_H

#include <stddef.h>
#include <stdint.h>

#define PIPEPOOL_MAX	16		/* pipes of one worker */
#define PIPEPOOL_NONE	UINT8_MAX

struct pipepool;

/* An empty pool; pipes are made later. NULL with ENOMEM. */
struct pipepool *pipepool_new(void);
void	pipepool_free(struct pipepool *);

/* Takes an empty pipe, or PIPEPOOL_NONE. Pair with one of the next two. */
uint8_t	pipepool_get(struct pipepool *);
/* Returns an empty pipe. */
void	pipepool_put(struct pipepool *, uint8_t pipe);
/* Returns a pipe that holds bytes: they are dropped with it. */
void	pipepool_spoil(struct pipepool *, uint8_t pipe);

int	pipepool_reader(const struct pipepool *, uint8_t pipe);
int	pipepool_writer(const struct pipepool *, uint8_t pipe);
size_t	pipepool_size(const struct pipepool *, uint8_t pipe);

#endif
