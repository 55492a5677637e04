/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_balance.c: the sequence of servers: shares that are exact, places that are
 * spread, one sequence for all processes, and who comes first when some fail.
 */
#include "upstream/balance.h"

#include "helpers.h"

#define MOST	40			/* servers in most of these tests */

static struct server list[BOARD_SERVERS];
static struct pool pool;
static struct servers servers;
static struct balance *balance;

/* Servers of these weights; negative: a backup of that weight. */
/* One failure is enough, and all may be ejected. */
#define EJECTS		.max_fails = 1, .fail_timeout = 1, \
			.eject_time = 2000, .max_ejected_percent = 100

static void
begin(const int *weights, uint32_t n)
{
	uint32_t i;

	memset(list, 0, sizeof(list));
	for (i = 0; i < n; i++) {
		list[i].weight = (uint32_t)abs(weights[i]);
		list[i].tier = weights[i] < 0 ? TIER_BACKUP : TIER_PRIMARY;
		list[i].slot = i;
	}
	servers.list = list;
	servers.n = n;
	pool = (struct pool){ .n = n, EJECTS };
	servers.pool = &pool;
	servers.pools = 1;
	servers.worker = 0;
	servers.board = board_new(16, NULL);
	assert_non_null(servers.board);
	atomic_store(&servers.board->ledger->worker_slots, servers.board->rows);
	balance = balance_new(&servers);
	assert_non_null(balance);
}

int
tear_down(void)
{
	balance_free(balance);
	board_free(servers.board);
	balance = NULL;
	servers.board = NULL;
	return 0;
}

static int
pick_of(struct balance *b, uint32_t of, const uint16_t *tried, unsigned n,
    uint64_t now)
{
	static const struct endpoint client = { .family = AF_INET };

	return balance_pick(b, &(struct balance_ask){ .pool = of,
	    .client = &client, .tried = tried, .n = n, .now = now });
}

static int
pick(uint64_t now)
{
	return pick_of(balance, 0, NULL, 0, now);
}

/* The next picks, as letters. */
static const char *
picks(unsigned n)
{
	static char text[100];
	unsigned i;
	int got;

	for (i = 0; i < n; i++) {
		got = pick(0);
		text[i] = got == -1 ? '-' : (char)('a' + got);
	}
	text[n] = '\0';
	return text;
}

TEST(sequences)
{
	begin((const int[]){ 5, 1, 1 }, 3);
	assert_string_equal(picks(14), "aabacaaaabacaa");
	tear_down();
	begin((const int[]){ 1, 1, 1 }, 3);
	assert_string_equal(picks(7), "abcabca");
	tear_down();
	begin((const int[]){ 7 }, 1);
	assert_string_equal(picks(3), "aaa");
	tear_down();
	begin((const int[]){ 256, 256 }, 2);
	assert_string_equal(picks(5), "ababa");
}

static unsigned
sum_of(const int *weights, uint32_t n)
{
	unsigned sum = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		sum += (unsigned)weights[i];
	return sum;
}

/* In each period everybody is picked as often as its weight says. */
TEST(shares_are_exact)
{
	uint64_t seed = random_seed();
	unsigned got[MOST], sum, k, period;
	int weights[MOST], i, n, at;

	for (k = 0; k < 300; k++) {
		n = 1 + (int)random_below(&seed, k < 250 ? 8 : MOST);
		for (i = 0; i < n; i++)
			weights[i] = 1 + (int)random_below(&seed,
			    k % 2 ? 6 : SERVER_WEIGHT_MAX);
		sum = sum_of(weights, (uint32_t)n);
		begin(weights, (uint32_t)n);
		for (period = 0; period < 2; period++) {
			memset(got, 0, sizeof(got));
			for (i = 0; i < (int)sum; i++) {
				at = pick(0);
				assert_in_range(at, 0, n - 1);
				got[at]++;
			}
			for (i = 0; i < n; i++)
				assert_int_equal(got[i], weights[i]);
		}
		tear_down();
	}
}

