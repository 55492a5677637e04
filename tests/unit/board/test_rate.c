/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_rate.c: never more than so many in any second, on a clock of our own, whose
 * moments may pass while one is counted; and on the real one, by processes that
 * race.
 */
#include "board/rate.h"

#include <sys/mman.h>

#include "helpers.h"
#include "sys/clock.h"

#define SLICES(ms)	((ms) * 16 / 1000)

static uint64_t clock_now;		/* 0: the real one */
static uint64_t jumps[4];		/* ms that pass after the next calls */
static void (*intruder)(void);	/* called at the one after the next */
static int calls;

static struct rate rate;
static struct rate_bucket *table;
static struct rate_mark mark;

uint64_t
__wrap_clock_now_ms(void)
{
	uint64_t now = clock_now;

	if (now == 0)
		return __real_clock_now_ms();
	if (intruder != NULL && calls++ == 1)
		intruder();
	clock_now += jumps[0];
	memmove(jumps, jumps + 1, sizeof(jumps) - sizeof(*jumps));
	return now;
}

int
set_up(void)
{
	memset(&rate, 0, sizeof(rate));
	memset(jumps, 0, sizeof(jumps));
	clock_now = 1000000;
	table = mmap(NULL, RATE_BUCKETS * sizeof(*table),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return table == MAP_FAILED ? -1 : 0;
}

int
tear_down(void)
{
	munmap(table, RATE_BUCKETS * sizeof(*table));
	return 0;
}

/* Take until it is enough. */
static uint32_t
take_all(uint32_t max)
{
	uint32_t n = 0;

	while (rate_take(&rate, max, &mark))
		n++;
	return n;
}

TEST(so_many_a_second)
{
	assert_int_equal(take_all(5), 5);
	clock_now += 999;
	assert_int_equal(take_all(5), 0);
	/* A second and two slices: nothing of it counts any more. */
	clock_now += 126;
	assert_int_equal(take_all(5), 5);
	clock_now += 1000000;
	assert_int_equal(take_all(7), 7);
}

TEST(given_back)
{
	static const struct rate_mark none;

	assert_int_equal(take_all(3), 3);
	rate_give(&mark);
	assert_int_equal(take_all(3), 1);
	clock_now += 500;
	rate_give(&mark);
	rate_give(&none);
	assert_int_equal(take_all(3), 1);
	/* Its slice has another second to count by now. */
	clock_now += 1500;
	assert_true(mark.slice < SLICES(clock_now));
	assert_int_equal(take_all(3), 3);
	rate_give(&(struct rate_mark){ .rate = &rate,
	    .slice = SLICES(clock_now) - RATE_SLICES });
	assert_int_equal(take_all(3), 0);
}

/* Another process counts one, while we do. */
static void
push_in(void)
{
	struct rate_mark m;

	intruder = NULL;
	assert_true(rate_take(&rate, 9, &m));
	assert_true(rate_take_client(table, 5, 9, &m));
}

/* Both looked when there was room for one more. */
TEST(others_push_in)
{
	calls = 0;
	intruder = push_in;
	assert_false(rate_take(&rate, 1, &mark));
	assert_false(rate_take_client(table, 5, 1, &mark));
	assert_true(rate_take(&rate, 2, &mark));
	assert_false(rate_take(&rate, 2, &mark));
	calls = 0;
	intruder = push_in;
	assert_false(rate_take_client(table, 5, 2, &mark));
	assert_false(rate_take_client(table, 5, 2, &mark));
	assert_true(rate_take_client(table, 5, 3, &mark));
}

/* The slice is over before it is counted: it counts in the one after. */
TEST(the_moment_passes)
{
	jumps[0] = 200;
	assert_true(rate_take(&rate, 1, &mark));
	assert_int_equal(mark.slice, SLICES(clock_now));
	clock_now += 999;
	assert_int_equal(take_all(1), 0);
	clock_now += 126;
	assert_int_equal(take_all(1), 1);
}

/* What a worker that was taken over has written does not refuse all for ever. */
TEST(nonsense)
{
	uint64_t i;

	memset(&rate, 0xee, sizeof(rate));
	assert_int_equal(take_all(3), 3);
	assert_int_equal(take_all(3), 0);
	clock_now += 2000;
	assert_int_equal(take_all(3), 3);
	/* Of times to come, though not far from now: in slices of a 16th. */
	clock_now = 1000000;
	for (i = 0; i < RATE_SLICES; i++)
		rate.slice[i] = (clock_now * 16 / 1000 + 20 + i) << 24 | 9;
	assert_int_equal(take_all(3), 3);
	memset(table, 0xee, sizeof(*table));
	assert_true(rate_take_client(table, 0, 1, &mark));
	assert_false(rate_take_client(table, 0, 1, &mark));
}

/* It never gets to say so in time: a no, which leaves nothing. */
TEST(always_too_late)
{
	int i;

	for (i = 0; i < 4; i++)
		jumps[i] = 100;
	clock_now += 10000;
	jumps[1] = jumps[3] = 0;
	assert_true(rate_take(&rate, 1, &mark));
	clock_now += 10000;
	/* Others have been here, later than what this one takes for now. */
	assert_true(rate_take(&rate, 1, &mark));
	clock_now -= 900;
	assert_false(rate_take(&rate, 1, &mark));
	assert_false(rate_take(&rate, 9, &mark));
	clock_now += 900 + 1200;
	assert_int_equal(take_all(4), 4);
}

/* Any second, to the millisecond, whatever the steps of the clock. */
TEST(any_second)
{
	static uint64_t taken[100000];
	uint64_t seed = random_seed();
	size_t n = 0, i, given = 0;
	uint32_t max = 20;

	for (i = 0; i < COUNT(taken); i++) {
		clock_now += random_below(&seed, 3) ? 0 :
		    random_below(&seed, random_below(&seed, 9) ? 40 : 400);
		jumps[0] = random_below(&seed, 50) ? 0 : 70;
		if (!rate_take(&rate, max, &mark))
			continue;
		if (random_below(&seed, 5) == 0) {
			rate_give(&mark);
			given++;
		} else
			taken[n++] = clock_now;
	}
	assert_true(n > 2000 && given > 200);
	for (i = max; i < n; i++)
		assert_true(taken[i] - taken[i - max] >= 1000);
}

static bool
take_from(uint64_t client, uint32_t max)
{
	return rate_take_client(table, client, max, &mark);
}

TEST(clients)
{
	uint64_t other = 99 | UINT64_C(1) << 50;

	assert_true(take_from(99, 2) && take_from(99, 2));
	assert_false(take_from(99, 2));
	assert_true(take_from(other, 2));
	rate_give(&mark);
	assert_true(take_from(other, 2) && take_from(other, 2));
	assert_false(take_from(other, 2));
	clock_now += 999;
	assert_false(take_from(99, 2));
	clock_now += 126;
	assert_true(take_from(99, 2) && take_from(99, 2));
	assert_false(take_from(99, 2));
}

/* Two processes that did not see each other: both places count. */
TEST(client_that_has_two_places)
{
	struct rate_bucket *b = &table[99];

	assert_true(take_from(99, 9) && take_from(99, 9));
	atomic_store(&b->owner[5], b->owner[0]);
	assert_true(rate_take(&b->rate[5], 9, &mark));
	assert_false(take_from(99, 3));
	assert_true(take_from(99, 4));
	assert_false(take_from(99, 4));
}

/* Nobody is forgotten within the second; then the places are free again. */
TEST(full_bucket)
{
	uint64_t i, one = UINT64_C(1) << 40;

	for (i = 1; i <= RATE_WAYS; i++)
		assert_true(take_from(i * one, 1));
	assert_false(take_from(i * one, 1));
	clock_now += 900;
	assert_false(take_from(i * one, 1));
	for (i = 1; i <= RATE_WAYS; i++)
		assert_false(take_from(i * one, 1));
	clock_now += 1300;
	for (; i <= 2 * RATE_WAYS; i++)
		assert_true(take_from(i * one, 1));
	assert_false(take_from(1 * one, 1));
}

/* One after the other more than there is room for. */
TEST(many_clients)
{
	uint64_t seed = random_seed(), first;
	uint32_t i, k;

	for (k = 0; k < 10; k++) {
		first = seed;
		for (i = 0; i < 20000; i++)
			assert_true(take_from(random_next(&seed), 1));
		for (i = 0; i < 20000; i++)
			assert_false(take_from(random_next(&first), 1));
		clock_now += 2200;
	}
}

#define PROCESSES	4
#define SEEN		1024

/* What races have taken, by slice. */
struct seen {
	_Atomic uint32_t by_slice[SEEN];
	struct rate	 rate;
};

static void
race(struct seen *seen, uint64_t began, uint64_t until, uint32_t max, bool of_one)
{
	struct rate_mark m;
	bool took;

	/* However late it is let run: not before it has been told no. */
	do {
		took = of_one ? rate_take_client(table, 5, max, &m) :
		    rate_take(&seen->rate, max, &m);
		if (took)
			atomic_fetch_add(&seen->by_slice[m.slice -
			    SLICES(began)], 1);
	} while (took || __real_clock_now_ms() < until);
	_exit(0);
}

static void
assert_races(bool of_one)
{
	struct seen *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t began = __real_clock_now_ms(), until = began + 1700;
	uint32_t i, k, n, all = 0, max = 200;
	pid_t pid[PROCESSES];

	assert_true(seen != MAP_FAILED);
	clock_now = 0;
	for (i = 0; i < PROCESSES; i++)
		if ((pid[i] = (pid_t)MUST(fork())) == 0)
			race(seen, began, until, max, of_one);
	for (i = 0; i < PROCESSES; i++)
		assert_int_equal(wait_child(pid[i]), 0);
	for (i = 0; i + 17 < SEEN; i++) {
		for (n = k = 0; k < 17; k++)
			n += seen->by_slice[i + k];
		assert_true(n <= max);
		all += seen->by_slice[i];
	}
	assert_true(all >= max);
	munmap(seen, sizeof(*seen));
}

TEST(races)
{
	assert_races(false);
}

TEST(races_of_one_client)
{
	assert_races(true);
}
