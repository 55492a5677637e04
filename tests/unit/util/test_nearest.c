/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_nearest.c: the word that was meant, against the definition of the distance
 * worked out without any shortcut.
 */
#include "util/nearest.h"

#include "helpers.h"

static const char *const words[] = {
	"listen", "server", "workers", "foreground", "pidfile", "log", "user",
	"idle-timeout", "fin-timeout",
	"a-word-that-has-more-than-forty-letters-and-so-is-never-near",
};

static const struct {
	const char *text, *want;
} cases[] = {
	{ "listen", "listen" },
	{ "lisen", "listen" },
	{ "listten", "listen" },
	{ "lasten", "listen" },
	{ "litsen", "listen" },
	{ "ilsten", "listen" },
	{ "servers", "server" },
	{ "wrokers", "workers" },
	{ "idle-timout", "idle-timeout" },
	{ "fn-timeot", "fin-timeout" },
	{ "lgo", "log" },
	{ "lo", NULL },
	{ "lists", NULL },
	{ "", NULL },
	{ "x", NULL },
	{ "completely-different", NULL },
	{ "a-word-that-has-more-than-forty-letters-and-so-is-never-nea", NULL },
};

TEST(words)
{
	const char *got;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		got = nearest_find(cases[i].text, words, COUNT(words));
		if (cases[i].want == NULL)
			assert_null(got);
		else
			assert_string_equal(got, cases[i].want);
	}
	assert_null(nearest_find("listen", words, 0));
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The definition, by trying everything. */
static size_t
distance(const char *a, const char *b)
{
	size_t d;

	if (*a == '\0' || *b == '\0')
		return strlen(a) + strlen(b);
	d = distance(a + 1, b + 1) + (*a != *b);
	d = least(d, distance(a + 1, b) + 1);
	d = least(d, distance(a, b + 1) + 1);
	if (a[1] != '\0' && b[1] != '\0' && a[0] == b[1] && a[1] == b[0])
		d = least(d, distance(a + 2, b + 2) + 1);
	return d;
}

static void
random_word(uint64_t *seed, char *word, uint32_t longest)
{
	uint32_t n = random_below(seed, longest + 1);

	word[n] = '\0';
	while (n > 0)
		word[--n] = (char)('a' + random_below(seed, 3));
}

TEST(random_words)
{
	uint64_t seed = random_seed();
	char text[8], given[4][8];
	const char *list[4], *got;
	size_t best, d;
	int k, i;

	for (k = 0; k < 1500; k++) {
		random_word(&seed, text, 7);
		best = SIZE_MAX;
		for (i = 0; i < 4; i++) {
			random_word(&seed, given[i], 7);
			list[i] = given[i];
			best = least(best, distance(text, given[i]));
		}
		got = nearest_find(text, list, 4);
		if (best > strlen(text) / 3) {
			assert_null(got);
			continue;
		}
		assert_non_null(got);
		d = distance(text, got);
		assert_int_equal(d, best);
	}
}

/* The longest that are looked at, one letter apart. */
TEST(long_words)
{
	char text[50], word[50];
	const char *list[] = { word };

	memset(text, 'x', sizeof(text));
	memset(word, 'x', sizeof(word));
	text[40] = word[40] = '\0';
	word[39] = 'y';
	assert_ptr_equal(nearest_find(text, list, 1), word);
	text[40] = 'x';
	text[41] = '\0';
	assert_null(nearest_find(text, list, 1));
	text[40] = '\0';
	word[40] = 'x';
	word[41] = '\0';
	assert_null(nearest_find(text, list, 1));
}
