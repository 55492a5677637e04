/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * seating.c: answers come one after the other, and the board has to show who
 * stayed, who came and who went; and what workers see of that.
 */
#include "prober/resolver_assign.h"

#include "helpers.h"

#define SEATS	4

static struct backend list[SEATS];
static struct pool pool = { .n = SEATS, .max_fails = 1,
    .fail_timeout = 10000 };
static struct board *board;
static struct backends bs;
static struct seating seating;
static char news[1000];

/* All in one, in their order. */
static void
on_change(void *arg, const struct backend *b, const char *address,
    enum seating_change what)
{
	static const char *const words[] = {
		[SEATING_ADDED] = "is now",
		[SEATING_REMOVED] = "is no longer",
		[SEATING_CHANGED] = "has another weight or priority as",
	};
	size_t len = strlen(news);

	(void)arg;
	snprintf(news + len, sizeof(news) - len, "%s%s %s %s",
	    len > 0 ? ", " : "", address, words[what], b->name);
}

static int
set_up(void **state)
{
	uint32_t i;

	(void)state;
	memset(list, 0, sizeof(list));
	for (i = 0; i < SEATS; i++) {
		snprintf(list[i].name, sizeof(list[i].name), "s#%u", i + 1);
		list[i].weight = 1;
		list[i].question = 99;
		list[i].seat = i;
	}
	if ((board = board_new(16, NULL)) == NULL)
		return -1;
	atomic_store(&board->ledger->slots, board->rows);
	bs = (struct backends){ .list = list, .n = SEATS, .pool = &pool,
	    .pools = 1, .board = board };
	seating = (struct seating){ .board = board, .seat = list,
	    .n = SEATS, .max = SEATS, .priority = UINT16_MAX, .tell = on_change };
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	board_free(board);
	return 0;
}

/* 10.0.0.*n*, for each of the letters of *text*; a digit after it: priority. */
static unsigned
answer(const char *text)
{
	struct found found[20];
	size_t n = 0;

	news[0] = '\0';
	memset(found, 0, sizeof(found));
	for (; *text != '\0'; text++) {
		if (*text >= '0' && *text <= '9') {
			found[n - 1].priority = (uint16_t)(*text - '0');
			continue;
		}
		found[n].site = (struct site){ .family = AF_INET, .port = 80,
		    .weight = 1, .ip = { 10, 0, 0,
		    (unsigned char)(*text - 'a') } };
		n++;
	}
	return seating_change(&seating, found, n);
}

/* Who sits where, as a worker sees it: "b-" for b, nobody, and two unknown. */
static const char *
seats(void)
{
	static char text[SEATS + 1];
	struct addr a;
	uint32_t i;

	for (i = 0; i < SEATS; i++)
		text[i] = backend_address(&bs, i, &a) ?
		    (char)('a' + (ntohl(a.in.sin_addr.s_addr) & 0xff)) :
		    backend_unknown(&bs, i) ? '?' : '-';
	text[SEATS] = '\0';
	while (text[0] != '\0' && text[strlen(text) - 1] == '-')
		text[strlen(text) - 1] = '\0';
	return text;
}

static void
test_come_stay_and_go(void **state)
{
	uint32_t before;

	(void)state;
	assert_string_equal(seats(), "????");
	assert_false(seating_taken(&seating));
	assert_int_equal(answer("ba"), 2);
	assert_string_equal(seats(), "ab");
	assert_string_equal(news, "10.0.0.0:80 is now s#1, "
	    "10.0.0.1:80 is now s#2");
	assert_true(seating_taken(&seating));
	/* The same once more is no change to anybody. */
	before = board->pool->version;
	assert_int_equal(answer("ab"), 0);
	assert_int_equal(board->pool->version, before);
	assert_int_equal(backend_version(&bs, 0), 1);
	/* Who stays keeps its seat, who comes has one that is free. */
	assert_int_equal(answer("bc"), 2);
	assert_string_equal(seats(), "-bc");
	assert_string_equal(news, "10.0.0.2:80 is now s#3, "
	    "10.0.0.0:80 is no longer s#1");
	assert_true(board->pool->version > before);
	assert_int_equal(answer(""), 2);
	assert_string_equal(seats(), "");
	assert_false(backend_serves(&bs, 1) || backend_unknown(&bs, 1));
	assert_int_equal(backend_weight(&bs, 1), 0);
}

