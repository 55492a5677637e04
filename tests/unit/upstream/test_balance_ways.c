/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_balance_ways.c: what each algorithm promises: shares within a percent of the
 * weights, few keys that move, the same table everywhere, loads within their
 * bound, a slow start.
 */
#include "upstream/balance.h"

#include "helpers.h"

#define MOST	100			/* servers */
#define PICKS	100000
#define KEYS	20000

static struct server list[MOST];
static struct pool pool;
static struct servers servers;
static struct balance *balance;

/* Servers s0, s1 … of these weights; a negative one: a backup. */
static void
begin(const char *name, const int *weights, uint32_t n)
{
	uint32_t i;

	memset(list, 0, sizeof(list));
	for (i = 0; i < n; i++) {
		snprintf(list[i].name, sizeof(list[i].name), "app/s%u", i);
		list[i].hash = board_hash(list[i].name);
		list[i].weight = weights == NULL ? 1 :
		    (uint32_t)abs(weights[i]);
		list[i].tier = weights != NULL && weights[i] < 0 ?
		    TIER_BACKUP : TIER_PRIMARY;
		list[i].slot = i;
	}
	pool.n = n;
	pool.max_fails = 1;
	pool.fail_timeout = 1;
	pool.eject_time = 2000;
	pool.max_ejected_percent = 100;
	pool.balance = balance_algorithm(name);
	assert_non_null(pool.balance);
	servers = (struct servers){ .list = list, .n = n, .pool = &pool,
	    .pools = 1, .board = board_new(16, NULL) };
	assert_non_null(servers.board);
	atomic_store(&servers.board->ledger->worker_slots, 4);
	assert_non_null(balance = balance_new(&servers));
}

int
tear_down(void)
{
	balance_free(balance);
	board_free(servers.board);
	balance = NULL;
	servers.board = NULL;
	memset(&pool, 0, sizeof(pool));
	return 0;
}

/* Client number *key*, from a network of its own. */
static int
pick_for(struct balance *b, uint32_t key, uint64_t now)
{
	struct endpoint e = { .family = AF_INET, .port = (uint16_t)(key * 7) };

	e.ip[0] = 10;
	e.ip[1] = (unsigned char)(key >> 16);
	e.ip[2] = (unsigned char)(key >> 8);
	e.ip[3] = (unsigned char)key;
	return balance_pick(b, &(struct balance_ask){ .client = &e,
	    .now = now });
}

static void
put_health(uint32_t i, enum server_health health, uint64_t changed)
{
	pool.checked = true;
	atomic_store(&servers.board->book[i].health, health);
	atomic_store(&servers.board->book[i].changed, changed);
}

static void
all_up(void)
{
	uint32_t i;

	for (i = 0; i < servers.n; i++)
		put_health(i, HEALTH_UP, 0);
}

/* --- shares ----------------------------------------------------------------- */

/*
 * Within *slack* thousandths of all picks. Sessions stay when *held*: those that
 * go by load see it.
 */
static void
assert_shares(const char *name, bool held, unsigned slack)
{
	static const int weights[] = { 5, 3, 1, 7, 4 };
	unsigned got[5] = { 0 }, k;
	int i, due;

	begin(name, weights, 5);
	for (k = 0; k < PICKS; k++) {
		servers.worker = k % 4;
		got[i = pick_for(balance, k, 0)]++;
		if (held)
			server_take(&servers, (uint32_t)i);
	}
	for (i = 0; i < 5; i++) {
		due = PICKS / 20 * weights[i];
		if (abs((int)got[i] - due) > (int)(PICKS / 1000 * slack))
			fail_msg("%s: %d had %u, not %d", name, i, got[i], due);
	}
	tear_down();
}

TEST(shares)
{
	assert_shares("roundrobin", false, 1);
	assert_shares("leastconn", false, 1);
	assert_shares("leastconn", true, 1);
	assert_shares("random", false, 10);
	assert_shares("random", true, 1);
	assert_shares("client", false, 10);
	assert_shares("maglev", false, 10);
	/* The ring has points, and they lie as they lie: 3 % of a share. */
	assert_shares("hash", false, 20);
}

static const char *const all[] = { "roundrobin", "leastconn", "random",
    "client", "hash", "maglev", "first" };

