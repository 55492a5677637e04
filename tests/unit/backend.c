/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * backend.c: what two workers tell each other about their backends.
 */
#include "backend.h"

#include "helpers.h"

static const struct backend list[3] = {
	{ .name = "a", .weight = 1 }, { .name = "b", .weight = 1, .seat = 1 },
	{ .name = "c", .weight = 1, .seat = 2 },
};

static struct board *board;
static struct backends one, two;	/* as two workers see them */

static int
set_up(void **state)
{
	(void)state;
	if ((board = board_new(3, NULL)) == NULL)
		return -1;
	atomic_store(&board->head->slots, BOARD_WORKERS);
	one.list = two.list = list;
	one.n = two.n = 3;
	one.board = two.board = board;
	one.worker = 3;
	two.worker = 4;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	board_free(board);
	return 0;
}

static void
test_take_and_drop(void **state)
{
	(void)state;
	backend_take(&one, 1);
	backend_take(&one, 1);
	backend_take(&two, 1);
	backend_take(&two, 2);
	assert_int_equal(*board_live(board, 3, 1), 2);
	assert_int_equal(*board_live(board, 4, 1), 1);
	assert_int_equal(board_backend_live(board, 0), 0);
	assert_int_equal(board_backend_live(board, 1), 3);
	assert_int_equal(board_backend_live(board, 2), 1);
	backend_drop(&one, 1);
	backend_drop(&one, 1);
	backend_drop(&two, 2);
	assert_int_equal(board_backend_live(board, 1), 1);
	assert_int_equal(board_backend_live(board, 2), 0);
	assert_int_equal(*board_live(board, 4, 1), 1);
}

static void
test_failure_is_news_once(void **state)
{
	(void)state;
	assert_true(backend_failed(&one, 0, 1000));
	assert_false(backend_failed(&one, 0, 1001));
	assert_false(backend_failed(&two, 0, 1002));
	/* Also after the hold-off, as long as it has not answered. */
	assert_false(backend_failed(&two, 0, 100000));
	assert_true(backend_failed(&two, 1, 1002));
	assert_int_equal(board->backend[0].failures, 4);
	assert_int_equal(board->backend[1].failures, 1);
	assert_int_equal(board->backend[2].failures, 0);
}

static void
test_answer_is_news_once(void **state)
{
	(void)state;
	assert_false(backend_answered(&one, 0));
	backend_failed(&one, 0, 1000);
	assert_true(backend_answered(&two, 0));
	assert_false(backend_answered(&one, 0));
	assert_true(backend_failed(&one, 0, 1000));
	assert_true(backend_answered(&one, 0));
	assert_int_equal(board->backend[0].served, 4);
	assert_int_equal(board->backend[1].served, 0);
}

static void
test_held_off(void **state)
{
	(void)state;
	assert_int_equal(BACKEND_HOLD_OFF, 2000);
	assert_false(backend_held_off(&one, 0, 0));
	assert_false(backend_held_off(&one, 0, UINT64_MAX));
	backend_failed(&one, 0, 5000);
	assert_true(backend_held_off(&one, 0, 5000));
	assert_true(backend_held_off(&two, 0, 6999));
	assert_false(backend_held_off(&two, 0, 7000));
	assert_false(backend_held_off(&one, 1, 5000));
	/* Another failure begins it anew. */
	backend_failed(&two, 0, 6000);
	assert_true(backend_held_off(&one, 0, 7999));
	assert_false(backend_held_off(&one, 0, 8000));
	backend_failed(&one, 0, 9000);
	backend_answered(&two, 0);
	assert_false(backend_held_off(&one, 0, 9001));
}

/* Longer than it is held off: until it has answered somebody. */
static void
test_in_doubt(void **state)
{
	(void)state;
	assert_false(backend_in_doubt(&one, 0));
	backend_failed(&one, 0, 1000);
	assert_false(backend_held_off(&one, 0, 1000000));
	assert_true(backend_in_doubt(&two, 0));
	assert_false(backend_in_doubt(&two, 1));
	backend_answered(&two, 0);
	assert_false(backend_in_doubt(&one, 0));
}

/* The other workers are other processes. */
static void
test_processes_tell_each_other(void **state)
{
	pid_t pid;

	(void)state;
	if ((pid = (pid_t)MUST(fork())) == 0) {
		backend_take(&two, 2);
		_exit(backend_failed(&two, 2, 100) ? 0 : 1);
	}
	assert_int_equal(wait_child(pid), 0);
	assert_true(backend_held_off(&one, 2, 200));
	assert_false(backend_failed(&one, 2, 200));
	assert_int_equal(board_backend_live(board, 2), 1);
}

/* The operator and the checks say who has new sessions. */
static void
test_serves(void **state)
{
	struct pool checked = { .checked = true, .n = 3 }, plain = { .n = 3 };
	struct backend with[3] = { { .weight = 1 },
	    { .weight = 1, .state = BACKEND_DRAIN, .seat = 1 },
	    { .weight = 0, .seat = 2 } };
	struct backends bs = { .list = with, .n = 3, .pool = &plain,
	    .pools = 1, .board = board };

	(void)state;
	assert_true(backend_serves(&bs, 0));
	assert_false(backend_serves(&bs, 1) || backend_serves(&bs, 2));
	bs.pool = &checked;
	assert_false(backend_serves(&bs, 0));
	assert_true(backend_unknown(&bs, 0));
	assert_false(backend_unknown(&bs, 1) || backend_unknown(&bs, 2));
	atomic_store(&board->backend[0].health, HEALTH_UP);
	assert_true(backend_serves(&bs, 0));
	assert_false(backend_unknown(&bs, 0));
	atomic_store(&board->backend[0].health, HEALTH_DOWN);
	assert_false(backend_serves(&bs, 0) || backend_unknown(&bs, 0));
}

/* The limit is for all workers together. */
static void
test_full(void **state)
{
	struct backend limited[3] = { { .max_sessions = 2 } };
	struct backends mine = one, yours = two;

	(void)state;
	mine.list = yours.list = limited;
	assert_false(backend_full(&mine, 0));
	backend_take(&mine, 0);
	assert_false(backend_full(&mine, 0));
	backend_take(&yours, 0);
	assert_true(backend_full(&mine, 0));
	assert_int_equal(backend_load(&mine, 0), 2);
	backend_drop(&mine, 0);
	assert_false(backend_full(&yours, 0));
	limited[0].max_sessions = 0;
	assert_false(backend_full(&yours, 0));
}

int
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_take_and_drop),
		TEST(test_failure_is_news_once),
		TEST(test_answer_is_news_once),
		TEST(test_held_off),
		TEST(test_in_doubt),
		TEST(test_processes_tell_each_other),
		TEST(test_serves),
		TEST(test_full),
	};

	return RUN(tests);
}
