/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * scribble.c: writes to the board of a running shuttled as a worker could that
 * somebody else has taken over: anything, anywhere but in the ledger and the book. Where it
 * begins is a matter of the seed, which it prints.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "board/board.h"

#define PAGES(size)	(((size) + 0xffff) & ~(size_t)0xffff)

static uint64_t state;

/* Xorshift64* (Marsaglia, Vigna). */
static uint64_t
draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(0x2545f4914f6cdd1d);
}

/* The descriptor of the board that this process has. */
static int
open_board(const char *pid)
{
	char dir[64], path[320], to[64];
	struct dirent *e;
	ssize_t n;
	int fd = -1;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%s/fd", pid);
	if ((d = opendir(dir)) == NULL)
		err(1, "%s", dir);
	while (fd == -1 && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if ((n = readlink(path, to, sizeof(to) - 1)) == -1)
			continue;
		to[n] = '\0';
		if (strncmp(to, "/memfd:shuttled-board", 21) == 0)
			fd = open(path, O_RDWR);
	}
	closedir(d);
	if (fd == -1)
		errx(1, "process %s has no board", pid);
	return fd;
}

static uint32_t
or_one(uint32_t n)
{
	return n == 0 ? 1 : n;
}

/* A place in what is used, each kind as often as any other. */
static char *
anywhere(const struct board_ledger *l, struct board_shared *s,
    struct board_row *row)
{
	uint32_t servers = or_one(l->servers), pools = or_one(l->pools);
	uint32_t listeners = or_one(l->listeners);

	row += draw() % l->rows % (or_one(l->worker_slots) + 2);
	switch (draw() % 9) {
	case 0:
		return (char *)&s->head + draw() % sizeof(s->head);
	case 1:
		return (char *)s->worker + draw() %
		    (or_one(l->worker_slots) * sizeof(s->worker[0]));
	case 2:
		return (char *)s->pool + draw() %
		    (pools * sizeof(s->pool[0]));
	case 3:
		return (char *)s->server + draw() %
		    (servers * sizeof(s->server[0]));
	case 4:
		return (char *)s->listener + draw() %
		    (listeners * sizeof(s->listener[0]));
	case 5:
		return (char *)s->rates + draw() % sizeof(s->rates);
	case 6:
		return (char *)row + offsetof(struct board_row, live) +
		    draw() % (servers * 4);
	case 7:
		return (char *)row + offsetof(struct board_row, present) +
		    (draw() % 2 ? draw() % listeners : BOARD_EVERYBODY) * 4;
	default:
		return (char *)row->wait + draw() %
		    (pools * sizeof(row->wait[0]));
	}
}

/* Numbers that are near to good ones do more harm. */
static uint64_t
anything(void)
{
	switch (draw() % 4) {
	case 0:
		return draw() % 5;
	case 1:
		return (draw() % 5) << 32 | (draw() % 5);
	case 2:
		return UINT64_MAX - draw() % 5;
	default:
		return draw();
	}
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int
main(int argc, char *argv[])
{
	const struct timespec pause = { 0, 1000000 };
	struct board_ledger *ledger;
	struct board_shared *shared;
	struct stat st;
	uint64_t end, is;
	char *base, *at;
	int fd, i;

	if (argc < 3)
		errx(64, "usage: scribble PID MS [SEED]");
	state = argc > 3 ? strtoull(argv[3], NULL, 10) :
	    (uint64_t)time(NULL) * 2654435761u + (uint64_t)getpid();
	printf("seed %llu\n", (unsigned long long)state);
	state |= 1;
	fd = open_board(argv[1]);
	if (fstat(fd, &st) == -1 || (base = mmap(NULL, (size_t)st.st_size,
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
		err(1, "mmap");
	ledger = (struct board_ledger *)base;
	shared = (struct board_shared *)(base + PAGES(sizeof(*ledger)) +
	    PAGES(BOARD_SERVER_SLOTS * sizeof(struct board_book)));
	end = now_ms() + strtoull(argv[2], NULL, 10);
	while (now_ms() < end) {
		for (i = 0; i < 200; i++) {
			at = anywhere(ledger, shared, (struct board_row *)
			    ((char *)shared + PAGES(sizeof(*shared))));
			is = anything();
			memcpy((char *)((uintptr_t)at & ~(uintptr_t)7), &is,
			    sizeof(is));
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}