/* Nobody with at most half of the weight is picked three times in a row. */
TEST(no_runs)
{
	uint64_t seed = random_seed();
	int weights[8], i, n, last, got, run;
	unsigned sum, k, j;

	for (k = 0; k < 500; k++) {
		n = 2 + (int)random_below(&seed, 7);
		for (i = 0; i < n; i++)
			weights[i] = 1 + (int)random_below(&seed, 12);
		sum = sum_of(weights, (uint32_t)n);
		begin(weights, (uint32_t)n);
		for (last = -1, run = 0, j = 0; j < 3 * sum; j++, last = got) {
			got = pick(0);
			run = got == last ? run + 1 : 1;
			if (run > 2 && 2 * (unsigned)weights[got] <= sum)
				fail_msg("%d (%d of %u) %d times in a row",
				    got, weights[got], sum, run);
		}
		tear_down();
	}
}

/* Of equal weights all come before one comes again. */
TEST(equal_weights_take_turns)
{
	int weights[MOST], i, n;

	for (n = 1; n <= MOST; n++) {
		for (i = 0; i < n; i++)
			weights[i] = n;
		begin(weights, (uint32_t)n);
		for (i = 0; i < 3 * n; i++)
			assert_int_equal(pick(0), i % n);
		tear_down();
	}
}

/* At any moment each has had its share, give or take one. */
TEST(shares_are_spread)
{
	static const int weights[] = { 11, 7, 5, 3, 1 };
	int had[5] = { 0 }, i, k;
	double due;

	begin(weights, 5);
	for (k = 1; k <= 27 * 4; k++) {
		had[pick(0)]++;
		for (i = 0; i < 5; i++) {
			due = (double)weights[i] * k / 27;
			assert_true(had[i] > due - 1.5 && had[i] < due + 1.5);
		}
	}
}

/* Two workers, turn by turn: it is as if there were one. */
TEST(workers_draw_from_one_sequence)
{
	struct servers other;
	struct balance *second;
	char text[15] = "";
	int i;

	begin((const int[]){ 5, 1, 1 }, 3);
	other = servers;
	other.worker = 1;
	second = balance_new(&other);
	for (i = 0; i < 14; i++)
		text[i] = (char)('a' + pick_of(i % 3 == 1 ? second :
		    balance, 0, NULL, 0, 0));
	assert_string_equal(text, "aabacaaaabacaa");
	balance_free(second);
}

