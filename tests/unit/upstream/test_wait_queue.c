/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_wait_queue.c: who waits in two workers, whose turn it is, and who is told.
 */
#include "upstream/wait_queue.h"

#include "helpers.h"

static const struct server list[1] = { { .name = "a", .weight = 1 } };
static struct pool pool[2];
static struct servers one, two;	/* as two workers see them */
static struct wait_queue *first, *second;
static struct board *board;

static pid_t called;			/* since it was looked at */

int
__wrap_kill(pid_t pid, int sig)
{
	assert_int_equal(sig, BOARD_WAKEUP);
	assert_int_equal(called, 0);
	called = pid;
	return 0;
}

int
set_up(void)
{
	board = board_new(16, NULL);
	/* No process has this number, so none is called. */
	board_hold(board, 0, -1, 1);
	board_hold(board, 2, -1, 1);
	pool[0] = (struct pool){ .n = 1, .max_queue = 5 };
	pool[1] = (struct pool){ .max_queue = 5 };
	pool[0].slot = board_assign_pool(board, "p", 1, 1);
	pool[1].slot = board_assign_pool(board, "q", 1, 1);
	one = (struct servers){ .list = list, .n = 1, .pool = pool,
	    .pools = 2, .board = board };
	two = one;
	two.worker = 2;
	first = wait_queue_new(&one, 10);
	second = wait_queue_new(&two, 10);
	return first == NULL || second == NULL ? -1 : 0;
}

int
tear_down(void)
{
	wait_queue_free(first);
	wait_queue_free(second);
	board_free(board);
	return 0;
}

/* It is the turn of this one of this worker, and of nobody else. */
static void
assert_turn(struct wait_queue *q, uint32_t id, uint64_t now)
{
	assert_int_equal(wait_queue_next(q, 0, now), id);
	assert_int_equal(wait_queue_next(q == first ? second : first, 0, now),
	    WAIT_QUEUE_NONE);
}

TEST(in_the_order_of_coming)
{
	assert_false(wait_queue_busy(first, 0));
	assert_int_equal(wait_queue_next(first, 0, 0), WAIT_QUEUE_NONE);
	assert_true(wait_queue_enter(second, 0, 7));
	assert_true(wait_queue_busy(first, 0));
	assert_false(wait_queue_busy(first, 1));
	assert_true(wait_queue_enter(first, 0, 7));
	assert_true(wait_queue_enter(first, 0, 3));
	assert_true(wait_queue_enter(second, 0, 1));
	assert_turn(second, 7, 0);
	wait_queue_leave(second, 0, 7, 0);
	assert_turn(first, 7, 0);
	wait_queue_leave(first, 0, 7, 0);
	assert_turn(first, 3, 0);
	wait_queue_leave(first, 0, 3, 0);
	assert_turn(second, 1, 0);
	assert_true(wait_queue_busy(first, 0));
	wait_queue_leave(second, 0, 1, 0);
	assert_false(wait_queue_busy(first, 0));
	assert_int_equal(board_wait(board, 0, 0)->ticket, 0);
	assert_int_equal(board_wait(board, 2, 0)->n, 0);
}

TEST(from_the_middle)
{
	uint32_t id;

	for (id = 0; id < 5; id++)
		assert_true(wait_queue_enter(first, 0, id));
	wait_queue_leave(first, 0, 2, 0);
	wait_queue_leave(first, 0, 4, 0);
	wait_queue_leave(first, 0, 0, 0);
	assert_true(wait_queue_enter(first, 0, 0));
	assert_turn(first, 1, 0);
	wait_queue_leave(first, 0, 1, 0);
	assert_turn(first, 3, 0);
	wait_queue_leave(first, 0, 3, 0);
	assert_turn(first, 0, 0);
	/* To the end, behind whoever came meanwhile. */
	assert_true(wait_queue_enter(second, 0, 8));
	wait_queue_step_back(first, 0, 0);
	assert_turn(second, 8, 0);
	wait_queue_leave(second, 0, 8, 0);
	assert_turn(first, 0, 0);
}

