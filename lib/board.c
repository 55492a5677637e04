/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * board.c: lays the board out in one mapping and takes back what the dead left.
 * Sizes are fixed when it is made: nothing in it ever moves.
 */
#include "board.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

static size_t
board_size(uint32_t backends)
{
	return sizeof(struct board) +
	    backends * sizeof(struct board_backend) +
	    (size_t)BOARD_WORKERS * backends * sizeof(uint32_t);
}

static struct board *
map(int fd, size_t size)
{
	struct board *b;

	b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return b == MAP_FAILED ? NULL : b;
}

struct board *
board_new(uint32_t backends, int *passed)
{
	size_t size = board_size(backends);
	struct board *b = NULL;
	int fd, err;

	/* A memory file and not MAP_ANONYMOUS: it can be passed on. */
	if ((fd = memfd_create("shuttled-board", MFD_CLOEXEC)) == -1)
		return NULL;
	if (ftruncate(fd, (off_t)size) == 0)
		b = map(fd, size);
	if (b == NULL || passed == NULL) {
		err = errno;
		close(fd);
		errno = err;
	} else {
		*passed = fd;
	}
	if (b == NULL)
		return NULL;
	b->magic = BOARD_MAGIC;
	b->version = BOARD_VERSION;
	b->backends = backends;
	b->size = size;
	return b;
}

struct board *
board_adopt(int fd, uint32_t backends)
{
	size_t size = board_size(backends);
	struct board *b;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return NULL;
	if ((size_t)st.st_size != size) {
		errno = EINVAL;
		return NULL;
	}
	if ((b = map(fd, size)) == NULL)
		return NULL;
	if (b->magic != BOARD_MAGIC || b->version != BOARD_VERSION ||
	    b->backends != backends || b->size != size) {
		munmap(b, size);
		errno = EINVAL;
		return NULL;
	}
	return b;
}

void
board_free(struct board *b)
{
	if (b != NULL)
		munmap(b, b->size);
}

/* FNV-1a (Fowler, Noll, Vo), never 0: it spares us to compare all names. */
static uint64_t
hash_of(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return h == 0 ? 1 : h;
}

/*
 * In a row of *n* things of *size* bytes that begin with their seat. They are
 * first taken in order: behind one that never was nobody sits.
 */
static uint32_t
take_seat(void *row, size_t size, uint32_t n, const char *name,
    uint64_t generation, uint64_t oldest)
{
	uint32_t i, unused = BOARD_NO_SEAT;
	uint64_t hash = hash_of(name);
	struct board_seat *seat;

	for (i = 0; i < n; i++) {
		seat = (struct board_seat *)((char *)row + i * size);
		if (seat->hash == hash && strcmp(seat->name, name) == 0)
			goto taken;
		if (unused == BOARD_NO_SEAT && seat->generation < oldest)
			unused = i;
		if (seat->hash == 0)
			break;
	}
	if ((i = unused) == BOARD_NO_SEAT)
		return i;
	seat = (struct board_seat *)((char *)row + i * size);
	memset(seat, 0, size);
	(void)strlcpy(seat->name, name, sizeof(seat->name));
	seat->hash = hash;
taken:
	seat->generation = generation;
	return i;
}

uint32_t
board_seat_backend(struct board *b, const char *name, uint64_t generation,
    uint64_t oldest)
{
	return take_seat(b->backend, sizeof(b->backend[0]), b->backends, name,
	    generation, oldest);
}

uint32_t
board_seat_pool(struct board *b, const char *name, uint64_t generation,
    uint64_t oldest)
{
	return take_seat(b->pool, sizeof(b->pool[0]), BOARD_POOLS, name,
	    generation, oldest);
}

_Atomic uint32_t *
board_live(struct board *b, uint32_t worker, uint32_t backend)
{
	_Atomic uint32_t *rows;

	rows = (_Atomic uint32_t *)&b->backend[b->backends];
	return &rows[(size_t)worker * b->backends + backend];
}

void
board_sum(const struct board *b, struct board_totals *sum)
{
	const struct board_worker *w;

	memset(sum, 0, sizeof(*sum));
	for (w = b->worker; w < b->worker + BOARD_WORKERS; w++) {
		sum->sessions += atomic_load(&w->total);
		sum->lost += atomic_load(&w->lost);
		sum->up += atomic_load(&w->up);
		sum->down += atomic_load(&w->down);
	}
}

uint32_t
board_oldest(const struct board *b)
{
	const struct board_worker *w;
	uint32_t i, generation, oldest = atomic_load(&b->generation);

	for (i = 0; i < BOARD_WORKERS; i++) {
		w = &b->worker[i];
		generation = atomic_load(&w->generation);
		if (atomic_load(&w->pid) != 0 && generation < oldest)
			oldest = generation;
	}
	return oldest;
}

uint32_t
board_backend_live(struct board *b, uint32_t backend)
{
	uint32_t i, live = 0;

	for (i = 0; i < BOARD_WORKERS; i++)
		live += atomic_load_explicit(board_live(b, i, backend),
		    memory_order_relaxed);
	return live;
}

uint32_t
board_reclaim(struct board *b, uint32_t worker)
{
	struct board_worker *w = &b->worker[worker];
	uint32_t i, lost;

	lost = atomic_exchange(&w->live, 0);
	counter_add(&w->lost, lost);
	for (i = 0; i < b->backends; i++)
		atomic_store(board_live(b, worker, i), 0);
	atomic_store(&w->pid, 0);
	atomic_store(&w->state, WORKER_FREE);
	return lost;
}

const char *
worker_state_name(enum worker_state state)
{
	static const char *const names[] = {
#define X(name) #name,
		WORKER_STATES(X)
#undef X
	};

	return names[state];
}