/* In numbers that are whole periods only when all are added up. */
TEST(processes_draw_from_one_sequence)
{
	static const int weights[] = { 5, 1, 1 };
	static const unsigned draws[] = { 10001, 20002, 30003, 10001 };
	pid_t pid[4];
	unsigned k;
	int i;

	begin(weights, 3);
	for (i = 0; i < 4; i++)
		if ((pid[i] = (pid_t)MUST(fork())) == 0) {
			servers.worker = (uint32_t)i;
			for (k = 0; k < draws[i]; k++)
				server_take(&servers, (uint32_t)pick(0));
			_exit(0);
		}
	for (i = 0; i < 4; i++)
		assert_int_equal(wait_child(pid[i]), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(board_server_live(servers.board,
		    (uint32_t)i), weights[i] * 70007 / 7);
}

TEST(tried_ones_are_left_out)
{
	uint16_t tried[3] = { 0 };
	int i, got;

	begin((const int[]){ 9, 1, 1 }, 3);
	for (i = 0; i < 50; i++) {
		tried[0] = 0;
		got = pick_of(balance, 0, tried, 1, 0);
		assert_in_range(got, 1, 2);
		tried[1] = (uint16_t)got;
		got = pick_of(balance, 0, tried, 2, 0);
		assert_int_equal(got, 3 - tried[1]);
		tried[2] = (uint16_t)got;
		errno = 0;
		assert_int_equal(pick_of(balance, 0, tried, 3, 0), -1);
		assert_int_equal(errno, EHOSTDOWN);
	}
	/* Failed just now or not: tried is tried. */
	server_failed(&servers, 0, 0);
	server_failed(&servers, 1, 0);
	assert_int_equal(pick_of(balance, 0, tried, 3, 0), -1);
	assert_int_equal(errno, EHOSTDOWN);
}

TEST(order_of_last_resorts)
{
	uint16_t tried[4];
	unsigned n;
	int i;

	/* a and b are primary, c and d stand by. */
	begin((const int[]){ 1, 1, -1, -1 }, 4);
	assert_string_equal(picks(4), "abab");
	server_failed(&servers, 0, 0);
	assert_string_equal(picks(4), "bbbb");
	server_failed(&servers, 1, 0);
	assert_string_equal(picks(4), "cdcd");
	server_failed(&servers, 3, 0);
	assert_string_equal(picks(3), "ccc");
	/* All ejected: primary ones first again. */
	server_failed(&servers, 2, 0);
	for (i = 0; i < 10; i++)
		assert_in_range(pick(0), 0, 1);
	for (n = 0; n < 4; n++) {
		i = pick_of(balance, 0, tried, n, 0);
		assert_in_range(i, n < 2 ? 0 : 2, n < 2 ? 1 : 3);
		tried[n] = (uint16_t)i;
	}
	assert_int_equal(pick_of(balance, 0, tried, 4, 0), -1);
	assert_int_equal(errno, EHOSTDOWN);
	/* Two seconds later all is as before. */
	assert_in_range(pick(2000), 0, 1);
	assert_in_range(pick(2000), 0, 1);
}

/* Who is full will have room: that is waited for, if sessions may wait. */
TEST(full_ones_and_ejected_ones)
{
	uint16_t tried[1] = { 0 };

	begin((const int[]){ 1, 1 }, 2);
	list[0].max_sessions = 1;
	server_failed(&servers, 1, 0);
	assert_true(server_take(&servers, 0));
	assert_int_equal(pick(0), 1);
	pool.max_queue = 10;
	assert_int_equal(pick(0), -1);
	assert_int_equal(errno, EAGAIN);
	/* One that will not be taken is not waited for. */
	assert_int_equal(pick_of(balance, 0, tried, 1, 0), 1);
	/* Ejected no longer. */
	assert_int_equal(pick(2000), 1);
	server_failed(&servers, 0, 0);
	assert_int_equal(pick(0), 1);
	server_drop(&servers, 0);
	assert_in_range(pick(0), 0, 1);
}

/* A tried primary one is followed by a primary one, ejected or not tried. */
TEST(backup_after_all_primary_ones)
{
	uint16_t tried[2] = { 0, 1 };

	begin((const int[]){ 1, 1, -1 }, 3);
	assert_int_equal(pick_of(balance, 0, tried, 1, 0), 1);
	assert_int_equal(pick_of(balance, 0, tried, 2, 0), 2);
	server_failed(&servers, 1, 0);
	/* b failed just now, c did not. */
	assert_int_equal(pick_of(balance, 0, tried, 1, 0), 2);
}

/* The share of one that is down goes to the others evenly. */
TEST(share_of_the_failed)
{
	unsigned got[4] = { 0 };
	int i;

	begin((const int[]){ 1, 1, 1, 1 }, 4);
	server_failed(&servers, 1, 0);
	for (i = 0; i < 300; i++)
		got[pick(0)]++;
	assert_int_equal(got[0], 100);
	assert_int_equal(got[1], 0);
	assert_int_equal(got[2], 100);
	assert_int_equal(got[3], 100);
}

/* Whoever draws the places in between, the answer is right all the same. */
TEST(found_however_rare)
{
	uint16_t tried[1] = { 0 };
	int i;

	begin((const int[]){ 255, 1 }, 2);
	for (i = 0; i < 1000; i++)
		assert_int_equal(pick_of(balance, 0, tried, 1, 0), 1);
	server_failed(&servers, 0, 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(pick(0), 1);
}

/* Backups help as soon as there are too few, and no longer. */
TEST(min_primaries)
{
	begin((const int[]){ 1, 1, 2, -1 }, 4);
	pool.min_primaries = 3;
	balance_free(balance);
	balance = balance_new(&servers);
	assert_null(strchr(picks(8), 'd'));
	list[0].state = SERVER_DRAIN;
	assert_string_equal(picks(4), "cbdc");
	/* A full one is there all the same. */
	list[0].state = SERVER_READY;
	list[2].max_sessions = 1;
	assert_true(server_take(&servers, 2));
	assert_string_equal(picks(4), "abab");
	server_drop(&servers, 2);
	/* One that failed just now is not. */
	server_failed(&servers, 0, 0);
	assert_non_null(strchr(picks(4), 'd'));
	assert_true(server_answered(&servers, 0));
	assert_null(strchr(picks(8), 'd'));
	/* One that nobody has checked yet is, where sessions may wait. */
	pool.checked = true;
	pool.max_queue = 1;
	servers.board->book[1].health = HEALTH_UP;
	servers.board->book[2].health = HEALTH_UP;
	servers.board->book[3].health = HEALTH_UP;
	assert_null(strchr(picks(8), 'd'));
	servers.board->book[0].health = HEALTH_DOWN;
	assert_non_null(strchr(picks(8), 'd'));
}

TEST(backups_alone)
{
	begin((const int[]){ -2, -1 }, 2);
	assert_string_equal(picks(6), "abaaba");
	tear_down();
	begin(NULL, 0);
	assert_int_equal(pick(0), -1);
	assert_int_equal(errno, EHOSTDOWN);
}

/* Each worker lays it out when it starts, and must not be late for that. */
TEST(longest_list)
{
	static int weights[BOARD_SERVERS];
	uint64_t seed = random_seed();
	clock_t begun;
	int i;

	for (i = 0; i < BOARD_SERVERS; i++)
		weights[i] = 1 + (int)random_below(&seed, SERVER_WEIGHT_MAX);
	/* Of our processor, others have theirs. */
	begun = clock();
	begin(weights, BOARD_SERVERS);
	assert_in_range(clock() - begun, 0, 15 * CLOCKS_PER_SEC);
	assert_in_range(pick(0), 0, BOARD_SERVERS - 1);
}

/* As nginx does it, a step at a time. */
static uint32_t
next_by_the_book(int64_t *gain, const int *weights, uint32_t n)
{
	uint32_t i, best = 0;
	int64_t sum = 0;

	for (i = 0; i < n; i++) {
		gain[i] += weights[i];
		sum += weights[i];
		if (gain[i] > gain[best])
			best = i;
	}
	gain[best] -= sum;
	return best;
}

TEST(by_the_book)
{
	uint64_t seed = random_seed();
	int64_t gain[MOST];
	int weights[MOST], most;
	uint32_t i, n, round;

	for (round = 0; round < 200; round++) {
		n = 1 + (uint32_t)random_below(&seed, MOST);
		most = 1 + (int)random_below(&seed, SERVER_WEIGHT_MAX);
		for (i = 0; i < n; i++)
			weights[i] = 1 + (int)random_below(&seed,
			    (uint32_t)most);
		memset(gain, 0, sizeof(gain));
		begin(weights, n);
		for (i = 0; i < 3000; i++)
			assert_int_equal(pick(0),
			    next_by_the_book(gain, weights, n));
		tear_down();
	}
}

/* Each pool has a sequence of its own, over its own servers. */
TEST(pools_are_apart)
{
	struct pool pools[2] = { { .n = 2 }, { .first = 2, .n = 3, .slot = 1,
	    EJECTS } };
	struct balance *b;
	const uint16_t tried[] = { 0, 1 };
	int i;

	begin((const int[]){ 1, 1, 1, 2, -1 }, 5);
	for (i = 2; i < 5; i++)
		list[i].pool = 1;
	servers.pool = pools;
	servers.pools = 2;
	b = balance_new(&servers);
	assert_non_null(b);
	for (i = 0; i < 12; i++) {
		assert_int_equal(pick_of(b, 0, NULL, 0, 0), i % 2);
		assert_int_equal(pick_of(b, 1, NULL, 0, 0),
		    i % 3 == 1 ? 2 : 3);
	}
	assert_int_equal(pick_of(b, 0, tried, 2, 0), -1);
	server_failed(&servers, 2, 0);
	server_failed(&servers, 3, 0);
	assert_int_equal(pick_of(b, 1, NULL, 0, 0), 4);
	balance_free(b);
	servers.pool = &pool;
	servers.pools = 1;
}

TEST(out_of_memory)
{
	struct balance *b;
	int n;

	alloc_needed();
	begin((const int[]){ 2, 1, -1, -3 }, 4);
	for (n = 0; ; n++) {
		alloc_fail(n);
		errno = 0;
		b = balance_new(&servers);
		if (!alloc_failed())
			break;
		assert_null(b);
		assert_int_equal(errno, ENOMEM);
	}
	assert_true(n > 0);
	balance_free(b);
	balance_free(NULL);
}

/* As the prober writes it. */
static void
move_to(uint32_t i, uint16_t family, uint16_t weight, bool backup)
{
	const struct resolved_addr s = { .lookup = 5, .family = family,
	    .weight = weight, .backup = backup };

	resolved_addr_write(&servers.board->book[i].resolved, &s);
	atomic_fetch_add(&servers.board->pool[0].version, 1);
}

static int
how_many(char which, const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += *text == which;
	return n;
}

/* Names that are looked up again: everybody who draws follows. */
TEST(order_follows_names)
{
	uint32_t i;

	begin((const int[]){ 1, 1, 2 }, 3);
	for (i = 0; i < 2; i++)
		list[i].lookup = 5;
	assert_string_equal(picks(2), "cc");
	move_to(0, AF_INET, 1, 0);
	assert_int_equal(how_many('a', picks(6)), 2);
	move_to(0, 0, 0, 0);
	move_to(1, AF_INET6, 4, 0);
	assert_int_equal(how_many('b', picks(6)), 4);
	/* A backup is asked only when there is no other. */
	move_to(1, AF_INET6, 4, 1);
	assert_string_equal(picks(3), "ccc");
	server_failed(&servers, 2, 0);
	assert_string_equal(picks(3), "bbb");
}

/* Until it is known where one is it is worth waiting. */
TEST(not_yet_looked_up)
{
	begin((const int[]){ 1 }, 1);
	list[0].lookup = 5;
	assert_int_equal(pick(0), -1);
	assert_int_equal(errno, EAGAIN);
	move_to(0, 0, 0, 0);
	assert_int_equal(pick(0), -1);
	assert_int_equal(errno, EHOSTDOWN);
	move_to(0, AF_INET, 1, 0);
	assert_int_equal(pick(0), 0);
}

static void
fail_look_up(uint32_t i)
{
	const struct resolved_addr s = { .lookup = 5, .failed = true };

	resolved_addr_write(&servers.board->book[i].resolved, &s);
	atomic_fetch_add(&servers.board->pool[0].version, 1);
}

/*
 * A backup waits for the name of a primary server, but not for one that cannot
 * be looked up, nor for one that is not to have sessions.
 */
TEST(backup_waits_for_names)
{
	begin((const int[]){ 1, -1 }, 2);
	list[0].lookup = 5;
	atomic_fetch_add(&servers.board->pool[0].version, 1);
	pool.max_queue = 10;
	assert_int_equal(pick(0), -1);
	assert_int_equal(errno, EAGAIN);
	fail_look_up(0);
	assert_int_equal(pick(0), 1);
	/* Without the backup it is worth waiting for the next look-up. */
	list[1].state = SERVER_MAINT;
	assert_int_equal(pick(0), -1);
	assert_int_equal(errno, EAGAIN);
	list[1].state = SERVER_READY;
	move_to(0, AF_INET, 1, false);
	assert_int_equal(pick(0), 0);
	list[0].lookup = 6;
	list[0].state = SERVER_DRAIN;
	assert_int_equal(pick(0), 1);
}

static void
put_health(uint32_t i, enum server_health health)
{
	atomic_store(&servers.board->book[i].health, health);
}

/* Its backup's check was quicker than its own: rather wait, if that may be. */
TEST(not_yet_checked)
{
	const uint16_t tried[] = { 0 };

	begin((const int[]){ 1, -1 }, 2);
	pool.checked = true;
	put_health(1, HEALTH_UP);
	assert_int_equal(pick(0), 1);
	pool.max_queue = 1;
	assert_int_equal(pick(0), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(pick_of(balance, 0, tried, 1, 0), 1);
	put_health(0, HEALTH_DOWN);
	assert_int_equal(pick(0), 1);
	put_health(0, HEALTH_UP);
	assert_int_equal(pick(0), 0);
}
