/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_board.c: the shared mapping, seen from several processes: its layout, its
 * counters, and what the master takes back from the dead.
 */
#include "board/board.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "helpers.h"

static int	fail_ftruncate, fail_mmap;	/* errno of the next call */

int
__wrap_ftruncate(int fd, off_t size)
{
	if (fail_ftruncate == 0)
		return __real_ftruncate(fd, size);
	errno = fail_ftruncate;
	fail_ftruncate = 0;
	return -1;
}

void *
__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t from)
{
	if (fail_mmap == 0)
		return __real_mmap(at, size, prot, flags, fd, from);
	errno = fail_mmap;
	fail_mmap = 0;
	return MAP_FAILED;
}

static struct board *
new_board(void)
{
	struct board *b = board_new(16, NULL);

	assert_non_null(b);
	/* As if all had been used. */
	atomic_store(&b->ledger->worker_slots, b->rows);
	return b;
}

TEST(fresh_board)
{
	int before = open_descriptors();
	struct board *b = new_board();
	static const struct board_worker no_worker;
	static const struct board_pool no_pool;
	uint32_t i, k;

	/* One, for those who may only read. */
	assert_int_equal(open_descriptors(), before + 1);
	assert_int_equal(b->ledger->magic, BOARD_MAGIC);
	assert_memory_equal(&b->ledger->magic, "shuttled", 8);
	assert_int_equal(b->ledger->version, BOARD_VERSION);
	assert_int_equal(b->rows, 16);
	assert_int_equal(b->ledger->rows, 16);
	/* The rest is zero: all slots are free, nobody is ejected. */
	assert_int_equal(WORKER_FREE, 0);
	for (i = 0; i < BOARD_WORKERS; i++)
		assert_memory_equal(&b->worker[i], &no_worker,
		    sizeof(no_worker));
	for (i = 0; i < BOARD_POOLS; i++)
		assert_memory_equal(&b->pool[i], &no_pool, sizeof(no_pool));
	for (i = 0; i < 3; i++) {
		assert_int_equal(b->server[i].ejected_until, 0);
		assert_int_equal(b->server[i].failures, 0);
		assert_int_equal(b->server[i].served, 0);
		assert_int_equal(board_server_live(b, i), 0);
		for (k = 0; k < b->rows; k++)
			assert_int_equal(*board_live(b, k, i), 0);
	}
	board_free(b);
	assert_int_equal(open_descriptors(), before);
}

/* Two processes that write side by side must not share a cache line. */
TEST(writers_have_lines_of_their_own)
{
	struct board *b = new_board();

	assert_int_equal((uintptr_t)&b->worker[0] % 64, 0);
	assert_int_equal((uintptr_t)&b->worker[1] % 64, 0);
	assert_int_equal((uintptr_t)&b->server[0] % 64, 0);
	assert_int_equal((uintptr_t)&b->server[1] % 64, 0);
	assert_int_equal((uintptr_t)&b->server[1].ejected_until % 64, 0);
	assert_int_equal((uintptr_t)&b->pool[1].tier[TIER_BACKUP] % 64, 0);
	assert_true(sizeof(b->pool[0].tier[0]) >= 64);
	assert_true(atomic_is_lock_free(&b->worker[0].total));
	assert_true(atomic_is_lock_free(&b->worker[0].live));
	board_free(b);
}

