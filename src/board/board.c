/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * board.c: maps the board and takes back what dead processes held. Every object
 * has one fixed place; there is room for more than any machine needs, and
 * unused room is a hole in the file, which costs address space only.
 */
#include "board/board.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rounds up to where memory can be freed, with any page size. */
#define PAGES(size)	(((size) + 0xffff) & ~(size_t)0xffff)

/* Rows are summed in fours, see balance_leastconn.c. */
#define ROWS(n)		((n) >= BOARD_WORKERS ? BOARD_WORKERS : \
			    (((n) + 3) & ~3u) + 4 * ((n) == 0))

#define LEDGER_SIZE	PAGES(sizeof(struct board_ledger))
#define BOOK_SIZE	PAGES(BOARD_SERVER_SLOTS * sizeof(struct board_book))

/*
 * Processes read their clocks in turn: another one may be ahead by this, in ms.
 */
#define AHEAD		1000

/*
 * No process can shrink the file under the others, or fill memory by growing
 * it.
 */
#define SEALS		(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* The start of each part, and the end of the last. */
struct places {
	size_t shared, rows, clients, end;
};

static struct places
lay_out_board(uint32_t rows)
{
	struct places p;

	p.shared = LEDGER_SIZE + BOOK_SIZE;
	p.rows = p.shared + PAGES(sizeof(struct board_shared));
	p.clients = p.rows + PAGES(rows * sizeof(struct board_row));
	p.end = p.clients + rows * BOARD_CLIENTS_ROW;
	return p;
}

size_t
board_bytes(uint32_t workers)
{
	return lay_out_board(ROWS(workers)).end;
}

/*
 * Opens the same file for reading: its mapping can never become writable.
 * Without /proc it is only mapped that way.
 */
static int
open_reader(int fd)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Excludes the mapping from core files, which would consist of its holes. */
static struct board *
map_board(int fd, uint32_t rows)
{
	const struct places at = lay_out_board(rows);
	struct board_shared *shared;
	struct board *b = calloc(1, sizeof(*b));
	char *base;

	if (b == NULL)
		return NULL;
	base = mmap(NULL, at.end, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED) {
		free(b);
		return NULL;
	}
	(void)madvise(base, at.end, MADV_DONTDUMP);
	b->ledger = (struct board_ledger *)base;
	b->book = (struct board_book *)(base + LEDGER_SIZE);
	shared = (struct board_shared *)(base + at.shared);
	b->head = &shared->head;
	b->worker = shared->worker;
	b->pool = shared->pool;
	b->server = shared->server;
	b->listener = shared->listener;
	b->rates = shared->rates;
	b->row = (struct board_row *)(base + at.rows);
	b->clients = (_Atomic uint64_t *)(base + at.clients);
	b->rows = rows;
	b->size = at.end;
	b->reader = open_reader(fd);
	return b;
}

struct board *
board_new(uint32_t workers, int *passed)
{
	const uint32_t rows = ROWS(workers);
	struct board *b = NULL;
	int fd, err;

	/* A memory file, unlike MAP_ANONYMOUS, can be passed on. */
	fd = memfd_create("shuttled-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1 || ftruncate(fd, (off_t)board_bytes(rows)) == -1 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) == -1 ||
	    (b = map_board(fd, rows)) == NULL)
		goto fail;
	b->ledger->magic = BOARD_MAGIC;
	b->ledger->version = BOARD_VERSION;
	b->ledger->rows = rows;
	arc4random_buf(b->ledger->seed, sizeof(b->ledger->seed));
	if (passed != NULL)
		*passed = fd;
	else
		close(fd);
	return b;
fail:
	err = errno;
	if (fd != -1)
		close(fd);
	errno = err;
	return NULL;
}

