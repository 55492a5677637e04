/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_concurrency.c: limits that many processes share hold at every moment, and the
 * numbers are right again when one of them is killed.
 */
#include "board/concurrency.h"

#include <sys/mman.h>

#include <sched.h>
#include <signal.h>

#include "helpers.h"

#define WORKERS	4

static struct board *board;

/* What really is the case, for processes to see. */
static struct truth {
	_Atomic uint32_t inside[8];
	_Atomic uint32_t served;
	_Atomic uint32_t too_many;
	_Atomic uint32_t stop;
} *truth;

/*
 * Whoever adds up begins with the number of slots: then others may come or go in
 * between. Those that are still to come, and what they do.
 */
static int sums, changes;
static void (*change)(int sum);

uint32_t
__wrap_board_worker_slots(const struct board *b)
{
	if (changes > 0 && changes-- > 0)
		change(sums++);
	return __real_board_worker_slots(b);
}

/* The next sums see these changes. */
static void
between(int n, void (*what)(int))
{
	changes = n;
	sums = 0;
	change = what;
}

int
set_up(void)
{
	if ((board = board_new(16, NULL)) == NULL)
		return -1;
	atomic_store(&board->ledger->worker_slots, WORKERS);
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return truth == MAP_FAILED ? -1 : 0;
}

#define CLIENT_KEY	UINT64_C(12345)

/*
 * What worker 3 does, on listener 7 and from a client; *at* is where it counts.
 */
static uint32_t at_three;

static void
three(int n)
{
	atomic_fetch_add(board_present(board, 3, 7), (uint32_t)n);
	atomic_fetch_add(&board_clients(board, 3)[at_three], (uint64_t)n);
}

/* It has the last place just before the second sum. */
static void
push_in(int sum)
{
	if (sum == 1)
		three(1);
}

/* And has gone when we look again. */
static void
push_in_and_go(int sum)
{
	push_in(sum);
	if (sum == 2)
		three(-1);
}

int
tear_down(void)
{
	munmap(truth, sizeof(*truth));
	board_free(board);
	return 0;
}

TEST(of_listeners)
{
	assert_true(concurrency_enter(board, 0, 7, 2));
	assert_true(concurrency_enter(board, 3, 7, 2));
	assert_false(concurrency_enter(board, 0, 7, 2));
	assert_false(concurrency_enter(board, 1, 7, 2));
	assert_int_equal(concurrency_count(board, 7), 2);
	assert_true(concurrency_enter(board, 1, 8, 1));
	assert_true(concurrency_enter(board, 1, BOARD_EVERYBODY, 1));
	assert_false(concurrency_enter(board, 2, BOARD_EVERYBODY, 1));
	/* Who has no limit is counted, too. */
	assert_true(concurrency_enter(board, 1, 7, 0));
	assert_int_equal(concurrency_count(board, 7), 3);
	concurrency_leave(board, 3, 7);
	assert_false(concurrency_enter(board, 3, 7, 2));
	concurrency_leave(board, 1, 7);
	assert_true(concurrency_enter(board, 3, 7, 2));
}

TEST(of_clients)
{
	uint32_t at[3];

	at[0] = concurrency_enter_client(board, 0, 12345, 2);
	at[1] = concurrency_enter_client(board, 3, 12345, 2);
	assert_int_equal(concurrency_count_client(board, 12345), 2);
	assert_int_equal(concurrency_enter_client(board, 0, 12345, 2),
	    CONCURRENCY_FULL);
	assert_int_equal(concurrency_enter_client(board, 1, 12345, 2),
	    CONCURRENCY_FULL);
	/* The same bucket, another client. */
	at[2] = concurrency_enter_client(board, 0, 12345 | UINT64_C(1) << 40,
	    1);
	assert_int_not_equal(at[2], CONCURRENCY_FULL);
	assert_int_not_equal(at[2], at[0]);
	concurrency_leave_client(board, 3, at[1]);
	assert_int_equal(concurrency_count_client(board, 12345), 1);
	assert_int_equal(concurrency_enter_client(board, 0, 12345, 2), at[0]);
	concurrency_leave_client(board, 0, at[0]);
	concurrency_leave_client(board, 0, at[0]);
	concurrency_leave_client(board, 0, at[2]);
	assert_int_equal(concurrency_count_client(board, 12345), 0);
}