/* A seat with sessions of who had it is the last to be given away. */
static void
test_sessions(void **state)
{
	(void)state;
	answer("ab");
	backend_take(&bs, 0);
	answer("b");
	assert_int_equal(answer("bcd"), 2);
	assert_string_equal(seats(), "-bcd");
	assert_int_equal(answer("bcde"), 1);
	assert_string_equal(seats(), "ebcd");
	/* All are taken: one that goes makes room, news of both. */
	assert_int_equal(answer("bcdf"), 2);
	assert_string_equal(seats(), "fbcd");
	assert_string_equal(news, "10.0.0.4:80 is no longer s#1, "
	    "10.0.0.5:80 is now s#1");
}

/*
 * Sessions of one that went are not those of the next, and are its own again
 * when it comes back.
 */
static void
test_sessions_stay_with_the_address(void **state)
{
	(void)state;
	seating.max = 1;
	answer("a");
	backend_take(&bs, 0);
	assert_int_equal(answer("b"), 2);
	assert_string_equal(seats(), "-b");
	assert_int_equal(backend_load(&bs, 1), 0);
	backend_take(&bs, 1);
	answer("c");
	assert_string_equal(seats(), "--c");
	assert_int_equal(backend_load(&bs, 2), 0);
	answer("a");
	assert_string_equal(seats(), "a");
	assert_int_equal(backend_load(&bs, 0), 1);
	assert_string_equal(news, "10.0.0.0:80 is now s#1, "
	    "10.0.0.2:80 is no longer s#3");
	/* Without sessions the place of one that went is free. */
	answer("d");
	assert_string_equal(seats(), "--d");
	answer("e");
	assert_string_equal(seats(), "--e");
}

/* A question that failed leaves its word once, and an answer takes it away. */
static void
test_failed(void **state)
{
	uint32_t changes = board->head->changes;

	(void)state;
	assert_true(backend_pending(&bs, 0));
	seating_fail(&seating);
	assert_int_equal(board->head->changes, changes + 1);
	assert_false(backend_pending(&bs, 0));
	assert_string_equal(seats(), "????");
	seating_fail(&seating);
	assert_int_equal(board->head->changes, changes + 1);
	answer("b");
	assert_string_equal(seats(), "b");
	seating_fail(&seating);
	assert_string_equal(seats(), "b");
}

/* While a better one may still be found those that are there are backups. */
static void
test_better_to_come(void **state)
{
	(void)state;
	seating.priority = 1;
	answer("a2");
	assert_int_equal(backend_tier(&bs, 0), TIER_BACKUP);
	seating.priority = UINT16_MAX;
	answer("a2");
	assert_int_equal(backend_tier(&bs, 0), TIER_PRIMARY);
}

/* Another server at this seat has done nothing wrong yet. */
static void
test_renewed(void **state)
{
	(void)state;
	answer("abcd");
	backend_failed(&bs, 0, 100);
	backend_failed(&bs, 1, 100);
	atomic_store(&board->server[0].health, HEALTH_DOWN);
	answer("ebcd");
	assert_string_equal(seats(), "ebcd");
	assert_false(backend_in_doubt(&bs, 0));
	assert_int_equal(board->server[0].health, HEALTH_UNKNOWN);
	assert_true(backend_in_doubt(&bs, 1));
	seating.health = HEALTH_UP;
	answer("fbcd");
	assert_int_equal(board->server[0].health, HEALTH_UP);
}

