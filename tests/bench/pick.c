/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * pick.c: what choosing a server costs, in ns, by algorithm and number of
 * servers. Four workers take turns on one board, each with its sessions: a new
 * one takes the place of the oldest, so that loads move as they do in life.
 */
#include <sys/socket.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "upstream/balance.h"

#define WORKERS		4
#define ROUNDS		20
#define EACH		10		/* sessions on each server, about */

static const uint32_t sizes[] = { 10, 100, 1000 };
#define SIZES		(sizeof(sizes) / sizeof(*sizes))

static struct server list[BOARD_SERVERS];

/* Of our processor: others may use it, too. */
static double
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void
make_list(uint32_t n)
{
	uint32_t i;

	memset(list, 0, sizeof(list));
	for (i = 0; i < n; i++) {
		snprintf(list[i].name, sizeof(list[i].name), "app/s%u", i);
		list[i].hash = board_hash(list[i].name);
		list[i].weight = 1 + i % 3;
		list[i].slot = i;
	}
}

/* ns a pick, the best of some rounds: whatever disturbs makes it more. */
static double
measure(struct servers worker[WORKERS], struct balance *b[WORKERS])
{
	static uint16_t held[EACH * BOARD_SERVERS];
	uint32_t i, round, of = EACH * worker->n / WORKERS * WORKERS;
	uint32_t picks = 200000 / worker->n * 10 + of;
	struct endpoint client = { .family = AF_INET };
	struct balance_ask ask = { .client = &client };
	double begun, took, best = 0;

	for (round = 0; round <= ROUNDS; round++) {
		begun = now_ns();
		for (i = 0; i < picks; i++) {
			memcpy(client.ip, &i, sizeof(i));
			if (round > 0 || i >= of)
				server_drop(&worker[i % WORKERS],
				    held[i % of]);
			held[i % of] = (uint16_t)balance_pick(b[i % WORKERS],
			    &ask);
			server_take(&worker[i % WORKERS], held[i % of]);
		}
		took = (now_ns() - begun) / picks;
		if (round == 1 || (round > 1 && took < best))
			best = took;
		picks -= picks % of;
	}
	return best;
}

/* A pool of *n* servers, on a board of its own. */
static double
cost(const char *name, uint32_t n, uint32_t factor, double *laid_out)
{
	struct servers worker[WORKERS];
	struct balance *b[WORKERS];
	struct pool pool = { .n = n, .balance = balance_algorithm(name),
	    .hash_factor = factor };
	struct board *board = board_new(16, NULL);
	double begun, ns;
	int w;

	if (board == NULL)
		err(71, "board");
	atomic_store(&board->ledger->worker_slots, WORKERS);
	make_list(n);
	begun = now_ns();
	for (w = 0; w < WORKERS; w++) {
		worker[w] = (struct servers){ .list = list, .n = n,
		    .pool = &pool, .pools = 1, .board = board,
		    .worker = (uint32_t)w };
		if ((b[w] = balance_new(&worker[w])) == NULL)
			err(71, "balance");
	}
	*laid_out = (now_ns() - begun) / WORKERS / 1e6;
	ns = measure(worker, b);
	for (w = 0; w < WORKERS; w++)
		balance_free(b[w]);
	board_free(board);
	return ns;
}

static void
row(const char *title, const char *name, uint32_t factor)
{
	double laid_out;
	size_t i;

	printf("%-12s", title);
	for (i = 0; i < SIZES; i++)
		printf(" %8.0f", cost(name, sizes[i], factor, &laid_out));
	printf("   %.2f\n", laid_out);
}

int
main(void)
{
	char names[200], *rest = names, *name;

	printf("ns a pick    10       100      1000       ms to lay out 1000\n");
	(void)snprintf(names, sizeof(names), "%s", balance_algorithms());
	while ((name = strtok_r(rest, ", ", &rest)) != NULL)
		row(name, name, 0);
	row("hash, 125 %", "hash", 125);
	return 0;
}
