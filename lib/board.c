/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * board.c: lays the board out in one mapping and takes back what the dead left.
 * Sizes are fixed when it is made: nothing in it ever moves.
 */
#include "board.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* To the next line of the cache. */
#define ALIGNED(size)	(((size) + 63) & ~(size_t)63)

/* To where memory can be given back, on any machine. */
#define PAGES(size)	(((size) + 0xffff) & ~(size_t)0xffff)

/* The cells of one worker, by listener, on lines of their own. */
#define PRESENT_ROW	((BOARD_LISTENERS + 16) & ~15)
#define SOURCES_ROW	(BOARD_SOURCES * sizeof(uint64_t))

/* There is none to add to when only the size is asked for. */
static void *
place_at(char *base, size_t at)
{
	return base == NULL ? NULL : base + at;
}

/* Lay it out from *base* on, which may be NULL; returns how large it is. */
static size_t
lay_out(struct board *b, char *base)
{
	size_t at = 0;

	b->head = place_at(base, at);
	at += ALIGNED(sizeof(*b->head));
	b->worker = place_at(base, at);
	at += BOARD_WORKERS * sizeof(*b->worker);
	b->pool = place_at(base, at);
	at += BOARD_POOLS * sizeof(*b->pool);
	b->backend = place_at(base, at);
	at += b->backends * sizeof(*b->backend);
	b->wait = place_at(base, at);
	at += (size_t)BOARD_POOLS * BOARD_WORKERS * sizeof(*b->wait);
	b->listener = place_at(base, at);
	at += BOARD_LISTENERS * sizeof(*b->listener);
	b->rates = place_at(base, at);
	at += RATE_BUCKETS * sizeof(*b->rates);
	b->present = place_at(base, at);
	at += (size_t)BOARD_WORKERS * PRESENT_ROW * sizeof(*b->present);
	b->live = place_at(base, at);
	at += (size_t)BOARD_WORKERS * b->backends * sizeof(*b->live);
	/* And one line, for who reads whole ones from anywhere. */
	at = PAGES(at + 64);
	b->sources = place_at(base, at);
	return at + BOARD_WORKERS * SOURCES_ROW;
}

size_t
board_bytes(uint32_t backends)
{
	struct board b = { .backends = backends };

	return lay_out(&b, NULL);
}

static struct board *
new_handle(uint32_t backends)
{
	struct board *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->backends = backends;
	b->size = lay_out(b, NULL);
	memset(b->bell, -1, sizeof(b->bell));
	return b;
}

static int
map(struct board *b, int fd)
{
	char *base = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);

	if (base == MAP_FAILED)
		return -1;
	(void)lay_out(b, base);
	/* Of what is mostly holes a core file would be made of zeros. */
	(void)madvise(b->sources, BOARD_WORKERS * SOURCES_ROW, MADV_DONTDUMP);
	return 0;
}

struct board *
board_new(uint32_t backends, int *passed)
{
	struct board *b = new_handle(backends);
	int fd = -1, err;

	/* A memory file and not MAP_ANONYMOUS: it can be passed on. */
	if (b == NULL ||
	    (fd = memfd_create("shuttled-board", MFD_CLOEXEC)) == -1 ||
	    ftruncate(fd, (off_t)b->size) == -1 || map(b, fd) == -1)
		goto fail;
	b->head->magic = BOARD_MAGIC;
	b->head->version = BOARD_VERSION;
	b->head->backends = backends;
	arc4random_buf(b->head->seed, sizeof(b->head->seed));
	if (passed != NULL)
		*passed = fd;
	else
		close(fd);
	return b;
fail:
	err = errno;
	if (fd != -1)
		close(fd);
	free(b);
	errno = err;
	return NULL;
}

struct board *
board_adopt(int fd, uint32_t backends)
{
	struct board *b = new_handle(backends);
	struct stat st;
	int err;

	if (b == NULL || fstat(fd, &st) == -1)
		goto fail;
	errno = EINVAL;
	if ((size_t)st.st_size != b->size || map(b, fd) == -1)
		goto fail;
	if (b->head->magic == BOARD_MAGIC &&
	    b->head->version == BOARD_VERSION && b->head->backends == backends)
		return b;
	board_free(b);
	errno = EINVAL;
	return NULL;
fail:
	err = errno;
	free(b);
	errno = err;
	return NULL;
}

void
board_free(struct board *b)
{
	uint32_t i;

	if (b == NULL)
		return;
	for (i = 0; i < BOARD_WORKERS; i++)
		if (b->bell[i] != -1)
			close(b->bell[i]);
	munmap(b->head, b->size);
	free(b);
}

