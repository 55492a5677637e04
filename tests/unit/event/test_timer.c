/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_timer.c: the wheel against a model that is a plain list of deadlines, over a
 * clock that is only a number, in steps from nothing to a month.
 */
#include "event/timer.h"

#include "helpers.h"

#define IDS	300
#define DAY	UINT64_C(86400000)

/* A deadline rounded up to the tick in which it is found. */
static uint64_t
rounded(uint64_t at)
{
	return (at + TIMER_TICK - 1) / TIMER_TICK * TIMER_TICK;
}

/* Take all that have expired; *hit* counts for each id. */
static unsigned
sweep(struct timers *t, uint64_t now, unsigned char hit[IDS])
{
	unsigned n = 0;
	uint32_t id;

	memset(hit, 0, IDS);
	while ((id = timer_expired(t, now)) != TIMER_NONE) {
		assert_true(id < IDS);
		hit[id]++;
		n++;
		/* It must come to an end. */
		assert_true(n <= IDS);
	}
	return n;
}

static struct timers *
new_timers(uint64_t now)
{
	struct timers *t = timer_new(IDS, now);

	assert_non_null(t);
	return t;
}

TEST(nothing_set)
{
	struct timers *t = new_timers(1000);

	assert_int_equal(timer_wait(t, 1000, 500), 500);
	assert_int_equal(timer_wait(t, 1000, 0), 0);
	assert_int_equal(timer_expired(t, 1000), TIMER_NONE);
	assert_int_equal(timer_expired(t, 100 * DAY), TIMER_NONE);
	timer_clear(t, 0);
	timer_clear(t, IDS - 1);
	assert_int_equal(timer_expired(t, 200 * DAY), TIMER_NONE);
	assert_int_equal(timer_wait(t, 200 * DAY, 1000), 1000);
	timer_free(t);
	timer_free(NULL);
}

/* At every phase of the clock against the tick, and for every distance. */
TEST(never_early_and_a_tick_late)
{
	uint64_t begin, at, now, seen;
	struct timers *t;

	for (begin = 100000; begin < 100000 + TIMER_TICK; begin++)
		for (at = begin; at < begin + 5 * TIMER_TICK; at++) {
			t = new_timers(begin);
			timer_set(t, 7, at);
			seen = 0;
			for (now = begin; now < at + 10 * TIMER_TICK; now++)
				if (timer_expired(t, now) == 7) {
					assert_int_equal(seen, 0);
					seen = now;
				}
			/* One that is due at once comes with the next tick. */
			assert_in_range(seen, at, rounded(at + 1));
			timer_free(t);
		}
}

TEST(far_away)
{
	static const uint64_t far[] = {
		2047 * TIMER_TICK, 2048 * TIMER_TICK, 2049 * TIMER_TICK,
		60000, 600000, DAY, 400 * DAY,
	};
	struct timers *t;
	size_t i;

	for (i = 0; i < COUNT(far); i++) {
		/* In one jump. */
		t = new_timers(0);
		timer_set(t, 1, far[i]);
		assert_int_equal(timer_expired(t, far[i] - 1), TIMER_NONE);
		assert_int_equal(timer_expired(t, rounded(far[i])), 1);
		assert_int_equal(timer_expired(t, rounded(far[i])),
		    TIMER_NONE);
		timer_free(t);
		/* Slept through by far. */
		t = new_timers(0);
		timer_set(t, 1, far[i]);
		assert_int_equal(timer_expired(t, far[i] * 3), 1);
		assert_int_equal(timer_expired(t, far[i] * 9), TIMER_NONE);
		timer_free(t);
	}
}

TEST(moved_and_cleared)
{
	struct timers *t = new_timers(0);

	timer_set(t, 1, 100);
	timer_set(t, 1, 5000);
	timer_set(t, 2, 5000);
	timer_set(t, 2, 100);
	timer_set(t, 3, 100);
	timer_clear(t, 3);
	timer_clear(t, 3);
	assert_int_equal(timer_expired(t, 200), 2);
	assert_int_equal(timer_expired(t, 200), TIMER_NONE);
	assert_int_equal(timer_expired(t, 5000), 1);
	assert_int_equal(timer_expired(t, 50000), TIMER_NONE);
	/* What has expired is cleared and can be set again. */
	timer_set(t, 1, 50100);
	assert_int_equal(timer_expired(t, 50104), 1);
	timer_free(t);
}

