/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * cidr.c: what a list of networks costs: ms to load it from a file, KiB of
 * memory, ns a look-up. Half of the clients are in one of the networks. Hot: 16
 * clients come again and again. Random: another one each time. Cold: as random,
 * and each in another one of many lists, so that nothing of it is in the caches
 * near the processor.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/cidr.h"

#define ROUNDS		10
#define CLIENTS		(1u << 16)
#define CACHE		(32u << 20)	/* bytes of all cold lists */
#define COPIES		1000		/* of them, at most */

enum { HOT = 16, RANDOM = CLIENTS };

static const unsigned sizes[] = { 10, 1000, 100000 };
#define SIZES		(sizeof(sizes) / sizeof(*sizes))

static struct endpoint client[CLIENTS];
static char file[] = "/tmp/shuttled-cidr.XXXXXX";

/* Of our processor: others may use it, too. */
static double
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Like those that networks have: IPv6 ones lie close together. */
static void
random_ip(int family, unsigned char *ip)
{
	int i;

	for (i = 0; i < 16; i++)
		ip[i] = (unsigned char)(random() >> 8);
	if (family == AF_INET6) {
		ip[0] = 0x20;
		ip[1] &= 0x0f;
	}
}

/* Of 100,000 some 6 in 10 are /24 or /48, others shorter, some hosts. */
static unsigned
random_prefix(int family)
{
	unsigned way = (unsigned)random() % 10, len = way < 6 ? 24 :
	    way < 8 ? 32 : 16 + (unsigned)random() % 8;

	return family == AF_INET ? len : len == 32 ? 128 : 2 * len;
}

/* As many networks into the file, and who will come: half of it from them. */
static void
make_list(int family, unsigned n)
{
	FILE *f = fopen(file, "w");
	unsigned char ip[16];
	char text[INET6_ADDRSTRLEN];
	unsigned i, k, len;

	if (f == NULL)
		err(71, "%s", file);
	for (i = 0; i < CLIENTS; i++) {
		client[i].family = (uint16_t)family;
		random_ip(family, client[i].ip);
	}
	for (i = 0; i < n; i++) {
		random_ip(family, ip);
		for (k = 2 * i; k < CLIENTS; k += 2 * n)
			memcpy(client[k].ip, ip, sizeof(ip));
		len = random_prefix(family);
		for (k = len; k < 128; k++)
			ip[k / 8] &= (unsigned char)~(0x80 >> k % 8);
		fprintf(f, "%s/%u\n", inet_ntop(family, ip, text,
		    sizeof(text)), len);
	}
	if (fclose(f) != 0)
		err(71, "%s", file);
	for (i = CLIENTS; i > 1; i--) {
		struct endpoint e = client[i - 1];

		k = (unsigned)random() % i;
		client[i - 1] = client[k];
		client[k] = e;
	}
}

static struct cidr *
load(double *ms)
{
	struct cidr *c = cidr_new();
	char why[CIDR_WHY] = "out of memory";
	double begun = now_ns();

	if (c == NULL || cidr_read(c, file, CIDR_DENY, why) == -1)
		errx(71, "%s", why);
	if (cidr_build(c) == -1)
		err(71, "build");
	begun = (now_ns() - begun) / 1e6;
	if (*ms == 0 || begun < *ms)
		*ms = begun;
	return c;
}

/* ns a look-up, the best of some rounds: whatever disturbs makes it more. */
static double
measure(struct cidr *const *list, unsigned lists, unsigned clients)
{
	unsigned round, i, l, refused;
	double took, best = 0;

	for (round = 0; round < ROUNDS; round++) {
		took = now_ns();
		refused = 0;
		for (i = l = 0; i < CLIENTS; i++) {
			refused += cidr_find(list[l], &client[i % clients]) ==
			    CIDR_DENY;
			if (++l == lists)
				l = 0;
		}
		took = (now_ns() - took) / CLIENTS;
		if (refused == 0)
			errx(70, "nobody was found");
		if (round == 0 || took < best)
			best = took;
	}
	return best;
}

static void
row(int family, unsigned n)
{
	static struct cidr *list[COPIES];
	unsigned lists = 0;
	double ms = 0;
	size_t bytes;

	make_list(family, n);
	do {
		list[lists++] = load(&ms);
		bytes = cidr_bytes(list[0]);
	} while (lists < COPIES && lists * bytes < CACHE);
	printf("IPv%d %8u %8.2f %8.0f %8.0f %8.0f %8.0f\n",
	    family == AF_INET ? 4 : 6, n, ms, (double)bytes / 1024,
	    measure(list, 1, HOT), measure(list, 1, RANDOM),
	    measure(list, lists, RANDOM));
	while (lists > 0)
		cidr_free(list[--lists]);
}

int
main(void)
{
	size_t i;
	int fd = mkstemp(file);

	if (fd == -1)
		err(71, "%s", file);
	close(fd);
	printf("     networks  ms to load    KiB      hot   random     cold\n");
	for (i = 0; i < SIZES; i++)
		row(AF_INET, sizes[i]);
	for (i = 0; i < SIZES; i++)
		row(AF_INET6, sizes[i]);
	unlink(file);
	return 0;
}