/* Too many: those that are there stay, whatever the order of the answer. */
static void
test_more_than_seats(void **state)
{
	(void)state;
	assert_int_equal(answer("fghi"), 4);
	assert_int_equal(answer("abcdefghijk"), 0);
	assert_string_equal(seats(), "fghi");
	assert_int_equal(answer("abcdefgh"), 2);
	assert_string_equal(seats(), "fgha");
	/* But not when others are more important. */
	assert_int_equal(answer("a5f5g5h5b1"), 2 + 3);
	assert_null(strchr(seats(), 'h'));
	assert_non_null(strchr(seats(), 'b'));
}

/* What a question without an answer has found before does not go. */
static void
test_kept(void **state)
{
	struct unanswered unanswered[] = {
		{ .family = AF_INET6 }, { .family = AF_INET, .origin = 7 },
	};

	(void)state;
	answer("ab");
	seating.keep = unanswered;
	seating.keeps = 2;
	assert_int_equal(answer("b"), 1);
	assert_string_equal(seats(), "-b");
	unanswered[1].origin = 0;
	assert_int_equal(answer(""), 0);
	assert_int_equal(answer("c"), 1);
	assert_string_equal(seats(), "-bc");
}

static void
test_priorities(void **state)
{
	(void)state;
	answer("a2b1c2");
	assert_string_equal(seats(), "bac");
	assert_int_equal(backend_tier(&bs, 0), TIER_PRIMARY);
	assert_int_equal(backend_tier(&bs, 1), TIER_BACKUP);
	answer("a2c2");
	assert_int_equal(backend_tier(&bs, 1), TIER_PRIMARY);
	assert_string_equal(seats(), "-ac");
}

/* Weights of an answer, and what they become. */
static void
test_weights(void **state)
{
	static const struct {
		uint16_t answered[3];
		uint32_t times, become[3];
	} cases[] = {
		{ { 1, 2, 3 }, 1, { 1, 2, 3 } },
		{ { 1, 2, 3 }, 10, { 10, 20, 30 } },
		{ { 65535, 32768, 1 }, 1, { 256, 128, 1 } },
		{ { 100, 200, 300 }, 1, { 85, 171, 256 } },
		{ { 300, 150, 300 }, 100, { 200, 100, 200 } },
		{ { 0, 0, 0 }, 1, { 1, 1, 1 } },
		{ { 0, 1, 1 }, 1, { 1, 256, 256 } },
		{ { 7, 7, 7 }, 0, { 0, 0, 0 } },
	};
	struct found found[3];
	size_t i;
	uint32_t k;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		memset(found, 0, sizeof(found));
		for (k = 0; k < SEATS; k++)
			list[k].weight = cases[i].times;
		for (k = 0; k < 3; k++)
			found[k].site = (struct site){ .family = AF_INET,
			    .ip = { (unsigned char)(k + 1) },
			    .weight = cases[i].answered[k] };
		seating_change(&seating, found, 3);
		for (k = 0; k < 3; k++)
			assert_int_equal(backend_weight(&bs, k),
			    cases[i].become[k]);
	}
}

/* What another name was found to mean says nothing of this one. */
static void
test_another_question(void **state)
{
	uint32_t i;

	(void)state;
	answer("ab");
	for (i = 0; i < SEATS; i++)
		list[i].question = 100;
	assert_string_equal(seats(), "????");
	assert_false(seating_taken(&seating));
	assert_int_equal(answer("b"), 1);
	assert_string_equal(seats(), "b");
}

int
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_come_stay_and_go),
		TEST(test_sessions),
		TEST(test_sessions_stay_with_the_address),
		TEST(test_failed),
		TEST(test_better_to_come),
		TEST(test_renewed),
		TEST(test_more_than_seats),
		TEST(test_kept),
		TEST(test_priorities),
		TEST(test_weights),
		TEST(test_another_question),
	};

	return RUN(tests);
}