/* Weight 0, drain, down, full: none of them gets anything, in no algorithm. */
TEST(who_gets_nothing)
{
	static const int weights[] = { 2, 0, 2, 2, 2, 2, -1 };
	unsigned got[7], k, w;
	int i;

	for (w = 0; w < COUNT(all); w++) {
		begin(all[w], weights, 7);
		all_up();
		list[2].state = SERVER_DRAIN;
		put_health(3, HEALTH_DOWN, 1);
		list[4].max_sessions = 1;
		server_take(&servers, 4);
		memset(got, 0, sizeof(got));
		for (k = 0; k < 1000; k++) {
			got[i = pick_for(balance, k, 0)]++;
			assert_true(i == 0 || i == 5);
		}
		assert_true(got[0] > 0);
		/* One of them failed; then both: the backup. */
		server_failed(&servers, 0, 0);
		for (k = 0; k < 100; k++)
			assert_int_equal(pick_for(balance, k, 0), 5);
		server_failed(&servers, 5, 0);
		assert_int_equal(pick_for(balance, 1, 0), 6);
		/* Nobody else: one that failed, and at last nobody. */
		put_health(6, HEALTH_DOWN, 1);
		i = pick_for(balance, 1, 0);
		assert_true(i == 0 || i == 5);
		put_health(0, HEALTH_DOWN, 1);
		put_health(5, HEALTH_DOWN, 1);
		assert_int_equal(pick_for(balance, 1, 0), -1);
		assert_int_equal(errno, EAGAIN);
		list[4].weight = 0;
		assert_int_equal(pick_for(balance, 1, 0), -1);
		assert_int_equal(errno, EHOSTDOWN);
		tear_down();
	}
}

/* All but the last two of many are down: found, and both. */
TEST(few_of_many)
{
	unsigned got[MOST], k, w;
	uint32_t i;

	for (w = 0; w < COUNT(all); w++) {
		begin(all[w], NULL, MOST);
		all_up();
		for (i = 0; i < MOST - 2; i++)
			put_health(i, HEALTH_DOWN, 1);
		memset(got, 0, sizeof(got));
		for (k = 0; k < 2000; k++)
			got[pick_for(balance, k, 0)]++;
		assert_int_equal(got[MOST - 2] + got[MOST - 1], 2000);
		if (strcmp(all[w], "first") != 0)
			assert_in_range(got[MOST - 1], 900, 1100);
		tear_down();
	}
}

/* --- by load ---------------------------------------------------------------- */

/* One is stuck with sessions, of another worker: the others get the next. */
TEST(leastconn)
{
	struct servers other;
	unsigned got[3] = { 0 }, k;

	begin("leastconn", NULL, 3);
	other = servers;
	other.worker = 3;
	for (k = 0; k < 10; k++)
		server_take(&other, 0);
	for (k = 0; k < 20; k++) {
		uint32_t i = (uint32_t)pick_for(balance, k, 0);

		got[i]++;
		server_take(&servers, i);
	}
	assert_int_equal(got[0], 0);
	assert_int_equal(got[1], 10);
	/* Now all have ten: in turn. */
	for (k = 0; k < 300; k++)
		got[pick_for(balance, k, 0)]++;
	for (k = 0; k < 3; k++)
		assert_int_equal(got[k], k == 0 ? 100 : 110);
	/* And among those that have fewer each is as likely. */
	server_take(&servers, 1);
	memset(got, 0, sizeof(got));
	for (k = 0; k < 3000; k++)
		got[pick_for(balance, k, 0)]++;
	assert_int_equal(got[1], 0);
	assert_in_range(got[0], 1300, 1700);
}

/* Wherever its slot is, and whoever sits between. */
TEST(leastconn_by_the_book)
{
	uint64_t seed = random_seed();
	uint32_t i, n, round, slots[MOST];
	int got, weights[MOST];

	for (round = 0; round < 300; round++) {
		n = 1 + random_below(&seed, MOST);
		for (i = 0; i < n; i++) {
			weights[i] = 1 + (int)random_below(&seed, 20);
			slots[i] = i;
		}
		begin("leastconn", weights, n);
		for (i = 0; i < n; i++) {
			uint32_t k = random_below(&seed, n), slot = slots[i];

			slots[i] = slots[k];
			slots[k] = slot;
		}
		for (i = 0; i < n; i++)
			list[i].slot = slots[i];
		balance_free(balance);
		balance = balance_new(&servers);
		for (i = 0; i < 5 * n; i++) {
			servers.worker = random_below(&seed, 4);
			server_take(&servers, random_below(&seed, n));
		}
		got = pick_for(balance, 0, 0);
		for (i = 0; i < n; i++)
			assert_true(server_load(&servers, (uint32_t)got) *
			    list[i].weight <= server_load(&servers, i) *
			    list[got].weight);
		tear_down();
	}
}