/* As many as may of all workers, each pool for itself. */
/* Who was tried in vain is first again, before all that came later. */
TEST(regain)
{
	uint64_t ticket;

	assert_true(wait_queue_enter(first, 0, 7));
	assert_true(wait_queue_enter(second, 0, 1));
	assert_true(wait_queue_enter(first, 0, 3));
	assert_turn(first, 7, 0);
	ticket = wait_queue_ticket(first, 7);
	wait_queue_leave(first, 0, 7, 0);
	assert_true(wait_queue_enter(first, 0, 7));
	assert_turn(second, 1, 0);
	wait_queue_regain(first, 0, 7, ticket);
	assert_turn(first, 7, 0);
	wait_queue_leave(first, 0, 7, 0);
	assert_turn(second, 1, 0);
	wait_queue_leave(second, 0, 1, 0);
	assert_turn(first, 3, 0);
	/* It was alone. */
	ticket = wait_queue_ticket(first, 3);
	wait_queue_leave(first, 0, 3, 0);
	assert_true(wait_queue_enter(first, 0, 3));
	wait_queue_regain(first, 0, 3, ticket);
	assert_turn(first, 3, 0);
	wait_queue_leave(first, 0, 3, 0);
	assert_false(wait_queue_busy(first, 0));
}

TEST(limit)
{
	uint32_t id;

	for (id = 0; id < 5; id++)
		assert_true(wait_queue_enter(id % 2 ? first : second, 0, id));
	assert_false(wait_queue_enter(first, 0, 9));
	assert_false(wait_queue_enter(second, 0, 9));
	assert_true(wait_queue_enter(second, 1, 9));
	wait_queue_leave(first, 0, 1, 0);
	assert_true(wait_queue_enter(second, 0, 8));
	assert_false(wait_queue_enter(first, 0, 1));
	pool[1].max_queue = 0;
	assert_false(wait_queue_enter(first, 1, 1));
}

/* Who is stopped, or gives no sign of life, does not keep others waiting. */
TEST(the_absent_are_passed_over)
{
	assert_true(wait_queue_enter(second, 0, 1));
	assert_true(wait_queue_enter(first, 0, 2));
	board->worker[2].heartbeat = 1000;
	assert_turn(second, 1, 1200);
	assert_int_equal(wait_queue_next(first, 0, 1201), 2);
	/* For itself it is there all the same. */
	assert_int_equal(wait_queue_next(second, 0, 1200), 1);
	board->ledger->process[2].stopped = 1;
	assert_int_equal(wait_queue_next(first, 0, 1000), 2);
	board->ledger->process[2].stopped = 0;
	assert_int_equal(wait_queue_next(first, 0, 1000), WAIT_QUEUE_NONE);
}

/* Whoever leaves room unused for long has no use for it. */
TEST(room_that_nobody_takes)
{
	assert_true(wait_queue_enter(second, 0, 1));
	assert_int_equal(wait_queue_next_but(first, 0, 1000, true),
	    WAIT_QUEUE_NONE);
	assert_true(wait_queue_enter(first, 0, 2));
	board->worker[2].heartbeat = 1700;
	assert_int_equal(wait_queue_next_but(first, 0, 1000, true),
	    WAIT_QUEUE_NONE);
	assert_int_equal(wait_queue_next_but(first, 0, 1199, true),
	    WAIT_QUEUE_NONE);
	assert_int_equal(wait_queue_next_but(first, 0, 1200, true), 2);
	/* There was none for a moment, or it did go on. */
	assert_int_equal(wait_queue_next_but(first, 0, 1201, false),
	    WAIT_QUEUE_NONE);
	assert_int_equal(wait_queue_next_but(first, 0, 1202, true),
	    WAIT_QUEUE_NONE);
	wait_queue_step_back(second, 0, 1);
	wait_queue_step_back(first, 0, 2);
	assert_int_equal(wait_queue_next_but(first, 0, 1402, true),
	    WAIT_QUEUE_NONE);
	assert_int_equal(wait_queue_next_but(first, 0, 1602, true), 2);
}