static bool
enter(uint32_t worker, bool client)
{
	return client ? concurrency_enter_client(board, worker, CLIENT_KEY,
	    2) != CONCURRENCY_FULL : concurrency_enter(board, worker, 7, 2);
}

/* Both looked when there was room: who adds last sees the other, and leaves. */
static void
assert_races(bool client)
{
	at_three = concurrency_enter_client(board, 3, CLIENT_KEY, 2);
	concurrency_leave_client(board, 3, at_three);
	assert_true(enter(0, client));
	between(9, push_in);
	assert_false(enter(0, client));
	/* Looked, added, looked again: when it is full nothing is added. */
	assert_int_equal(sums, 3);
	between(9, push_in);
	assert_false(enter(0, client));
	assert_int_equal(sums, 1);
	between(0, NULL);
	three(-1);
	between(9, push_in_and_go);
	assert_true(enter(1, client));
	between(0, NULL);
	assert_int_equal(client ? concurrency_count_client(board, CLIENT_KEY) :
	    concurrency_count(board, 7), 2);
}

TEST(others_push_in)
{
	assert_races(false);
}

TEST(others_push_in_from_a_client)
{
	assert_races(true);
}

/* As many clients as a bucket holds; then one that left makes room. */
TEST(full_bucket)
{
	uint64_t one = UINT64_C(1) << 30;
	uint32_t at[17];
	uint64_t i;

	for (i = 0; i < 16; i++)
		assert_int_not_equal(at[i] = concurrency_enter_client(board, 1,
		    one * (i + 1), 9), CONCURRENCY_FULL);
	assert_int_equal(concurrency_enter_client(board, 1, one * 17, 9),
	    CONCURRENCY_FULL);
	assert_int_not_equal(concurrency_enter_client(board, 1, one * 3, 9),
	    CONCURRENCY_FULL);
	assert_int_not_equal(concurrency_enter_client(board, 2, one * 17, 9),
	    CONCURRENCY_FULL);
	concurrency_leave_client(board, 1, at[4]);
	assert_int_equal(concurrency_enter_client(board, 1, one * 17, 9),
	    at[4]);
	for (i = 0; i < 16; i++)
		assert_int_equal(concurrency_count_client(board, one * (i + 1)),
		    i == 4 ? 0 : i == 2 ? 2 : 1);
}

/* Random comings and goings, compared to plain numbers. */
TEST(as_in_a_list)
{
	static struct { uint32_t worker, client, at; } in[3000];
	uint64_t seed = random_seed(), keys[500];
	uint32_t count[500] = { 0 }, n = 0, i, k, w, at;

	for (i = 0; i < COUNT(keys); i++)
		keys[i] = random_next(&seed);
	for (i = 0; i < 200000; i++) {
		if (n == COUNT(in) || (n > 0 && random_below(&seed, 2) == 0)) {
			k = random_below(&seed, n);
			concurrency_leave_client(board, in[k].worker, in[k].at);
			count[in[k].client]--;
			in[k] = in[--n];
			continue;
		}
		w = random_below(&seed, WORKERS);
		k = random_below(&seed, COUNT(keys));
		at = concurrency_enter_client(board, w, keys[k], 4);
		assert_int_equal(at == CONCURRENCY_FULL, count[k] == 4);
		if (at == CONCURRENCY_FULL)
			continue;
		in[n].worker = w;
		in[n].client = k;
		in[n++].at = at;
		count[k]++;
	}
	for (k = 0; k < COUNT(keys); k++)
		assert_int_equal(concurrency_count_client(board, keys[k]),
		    count[k]);
}

/* Nobody holds more than this of one thing. */
#define MOST	3

