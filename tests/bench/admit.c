/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * admit.c: what limits cost a session, in ns, by how many clients there are.
 * Four workers take turns on one board. Each client has a session that lasts,
 * in one of them, and new ones come and go: as many places of memory are
 * touched as in life.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "board/board.h"
#include "board/concurrency.h"
#include "board/rate.h"
#include "board/client_key.h"

#define WORKERS		4
#define ROUNDS		10
#define SESSIONS	200000		/* a round */
#define MANY		1000000		/* a limit that is not reached */

static const uint32_t sizes[] = { 100, 10000, 100000 };
#define SIZES		(sizeof(sizes) / sizeof(*sizes))

/* What there is a limit of. */
enum { OF_ALL = 1, OF_CLIENT = 2, OF_RATE = 4, OF_CLIENT_RATE = 8 };

static struct board *board;

static double
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Clients come in an order that no cache can guess. */
static struct endpoint
client_of(uint32_t i, uint32_t n)
{
	struct endpoint e = { .family = AF_INET };
	uint32_t ip = (uint32_t)((uint64_t)i * 2654435761u % n) + 1;

	memcpy(e.ip, &ip, sizeof(ip));
	return e;
}

static void
come_and_go(uint32_t w, uint32_t i, uint32_t n, unsigned limits)
{
	uint32_t all = limits & OF_ALL ? MANY : 0, at = CONCURRENCY_FULL;
	struct endpoint e = client_of(i, n);
	struct rate_mark mark;
	uint64_t key = 0;

	if (limits & (OF_CLIENT | OF_CLIENT_RATE))
		key = client_key_of(board->ledger->seed, 0, &e);
	if (limits & OF_CLIENT)
		at = concurrency_enter_client(board, w, key, MANY);
	if (limits & OF_CLIENT_RATE)
		(void)rate_take_client(board->rates, key, MANY, &mark);
	(void)concurrency_enter(board, w, 0, all);
	if (limits & OF_RATE)
		(void)rate_take(&board->listener[0].rate, MANY, &mark);
	(void)concurrency_enter(board, w, BOARD_EVERYBODY, all);
	concurrency_leave(board, w, BOARD_EVERYBODY);
	concurrency_leave(board, w, 0);
	if (at != CONCURRENCY_FULL)
		concurrency_leave_client(board, w, at);
}

/* ns a session, the best of some rounds: whatever disturbs makes it more. */
static double
cost(uint32_t n, unsigned limits)
{
	double begun, took, best = 0;
	struct endpoint e;
	uint32_t i, round;

	if ((board = board_new(16, NULL)) == NULL)
		err(71, "board");
	atomic_store(&board->ledger->worker_slots, WORKERS);
	for (i = 0; i < n && limits & OF_CLIENT; i++) {
		e = client_of(i, n);
		(void)concurrency_enter_client(board, i % WORKERS,
		    client_key_of(board->ledger->seed, 0, &e), MANY);
	}
	for (round = 0; round < ROUNDS; round++) {
		begun = now_ns();
		for (i = 0; i < SESSIONS; i++)
			come_and_go(i / 3 % WORKERS, i, n, limits);
		took = (now_ns() - begun) / SESSIONS;
		if (round == 0 || took < best)
			best = took;
	}
	board_free(board);
	return best;
}

static void
row(const char *title, unsigned limits)
{
	size_t i;

	printf("%-24s", title);
	for (i = 0; i < SIZES; i++)
		printf(" %8.0f", cost(sizes[i], limits));
	printf("\n");
}

int
main(void)
{
	printf("ns a session, clients:        100    10000   100000\n");
	row("no limit", 0);
	row("max_sessions, both", OF_ALL);
	row("max_sessions_per_client", OF_CLIENT);
	row("session_rate", OF_RATE);
	row("session_rate_per_client", OF_CLIENT_RATE);
	row("all of them", OF_ALL | OF_CLIENT | OF_RATE | OF_CLIENT_RATE);
	return 0;
}