/* Nor do those behind it go on in any other order, whoever saw it first. */
TEST(room_that_others_take_in_order)
{
	struct servers three = one;
	struct wait_queue *third;
	uint32_t w;

	three.worker = 1;
	board_hold(board, 1, -1, 1);
	third = wait_queue_new(&three, 10);
	assert_non_null(third);
	assert_true(wait_queue_enter(second, 0, 1));
	assert_true(wait_queue_enter(first, 0, 2));
	assert_true(wait_queue_enter(third, 0, 3));
	for (w = 0; w < 3; w++)
		board->worker[w].heartbeat = 1200;
	assert_int_equal(wait_queue_next_but(third, 0, 1000, true),
	    WAIT_QUEUE_NONE);
	assert_int_equal(wait_queue_next_but(first, 0, 1010, true),
	    WAIT_QUEUE_NONE);
	assert_int_equal(wait_queue_next_but(third, 0, 1209, true),
	    WAIT_QUEUE_NONE);
	assert_int_equal(wait_queue_next_but(first, 0, 1210, true), 2);
	/* Unless that one cannot use it either. */
	assert_int_equal(wait_queue_next_but(third, 0, 1249, true),
	    WAIT_QUEUE_NONE);
	assert_int_equal(wait_queue_next_but(third, 0, 1250, true), 3);
	wait_queue_free(third);
}

/* What it had waiting is forgotten, and the others go on. */
TEST(a_worker_dies)
{
	assert_true(wait_queue_enter(second, 0, 1));
	assert_true(wait_queue_enter(second, 1, 2));
	assert_true(wait_queue_enter(first, 0, 2));
	(void)board_reclaim(board, 2);
	assert_int_equal(wait_queue_next(first, 0, 0), 2);
	/* In vain, until somebody has come and gone. */
	assert_true(wait_queue_busy(first, 1));
	assert_true(wait_queue_enter(first, 1, 5));
	assert_int_equal(wait_queue_next(first, 1, 0), 5);
	wait_queue_leave(first, 1, 5, 0);
	assert_false(wait_queue_busy(first, 1));
}

/* Was the process in this slot called, and no other? */
static bool
rings(uint32_t worker)
{
	bool rung = called == (pid_t)(1000 + worker);

	if (rung)
		called = 0;
	return rung;
}

TEST(wakeups)
{
	uint32_t i;

	for (i = 0; i < 3; i++)
		board_hold(board, i, (int32_t)(1000 + i), 1);
	wait_queue_call(first, 0, 0);
	assert_true(wait_queue_enter(second, 0, 1));
	assert_true(wait_queue_enter(first, 0, 2));
	assert_true(wait_queue_enter(first, 0, 3));
	assert_false(rings(0) || rings(1) || rings(2));
	wait_queue_call(first, 0, 0);
	assert_true(rings(2));
	assert_false(rings(0) || rings(1));
	wait_queue_call(first, 1, 0);
	assert_false(rings(2));
	/* Who had its turn tells the next; who had not does not. */
	wait_queue_leave(first, 0, 2, 0);
	assert_true(rings(2));
	wait_queue_leave(second, 0, 1, 0);
	assert_true(rings(0));
	wait_queue_leave(first, 0, 3, 0);
	assert_false(rings(0) || rings(1) || rings(2));
	/* A slot that nobody holds is none to call, nor are all processes. */
	assert_true(wait_queue_enter(second, 0, 1));
	atomic_store(&board->ledger->process[2].pid, 0);
	wait_queue_call(first, 0, 0);
	atomic_store(&board->ledger->process[2].pid, -1);
	wait_queue_call(first, 0, 0);
	assert_int_equal(called, 0);
}

/* One that sleeps may have a row that is wrong; not each look wakes all. */
TEST(all_are_called_seldom)
{
	uint64_t now;
	int n = 0;

	board_hold(board, 0, 1000, 1);
	board_hold(board, 2, 1002, 1);
	(void)wait_queue_due(first, 1000);
	assert_false(rings(2));
	assert_true(wait_queue_enter(first, 0, 1));
	for (now = 1000; now < 2000; now++)
		if (wait_queue_due(first, now))
			n += rings(2);
	assert_int_equal(n, 4);
}

