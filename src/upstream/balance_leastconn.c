/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * balance_leastconn.c: fewest sessions by weight, over all workers. The next
 * server in round-robin order is chosen unless others have fewer; among those
 * each is equally likely. The cost is adding and comparing, so both follow the
 * cells of the board as they lie in memory, without unpredictable branches.
 */
#include "upstream/balance_tier.h"

#include <stdlib.h>
#include <string.h>

#define LINE	16u			/* cells in a line of the cache */
#define ROWS	4u			/* worker rows added at a time */
_Static_assert(BOARD_WORKERS % ROWS == 0, "rows are added in fours");

/* Working memory: one entry for each cell in the lines that hold a member. */
struct least {
	uint32_t	*sum;		/* sessions, of all workers */
	uint32_t	*weight;	/* lower while cold; 0: not a member */
	uint32_t	*tied;		/* cells with the minimum */
	uint32_t	*cell;		/* by member */
	uint32_t	*line;		/* of the board */
	uint16_t	*member;	/* owner of a cell */
	uint32_t	 lines, cells;
};

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Finds the lines that hold members, in order. Returns their number. */
static uint32_t
gather_lines(const struct balance_tier *t, uint32_t *line)
{
	uint32_t i, n = 0;

	for (i = 0; i < t->n; i++)
		line[i] = t->member[i].slot / LINE;
	qsort(line, t->n, sizeof(*line), by_number);
	for (i = 0; i < t->n; i++)
		if (n == 0 || line[n - 1] != line[i])
			line[n++] = line[i];
	return n;
}

static struct least *
new_least(const struct balance_tier *t)
{
	uint32_t *line = reallocarray(NULL, t->n, sizeof(*line)), n;
	struct least *l = NULL;
	size_t cells;

	if (line == NULL)
		return NULL;
	n = gather_lines(t, line);
	cells = (size_t)n * LINE;
	l = calloc(1, sizeof(*l) + cells * (sizeof(*l->sum) +
	    sizeof(*l->weight) + sizeof(*l->tied) + sizeof(*l->member)) +
	    n * sizeof(*l->line) + t->n * sizeof(*l->cell));
	if (l != NULL) {
		l->sum = (uint32_t *)(l + 1);
		l->weight = l->sum + cells;
		l->tied = l->weight + cells;
		l->cell = l->tied + cells;
		l->line = l->cell + t->n;
		l->member = (uint16_t *)(l->line + n);
		l->lines = n;
		l->cells = (uint32_t)cells;
		memcpy(l->line, line, n * sizeof(*line));
	}
	free(line);
	return l;
}

static uint32_t
cell_of(const struct balance_tier *t, const struct member *m)
{
	const struct least *l = t->own;

	return l->cell[m - t->member];
}

static int
prepare_least(struct balance_tier *t)
{
	struct least *l = t->own = new_least(t);
	uint32_t i, slot, line;

	if (l == NULL)
		return -1;
	for (i = 0; i < t->n; i++) {
		slot = t->member[i].slot;
		line = slot / LINE;
		line = (uint32_t)((uint32_t *)bsearch(&line, l->line, l->lines,
		    sizeof(line), by_number) - l->line);
		l->cell[i] = line * LINE + slot % LINE;
		l->member[l->cell[i]] = (uint16_t)i;
		l->weight[l->cell[i]] = t->member[i].weight;
	}
	return balance_lay_out(t);
}

/*
 * Copies without atomic loads, which would take four times as long. Any copy
 * reads a 32-bit number in one piece.
 */
static void
add_line(uint32_t *sum, const struct board_row *row, uint32_t line)
{
	uint32_t copy[ROWS][LINE];
	unsigned i;

	for (i = 0; i < ROWS; i++)
		memcpy(copy[i], (const void *)(uintptr_t)&row[i].live[line *
		    LINE], sizeof(copy[i]));
	for (i = 0; i < LINE; i++)
		sum[i] += copy[0][i] + copy[1][i] + copy[2][i] + copy[3][i];
}

/* Rows above the used ones are empty. */
static void
add_up(const struct balance_tier *t, const struct balance_choice *c)
{
	const struct board *board = t->bs->board;
	uint32_t i, w, workers = board_worker_slots(board);
	const struct member *m;
	struct least *l = t->own;

	memset(l->sum, 0, l->cells * sizeof(*l->sum));
	for (w = 0; w < workers; w += ROWS)
		for (i = 0; i < l->lines; i++)
			add_line(&l->sum[i * LINE], &board->row[w],
			    l->line[i]);
	if (t->pool->slow_start > 0)
		for (m = t->member; m < t->member + t->n; m++)
			l->weight[cell_of(t, m)] = m->weight *
			    balance_warmth(t, c, m);
}

/* Chooses among the members with the minimum; at least one is usable. */
static const struct member *
one_of(const struct balance_tier *t, struct balance_choice *c,
    struct balance_load least, uint64_t score)
{
	const struct least *l = t->own;
	const uint32_t *sum = l->sum, *weight = l->weight;
	uint32_t i, n = 0, cells = l->cells;
	const struct member *m;
	uint32_t *tied = l->tied;
	uint64_t r = score;

	for (i = 0; i < cells; i++) {
		tied[n] = i;
		n += weight[i] > 0 && sum[i] * least.weight ==
		    least.sessions * weight[i];
	}
	for (;; tied[i] = tied[--n]) {
		r = balance_mix(r);
		i = (uint32_t)(r % n);
		m = &t->member[l->member[tied[i]]];
		if (n == 1 || balance_usable(t, c, m, score))
			return m;
	}
}

static const struct member *
fewest_sessions(const struct balance_tier *t, struct balance_choice *c)
{
	uint64_t ticket = balance_draw(t), score = balance_mix(ticket);
	const struct member *turn = balance_at(t, ticket), *best = NULL;
	struct balance_load least = { .sessions = 1, .weight = 0 };
	const struct least *l = t->own;
	const uint32_t *sum = l->sum, *weight = l->weight;
	uint32_t i = cell_of(t, turn), cells = l->cells;

	add_up(t, c);
	if (balance_usable(t, c, turn, score)) {
		least = (struct balance_load){ sum[i], weight[i] };
		best = turn;
	}
	for (i = 0; i < cells; i++)
		if (sum[i] * least.weight < least.sessions * weight[i] &&
		    balance_usable(t, c, &t->member[l->member[i]], score)) {
			least = (struct balance_load){ sum[i], weight[i] };
			best = &t->member[l->member[i]];
		}
	return best == turn || best == NULL ? best :
	    one_of(t, c, least, score);
}

const struct balance_algorithm balance_leastconn = { "leastconn", prepare_least,
    fewest_sessions };