/* A name keeps its slot, and what stands there, for as long as it is used. */
TEST(slots_go_by_name)
{
	struct board *b = new_board();

	assert_int_equal(board_assign_server(b, "a", 9, 1, 1), 0);
	assert_int_equal(board_assign_server(b, "b", 9, 1, 1), 1);
	b->server[0].served = 7;
	b->server[1].served = 8;
	/* b goes, c comes; those of generation 1 still have sessions on b. */
	assert_int_equal(board_assign_server(b, "c", 9, 2, 1), 2);
	assert_int_equal(board_assign_server(b, "a", 9, 2, 1), 0);
	assert_int_equal(b->server[0].served, 7);
	assert_int_equal(board_assign_server(b, "d", 9, 2, 1), 3);
	/* When they have ended its slot is free, and wiped clean. */
	assert_int_equal(board_assign_server(b, "e", 9, 3, 2), 1);
	assert_int_equal(b->server[1].served, 0);
	assert_string_equal(b->ledger->server[1].name, "e");
	assert_int_equal(board_assign_server(b, "a", 9, 3, 2), 0);
	assert_int_equal(b->server[0].served, 7);
	/* A name that comes back is as good as new. */
	board_end_assigning(b);
	b->server[2].served = 9;
	assert_int_equal(board_assign_server(b, "b", 9, 4, 3), 2);
	assert_int_equal(b->server[2].served, 0);
	assert_int_equal(b->ledger->servers, 4);
	board_free(b);
}

/*
 * A name at another address is another server: its own sessions are counted, and
 * those of the one before are found again should that come back.
 */
TEST(slots_go_by_address)
{
	struct board *b = new_board();

	assert_int_equal(board_assign_server(b, "a", 1, 1, 1), 0);
	assert_int_equal(board_assign_server(b, "b", 1, 1, 1), 1);
	b->server[0].served = 7;
	assert_int_equal(board_assign_server(b, "a", 2, 2, 1), 2);
	assert_int_equal(b->server[2].served, 0);
	assert_int_equal(board_assign_server(b, "a", 3, 3, 1), 3);
	assert_int_equal(board_assign_server(b, "a", 1, 4, 1), 0);
	assert_int_equal(b->server[0].served, 7);
	board_free(b);
}

/* What is said of one that was away until the last session ended is old. */
TEST(slots_are_wiped)
{
	struct board *b = new_board();

	assert_int_equal(board_assign_server(b, "a", 9, 1, 1), 0);
	atomic_store(&b->book[0].health, HEALTH_UP);
	assert_int_equal(board_assign_server(b, "a", 9, 2, 1), 0);
	assert_int_equal(b->book[0].health, HEALTH_UP);
	assert_int_equal(board_assign_server(b, "a", 9, 5, 4), 0);
	assert_int_equal(b->book[0].health, HEALTH_UNKNOWN);
	board_free(b);
}

/* However many there are, each is found again, and the last one is the last. */
TEST(slots_run_out)
{
	struct board *b = new_board();
	char name[16];
	uint32_t i;

	for (i = 0; i < BOARD_POOLS; i++) {
		snprintf(name, sizeof(name), "pool %u", i);
		assert_int_equal(board_assign_pool(b, name, 1, 1), i);
	}
	assert_int_equal(board_assign_pool(b, "more", 1, 1), BOARD_NO_SLOT);
	b->pool[3].tier[TIER_PRIMARY].ticket = 11;
	for (i = BOARD_POOLS; i-- > 0;) {
		snprintf(name, sizeof(name), "pool %u", i);
		assert_int_equal(board_assign_pool(b, name, 2, 1), i);
	}
	assert_int_equal(b->pool[3].tier[TIER_PRIMARY].ticket, 11);
	assert_int_equal(board_assign_pool(b, "more", 2, 1), BOARD_NO_SLOT);
	assert_int_equal(board_assign_pool(b, "more", 3, 3), 0);
	/* A name like a pool's is no server's, nor a listener's. */
	assert_int_equal(board_assign_server(b, "pool 3", 9, 1, 1), 0);
	assert_int_equal(board_assign_listener(b, "pool 4", 1, 1), 0);
	assert_int_equal(board_assign_listener(b, "pool 3", 1, 1), 1);
	assert_int_equal(board_assign_listener(b, "pool 3", 2, 1), 1);
	board_free(b);
}

