/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * nearest.c: optimal string alignment distance over three rows. Used for error
 * messages only, so it is not tuned.
 */
#include "util/nearest.h"

#include <string.h>

#define LONGEST		40	/* longer words have no near match */

static size_t
least_of_three(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

static size_t
edit_distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST + 1], *before = rows[0], *last = rows[1];
	size_t *row = rows[2], *swap, i, j, n = strlen(b), cost;

	for (j = 0; j <= n; j++)
		last[j] = j;
	for (i = 1; a[i - 1] != '\0'; i++) {
		row[0] = i;
		for (j = 1; j <= n; j++) {
			cost = a[i - 1] != b[j - 1];
			row[j] = least_of_three(last[j] + 1, row[j - 1] + 1,
			    last[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] < row[j])
				row[j] = before[j - 2] + cost;
		}
		swap = before;
		before = last;
		last = row;
		row = swap;
	}
	return last[n];
}

const char *
nearest_find(const char *text, const char *const *words, size_t n)
{
	size_t i, d, len = strlen(text), best = len / 3 + 1;
	const char *found = NULL;

	if (len > LONGEST)
		return NULL;
	for (i = 0; i < n; i++) {
		if (strlen(words[i]) > LONGEST)
			continue;
		if ((d = edit_distance(text, words[i])) < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
