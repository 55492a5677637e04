/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * meet.c: the address of the servers is printed, that of the balancer is read
 * from its file of ports, which appears as a whole.
 */
#include "meet.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
meet_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

int
meet_listen(int backlog)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, len) == -1 ||
	    listen(fd, backlog) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		err(1, "listen");
	printf("127.0.0.1:%u\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

struct sockaddr_in
meet_balancer(const char *path)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct sockaddr_in a = { .sin_family = AF_INET };
	char line[64], *colon;
	FILE *f;

	while ((f = fopen(path, "re")) == NULL)
		nanosleep(&ms, NULL);
	if (fgets(line, sizeof(line), f) == NULL ||
	    (colon = strchr(line, ':')) == NULL)
		errx(1, "%s: no address", path);
	fclose(f);
	a.sin_port = htons((uint16_t)atoi(colon + 1));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}
