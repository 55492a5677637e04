/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * pipepool.h: empty pipes for splice(2), known by number. A few large ones
 * serve a worker: a stream needs one only while bytes are in it.
 *
 * The kernel lets an unprivileged user have 64 pipes of 1 MiB, all its
 * processes together (pipe-user-pages-soft, pipe(7)), and gives tiny ones
 * beyond: those are not taken.
 */
#ifndef PIPEPOOL_H
#define PIPEPOOL_H

#include <stddef.h>
#include <stdint.h>

#define PIPEPOOL_MAX	16		/* pipes of one worker */
#define PIPEPOOL_NONE	UINT8_MAX

struct pipepool;

/* No pipe is made yet. NULL with ENOMEM. */
struct pipepool *pipepool_new(void);
void	pipepool_free(struct pipepool *);

/* Take an empty pipe; PIPEPOOL_NONE: there is none. Pair with the next two. */
uint8_t	pipepool_get(struct pipepool *);
/* Give back an empty pipe. */
void	pipepool_put(struct pipepool *, uint8_t pipe);
/* Give back one that holds bytes: they are dropped with the pipe. */
void	pipepool_spoil(struct pipepool *, uint8_t pipe);

int	pipepool_reader(const struct pipepool *, uint8_t pipe);
int	pipepool_writer(const struct pipepool *, uint8_t pipe);
size_t	pipepool_size(const struct pipepool *, uint8_t pipe);

#endif
