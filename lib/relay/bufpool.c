/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * bufpool.c: a stack of free blocks: the block used last is still in the cache
 * and is the next one taken. Invariant: a block is either on the stack or
 * taken.
 */
#include "relay/bufpool.h"

#include <sys/mman.h>

#include <assert.h>
#include <stdlib.h>

struct bufpool {
	size_t		 size;
	uint32_t	 n, left;
	unsigned char	*bytes;
	uint32_t	 stack[];
};

struct bufpool *
bufpool_new(uint32_t n, size_t size)
{
	struct bufpool *p;
	uint32_t i;

	if ((p = malloc(sizeof(*p) + n * sizeof(p->stack[0]))) == NULL)
		return NULL;
	p->bytes = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->bytes == MAP_FAILED) {
		free(p);
		return NULL;
	}
	p->size = size;
	p->n = p->left = n;
	for (i = 0; i < n; i++)
		p->stack[i] = n - 1 - i;
	return p;
}

void
bufpool_free(struct bufpool *p)
{
	if (p == NULL)
		return;
	munmap(p->bytes, p->n * p->size);
	free(p);
}

uint32_t
bufpool_get(struct bufpool *p)
{
	return p->left == 0 ? BUFPOOL_NONE : p->stack[--p->left];
}

void
bufpool_put(struct bufpool *p, uint32_t block)
{
	assert(block < p->n && p->left < p->n);
	p->stack[p->left++] = block;
}

unsigned char *
bufpool_bytes(struct bufpool *p, uint32_t block)
{
	assert(block < p->n);
	return p->bytes + block * p->size;
}

size_t
bufpool_size(const struct bufpool *p)
{
	return p->size;
}

uint32_t
bufpool_left(const struct bufpool *p)
{
	return p->left;
}