/* The fuller of two is never chosen, so the fullest of all never is. */
TEST(random_avoids_the_fullest)
{
	unsigned k;

	begin("random", NULL, 10);
	server_take(&servers, 4);
	for (k = 0; k < 10000; k++)
		assert_int_not_equal(pick_for(balance, k, 0), 4);
}

TEST(first_fills_up)
{
	unsigned k;
	int i;

	begin("first", NULL, 3);
	list[0].max_sessions = 3;
	list[1].max_sessions = 2;
	for (k = 0; k < 9; k++) {
		i = pick_for(balance, k, 0);
		assert_int_equal(i, k < 3 ? 0 : k < 5 ? 1 : 2);
		server_take(&servers, (uint32_t)i);
	}
	server_drop(&servers, 0);
	assert_int_equal(pick_for(balance, 1, 0), 0);
}

/* --- by key ----------------------------------------------------------------- */

static void
map_keys(uint8_t *map)
{
	uint32_t k;

	for (k = 0; k < KEYS; k++)
		map[k] = (uint8_t)pick_for(balance, k, 0);
}

/*
 * Where a server goes down its keys, and no others, go to all others: none has
 * more than twice its part of them. When it is up again all is as before.
 */
TEST(keys_of_one_that_is_down)
{
	static uint8_t before[KEYS], now[KEYS];
	unsigned w, k, moved, got[10];

	for (w = 3; w < 6; w++) {
		begin(all[w], NULL, 10);
		all_up();
		map_keys(before);
		put_health(7, HEALTH_DOWN, 1);
		map_keys(now);
		memset(got, 0, sizeof(got));
		for (k = moved = 0; k < KEYS; k++)
			if (now[k] != before[k]) {
				assert_int_equal(before[k], 7);
				got[now[k]]++;
				moved++;
			}
		assert_in_range(moved, KEYS / 10 * 8 / 10, KEYS / 10 * 12 / 10);
		for (k = 0; k < 10; k++)
			assert_in_range(got[k], k == 7 ? 0 : 1,
			    2 * moved / 9);
		put_health(7, HEALTH_UP, 0);
		map_keys(now);
		assert_memory_equal(now, before, KEYS);
		tear_down();
	}
}

/*
 * Where a server leaves the list its keys have to move, K/N of them, give or
 * take how evenly they are spread. On the ring no others do. In Maglev's table
 * some more do: its authors count a few percent of the places.
 */
TEST(keys_when_the_list_changes)
{
	static uint8_t before[KEYS], now[KEYS];
	unsigned k, moved, others, w;
	uint32_t i;

	for (w = 4; w < 6; w++) {
		begin(all[w], NULL, 20);
		map_keys(before);
		/* The one before the last goes, the last gets its number. */
		list[18] = list[19];
		servers.n = pool.n = 19;
		balance_free(balance);
		balance = balance_new(&servers);
		map_keys(now);
		for (k = moved = others = 0; k < KEYS; k++) {
			i = now[k] == 18 ? 19 : now[k];
			moved += i != before[k];
			others += i != before[k] && before[k] != 18;
		}
		assert_in_range(moved, KEYS / 20 * 8 / 10, w == 4 ?
		    KEYS / 20 * 12 / 10 : KEYS / 20 * 2);
		assert_in_range(others, 0, w == 4 ? 0 : KEYS / 20);
		tear_down();
	}
}