/* Woken or not: soon, but not in every turn. */
TEST(when_to_look)
{
	assert_false(wait_queue_due(first, 1000));
	assert_int_equal(wait_queue_wait(first, 1000, 500), 500);
	wait_queue_wake(first);
	assert_int_equal(wait_queue_wait(first, 1000, 500), 500);
	assert_true(wait_queue_enter(first, 0, 1));
	assert_int_equal(wait_queue_wait(first, 1000, 500), 0);
	assert_true(wait_queue_due(first, 1000));
	assert_false(wait_queue_due(first, 1000));
	assert_int_equal(wait_queue_wait(first, 1000, 500), WAIT_QUEUE_LOOK);
	assert_int_equal(wait_queue_wait(first, 1000, 3), 3);
	assert_true(wait_queue_due(first, 1000 + WAIT_QUEUE_LOOK));
	wait_queue_wake(first);
	assert_true(wait_queue_due(first, 1000 + WAIT_QUEUE_LOOK));
	/* A place of our own that became free. */
	wait_queue_call(first, 0, 1008);
	assert_true(wait_queue_due(first, 1008));
	atomic_fetch_add(&board->head->changes, 1);
	assert_true(wait_queue_due(first, 1008));
	assert_false(wait_queue_due(first, 1008));
}

/* Who tries keeps the place: it is counted, and comes back to where it was. */
TEST(lent)
{
	pool[0].max_queue = 3;
	assert_true(wait_queue_enter(first, 0, 4));
	assert_true(wait_queue_enter(second, 0, 5));
	assert_true(wait_queue_enter(first, 0, 6));
	wait_queue_lend(first, 0, 4, 100);
	assert_false(wait_queue_enter(first, 0, 7));
	assert_turn(second, 5, 100);
	wait_queue_return(first, 0, 4);
	assert_turn(first, 4, 100);
	/* Behind the one that came before it. */
	wait_queue_lend(first, 0, 6, 100);
	wait_queue_return(first, 0, 6);
	assert_turn(first, 4, 100);
	wait_queue_lend(first, 0, 4, 100);
	wait_queue_settle(first, 0, 100);
	assert_turn(second, 5, 100);
	wait_queue_leave(second, 0, 5, 100);
	assert_turn(first, 6, 100);
	wait_queue_leave(first, 0, 6, 100);
	assert_false(wait_queue_busy(first, 0));
}

/* While all servers seem to fail one tries for all, until its pause is over. */
TEST(guess)
{
	assert_true(wait_queue_enter(first, 0, 4));
	assert_true(wait_queue_enter(second, 0, 5));
	pool[0].unavailable_timeout = 5000;
	wait_queue_pause(first, 0, 200, 100);
	assert_true(wait_queue_guesses(second, 0, 100));
	assert_true(wait_queue_paused(first, 0, 199));
	wait_queue_lend(first, 0, 4, 100);
	assert_turn(second, WAIT_QUEUE_NONE, 100);
	/* Nobody of the first waits, and it looks all the same. */
	assert_true(wait_queue_wait(first, 100, 500) <= WAIT_QUEUE_LOOK);
	assert_false(wait_queue_paused(first, 0, 200));
	assert_turn(second, 5, 200);
	assert_int_equal(wait_queue_wait(first, 200, 500), 500);
	wait_queue_pause(first, 0, 0, 200);
	assert_false(wait_queue_guesses(second, 0, 200));
	wait_queue_settle(first, 0, 200);
	wait_queue_leave(second, 0, 5, 200);
	assert_false(wait_queue_busy(first, 0));
	/* A change of health ends the pause. */
	assert_true(wait_queue_enter(first, 0, 4));
	wait_queue_pause(first, 0, 9000, 100);
	atomic_fetch_add(&board->head->changes, 1);
	assert_true(wait_queue_due(first, 100));
	assert_false(wait_queue_paused(first, 0, 100));
	wait_queue_leave(first, 0, 4, 100);
}

/*
 * What any worker can write on the board. Numbers at a slot that none holds count
 * for nothing, whatever heart seems to beat there.
 */
TEST(nobody_waits_at_a_slot)
{
	struct board_wait *w = board_wait(board, 1, 0);

	w->ticket = 3;
	w->n = 7;
	board->worker[1].heartbeat = 1000;
	assert_true(wait_queue_enter(first, 0, 4));
	assert_int_equal(wait_queue_next(first, 0, 1000), 4);
	wait_queue_leave(first, 0, 4, 1000);
	assert_false(wait_queue_busy(first, 0));
}