/* All in one slot, in different turns of the wheel, taken out in any order. */
TEST(one_slot)
{
	static const unsigned left[] = { 9, 10, 8 };
	struct timers *t = new_timers(0);
	unsigned char hit[IDS];
	uint32_t id, turn;

	for (id = 0; id < 30; id++)
		timer_set(t, id, 800 + id % 3 * 2048 * TIMER_TICK);
	timer_clear(t, 29);
	timer_clear(t, 0);
	timer_clear(t, 14);
	for (turn = 0; turn < 3; turn++) {
		assert_int_equal(sweep(t, 800 + turn * 2048 * TIMER_TICK, hit),
		    left[turn]);
		for (id = 0; id < 30; id++)
			assert_int_equal(hit[id], id % 3 == turn && id != 29 &&
			    id != 0 && id != 14);
	}
	timer_free(t);
}

TEST(in_the_past)
{
	struct timers *t = new_timers(1000000);
	unsigned char hit[IDS];

	timer_set(t, 4, 0);
	timer_set(t, 5, 999999);
	timer_set(t, 6, 1000000);
	assert_in_range(timer_wait(t, 1000000, 1000), 0, TIMER_TICK);
	assert_int_equal(sweep(t, 1000000 + TIMER_TICK, hit), 3);
	timer_free(t);
}

/* A clock that stands still, or goes back, does no harm. */
TEST(clock_goes_back)
{
	struct timers *t = new_timers(100000);

	timer_set(t, 1, 100100);
	assert_int_equal(timer_expired(t, 50000), TIMER_NONE);
	assert_in_range(timer_wait(t, 50000, 100), 1, 100);
	assert_int_equal(timer_expired(t, 100050), TIMER_NONE);
	assert_int_equal(timer_expired(t, 100104), 1);
	timer_free(t);
}

/* One id set again and again by whoever takes it, within one sweep. */
TEST(set_while_the_wheel_turns)
{
	struct timers *t = new_timers(0);
	uint64_t now, last = 0;
	unsigned n = 0;
	uint32_t id;

	timer_set(t, 9, 20);
	for (now = 0; now < 100000; now += 37)
		while ((id = timer_expired(t, now)) != TIMER_NONE) {
			assert_int_equal(id, 9);
			assert_true(now >= last + 20);
			last = now;
			timer_set(t, 9, now + 20);
			n++;
		}
	/* 20 ms are due at the next look, or the one after. */
	assert_in_range(n, 100000 / 74, 100000 / 37 + 1);
	timer_free(t);
}

/* However many they are, timers far away wake nobody. */
TEST(far_timers_cost_nothing)
{
	uint64_t now, slept, seed = random_seed();
	struct timers *t = new_timers(0);
	unsigned wakes = 0;
	uint32_t id;

	for (id = 0; id < IDS; id++)
		timer_set(t, id, 600000 + random_below(&seed, 3600000));
	for (now = 0; now < 580000; now += slept, wakes++) {
		assert_int_equal(timer_expired(t, now), TIMER_NONE);
		slept = (uint64_t)timer_wait(t, now, 10000);
		assert_true(slept > 0);
	}
	assert_in_range(wakes, 58, 62);
	timer_free(t);
}

struct model {
	bool	 set[IDS];
	uint64_t due[IDS];		/* when it must be found */
	uint64_t swept;			/* the last sweep's tick */
};

static void
model_set(struct model *m, struct timers *t, uint32_t id, uint64_t at)
{
	timer_set(t, id, at);
	m->set[id] = true;
	m->due[id] = rounded(at);
	if (m->due[id] <= m->swept)
		m->due[id] = m->swept + TIMER_TICK;
}