/* Three thousand servers, renamed with each of several reloads. */
TEST(slots_of_renamed_servers)
{
	struct board *b = new_board();
	char name[32];
	uint32_t g, i;

	for (g = 1; g <= 10; g++)
		for (i = 0; i < 3000; i++) {
			snprintf(name, sizeof(name), "%u.%u", g, i);
			assert_int_equal(board_assign_server(b, name, 9, g, 1),
			    (g - 1) * 3000 + i);
		}
	/* Those of all but the last are gone. */
	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "11.%u", i);
		assert_int_equal(board_assign_server(b, name, 9, 11, 10), i);
	}
	board_free(b);
}

static void
refused(int fd)
{
	assert_null(board_adopt(fd));
	assert_int_equal(errno, EINVAL);
}

/* What one program has made another one can use, if they agree on it. */
TEST(adopted)
{
	struct board *a, *b;
	int fd = -1, before = open_descriptors();

	a = board_new(3, &fd);
	assert_non_null(a);
	assert_int_not_equal(fd, -1);
	a->worker[2].total = 7;
	assert_int_equal(board_assign_server(a, "a", 9, 1, 1), 0);
	b = board_adopt(fd);
	assert_non_null(b);
	assert_int_equal(b->rows, 4);
	assert_int_equal(b->worker[2].total, 7);
	assert_int_equal(board_assign_server(b, "a", 9, 2, 1), 0);
	board_free(b);
	a->ledger->version++;
	refused(fd);
	a->ledger->version--;
	a->ledger->rows = 8;
	refused(fd);
	a->ledger->rows = 4;
	a->ledger->worker_slots = 5;
	refused(fd);
	a->ledger->worker_slots = 0;
	a->ledger->servers = BOARD_SERVER_SLOTS + 1;
	refused(fd);
	a->ledger->servers = 2;	/* of which the second has no name */
	refused(fd);
	a->ledger->servers = 1;
	memset(a->ledger->server[0].name, 'x', BOARD_NAME);
	refused(fd);
	assert_null(board_adopt(-1));
	board_free(a);
	close(fd);
	assert_int_equal(open_descriptors(), before);
}

/* Neither a worker nor a stranger can take the ground from under the others. */
TEST(sealed)
{
	int fd = -1, other;
	struct board *b = board_new(1, &fd);

	assert_non_null(b);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, (off_t)b->size * 2), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	/* One that could be shrunk is not taken over. */
	other = (int)MUST(memfd_create("other", MFD_ALLOW_SEALING));
	MUST(ftruncate(other, (off_t)b->size));
	assert_int_equal(pwrite(other, b->ledger, 64, 0), 64);
	assert_null(board_adopt(other));
	assert_int_equal(errno, EINVAL);
	close(other);
	board_free(b);
	close(fd);
}