/* Checks the ledger, which leads to everything else. */
static bool
is_sound_board(const struct board *b)
{
	const struct board_ledger *l = b->ledger;

	return atomic_load(&l->worker_slots) <= b->rows &&
	    board_slots_are_sound(l->server, atomic_load(&l->servers),
	    BOARD_SERVER_SLOTS) && board_slots_are_sound(l->pool,
	    atomic_load(&l->pools), BOARD_POOLS) &&
	    board_slots_are_sound(l->listener, atomic_load(&l->listeners),
	    BOARD_LISTENERS);
}

struct board *
board_adopt(int fd)
{
	struct { uint64_t magic; uint32_t version, rows; } begin;
	struct board *b;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return NULL;
	/* A file that can shrink could kill this process by a read. */
	if ((fcntl(fd, F_GET_SEALS) & SEALS) != SEALS ||
	    pread(fd, &begin, sizeof(begin), 0) != (ssize_t)sizeof(begin) ||
	    begin.magic != BOARD_MAGIC || begin.version != BOARD_VERSION ||
	    begin.rows == 0 || begin.rows != ROWS(begin.rows) ||
	    (size_t)st.st_size != board_bytes(begin.rows)) {
		errno = EINVAL;
		return NULL;
	}
	if ((b = map_board(fd, begin.rows)) == NULL || is_sound_board(b))
		return b;
	board_free(b);
	errno = EINVAL;
	return NULL;
}

void
board_free(struct board *b)
{
	if (b == NULL)
		return;
	if (b->reader != -1)
		close(b->reader);
	munmap(b->ledger, b->size);
	free(b->own);
	board_end_assigning(b);
	free(b);
}

int
board_leave_ledger(struct board *b, bool worker)
{
	size_t size = LEDGER_SIZE + (worker ? BOOK_SIZE : 0);
	int fd = b->reader;

	b->reader = -1;
	if (fd == -1)
		return mprotect(b->ledger, size, PROT_READ);
	if (mmap(b->ledger, size, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
	    0) == MAP_FAILED)
		return -1;
	close(fd);
	return madvise(b->ledger, size, MADV_DONTDUMP);
}

void
board_wake(const struct board *b, uint32_t worker)
{
	pid_t pid = atomic_load_explicit(&b->ledger->process[worker].pid,
	    memory_order_relaxed);

	/* A signal that is ignored by default, in case the pid was reused. */
	if (pid > 1)
		(void)kill(pid, BOARD_WAKEUP);
}

void
board_wake_all(const struct board *b)
{
	uint32_t i, slots = board_worker_slots(b);

	for (i = 0; i < slots; i++)
		board_wake(b, i);
}

uint32_t
board_worker_slots(const struct board *b)
{
	uint32_t slots = atomic_load(&b->ledger->worker_slots);

	return slots < b->rows ? slots : b->rows;
}

void
board_sum(const struct board *b, struct board_totals *sum)
{
	const struct board_worker *w;

	memset(sum, 0, sizeof(*sum));
	for (w = b->worker; w < b->worker + b->rows; w++) {
		sum->sessions += atomic_load(&w->total);
		sum->lost += atomic_load(&w->lost);
		sum->bytes_up += atomic_load(&w->bytes_up);
		sum->bytes_down += atomic_load(&w->bytes_down);
	}
}

void
board_renew(struct board *board, uint32_t slot, enum server_health health)
{
	struct board_server *b = &board->server[slot];
	struct board_book *s = &board->book[slot];

	atomic_store(&b->ejected_until, 0);
	atomic_store(&b->recent, 0);
	atomic_store(&b->last_ejected_until, 0);
	atomic_store(&b->ejections, 0);
	atomic_store(&s->downs, (atomic_load(&s->downs) | BOARD_DOWNS) + 1);
	atomic_store(&s->changed, 0);
	atomic_store(&s->health, health);
}

uint32_t
board_oldest(const struct board *b)
{
	const struct board_process *s;
	uint32_t i, generation, slots = board_worker_slots(b);
	uint32_t oldest = atomic_load(&b->ledger->generation);

	for (i = 0; i < slots; i++) {
		s = &b->ledger->process[i];
		generation = atomic_load(&s->generation);
		if (atomic_load(&s->pid) != 0 && generation < oldest)
			oldest = generation;
	}
	return oldest;
}

