/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * bufpool.h: a fixed number of blocks of one size, made at start-up, for bytes
 * that were read and could not be sent yet. Nothing is allocated later: if the
 * pool is empty the caller leaves the bytes in the socket. Blocks are known by
 * number; their memory is first touched on first use.
 */
#ifndef BUFPOOL_H
#define BUFPOOL_H

#include <stddef.h>
#include <stdint.h>

#define BUFPOOL_NONE	UINT32_MAX

struct bufpool;

/* *n* blocks of *size* bytes. NULL with errno set. */
struct bufpool *bufpool_new(uint32_t n, size_t size);
void	bufpool_free(struct bufpool *);

/* Takes a block; BUFPOOL_NONE if there is none. Pair with bufpool_put(). */
uint32_t bufpool_get(struct bufpool *);
void	bufpool_put(struct bufpool *, uint32_t block);

/* The bytes of a taken block. */
unsigned char *bufpool_bytes(struct bufpool *, uint32_t block);

size_t	bufpool_size(const struct bufpool *);	/* of a block, in bytes */
uint32_t bufpool_left(const struct bufpool *);	/* blocks that are free */

#endif