/* The same on the ring with few servers of large weights. */
TEST(keys_when_the_sum_changes)
{
	static const int weights[][3] = { { 100, 100, 100 }, { 50, 200, 10 },
	    { 256, 256, 256 }, { 10, 90, 60 } };
	static uint8_t before[KEYS], now[KEYS];
	unsigned k, w;

	for (w = 0; w < COUNT(weights); w++) {
		begin("hash", weights[w], 3);
		map_keys(before);
		servers.n = pool.n = 2;
		balance_free(balance);
		balance = balance_new(&servers);
		map_keys(now);
		for (k = 0; k < KEYS; k++)
			assert_true(now[k] == before[k] || before[k] == 2);
		tear_down();
	}
}

/* All workers, both families and any port, but not with address_port. */
TEST(what_the_key_is)
{
	struct endpoint e = { .family = AF_INET, .ip = { 10, 1, 2, 3 } };
	struct endpoint mapped = { .family = AF_INET6, .ip = { [10] = 0xff,
	    0xff, 10, 1, 2, 3 } };
	struct balance_ask ask = { .client = &e };
	unsigned k, w, others;
	int i;

	for (w = 3; w < 6; w++) {
		begin(all[w], NULL, 10);
		ask.client = &e;
		i = balance_pick(balance, &ask);
		for (k = 1; k < 100; k++) {
			e.port = (uint16_t)k;
			assert_int_equal(balance_pick(balance, &ask), i);
		}
		ask.client = &mapped;
		assert_int_equal(balance_pick(balance, &ask), i);
		ask.client = &e;
		pool.hash_port = true;
		for (k = 1, others = 0; k < 100; k++) {
			e.port = (uint16_t)k;
			others += balance_pick(balance, &ask) != i;
		}
		assert_in_range(others, 70, 99);
		/* A client of a unix socket has no address: anybody. */
		e.family = AF_UNIX;
		for (k = others = 0; k < 100; k++)
			others += balance_pick(balance, &ask) != i;
		assert_in_range(others, 70, 99);
		e.family = AF_INET;
		tear_down();
	}
}

/* Another order, other slots, another worker: the same names for all keys. */
TEST(maglev_is_the_same_everywhere)
{
	static uint8_t before[KEYS];
	static const int weights[] = { 1, 5, 2, 2, 9, 1, 3, 3, 7, 4 };
	static struct server old[10];
	uint64_t seed = random_seed();
	struct server b;
	uint32_t i, k;

	begin("maglev", weights, 10);
	map_keys(before);
	memcpy(old, list, sizeof(old));
	for (i = 0; i < 10; i++) {
		k = random_below(&seed, 10);
		b = list[i];
		list[i] = list[k];
		list[k] = b;
	}
	for (i = 0; i < 10; i++)
		list[i].slot = i;
	servers.worker = 2;
	balance_free(balance);
	balance = balance_new(&servers);
	for (k = 0; k < KEYS; k++)
		assert_string_equal(old[before[k]].name,
		    list[pick_for(balance, k, 0)].name);
}

/* The servers of one name, which have come in another order. */
static void
put_addrs(const char *order)
{
	struct resolved_addr resolved = { .lookup = 5, .family = AF_INET,
	    .port = 80, .weight = 1 };
	uint32_t i;

	for (i = 0; order[i] != '\0'; i++) {
		list[i].lookup = 5;
		resolved.ip[3] = (unsigned char)order[i];
		resolved_addr_write(&servers.board->book[i].resolved,
		    &resolved);
	}
	atomic_fetch_add(&servers.board->pool[0].version, 1);
}

TEST(servers_of_a_name_are_the_same_everywhere)
{
	static const char one[] = "ABCDEFGH", other[] = "HCBFEDGA";
	static uint8_t before[KEYS];
	unsigned w, k;

	for (w = 4; w < 6; w++) {
		begin(all[w], NULL, 8);
		put_addrs(one);
		map_keys(before);
		put_addrs(other);
		for (k = 0; k < KEYS; k++)
			assert_int_equal(one[before[k]],
			    other[pick_for(balance, k, 0)]);
		tear_down();
	}
}

/* And the same for ever, on any machine: these are written down. */
TEST(keys_are_the_same_everywhere)
{
	static const char *const want[] = {
		"cdbdddcddddcccbccdddcbdccdcddcab",
		"addccbcadcccdabcbcaddbcbdbcdbdda",
		"adcdddbccdcbbcdbccccbacdadcbbdcc"
	};
	char got[33];
	unsigned w, k;

	for (w = 3; w < 6; w++) {
		begin(all[w], (const int[]){ 1, 2, 3, 4 }, 4);
		for (k = 0; k < 32; k++)
			got[k] = (char)('a' + pick_for(balance, k, 0));
		got[32] = '\0';
		assert_string_equal(got, want[w - 3]);
		tear_down();
	}
}

