/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_health.c: results go in by a clock of the test's own, and what stands on the
 * board and when the next check is due come out.
 */
#include "upstream/health.h"

#include "helpers.h"

static const struct check_policy usual = {
	.interval = 2000, .rise = 2, .fall = 3
};
static struct board *board;
static struct board_book *b;
static struct health h;
static uint64_t now;

int
set_up(void)
{
	board_free(board);
	board = board_new(16, NULL);
	assert_non_null(board);
	b = &board->book[2];
	memset(&h, 0, sizeof(h));
	now = 1000;
	return 0;
}

/* Results as text, + and -; behind each must be what it makes of the server. */
static void
goes(const struct check_policy *p, const char *results)
{
	static const char letters[] = "?ud";
	uint32_t before, turned;

	for (; results[0] != '\0'; results += 2) {
		before = atomic_load(&b->health);
		now += 10;
		turned = health_note(&h, board, 2, p, results[0] == '+', 7,
		    now);
		assert_int_equal(letters[atomic_load(&b->health)], results[1]);
		assert_int_equal(turned, before != atomic_load(&b->health));
		if (turned)
			assert_int_equal(atomic_load(&b->changed),
			    before == HEALTH_UNKNOWN && results[1] == 'u' ?
			    0 : now);
	}
}

TEST(first_decides)
{
	goes(&usual, "+u");
	assert_int_equal(atomic_load(&b->downs), 0);
	set_up();
	goes(&usual, "-d");
	assert_int_equal(atomic_load(&b->downs), 1);
	assert_int_equal(atomic_load(&board->head->changes), 1);
	assert_int_equal(health_needs(&usual, HEALTH_UNKNOWN), 1);
	assert_int_equal(health_needs(&usual, HEALTH_UP), 3);
	assert_int_equal(health_needs(&usual, HEALTH_DOWN), 2);
}

TEST(rise_and_fall)
{
	static const struct check_policy once = { .interval = 1, .rise = 1,
	    .fall = 1 };

	goes(&usual, "+u-u-u+u-u-u-d-d+d-d+d+u+u-u-u-d");
	assert_int_equal(atomic_load(&b->downs), 2);
	assert_int_equal(atomic_load(&b->checks), 16);
	assert_int_equal(atomic_load(&b->check_failures), 10);
	assert_int_equal(atomic_load(&b->check_ms), 7);
	assert_int_equal(atomic_load(&board->head->changes), 4);
	set_up();
	goes(&once, "+u-d+u-d");
}

/* A prober goes on from what the one before has left. */
TEST(goes_on)
{
	goes(&usual, "-d");
	memset(&h, 0, sizeof(h));
	goes(&usual, "+d+u-u-u");
	memset(&h, 0, sizeof(h));
	goes(&usual, "-u-u-d");
}

static uint64_t
waits(const struct check_policy *p, uint32_t dice)
{
	return health_wait(&h, board, 2, p, dice);
}

TEST(intervals)
{
	struct check_policy p = usual;

	assert_int_equal(waits(&p, 5), 2000);
	p.fast_interval = 100;
	p.down_interval = 5000;
	goes(&p, "+u");
	assert_int_equal(waits(&p, 5), 2000);
	goes(&p, "-u");
	assert_int_equal(waits(&p, 5), 100);
	goes(&p, "-u-d");
	assert_int_equal(waits(&p, 5), 5000);
	goes(&p, "+d");
	assert_int_equal(waits(&p, 5), 100);
	goes(&p, "-d");
	assert_int_equal(waits(&p, 5), 5000);
	p.fast_interval = p.down_interval = 0;
	assert_int_equal(waits(&p, 5), 2000);
	goes(&p, "+d");
	assert_int_equal(waits(&p, 5), 2000);
}

/* All of the range, and nothing beyond, each as often as others. */
TEST(jitter)
{
	struct check_policy p = usual;
	uint64_t rnd = random_seed(), ms, least = UINT64_MAX, most = 0, sum = 0;
	int i;

	p.jitter = 10;
	for (i = 0; i < 100000; i++) {
		ms = waits(&p, (uint32_t)random_next(&rnd));
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
		sum += ms;
	}
	assert_int_equal(least, 1800);
	assert_int_equal(most, 2200);
	assert_in_range(sum / 100000, 1995, 2005);
	p.interval = 1;
	assert_int_equal(waits(&p, 12345), 1);
}

TEST(takes_its_slots)
{
	struct check_policy p = usual;

	health_sit_down(board, 2, &p);
	assert_int_equal(atomic_load(&b->health), HEALTH_UNKNOWN);
	p.init_state = HEALTH_DOWN;
	health_sit_down(board, 2, &p);
	assert_int_equal(atomic_load(&b->health), HEALTH_DOWN);
	/* What is known stays. */
	p.init_state = HEALTH_UP;
	health_sit_down(board, 2, &p);
	assert_int_equal(atomic_load(&b->health), HEALTH_DOWN);
	health_forget(board, 2);
	assert_int_equal(atomic_load(&b->health), HEALTH_UNKNOWN);
	health_sit_down(board, 2, &p);
	assert_int_equal(atomic_load(&b->health), HEALTH_UP);
	assert_int_equal(atomic_load(&board->head->changes), 0);
}

/* What sessions saw is forgotten when it is up again, and not before. */
TEST(ends_ejection)
{
	goes(&usual, "+u");
	atomic_store(&board->server[2].ejected_until, now + 60000);
	goes(&usual, "+u-u-u-d+d");
	assert_int_equal(atomic_load(&board->server[2].ejected_until),
	    1010 + 60000);
	goes(&usual, "+u");
	assert_int_equal(atomic_load(&board->server[2].ejected_until), now);
	/* Who is in doubt stays so, and who is in service. */
	atomic_store(&board->server[2].ejected_until, 7);
	goes(&usual, "-u-u-d+d+u");
	assert_int_equal(atomic_load(&board->server[2].ejected_until), 7);
	atomic_store(&board->server[2].ejected_until, 0);
	goes(&usual, "-u-u-d+d+u");
	assert_int_equal(atomic_load(&board->server[2].ejected_until), 0);
}

int
tear_down(void)
{
	board_free(board);
	board = NULL;
	return 0;
}