/* A worker reads what the master says, now and later, and cannot write it. */
TEST(ledger_is_the_masters)
{
	struct board *b = new_board();
	int ready[2], status;
	pid_t pid;
	char c;

	MUST(pipe(ready));
	if ((pid = (pid_t)MUST(fork())) == 0) {
		if (board_leave_ledger(b, true) == -1)
			_exit(2);
		counter_add(&b->worker[3].total, 7);
		if (read_full(ready[0], &c, 1) != 1 ||
		    b->ledger->leaving != 1 || mprotect(b->ledger, 4096,
		    PROT_READ | PROT_WRITE) != -1)
			_exit(3);
		signal(SIGSEGV, SIG_DFL);
		atomic_store(&b->ledger->worker_slots, 1);
		_exit(4);
	}
	atomic_store(&b->ledger->leaving, 1);
	assert_int_equal(write(ready[1], "", 1), 1);
	assert_int_equal(MUST(waitpid(pid, &status, 0)), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	assert_int_equal(b->worker[3].total, 7);
	assert_int_equal(b->ledger->worker_slots, b->rows);
	close_pair(ready);
	board_free(b);
}

/* Slots that nobody holds any more at the end are not added up. */
TEST(slots_follow_their_use)
{
	struct board *b = board_new(16, NULL);

	assert_non_null(b);
	assert_int_equal(board_worker_slots(b), 0);
	board_hold(b, 0, 100, 1);
	board_hold(b, 9, 101, 1);
	board_hold(b, 4, 102, 1);
	assert_int_equal(board_worker_slots(b), 10);
	(void)board_reclaim(b, 4);
	assert_int_equal(board_worker_slots(b), 10);
	(void)board_reclaim(b, 9);
	assert_int_equal(board_worker_slots(b), 1);
	board_hold(b, 15, 103, 2);
	assert_int_equal(board_worker_slots(b), 16);
	(void)board_reclaim(b, 15);
	(void)board_reclaim(b, 0);
	assert_int_equal(board_worker_slots(b), 0);
	board_free(b);
}

TEST(sums)
{
	struct board *b = new_board();
	struct board_totals sum;

	b->worker[0].total = 5;
	b->worker[0].bytes_up = 100;
	b->worker[b->rows - 1].total = 7;
	b->worker[b->rows - 1].lost = 2;
	b->worker[3].bytes_down = 1000;
	b->worker[4].bytes_down = 1;
	board_sum(b, &sum);
	assert_int_equal(sum.sessions, 12);
	assert_int_equal(sum.lost, 2);
	assert_int_equal(sum.bytes_up, 100);
	assert_int_equal(sum.bytes_down, 1001);
	board_free(b);
}

/* A worker that was taken over can write what it likes to the shared pages. */
TEST(holds_whatever_is_written)
{
	struct board *b = new_board();
	uint32_t w = b->rows - 1, slot = board_assign_server(b, "a", 9, 1, 1);

	memset(b->head, 0xff, sizeof(struct board_shared));
	memset(b->row, 0xff, b->rows * sizeof(*b->row));
	assert_int_equal(board_worker_slots(b), b->rows);
	/* No process has so many sessions. */
	assert_int_equal(board_reclaim(b, w), 0);
	assert_int_equal(*board_live(b, w, slot), 0);
	assert_int_equal(board_assign_server(b, "a", 9, 2, 1), slot);
	board_free(b);
}

/* The worker whose row it is knows better; what nobody has is empty. */
TEST(rows_are_mended)
{
	struct board *b = board_new(8, NULL);
	uint32_t i;

	assert_non_null(b);
	for (i = 0; i < 3; i++)
		assert_int_equal(board_assign_pool(b, &"abc"[i], 1, 1), i);
	assert_int_equal(board_assign_server(b, "s", 1, 1, 1), 0);
	assert_int_equal(board_assign_listener(b, "l", 1, 1), 0);
	board_hold(b, 1, 101, 1);
	board_hold(b, 5, 105, 1);
	*board_live(b, 5, 0) = 77;	/* of the one before it in this slot */
	assert_int_equal(board_mend_row(b, 5), 0);
	assert_int_equal(board_keep_row(b, 5), 0);
	assert_int_equal(*board_live(b, 5, 0), 0);
	*board_live(b, 5, 0) = 2;
	board_own_live(b, 0, 3);
	board_own_live(b, 0, -1);
	*board_present(b, 5, BOARD_EVERYBODY) = 4;
	board_own_present(b, BOARD_EVERYBODY, 4);
	board_wait(b, 5, 2)->n = 1;
	board_wait(b, 5, 2)->ticket = 99;
	board_own_waiting(b, 2, 1);
	board_own_ticket(b, 2, 99);
	assert_int_equal(board_mend_row(b, 5), 0);
	memset(b->row, 0xee, b->rows * sizeof(*b->row));
	memset(b->head, 0xee, sizeof(*b->head));
	assert_true(board_mend_row(b, 5) > 0);
	assert_int_equal(*board_live(b, 5, 0), 2);
	assert_int_equal(*board_present(b, 5, 0), 0);
	assert_int_equal(*board_present(b, 5, BOARD_EVERYBODY), 4);
	assert_int_equal(board_wait(b, 5, 2)->n, 1);
	assert_int_equal(board_wait(b, 5, 2)->ticket, 99);
	assert_int_equal(board_wait(b, 5, 1)->ticket, 0);
	/* Slots between it and the worker before it, and not that one's. */
	for (i = 2; i < 5; i++)
		assert_int_equal(*board_live(b, i, 0), 0);
	assert_int_equal(b->head->counts_clients[3], 0);
	assert_int_equal(*board_live(b, 1, 0), 0xeeeeeeee);
	assert_int_equal(*board_live(b, 0, 0), 0xeeeeeeee);
	assert_int_equal(board_mend_row(b, 5), 0);
	board_free(b);
}

/* The child of a fork: can it write here, or make that so? */
static bool
can_write(struct board *b, bool worker, void *where)
{
	int status;
	pid_t pid;

	if ((pid = (pid_t)MUST(fork())) == 0) {
		signal(SIGSEGV, SIG_DFL);
		if (board_leave_ledger(b, worker) == -1)
			_exit(2);
		(void)mprotect((void *)((uintptr_t)where & ~(uintptr_t)4095),
		    4096, PROT_READ | PROT_WRITE);
		*(volatile char *)where = 1;
		_exit(0);
	}
	assert_int_equal(MUST(waitpid(pid, &status, 0)), pid);
	assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGSEGV :
	    status == 0);
	return status == 0;
}

