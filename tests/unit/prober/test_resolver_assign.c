/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_resolver_assign.c: answers come one after the other, and the board has to
 * show who stayed, who came and who went; and what workers see of that.
 */
#include "prober/resolver_assign.h"

#include "helpers.h"

#define SLOTS	4

static struct server list[SLOTS];
static struct pool pool = { .n = SLOTS, .max_fails = 1,
    .fail_timeout = 10000 };
static struct board *board;
static struct servers bs;
static struct resolver_assign assign;
static char news[1000];

/* All in one, in their order. */
static void
on_change(void *arg, const struct server *b, const char *address,
    enum resolver_assign_change what)
{
	static const char *const words[] = {
		[RESOLVER_ASSIGN_ADDED] = "is now",
		[RESOLVER_ASSIGN_REMOVED] = "is no longer",
		[RESOLVER_ASSIGN_CHANGED] = "has another weight or priority as",
	};
	size_t len = strlen(news);

	(void)arg;
	snprintf(news + len, sizeof(news) - len, "%s%s %s %s",
	    len > 0 ? ", " : "", address, words[what], b->name);
}

int
set_up(void)
{
	uint32_t i;

	memset(list, 0, sizeof(list));
	for (i = 0; i < SLOTS; i++) {
		snprintf(list[i].name, sizeof(list[i].name), "s#%u", i + 1);
		list[i].weight = 1;
		list[i].lookup = 99;
		list[i].slot = i;
	}
	if ((board = board_new(16, NULL)) == NULL)
		return -1;
	atomic_store(&board->ledger->worker_slots, board->rows);
	bs = (struct servers){ .list = list, .n = SLOTS, .pool = &pool,
	    .pools = 1, .board = board };
	assign = (struct resolver_assign){ .board = board, .slot = list,
	    .n = SLOTS, .max = SLOTS, .priority = UINT16_MAX, .tell =
	        on_change };
	return 0;
}

int
tear_down(void)
{
	board_free(board);
	return 0;
}

/* 10.0.0.*n*, for each of the letters of *text*; a digit after it: priority. */
static unsigned
answer(const char *text)
{
	struct candidate candidate[20];
	size_t n = 0;

	news[0] = '\0';
	memset(candidate, 0, sizeof(candidate));
	for (; *text != '\0'; text++) {
		if (*text >= '0' && *text <= '9') {
			candidate[n - 1].priority = (uint16_t)(*text - '0');
			continue;
		}
		candidate[n].resolved = (struct resolved_addr){ .family =
		    AF_INET, .port = 80, .weight = 1, .ip =
		    { 10, 0, 0, (unsigned char)(*text - 'a') } };
		n++;
	}
	return resolver_assign_change(&assign, candidate, n);
}

/* Who sits where, as a worker sees it: "b-" for b, nobody, and two unknown. */
static const char *
slots(void)
{
	static char text[SLOTS + 1];
	struct addr a;
	uint32_t i;

	for (i = 0; i < SLOTS; i++)
		text[i] = server_address(&bs, i, &a) ?
		    (char)('a' + (ntohl(a.in.sin_addr.s_addr) & 0xff)) :
		    server_unknown(&bs, i) ? '?' : '-';
	text[SLOTS] = '\0';
	while (text[0] != '\0' && text[strlen(text) - 1] == '-')
		text[strlen(text) - 1] = '\0';
	return text;
}

TEST(come_stay_and_go)
{
	uint32_t before;

	assert_string_equal(slots(), "????");
	assert_false(resolver_assign_taken(&assign));
	assert_int_equal(answer("ba"), 2);
	assert_string_equal(slots(), "ab");
	assert_string_equal(news, "10.0.0.0:80 is now s#1, "
	    "10.0.0.1:80 is now s#2");
	assert_true(resolver_assign_taken(&assign));
	/* The same once more is no change to anybody. */
	before = board->pool->version;
	assert_int_equal(answer("ab"), 0);
	assert_int_equal(board->pool->version, before);
	assert_int_equal(server_version(&bs, 0), 1);
	/* Who stays keeps its slot, who comes has one that is free. */
	assert_int_equal(answer("bc"), 2);
	assert_string_equal(slots(), "-bc");
	assert_string_equal(news, "10.0.0.2:80 is now s#3, "
	    "10.0.0.0:80 is no longer s#1");
	assert_true(board->pool->version > before);
	assert_int_equal(answer(""), 2);
	assert_string_equal(slots(), "");
	assert_false(server_serves(&bs, 1) || server_unknown(&bs, 1));
	assert_int_equal(server_weight(&bs, 1), 0);
}

/* A slot with sessions of who had it is the last to be given away. */
TEST(sessions)
{
	answer("ab");
	server_take(&bs, 0);
	answer("b");
	assert_int_equal(answer("bcd"), 2);
	assert_string_equal(slots(), "-bcd");
	assert_int_equal(answer("bcde"), 1);
	assert_string_equal(slots(), "ebcd");
	/* All are taken: one that goes makes room, news of both. */
	assert_int_equal(answer("bcdf"), 2);
	assert_string_equal(slots(), "fbcd");
	assert_string_equal(news, "10.0.0.4:80 is no longer s#1, "
	    "10.0.0.5:80 is now s#1");
}

/*
 * Sessions of one that went are not those of the next, and are its own again
 * when it comes back.
 */