/* One client of thing *k*: a listener for 0, else a client. */
static void
come_and_go(uint32_t w, uint32_t k)
{
	uint32_t at = 0;

	if (k == 0 ? !concurrency_enter(board, w, 5, MOST) : (at =
	    concurrency_enter_client(board, w, k * UINT64_C(0x123456789abcdef),
	    MOST)) == CONCURRENCY_FULL)
		return;
	if (atomic_fetch_add(&truth->inside[k], 1) >= MOST)
		atomic_fetch_add(&truth->too_many, 1);
	atomic_fetch_add(&truth->served, 1);
	if (at % 3 == 0)
		sched_yield();
	atomic_fetch_sub(&truth->inside[k], 1);
	if (k == 0)
		concurrency_leave(board, w, 5);
	else
		concurrency_leave_client(board, w, at);
}

static pid_t
start_worker(uint32_t w)
{
	uint64_t seed = random_seed() + w;
	pid_t pid = (pid_t)MUST(fork());

	if (pid != 0)
		return pid;
	while (!atomic_load(&truth->stop))
		come_and_go(w, random_below(&seed, COUNT(truth->inside)));
	_exit(0);
}

/* All is over: everything is free, and can be had in full. */
static void
assert_empty(void)
{
	uint64_t client;
	uint32_t k, i;

	assert_int_equal(concurrency_count(board, 5), 0);
	for (k = 1; k < COUNT(truth->inside); k++) {
		client = k * UINT64_C(0x123456789abcdef);
		assert_int_equal(concurrency_count_client(board, client), 0);
		for (i = 0; i < MOST; i++)
			assert_int_not_equal(concurrency_enter_client(board, i,
			    client, MOST), CONCURRENCY_FULL);
	}
}

TEST(never_more)
{
	uint64_t until = clock_ms() + 300;
	pid_t pid[WORKERS];
	uint32_t w;

	for (w = 0; w < WORKERS; w++)
		pid[w] = start_worker(w);
	while (clock_ms() < until || atomic_load(&truth->served) < 1000)
		sched_yield();
	atomic_store(&truth->stop, 1);
	for (w = 0; w < WORKERS; w++)
		assert_int_equal(wait_child(pid[w]), 0);
	assert_int_equal(truth->too_many, 0);
	assert_empty();
}

/* Killed anywhere, as often as we like; the others go on. */
TEST(right_after_deaths)
{
	uint64_t seed = random_seed();
	pid_t pid[WORKERS];
	uint32_t w, i, before;

	for (w = 0; w < WORKERS; w++)
		pid[w] = start_worker(w);
	for (i = 0; i < 60; i++) {
		before = atomic_load(&truth->served);
		while (atomic_load(&truth->served) - before < 50)
			sched_yield();
		w = random_below(&seed, WORKERS);
		MUST(kill(pid[w], SIGKILL));
		MUST(waitpid(pid[w], NULL, 0));
		(void)board_reclaim(board, w);
		pid[w] = start_worker(w);
	}
	atomic_store(&truth->stop, 1);
	for (w = 0; w < WORKERS; w++)
		assert_int_equal(wait_child(pid[w]), 0);
	assert_empty();
}

/* Who dies with many clients leaves none. */
TEST(reclaim)
{
	uint64_t seed = random_seed(), from = seed;
	uint32_t i;

	for (i = 0; i < 30000; i++)
		assert_int_not_equal(concurrency_enter_client(board, 1,
		    random_next(&seed), 1), CONCURRENCY_FULL);
	assert_true(concurrency_enter(board, 1, BOARD_EVERYBODY, 0));
	assert_true(concurrency_enter(board, 1, BOARD_LISTENERS - 1, 0));
	(void)board_reclaim(board, 1);
	assert_int_equal(board->head->counts_clients[1], 0);
	assert_int_equal(concurrency_count(board, BOARD_EVERYBODY), 0);
	assert_int_equal(concurrency_count(board, BOARD_LISTENERS - 1), 0);
	for (i = 0; i < BOARD_CLIENTS; i++)
		assert_int_equal(board_clients(board, 1)[i], 0);
	for (i = 0; i < 30000; i++)
		assert_int_not_equal(concurrency_enter_client(board, 1,
		    random_next(&from), 1), CONCURRENCY_FULL);
}