/* What the prober has found of a server no worker can write, the last neither. */
TEST(book_is_the_probers)
{
	struct board *b = new_board();

	assert_false(can_write(b, true, &b->book[0].health));
	assert_false(can_write(b, true, &b->book[BOARD_SERVER_SLOTS -
	    1].resolved));
	assert_int_equal(b->book[0].health, HEALTH_UNKNOWN);
	assert_true(can_write(b, false, &b->book[0].health));
	assert_int_equal(b->book[0].health, HEALTH_UP);
	assert_false(can_write(b, false, &b->ledger->process[0]));
	assert_true(can_write(b, true, &b->server[0].ejected_until));
	/* Of a prober that writes nonsense it is nothing worse. */
	b->book[0].health = 7;
	assert_int_equal(board_health(&b->book[0]), HEALTH_UNKNOWN);
	board_free(b);
}

TEST(oldest_generation)
{
	struct board *b = new_board();

	b->ledger->generation = 5;
	assert_int_equal(board_oldest(b), 5);
	b->ledger->process[9].generation = 3;	/* nobody there any more */
	assert_int_equal(board_oldest(b), 5);
	board_hold(b, 9, 100, 3);
	board_hold(b, 4, 101, 4);
	assert_int_equal(board_oldest(b), 3);
	board_free(b);
}

/* Every cell has its own place, inside the mapping, apart from the slots. */
TEST(cells_do_not_overlap)
{
	struct board *b = new_board();
	uint32_t w, i, n = 100;
	_Atomic uint32_t *cell;

	for (w = 0; w < b->rows; w++)
		for (i = 0; i < n; i++) {
			*board_live(b, w, i) = w * 1000 + i + 1;
			*board_present(b, w, i) = w * 1000 + i + 2;
			board_wait(b, w, i)->n = w * 1000 + i + 3;
			board_clients(b, w)[i] = w * 1000 + i + 4;
		}
	for (i = 0; i < n; i++) {
		b->server[i].ejected_until = UINT64_MAX;
		b->server[i].failures = UINT64_MAX;
		b->server[i].served = UINT64_MAX;
	}
	for (w = 0; w < b->rows; w++)
		for (i = 0; i < n; i++) {
			cell = board_live(b, w, i);
			assert_int_equal(*cell, w * 1000 + i + 1);
			assert_true((uintptr_t)(cell + 1) <=
			    (uintptr_t)b->ledger + b->size);
			assert_int_equal(*board_present(b, w, i),
			    w * 1000 + i + 2);
			assert_int_equal(board_wait(b, w, i)->n,
			    w * 1000 + i + 3);
			assert_int_equal(board_clients(b, w)[i],
			    w * 1000 + i + 4);
		}
	board_free(b);
}