/* Raises a counter, never lowers it, even if another master writes as well. */
static void
raise_slots(struct board *b, uint32_t n)
{
	uint32_t was = atomic_load(&b->ledger->worker_slots);

	while (was < n &&
	    !atomic_compare_exchange_weak(&b->ledger->worker_slots, &was, n))
		;
}

static uint32_t
slots_in_use(const struct board *b)
{
	uint32_t n = b->rows;

	while (n > 0 && atomic_load(&b->ledger->process[n - 1].pid) == 0)
		n--;
	return n;
}

/*
 * Lowers the number of used worker slots, so that free ones at the end are not
 * summed. Another master may fill one meanwhile: either the second look finds
 * it, or that master raises the number after this.
 */
static void
lower_slots(struct board *b)
{
	uint32_t was = atomic_load(&b->ledger->worker_slots), n =
	    slots_in_use(b);

	if (n < was && atomic_compare_exchange_strong(&b->ledger->worker_slots,
	    &was, n))
		raise_slots(b, slots_in_use(b));
}

void
board_hold(struct board *b, uint32_t worker, int32_t pid, uint32_t generation)
{
	struct board_process *s = &b->ledger->process[worker];

	atomic_store(&s->stopped, 0);
	atomic_store(&s->generation, generation);
	atomic_store(&s->pid, pid);
	raise_slots(b, worker + 1);
}

bool
board_is_held(const struct board *b, uint32_t worker)
{
	return atomic_load_explicit(&b->ledger->process[worker].pid,
	    memory_order_relaxed) != 0;
}

bool
board_beats(const struct board *b, uint32_t worker, uint64_t now, uint64_t ms)
{
	uint64_t beat = atomic_load_explicit(&b->worker[worker].heartbeat,
	    memory_order_relaxed);

	return board_is_held(b, worker) && (beat > now ? beat - now <= AHEAD :
	    now - beat <= ms);
}

bool
board_saw(const struct board *b, uint32_t worker, uint64_t since, uint64_t now)
{
	uint64_t seen = atomic_load(&b->worker[worker].seen);

	return seen > since && (seen <= now || seen - now <= AHEAD);
}

uint32_t
board_server_live(const struct board *b, uint32_t server)
{
	uint32_t i, live = 0, slots = board_worker_slots(b);

	for (i = 0; i < slots; i++)
		live += atomic_load(board_live(b, i, server));
	return live;
}

uint32_t
board_reclaim(struct board *b, uint32_t worker)
{
	struct board_worker *w = &b->worker[worker];
	uint32_t lost = atomic_exchange(&w->live, 0);

	/*
	 * Above the limit of a process, the number was written by another one.
	 */
	if (lost > BOARD_MOST_LIVE)
		lost = 0;
	counter_add(&w->lost, lost);
	(void)board_clear_row(b, worker);
	atomic_store(&w->state, WORKER_FREE);
	atomic_store(&b->ledger->process[worker].pid, 0);
	lower_slots(b);
	return lost;
}

const char *
board_worker_state_name(enum worker_state state)
{
	static const char *const names[] = {
#define X(name) #name,
		WORKER_STATES(X)
#undef X
	};

	return (size_t)state < sizeof(names) / sizeof(*names) ? names[state] :
	    "?";
}

/* Untrusted: a prober may have written any value. */
enum server_health
board_health(const struct board_book *s)
{
	uint32_t health = atomic_load_explicit(&s->health,
	    memory_order_relaxed);

	return health <= HEALTH_DOWN ? (enum server_health)health :
	    HEALTH_UNKNOWN;
}

const char *
board_server_health_name(enum server_health health)
{
	static const char *const names[] = { "unknown", "up", "down" };

	return names[health];
}
