/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * again.c: one client of a balancer before an echo. It connects, has one byte
 * echoed and ends its connection, and only then connects again: at no moment
 * has it more than one.
 *
 * usage: again ADDRESS TIMES HOW
 *
 * HOW is close, reset (closes by a reset alone) or half (ends its own side and
 * reads to the end of the other one). Prints "served=N refused=N".
 */
#include <sys/socket.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE	30		/* s */

static int
meet(const char *address)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	struct sockaddr_in a = { .sin_family = AF_INET };
	const char *colon = strchr(address, ':');
	int fd;

	if (colon == NULL)
		errx(2, "%s: no port", address);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((uint16_t)atoi(colon + 1));
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		err(2, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1)
		err(2, "connect");
	return fd;
}

static void
leave(int fd, const char *how)
{
	const struct linger now = { .l_onoff = 1 };
	char byte;

	if (strcmp(how, "reset") == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (strcmp(how, "half") == 0) {
		(void)shutdown(fd, SHUT_WR);
		while (read(fd, &byte, 1) > 0)
			;
	}
	close(fd);
}

int
main(int argc, char *argv[])
{
	int fd, i, times, served = 0;
	char byte = 'x';
	bool echoed;

	if (argc != 4)
		errx(2, "usage: again ADDRESS TIMES HOW");
	times = atoi(argv[2]);
	for (i = 0; i < times; i++) {
		fd = meet(argv[1]);
		echoed = send(fd, &byte, 1, MSG_NOSIGNAL) == 1 &&
		    read(fd, &byte, 1) == 1;
		served += echoed;
		leave(fd, echoed ? argv[3] : "close");
	}
	printf("served=%d refused=%d\n", served, times - served);
	return 0;
}