/* However few clients there are: never above the factor, rounded up. */
TEST(bounded_load)
{
	static const int weights[] = { 3, 1, 1, 2, 1, 4 };
	static const uint32_t factors[] = { 101, 110, 125, 200, 1000 };
	uint64_t seed = random_seed();
	unsigned f, k, total;
	uint64_t most;
	uint32_t i;

	for (f = 0; f < COUNT(factors); f++) {
		begin("hash", weights, 6);
		pool.hash_factor = factors[f];
		for (k = total = 0; k < 5000; k++) {
			servers.worker = random_below(&seed, 4);
			i = (uint32_t)pick_for(balance,
			    random_below(&seed, 5), 0);
			server_take(&servers, i);
			total++;
			most = ((uint64_t)factors[f] * total * list[i].weight +
			    1200 - 1) / 1200;
			assert_in_range(server_load(&servers, i), 1, most);
			if (random_below(&seed, 3) == 0) {
				server_drop(&servers, i);
				total--;
			}
		}
		tear_down();
	}
}

/* --- slow start ------------------------------------------------------------- */

/* In thousandths of what it has when it is warm. */
static unsigned
share_of_last(uint64_t now, bool held)
{
	unsigned k, got = 0;
	uint32_t i;

	for (k = 0; k < KEYS; k++) {
		i = (uint32_t)pick_for(balance, k, now);
		got += i == servers.n - 1;
		if (held)
			server_take(&servers, i);
	}
	return got * 1000 / (KEYS / servers.n);
}

TEST(slow_start)
{
	unsigned w, part, share, due;

	for (w = 0; w < COUNT(all) - 1; w++) {
		begin(all[w], NULL, 10);
		all_up();
		pool.slow_start = 10000;
		put_health(9, HEALTH_UP, 50000);
		for (part = 0; part <= 10; part++) {
			share = share_of_last(50000 + part * 1000, false);
			due = part == 0 ? 10 : part * 100;
			/* The table of some is uneven by 3 % to begin with. */
			if (share > due * 12 / 10 + 40 ||
			    share + 60 < due * 8 / 10)
				fail_msg("%s at %u: %u", all[w], part, share);
		}
		/* It alone has everything, and was up from the beginning. */
		for (part = 0; part < 9; part++)
			put_health(part, HEALTH_DOWN, 1);
		assert_int_equal(share_of_last(50000, false), 10000);
		tear_down();
	}
}

/* What goes by load: sessions that last make no rush on the one with none. */
TEST(slow_start_by_load)
{
	unsigned part, share;
	uint32_t i;

	begin("leastconn", NULL, 10);
	all_up();
	for (i = 0; i < 9 * 1000; i++)
		server_take(&servers, i % 9);
	pool.slow_start = 10000;
	put_health(9, HEALTH_UP, 50000);
	for (part = 1; part <= 10; part++) {
		for (i = 0; i < 1000; i++) {
			share = (unsigned)pick_for(balance, i, 50000 +
			    part * 1000);
			server_take(&servers, share);
		}
		share = server_load(&servers, 9) * 1000 /
		    server_load(&servers, 0);
		assert_in_range(share, part * 100 - 10, part * 100 + 10);
	}
}

/* A key that went to it stays. */
TEST(slow_start_moves_keys_once)
{
	static uint8_t before[KEYS], now[KEYS];
	unsigned w, k, part;

	for (w = 3; w < 6; w++) {
		begin(all[w], NULL, 10);
		all_up();
		pool.slow_start = 10000;
		put_health(9, HEALTH_UP, 50000);
		for (part = 0; part <= 10; part++) {
			for (k = 0; k < KEYS; k++)
				now[k] = (uint8_t)pick_for(balance, k,
				    50000 + part * 1000);
			for (k = 0; k < KEYS && part > 0; k++)
				if (now[k] != before[k])
					assert_int_equal(now[k], 9);
			memcpy(before, now, KEYS);
		}
		tear_down();
	}
}