/* What is to be found is found, at once and once, and nothing else. */
static void
model_sweep(struct model *m, struct timers *t, uint64_t now)
{
	unsigned char hit[IDS];
	uint32_t id;

	sweep(t, now, hit);
	for (id = 0; id < IDS; id++) {
		if (hit[id] != (m->set[id] && m->due[id] <= now))
			fail_msg("id %u, due %llu: %u at %llu", id,
			    (unsigned long long)m->due[id], hit[id],
			    (unsigned long long)now);
		if (hit[id])
			m->set[id] = false;
	}
	m->swept = now / TIMER_TICK * TIMER_TICK;
}

/* Not too long for the first one, not so short that the loop would spin. */
static void
model_wait(const struct model *m, const struct timers *t, uint64_t now,
    int limit)
{
	uint64_t first = UINT64_MAX;
	uint32_t id;
	int ms;

	for (id = 0; id < IDS; id++)
		if (m->set[id] && m->due[id] < first)
			first = m->due[id];
	ms = timer_wait(t, now, limit);
	assert_in_range(ms, 0, limit);
	if (first <= now)
		assert_int_equal(ms, 0);
	else if (first - now < (uint64_t)limit)
		assert_true((uint64_t)ms <= first - now + TIMER_TICK);
	/* After a sweep there is nothing to do in this tick. */
	if (m->swept == now / TIMER_TICK * TIMER_TICK && limit > 0)
		assert_true(ms > 0);
}

static uint64_t
random_step(uint64_t *seed)
{
	switch (random_below(seed, 8)) {
	case 0:
		return 0;
	case 1:
		return random_below(seed, 30000);
	case 2:
		return random_below(seed, 20) == 0 ?
		    random_next(seed) % (30 * DAY) : 1;
	default:
		return random_below(seed, 40);
	}
}

TEST(random_against_a_model)
{
	static const uint32_t reach[] = { 50, 1000, 17000, 100000, 10000000 };
	uint64_t seed = random_seed(), now = DAY + 3;
	struct model m = { .swept = now / TIMER_TICK * TIMER_TICK };
	struct timers *t = new_timers(now);
	uint32_t id;
	int i;

	for (i = 0; i < 100000; i++) {
		id = random_below(&seed, IDS);
		switch (random_below(&seed, 8)) {
		case 0:
			timer_clear(t, id);
			m.set[id] = false;
			break;
		case 1:
			now += random_step(&seed);
			model_wait(&m, t, now,
			    (int)random_below(&seed, 100000));
			model_sweep(&m, t, now);
			model_wait(&m, t, now,
			    (int)random_below(&seed, 100000));
			break;
		case 2:
			/* The clock goes on before anybody looks. */
			now += random_step(&seed) / 2;
			break;
		default:
			model_set(&m, t, id, now +
			    random_below(&seed, reach[i / 1000 % 5]));
			break;
		}
	}
	timer_free(t);
}

/* A loop that sleeps as it is told: on time, and not woken for nothing. */
TEST(sleeping_loop)
{
	uint64_t seed = random_seed(), now = 12345, end = now + DAY / 4;
	uint64_t due[IDS];
	struct timers *t = new_timers(now);
	unsigned wakes = 0, fired = 0;
	uint32_t id;

	for (id = 0; id < 50; id++) {
		due[id] = now + random_below(&seed, 600000);
		timer_set(t, id, due[id]);
	}
	while (now < end) {
		now += (uint64_t)timer_wait(t, now, 1000);
		wakes++;
		while ((id = timer_expired(t, now)) != TIMER_NONE) {
			assert_in_range(now, due[id], due[id] + 2 * TIMER_TICK);
			due[id] = now + random_below(&seed, 600000);
			timer_set(t, id, due[id]);
			fired++;
		}
	}
	/* One for each second, for each timer, and for each turn of those. */
	assert_true(fired > DAY / 4 / 600000 * 50);
	assert_true(wakes < DAY / 4 / 1000 + fired * 40);
	timer_free(t);
}

TEST(out_of_memory)
{
	struct timers *t;
	int n;

	alloc_needed();
	for (n = 0; ; n++) {
		alloc_fail(n);
		t = timer_new(10, 0);
		if (!alloc_failed())
			break;
		assert_null(t);
		assert_int_equal(errno, ENOMEM);
	}
	assert_true(n > 0);
	timer_free(t);
}
