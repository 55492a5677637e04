/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_server.c: what two workers tell each other about their servers.
 */
#include "upstream/server.h"

#include "helpers.h"

static const struct server list[3] = {
	{ .name = "a", .weight = 1 }, { .name = "b", .weight = 1, .slot = 1 },
	{ .name = "c", .weight = 1, .slot = 2 },
};

/* Ejects at the first failure, and all but one, unless a test changes it. */
static const struct pool ejects = { .n = 3, .max_fails = 1,
	.fail_timeout = 10000, .eject_time = 2000, .max_ejected_percent = 70 };

static struct pool pool;
static struct board *board;
static struct servers one, two;	/* as two workers see them */

int
set_up(void)
{
	if ((board = board_new(16, NULL)) == NULL)
		return -1;
	atomic_store(&board->ledger->worker_slots, board->rows);
	pool = ejects;
	one.pool = two.pool = &pool;
	one.pools = two.pools = 1;
	one.list = two.list = list;
	one.n = two.n = 3;
	one.board = two.board = board;
	one.worker = 3;
	two.worker = 4;
	return 0;
}

int
tear_down(void)
{
	board_free(board);
	return 0;
}

TEST(take_and_drop)
{
	server_take(&one, 1);
	server_take(&one, 1);
	server_take(&two, 1);
	server_take(&two, 2);
	assert_int_equal(*board_live(board, 3, 1), 2);
	assert_int_equal(*board_live(board, 4, 1), 1);
	assert_int_equal(board_server_live(board, 0), 0);
	assert_int_equal(board_server_live(board, 1), 3);
	assert_int_equal(board_server_live(board, 2), 1);
	server_drop(&one, 1);
	server_drop(&one, 1);
	server_drop(&two, 2);
	assert_int_equal(board_server_live(board, 1), 1);
	assert_int_equal(board_server_live(board, 2), 0);
	assert_int_equal(*board_live(board, 4, 1), 1);
}

TEST(failure_is_news_once)
{
	assert_int_equal(server_failed(&one, 0, 1000), NEWS_EJECTED);
	assert_int_equal(server_failed(&one, 0, 1001), NEWS_NONE);
	assert_int_equal(server_failed(&two, 0, 1002), NEWS_NONE);
	assert_int_equal(server_failed(&two, 1, 1002), NEWS_EJECTED);
	assert_int_equal(board->server[0].failures, 3);
	assert_int_equal(board->server[1].failures, 1);
	assert_int_equal(board->server[2].failures, 0);
}

TEST(answer_is_news_once)
{
	assert_false(server_answered(&one, 0));
	server_failed(&one, 0, 1000);
	assert_true(server_answered(&two, 0));
	assert_false(server_answered(&one, 0));
	assert_int_equal(server_failed(&one, 0, 1001), NEWS_EJECTED);
	assert_true(server_answered(&one, 0));
	assert_int_equal(board->server[0].served, 4);
	assert_int_equal(board->server[1].served, 0);
}

/* Until when is it ejected, seen at *now* by the other worker? */
static uint64_t
ejected_at(uint64_t now)
{
	uint64_t ms = 0;

	assert_int_equal(server_failed(&one, 0, now), NEWS_EJECTED);
	while (server_is_ejected(&two, 0, now + ms))
		ms++;
	return ms;
}