TEST(sessions_stay_with_the_address)
{
	assign.max = 1;
	answer("a");
	server_take(&bs, 0);
	assert_int_equal(answer("b"), 2);
	assert_string_equal(slots(), "-b");
	assert_int_equal(server_load(&bs, 1), 0);
	server_take(&bs, 1);
	answer("c");
	assert_string_equal(slots(), "--c");
	assert_int_equal(server_load(&bs, 2), 0);
	answer("a");
	assert_string_equal(slots(), "a");
	assert_int_equal(server_load(&bs, 0), 1);
	assert_string_equal(news, "10.0.0.0:80 is now s#1, "
	    "10.0.0.2:80 is no longer s#3");
	/* Without sessions the place of one that went is free. */
	answer("d");
	assert_string_equal(slots(), "--d");
	answer("e");
	assert_string_equal(slots(), "--e");
}

/* A question that failed leaves its word once, and an answer takes it away. */
TEST(failed)
{
	uint32_t changes = board->head->changes;

	assert_true(server_pending(&bs, 0));
	resolver_assign_fail(&assign);
	assert_int_equal(board->head->changes, changes + 1);
	assert_false(server_pending(&bs, 0));
	assert_string_equal(slots(), "????");
	resolver_assign_fail(&assign);
	assert_int_equal(board->head->changes, changes + 1);
	answer("b");
	assert_string_equal(slots(), "b");
	resolver_assign_fail(&assign);
	assert_string_equal(slots(), "b");
}

/* While a better one may still be found those that are there are backups. */
TEST(better_to_come)
{
	assign.priority = 1;
	answer("a2");
	assert_int_equal(server_tier(&bs, 0), TIER_BACKUP);
	assign.priority = UINT16_MAX;
	answer("a2");
	assert_int_equal(server_tier(&bs, 0), TIER_PRIMARY);
}

/* Another server at this slot has done nothing wrong yet. */
TEST(renewed)
{
	answer("abcd");
	server_failed(&bs, 0, 100);
	server_failed(&bs, 1, 100);
	atomic_store(&board->book[0].health, HEALTH_DOWN);
	answer("ebcd");
	assert_string_equal(slots(), "ebcd");
	assert_false(server_on_probation(&bs, 0));
	assert_int_equal(board->book[0].health, HEALTH_UNKNOWN);
	assert_true(server_on_probation(&bs, 1));
	assign.health = HEALTH_UP;
	answer("fbcd");
	assert_int_equal(board->book[0].health, HEALTH_UP);
}

/* Too many: those that are there stay, whatever the order of the answer. */
TEST(more_than_slots)
{
	assert_int_equal(answer("fghi"), 4);
	assert_int_equal(answer("abcdefghijk"), 0);
	assert_string_equal(slots(), "fghi");
	assert_int_equal(answer("abcdefgh"), 2);
	assert_string_equal(slots(), "fgha");
	/* But not when others are more important. */
	assert_int_equal(answer("a5f5g5h5b1"), 2 + 3);
	assert_null(strchr(slots(), 'h'));
	assert_non_null(strchr(slots(), 'b'));
}

/* What a question without an answer has found before does not go. */
TEST(kept)
{
	struct unanswered unanswered[] = {
		{ .family = AF_INET6 }, { .family = AF_INET, .origin = 7 },
	};

	answer("ab");
	assign.keep = unanswered;
	assign.keeps = 2;
	assert_int_equal(answer("b"), 1);
	assert_string_equal(slots(), "-b");
	unanswered[1].origin = 0;
	assert_int_equal(answer(""), 0);
	assert_int_equal(answer("c"), 1);
	assert_string_equal(slots(), "-bc");
}

TEST(priorities)
{
	answer("a2b1c2");
	assert_string_equal(slots(), "bac");
	assert_int_equal(server_tier(&bs, 0), TIER_PRIMARY);
	assert_int_equal(server_tier(&bs, 1), TIER_BACKUP);
	answer("a2c2");
	assert_int_equal(server_tier(&bs, 1), TIER_PRIMARY);
	assert_string_equal(slots(), "-ac");
}

/* Weights of an answer, and what they become. */
TEST(weights)
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
	struct candidate candidate[3];
	size_t i;
	uint32_t k;

	for (i = 0; i < COUNT(cases); i++) {
		memset(candidate, 0, sizeof(candidate));
		for (k = 0; k < SLOTS; k++)
			list[k].weight = cases[i].times;
		for (k = 0; k < 3; k++)
			candidate[k].resolved =
			    (struct resolved_addr){ .family = AF_INET, .ip =
			    { (unsigned char)(k + 1) },
			    .weight = cases[i].answered[k] };
		resolver_assign_change(&assign, candidate, 3);
		for (k = 0; k < 3; k++)
			assert_int_equal(server_weight(&bs, k),
			    cases[i].become[k]);
	}
}

/* What another name was found to mean says nothing of this one. */
TEST(another_lookup)
{
	uint32_t i;

	answer("ab");
	for (i = 0; i < SLOTS; i++)
		list[i].lookup = 100;
	assert_string_equal(slots(), "????");
	assert_false(resolver_assign_taken(&assign));
	assert_int_equal(answer("b"), 1);
	assert_string_equal(slots(), "b");
}