/* Nor does a worker that lives in times to come, or has more than it can. */
TEST(nobody_is_ahead_of_the_clock)
{
	struct board_wait *w = board_wait(board, 2, 0);
	static const uint64_t beats[] = { UINT64_MAX, 1000 + 1001, 799 };
	size_t i;

	w->ticket = 3;
	w->n = BOARD_MOST_LIVE + 1;
	assert_true(wait_queue_enter(first, 0, 4));
	for (i = 0; i < 3; i++) {
		board->worker[2].heartbeat = beats[i];
		assert_int_equal(wait_queue_next(first, 0, 1000), 4);
	}
	board->worker[2].heartbeat = 1000 + 1000;
	assert_int_equal(wait_queue_next(first, 0, 1000), WAIT_QUEUE_NONE);
	w->n = 0;
	wait_queue_leave(first, 0, 4, 1000);
}

/* Of its own sessions each worker knows better. */
TEST(our_own_row_is_overwritten)
{
	struct board_wait *w = board_wait(board, 0, 0);

	assert_true(wait_queue_enter(first, 0, 4));
	w->ticket = UINT64_MAX;
	w->n = 9;
	assert_int_equal(wait_queue_next(first, 0, 0), 4);
	assert_true(wait_queue_enter(first, 0, 5));
	w->ticket = 0;
	assert_int_equal(wait_queue_next(first, 0, 0), 4);
	wait_queue_leave(first, 0, 4, 0);
	wait_queue_leave(first, 0, 5, 0);
	assert_false(wait_queue_busy(first, 0));
}

/* Whatever number is the last, who comes later waits behind who came before. */
TEST(tickets_grow_whatever_happens)
{
	static const uint64_t tails[] = { 0, 1, UINT64_MAX - 2, UINT64_MAX,
	    UINT64_MAX / 2 };
	uint64_t was, is;
	uint32_t i;

	pool[0].max_queue = 50;
	assert_true(wait_queue_enter(first, 0, 0));
	was = wait_queue_ticket(first, 0);
	for (i = 0; i < 5; i++) {
		board->pool[pool[0].slot].queue_tail = tails[i];
		assert_true(wait_queue_enter(second, 0, i));
		is = wait_queue_ticket(second, i);
		/* Those of one moment differ in their number. */
		assert_true(is >= was && is != UINT64_MAX);
		was = is;
		assert_true(wait_queue_enter(second, 0, 5));
		assert_true(wait_queue_ticket(second, 5) > was);
		wait_queue_leave(second, 0, 5, 0);
	}
	assert_turn(first, 0, 0);
	wait_queue_leave(first, 0, 0, 0);
	assert_turn(second, 0, 0);
}

/* That all servers seem to fail is said where one waits for them, and of late. */
TEST(no_guess_without_a_word)
{
	struct board_pool *p = &board->pool[pool[0].slot];

	p->guesses = 60000 | 1;
	assert_false(wait_queue_guesses(first, 0, 60000));
	pool[0].unavailable_timeout = 5000;
	assert_true(wait_queue_guesses(first, 0, 60000));
	p->guesses = 1;
	assert_false(wait_queue_guesses(first, 0, 60000));
	p->guesses = UINT32_MAX;
	assert_false(wait_queue_guesses(first, 0, 60000));
	p->guesses = 62003;
	assert_false(wait_queue_guesses(first, 0, 60000));
	/* Where ms have no room any more in 32 bits. */
	wait_queue_pause(first, 0, (UINT64_C(7) << 32) + 50, 0);
	assert_true(wait_queue_guesses(second, 0, (UINT64_C(7) << 32) - 50));
	assert_true(wait_queue_guesses(second, 0, (UINT64_C(7) << 32) + 900));
}

TEST(out_of_memory)
{
	struct wait_queue *q;
	int n;

	alloc_needed();
	for (n = 0;; n++) {
		alloc_fail(n);
		q = wait_queue_new(&one, 10);
		if (!alloc_failed())
			break;
		assert_null(q);
		assert_int_equal(errno, ENOMEM);
	}
	assert_int_equal(n, 3);
	wait_queue_free(q);
}