int
board_make_bells(struct board *b, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n && i < BOARD_WORKERS; i++)
		if (b->bell[i] == -1 && (b->bell[i] = eventfd(0,
		    EFD_NONBLOCK | EFD_CLOEXEC)) == -1)
			return -1;
	return 0;
}

void
board_ring(const struct board *b, uint32_t worker)
{
	const uint64_t one = 1;

	/* It can only fail for a bell that has been ringing for ages. */
	if (b->bell[worker] != -1)
		(void)!write(b->bell[worker], &one, sizeof(one));
}

void
board_ring_all(const struct board *b)
{
	uint32_t i, slots = board_slots(b);

	for (i = 0; i < slots; i++)
		board_ring(b, i);
}

void
board_hush(const struct board *b, uint32_t worker)
{
	uint64_t rung;

	(void)!read(b->bell[worker], &rung, sizeof(rung));
}

uint64_t
board_hash(const char *name)
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
	uint64_t hash = board_hash(name);
	struct board_seat *seat;

	for (i = 0; i < n; i++) {
		seat = (struct board_seat *)((char *)row + i * size);
		if (seat->hash == hash &&
		    strncmp(seat->name, name, sizeof(seat->name)) == 0)
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

uint32_t
board_seat_listener(struct board *b, const char *name, uint64_t generation,
    uint64_t oldest)
{
	return take_seat(b->listener, sizeof(b->listener[0]), BOARD_LISTENERS,
	    name, generation, oldest);
}

_Atomic uint32_t *
board_live(const struct board *b, uint32_t worker, uint32_t backend)
{
	return &b->live[(size_t)worker * b->backends + backend];
}

_Atomic uint32_t *
board_present(const struct board *b, uint32_t worker, uint32_t listener)
{
	return &b->present[worker * PRESENT_ROW + listener];
}

_Atomic uint64_t *
board_sources(const struct board *b, uint32_t worker)
{
	return &b->sources[(size_t)worker * BOARD_SOURCES];
}

struct board_wait *
board_wait(const struct board *b, uint32_t worker, uint32_t pool)
{
	return &b->wait[(size_t)pool * BOARD_WORKERS + worker];
}

uint32_t
board_slots(const struct board *b)
{
	uint32_t slots = atomic_load(&b->head->slots);

	return slots < BOARD_WORKERS ? slots : BOARD_WORKERS;
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

void
board_renew(struct board_backend *b, enum backend_health health)
{
	atomic_store(&b->held_until, 0);
	atomic_store(&b->recent, 0);
	atomic_store(&b->ejected_until, 0);
	atomic_store(&b->ejections, 0);
	atomic_store(&b->downs, (atomic_load(&b->downs) | BOARD_DOWNS) + 1);
	atomic_store(&b->changed, 0);
	atomic_store(&b->health, health);
}

uint32_t
board_oldest(const struct board *b)
{
	const struct board_worker *w;
	uint32_t i, generation, oldest = atomic_load(&b->head->generation);

	for (i = 0; i < BOARD_WORKERS; i++) {
		w = &b->worker[i];
		generation = atomic_load(&w->generation);
		if (atomic_load(&w->pid) != 0 && generation < oldest)
			oldest = generation;
	}
	return oldest;
}

uint32_t
board_backend_live(const struct board *b, uint32_t backend)
{
	uint32_t i, live = 0, slots = board_slots(b);

	for (i = 0; i < slots; i++)
		live += atomic_load(board_live(b, i, backend));
	return live;
}

/* Pages that are gone read as zero; where that cannot be, word by word. */
static void
forget_sources(struct board *b, uint32_t worker)
{
	_Atomic uint64_t *at = board_sources(b, worker);
	uint32_t i;

	if (atomic_load(&b->head->counts_sources[worker]) == 0)
		return;
	if (madvise(at, SOURCES_ROW, MADV_REMOVE) == -1)
		for (i = 0; i < BOARD_SOURCES; i++)
			atomic_store(&at[i], 0);
	atomic_store(&b->head->counts_sources[worker], 0);
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
	for (i = 0; i <= BOARD_EVERYBODY; i++)
		atomic_store(board_present(b, worker, i), 0);
	forget_sources(b, worker);
	/* Behind a seat that was never taken nobody sits. */
	for (i = 0; i < BOARD_POOLS && b->pool[i].seat.hash != 0; i++) {
		atomic_store(&board_wait(b, worker, i)->ticket, 0);
		atomic_store(&board_wait(b, worker, i)->n, 0);
	}
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

const char *
backend_health_name(enum backend_health health)
{
	static const char *const names[] = { "unknown", "up", "down" };

	return names[health];
}
