/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * pipepool.c: makes a pipe on first need and keeps it. Invariant: a pipe on the
 * stack of free ones is open and empty.
 */
#include "relay/pipepool.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Large first: fewer calls for the same bytes. Smaller ones gain nothing. */
static const int sizes[] = { 1 << 20, 512 << 10, 256 << 10 };

struct pipe {
	int	fd[2];			/* -1: not made */
	size_t	size;
};

struct pipepool {
	struct pipe	pipe[PIPEPOOL_MAX];
	uint8_t		stack[PIPEPOOL_MAX];	/* open and empty */
	uint8_t		left;
	uint8_t		unmade[PIPEPOOL_MAX];
	uint8_t		unmades;
	unsigned	refused;		/* takes to skip */
};

struct pipepool *
pipepool_new(void)
{
	struct pipepool *p;
	uint8_t i;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	for (i = 0; i < PIPEPOOL_MAX; i++) {
		p->pipe[i].fd[0] = p->pipe[i].fd[1] = -1;
		p->unmade[p->unmades++] = i;
	}
	return p;
}

static void
unmake_pipe(struct pipepool *p, uint8_t i)
{
	close(p->pipe[i].fd[0]);
	close(p->pipe[i].fd[1]);
	p->pipe[i].fd[0] = p->pipe[i].fd[1] = -1;
}

void
pipepool_free(struct pipepool *p)
{
	uint8_t i;

	if (p == NULL)
		return;
	for (i = 0; i < PIPEPOOL_MAX; i++)
		if (p->pipe[i].fd[0] != -1)
			unmake_pipe(p, i);
	free(p);
}

static uint8_t
make_pipe(struct pipepool *p)
{
	uint8_t i = p->unmade[p->unmades - 1];
	struct pipe *new = &p->pipe[i];
	size_t s;
	int got;

	if (pipe2(new->fd, O_NONBLOCK | O_CLOEXEC) == -1)
		return PIPEPOOL_NONE;
	for (s = 0; s < sizeof(sizes) / sizeof(*sizes); s++)
		if ((got = fcntl(new->fd[0], F_SETPIPE_SZ, sizes[s])) != -1) {
			new->size = (size_t)got;
			p->unmades--;
			return i;
		}
	unmake_pipe(p, i);
	return PIPEPOOL_NONE;
}

uint8_t
pipepool_get(struct pipepool *p)
{
	uint8_t i;

	if (p->left > 0)
		return p->stack[--p->left];
	if (p->unmades == 0)
		return PIPEPOOL_NONE;
	/* After a refusal, do not ask again for every read of every stream. */
	if (p->refused > 0) {
		p->refused--;
		return PIPEPOOL_NONE;
	}
	if ((i = make_pipe(p)) == PIPEPOOL_NONE)
		p->refused = 1000;
	return i;
}

void
pipepool_put(struct pipepool *p, uint8_t i)
{
	assert(p->left < PIPEPOOL_MAX);
	p->stack[p->left++] = i;
}

void
pipepool_spoil(struct pipepool *p, uint8_t i)
{
	unmake_pipe(p, i);
	p->unmade[p->unmades++] = i;
}

int
pipepool_reader(const struct pipepool *p, uint8_t i)
{
	return p->pipe[i].fd[0];
}

int
pipepool_writer(const struct pipepool *p, uint8_t i)
{
	return p->pipe[i].fd[1];
}

size_t
pipepool_size(const struct pipepool *p, uint8_t i)
{
	return p->pipe[i].size;
}