/* The most of everything: mostly holes, however large. */
TEST(most)
{
	struct board *b = board_new(BOARD_WORKERS, NULL);
	_Atomic uint64_t *client;

	assert_non_null(b);
	assert_int_equal(b->rows, BOARD_WORKERS);
	assert_int_equal(b->size, board_bytes(BOARD_WORKERS));
	atomic_store(&b->ledger->worker_slots, b->rows);
	*board_live(b, b->rows - 1, BOARD_SERVER_SLOTS - 1) = 5;
	b->server[BOARD_SERVER_SLOTS - 1].served = 6;
	assert_int_equal(board_server_live(b, BOARD_SERVER_SLOTS - 1), 5);
	assert_int_equal(board_server_live(b, BOARD_SERVER_SLOTS - 2), 0);
	client = &board_clients(b, b->rows - 1)[BOARD_CLIENTS - 1];
	assert_int_equal((uintptr_t)(client + 1), (uintptr_t)b->ledger +
	    b->size);
	*client = 7;
	board_free(b);
	/* As little as there can be. */
	b = board_new(0, NULL);
	assert_non_null(b);
	assert_int_equal(b->rows, 4);
	board_free(b);
	board_free(NULL);
}

TEST(processes_see_each_other)
{
	struct board *b = new_board();
	pid_t pid;

	if ((pid = (pid_t)MUST(fork())) == 0) {
		counter_add(&b->worker[3].total, 7);
		gauge_add(board_live(b, 3, 1), 4);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
	assert_int_equal(b->worker[3].total, 7);
	assert_int_equal(board_server_live(b, 1), 4);
	board_free(b);
}

/* A file in memory, which can be handed to a process that is no child. */
TEST(mapping_can_be_passed_on)
{
	static char maps[1 << 18];
	struct board *b = new_board();
	int fd = (int)MUST(open("/proc/self/maps", O_RDONLY));

	assert_non_null(strstr(read_text(fd, maps, sizeof(maps)),
	    "/memfd:shuttled-board"));
	close(fd);
	board_free(b);
	fd = (int)MUST(open("/proc/self/maps", O_RDONLY));
	assert_null(strstr(read_text(fd, maps, sizeof(maps)),
	    "/memfd:shuttled-board"));
	close(fd);
}

TEST(counters)
{
	_Atomic uint64_t c = UINT32_MAX;
	_Atomic uint32_t g = 0;

	counter_add(&c, 1);
	counter_add(&c, UINT64_C(1) << 40);
	assert_int_equal(c, (UINT64_C(1) << 40) + (UINT64_C(1) << 32));
	gauge_add(&g, 1);
	gauge_add(&g, 2);
	gauge_add(&g, -1);
	assert_int_equal(g, 2);
	gauge_add(&g, -2);
	assert_int_equal(g, 0);
}

TEST(sum_over_workers)
{
	struct board *b = new_board();

	gauge_add(board_live(b, 0, 1), 1);
	gauge_add(board_live(b, 7, 1), 20);
	gauge_add(board_live(b, b->rows - 1, 1), 300);
	gauge_add(board_live(b, 7, 0), 4000);
	gauge_add(board_live(b, 7, 2), 50000);
	assert_int_equal(board_server_live(b, 0), 4000);
	assert_int_equal(board_server_live(b, 1), 321);
	assert_int_equal(board_server_live(b, 2), 50000);
	board_free(b);
}

static struct board *
with_slots(void)
{
	struct board *b = new_board();

	assert_int_equal(board_assign_server(b, "a", 9, 1, 1), 0);
	assert_int_equal(board_assign_server(b, "b", 9, 1, 1), 1);
	assert_int_equal(board_assign_server(b, "c", 9, 1, 1), 2);
	assert_int_equal(board_assign_server(b, "d", 9, 1, 1), 3);
	return b;
}

/* A worker with sessions, as it stands on the board. */
static void
hold(struct board *b, uint32_t w)
{
	uint32_t i;

	board_hold(b, w, 4711, 2);
	b->worker[w].state = WORKER_READY;
	b->worker[w].live = 6;
	b->worker[w].total = 50;
	b->worker[w].bytes_up = 123;
	b->worker[w].ends[3] = 44;
	for (i = 0; i < 4; i++)
		gauge_add(board_live(b, w, i), (int32_t)i);
}

static void
assert_reclaimed(struct board *b, uint32_t w, uint64_t lost)
{
	uint32_t i;

	assert_int_equal(b->ledger->process[w].pid, 0);
	assert_int_equal(b->worker[w].state, WORKER_FREE);
	assert_int_equal(b->worker[w].live, 0);
	assert_int_equal(b->worker[w].lost, lost);
	for (i = 0; i < 4; i++)
		assert_int_equal(*board_live(b, w, i), 0);
	/* Totals go on counting. */
	assert_int_equal(b->worker[w].total, 50);
	assert_int_equal(b->worker[w].bytes_up, 123);
	assert_int_equal(b->worker[w].ends[3], 44);
}

TEST(reclaim)
{
	struct board *b = with_slots();
	uint32_t i;

	hold(b, 4);
	hold(b, 5);
	hold(b, 6);
	assert_int_equal(board_reclaim(b, 5), 6);
	assert_reclaimed(b, 5, 6);
	/* The neighbours keep what is theirs. */
	for (i = 4; i <= 6; i += 2) {
		assert_int_equal(b->ledger->process[i].pid, 4711);
		assert_int_equal(b->worker[i].state, WORKER_READY);
		assert_int_equal(b->worker[i].live, 6);
		assert_int_equal(b->worker[i].lost, 0);
		assert_int_equal(*board_live(b, i, 3), 3);
	}
	assert_int_equal(board_server_live(b, 3), 6);
	/* Nothing is lost twice; the next death adds up. */
	assert_int_equal(board_reclaim(b, 5), 0);
	assert_reclaimed(b, 5, 6);
	b->worker[5].live = 1;
	assert_int_equal(board_reclaim(b, 5), 1);
	assert_reclaimed(b, 5, 7);
	board_free(b);
}

TEST(reclaim_from_a_killed_process)
{
	struct board *b = with_slots();
	pid_t pid;
	int p[2];
	char c;

	MUST(pipe(p));
	if ((pid = (pid_t)MUST(fork())) == 0) {
		hold(b, 0);
		if (write(p[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	assert_int_equal(read_full(p[0], &c, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(wait_child(pid), 128 + SIGKILL);
	assert_int_equal(board_server_live(b, 2), 2);
	assert_int_equal(board_reclaim(b, 0), 6);
	assert_reclaimed(b, 0, 6);
	assert_int_equal(board_server_live(b, 2), 0);
	close_pair(p);
	board_free(b);
}

TEST(state_names)
{
	assert_string_equal(board_worker_state_name(WORKER_FREE), "FREE");
	assert_string_equal(board_worker_state_name(WORKER_STARTING),
	    "STARTING");
	assert_string_equal(board_worker_state_name(WORKER_READY), "READY");
	assert_string_equal(board_worker_state_name(WORKER_DRAINING),
	    "DRAINING");
	assert_string_equal(board_server_health_name(HEALTH_UNKNOWN),
	    "unknown");
	assert_string_equal(board_server_health_name(HEALTH_DOWN), "down");
}

TEST(errors)
{
	int before = open_descriptors();
	struct board *b;
	rlim_t limit;

	limit = forbid_descriptors();
	b = board_new(16, NULL);
	allow_descriptors(limit);
	assert_null(b);
	assert_int_equal(errno, EMFILE);
	fail_ftruncate = ENOSPC;
	assert_null(board_new(16, NULL));
	assert_int_equal(errno, ENOSPC);
	fail_mmap = ENOMEM;
	assert_null(board_new(16, NULL));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(open_descriptors(), before);
}
