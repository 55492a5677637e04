/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * hog.c: connects to a server from one address until no local port is left, and
 * keeps these connections until SIGTERM: nobody else can connect to that server
 * from that address. For a network of one's own with few ports; each takes a
 * descriptor here and in the server.
 * usage: hog SOURCE 127.0.0.1:PORT
 * Prints how many there are, once it has them. They end by a reset, which leaves
 * their ports free.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* False: there is no port. */
static bool
take_one(const struct sockaddr_in *from, const struct sockaddr_in *to)
{
	const struct linger reset = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
	    &on, sizeof(on)) == -1 || setsockopt(fd, SOL_SOCKET, SO_LINGER,
	    &reset, sizeof(reset)) == -1 ||
	    bind(fd, (const struct sockaddr *)from, sizeof(*from)) == -1)
		err(1, "socket");
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0)
		return true;
	if (errno != EADDRNOTAVAIL)
		err(1, "connect");
	close(fd);
	return false;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *colon = argc == 3 ? strchr(argv[2], ':') : NULL;
	struct rlimit rl;
	unsigned n = 0;

	if (colon == NULL || inet_pton(AF_INET, argv[1], &from.sin_addr) != 1)
		errx(64, "usage: hog SOURCE 127.0.0.1:PORT");
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)atoi(colon + 1));
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	alarm(1800);
	while (take_one(&from, &to))
		n++;
	printf("%u\n", n);
	fflush(stdout);
	for (;;)
		pause();
}