/* Each ejection in a row is twice as long, up to thirty times the first. */
TEST(ejections_grow)
{
	static const unsigned times[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
	uint64_t now = 5000, ms;
	size_t i;

	pool.eject_time = 100;
	assert_false(server_is_ejected(&one, 0, 0));
	for (i = 0; i < COUNT(times); i++) {
		ms = ejected_at(now);
		assert_int_equal(ms, times[i] * 100);
		assert_false(server_is_ejected(&two, 1, now));
		/* Those who were on their way to it fail, too. */
		assert_int_equal(server_failed(&two, 0, now + ms - 1),
		    NEWS_NONE);
		now += ms;
	}
	/* A single answer does not make it sound. */
	assert_true(server_answered(&two, 0));
	assert_int_equal(ejected_at(now + 2999), 3000);
	assert_true(server_answered(&two, 0));
	assert_int_equal(ejected_at(now + 2999 + 3000 + 3000), 100);
}

/* Failures count for a while, and of all workers. */
TEST(failures_in_a_window)
{
	pool.max_fails = 3;
	assert_int_equal(server_failed(&one, 0, 1000), NEWS_NONE);
	assert_int_equal(server_failed(&two, 0, 2000), NEWS_NONE);
	/* The first is forgotten, and the others with it. */
	assert_int_equal(server_failed(&one, 0, 11000), NEWS_NONE);
	assert_int_equal(server_failed(&two, 0, 20998), NEWS_NONE);
	assert_false(server_on_probation(&one, 0));
	assert_int_equal(server_failed(&one, 0, 20999), NEWS_EJECTED);
	/* Until it has answered one is enough. */
	assert_int_equal(server_failed(&one, 0, 90000), NEWS_EJECTED);
	assert_true(server_answered(&one, 0));
	assert_int_equal(server_failed(&one, 0, 99999), NEWS_NONE);
	pool.max_fails = 0;
	assert_int_equal(server_failed(&one, 1, 1), NEWS_NONE);
	assert_false(server_on_probation(&one, 1));
}

/* What a server has of its own wins, be it that nothing ejects it. */
TEST(failures_by_server)
{
	struct server own[3];

	memcpy(own, list, sizeof(own));
	own[0].own_fails = own[2].own_fails = true;
	own[0].max_fails = 2;
	own[0].fail_timeout = 50;
	one.list = own;
	assert_int_equal(server_failed(&one, 0, 1000), NEWS_NONE);
	assert_int_equal(server_failed(&one, 0, 1050), NEWS_NONE);
	assert_int_equal(server_failed(&one, 0, 1099), NEWS_EJECTED);
	assert_int_equal(server_failed(&one, 2, 1000), NEWS_NONE);
	assert_int_equal(server_failed(&one, 2, 1000), NEWS_NONE);
	assert_int_equal(server_failed(&one, 1, 1000), NEWS_EJECTED);
}

/*
 * Never more than the share; who comes too late is on probation all the same.
 */
TEST(share)
{
	pool.max_ejected_percent = 34;
	assert_int_equal(server_failed(&one, 0, 1000), NEWS_EJECTED);
	assert_int_equal(server_failed(&two, 1, 1000), NEWS_PROBATION);
	assert_int_equal(server_failed(&two, 1, 1001), NEWS_NONE);
	assert_false(server_is_ejected(&one, 1, 1001));
	assert_true(server_on_probation(&one, 1));
	/* The first one's time is over. */
	assert_int_equal(server_failed(&two, 1, 3000), NEWS_EJECTED);
	assert_int_equal(server_failed(&two, 0, 3000), NEWS_NONE);
	pool.max_ejected_percent = 33;
	assert_int_equal(server_failed(&two, 2, 9000), NEWS_PROBATION);
}

TEST(the_only_one_is_never_ejected)
{
	pool.n = 1;
	pool.max_ejected_percent = 100;
	assert_int_equal(server_failed(&one, 0, 1000), NEWS_PROBATION);
	assert_int_equal(server_failed(&one, 0, 2000), NEWS_NONE);
	assert_false(server_is_ejected(&one, 0, 2000));
	assert_true(server_answered(&one, 0));
}

/* Nor the only one that a name with more places has, or that is in service. */
TEST(the_only_one_of_several)
{
	const struct resolved_addr resolved = { .lookup = 9, .family = AF_INET,
	    .weight = 1 };
	struct server some[3];

	memcpy(some, list, sizeof(some));
	one.list = some;
	some[1].lookup = some[2].lookup = 9;
	pool.max_ejected_percent = 100;
	assert_int_equal(server_failed(&one, 0, 1000), NEWS_PROBATION);
	resolved_addr_write(&board->book[1].resolved, &resolved);
	assert_int_equal(server_failed(&one, 0, 1000), NEWS_EJECTED);
	some[0].weight = 0;
	assert_int_equal(server_failed(&one, 1, 1000), NEWS_PROBATION);
	some[0].weight = 1;
	pool.max_ejected_percent = 67;
	assert_int_equal(server_failed(&one, 1, 1000), NEWS_NONE);
	resolved_addr_write(&board->book[2].resolved, &resolved);
	assert_int_equal(server_failed(&one, 1, 1000), NEWS_EJECTED);
}

/* Run by two processes at once; returns the sum of what they count. */
static unsigned
race(unsigned (*run)(const struct servers *))
{
	const struct servers *side[] = { &one, &two };
	unsigned sum = 0;
	pid_t pid[2];
	int i, p[2], status;
	char c;

	MUST(pipe(p));
	for (i = 0; i < 2; i++)
		if ((pid[i] = (pid_t)MUST(fork())) == 0) {
			close(p[1]);
			(void)!read(p[0], &c, 1);
			_exit((int)run(side[i]));
		}
	close(p[0]);
	close(p[1]);
	for (i = 0; i < 2; i++) {
		MUST(waitpid(pid[i], &status, 0));
		assert_true(WIFEXITED(status));
		sum += (unsigned)WEXITSTATUS(status);
	}
	return sum;
}

static unsigned
eject_fifty(const struct servers *bs)
{
	unsigned n = 0;
	uint64_t now;

	for (now = 1; now <= 50; now++)
		n += server_failed(bs, 0, now * 1000000) == NEWS_EJECTED;
	return n;
}

/* Whatever both see at once, only one ejects. */
TEST(race_to_eject)
{
	assert_int_equal(race(eject_fifty), 50);
	assert_int_equal(board->server[0].failures, 100);
}

static struct server limited[3] = { { .max_sessions = 2 } };

static unsigned
take_and_drop(const struct servers *bs)
{
	unsigned i, worse = 0;

	for (i = 0; i < 200000; i++) {
		if (!server_take(bs, 0))
			continue;
		/* *pool* is shared: who is in counts. */
		worse += atomic_fetch_add(&board->ledger->leaving, 1) >= 1;
		atomic_fetch_sub(&board->ledger->leaving, 1);
		server_drop(bs, 0);
	}
	return worse > 255 ? 255 : worse;
}

/* The last place is never given twice, and all come back. */
TEST(race_to_take)
{
	limited[0].max_sessions = 1;
	one.list = two.list = limited;
	assert_int_equal(race(take_and_drop), 0);
	assert_int_equal(server_load(&one, 0), 0);
	assert_true(server_take(&one, 0));
	assert_false(server_take(&two, 0));
	assert_false(server_take(&one, 0));
	assert_int_equal(server_load(&one, 0), 1);
	server_drop(&one, 0);
	assert_true(server_take(&two, 0));
}

/* Longer than it is ejected: until it has answered somebody. */
TEST(on_probation)
{
	assert_false(server_on_probation(&one, 0));
	server_failed(&one, 0, 1000);
	assert_false(server_is_ejected(&one, 0, 1000000));
	assert_true(server_on_probation(&two, 0));
	assert_false(server_on_probation(&two, 1));
	server_answered(&two, 0);
	assert_false(server_on_probation(&one, 0));
}

/* The other workers are other processes. */
TEST(processes_tell_each_other)
{
	pid_t pid;

	if ((pid = (pid_t)MUST(fork())) == 0) {
		server_take(&two, 2);
		_exit(server_failed(&two, 2, 100) == NEWS_EJECTED ? 0 : 1);
	}
	assert_int_equal(wait_child(pid), 0);
	assert_true(server_is_ejected(&one, 2, 200));
	assert_int_equal(server_failed(&one, 2, 200), NEWS_NONE);
	assert_int_equal(board_server_live(board, 2), 1);
}

/* The operator and the checks say who has new sessions. */
TEST(serves)
{
	struct pool checked = { .checked = true, .n = 3 }, plain = { .n = 3 };
	struct server with[3] = { { .weight = 1 },
	    { .weight = 1, .state = SERVER_DRAIN, .slot = 1 },
	    { .weight = 0, .slot = 2 } };
	struct servers bs = { .list = with, .n = 3, .pool = &plain,
	    .pools = 1, .board = board };

	assert_true(server_serves(&bs, 0));
	assert_false(server_serves(&bs, 1) || server_serves(&bs, 2));
	bs.pool = &checked;
	assert_false(server_serves(&bs, 0));
	assert_true(server_unknown(&bs, 0));
	assert_false(server_unknown(&bs, 1) || server_unknown(&bs, 2));
	atomic_store(&board->book[0].health, HEALTH_UP);
	assert_true(server_serves(&bs, 0));
	assert_false(server_unknown(&bs, 0));
	atomic_store(&board->book[0].health, HEALTH_DOWN);
	assert_false(server_serves(&bs, 0) || server_unknown(&bs, 0));
}

/* The limit is for all workers together. */
TEST(full)
{
	struct servers mine = one, yours = two;

	mine.list = yours.list = limited;
	limited[0].max_sessions = 2;
	assert_false(server_full(&mine, 0));
	server_take(&mine, 0);
	assert_false(server_full(&mine, 0));
	server_take(&yours, 0);
	assert_true(server_full(&mine, 0));
	assert_int_equal(server_load(&mine, 0), 2);
	server_drop(&mine, 0);
	assert_false(server_full(&yours, 0));
	limited[0].max_sessions = 0;
	assert_false(server_full(&yours, 0));
}

/* Nothing that any worker writes keeps a server from sessions for days. */
TEST(ejected_by_nonsense)
{
	atomic_store(&board->server[0].ejected_until, UINT64_C(1) << 32);
	assert_false(server_is_ejected(&one, 0, 1000));
	atomic_store(&board->server[0].ejected_until, UINT64_MAX);
	assert_false(server_is_ejected(&one, 0, 1000));
	assert_int_equal(server_failed(&one, 0, 1000), NEWS_EJECTED);
	assert_true(server_is_ejected(&two, 0, 1001));
}
