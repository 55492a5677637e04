/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * mirror.c: a server that tells each client how it looks from here, and clients
 * that hold many connections at once. Both divide their connections among
 * processes, since one may have too few descriptors.
 *
 *	mirror serve PROCESSES IP:PORT
 *		prints the port, then a line for each connection: the address
 *		it came from, and the DSCP of its first packet. The client gets
 *		the same line.
 *	mirror hold PROCESSES N ADDRESS...
 *		opens N connections to the addresses in turn, IP:PORT or
 *		unix:/path, waits until each has had a line or has ended, prints
 *		"answered=A failed=F", and holds them until TERM.
 */
#include "peer.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES	32
#define ANSWER		60000	/* ms until a line is given up */

static void
all_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

/* --- the server ------------------------------------------------------------ */

static int
listen_on(const struct address *a)
{
	int fd, on = 1;

	fd = socket(a->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)) == -1 ||
	    (a->ss.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_RECVTCLASS, &on, sizeof(on)) == -1) ||
	    bind(fd, (const struct sockaddr *)&a->ss, a->len) == -1 || listen(fd, 65535) == -1)
		err(1, "listen");
	return fd;
}

/* The class of traffic that the first packet had, without the two bits of ECN. */
static int
dscp_of(int fd, int family)
{
	char room[256];
	socklen_t len = sizeof(room);
	struct msghdr m = { .msg_control = room };
	struct cmsghdr *c;
	int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int what = family == AF_INET6 ? IPV6_2292PKTOPTIONS : IP_PKTOPTIONS;
	int value = 0;

	if (getsockopt(fd, level, what, room, &len) == -1)
		return -1;
	m.msg_controllen = len;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == level && c->cmsg_type ==
		    (family == AF_INET6 ? IPV6_TCLASS : IP_TOS)) {
			memcpy(&value, CMSG_DATA(c), family == AF_INET6 ?
			    sizeof(int) : 1);
			return value >> 2;
		}
	return -1;
}

static void
greet(int epoll, int listener)
{
	struct epoll_event ev = { .events = EPOLLIN };
	char ip[INET6_ADDRSTRLEN] = "?", line[100];
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	int fd, n;

	/* Without a descriptor for it, it waits for one. */
	if ((fd = accept4(listener, (struct sockaddr *)&a, &len,
	    SOCK_CLOEXEC)) == -1)
		return;
	(void)getnameinfo((struct sockaddr *)&a, len, ip, sizeof(ip), NULL, 0,
	    NI_NUMERICHOST);
	n = snprintf(line, sizeof(line), "%s dscp=%d\n", ip,
	    dscp_of(fd, a.ss_family));
	if (write(STDOUT_FILENO, line, (size_t)n) == -1 ||
	    send(fd, line, (size_t)n, MSG_NOSIGNAL) == -1)
		warn("answer");
	ev.data.fd = fd;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(1, "epoll");
}

/* What comes is dropped, or sent back. */
static void
hear(int fd)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) == -1)
		close(fd);
}

static void
serve(int listener)
{
	struct epoll_event ev[64] = { { .events = EPOLLIN } };
	int epoll = epoll_create1(EPOLL_CLOEXEC), i, n;

	ev[0].data.fd = listener;
	if (epoll == -1 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev[0]) == -1)
		err(1, "epoll");
	while ((n = epoll_wait(epoll, ev, 64, -1)) != -1 || errno == EINTR)
		for (i = 0; i < n; i++)
			if (ev[i].data.fd == listener)
				greet(epoll, listener);
			else
				hear(ev[i].data.fd);
	err(1, "epoll_wait");
}

/* --- the clients ----------------------------------------------------------- */

static void
parse(const char *text, struct address *a)
{
	if (address_parse(a, text) == -1)
		errx(64, "%s: no address", text);
}

static int
dial(const char *to)
{
	struct timeval tv = { .tv_sec = ANSWER / 1000 };
	struct address a;
	int fd;

	parse(to, &a);
	fd = socket(a.ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&a.ss, a.len) == 0)
		return fd;
	warn("%s", to);
	close(fd);
	return -1;
}

/* One after the other, each answered before the next but for a few. */
static void
hold(int n, char **to, int addresses, int result)
{
	int i, fd[64], counts[2] = { 0, 0 };
	char line[100];

	for (i = 0; i < n + 64; i++) {
		if (i >= 64 && fd[i % 64] != -2)
			counts[fd[i % 64] == -1 || recv(fd[i % 64], line,
			    sizeof(line), 0) <= 0]++;
		fd[i % 64] = i < n ? dial(to[i % addresses]) : -2;
	}
	if (write(result, counts, sizeof(counts)) == -1)
		err(1, "result");
	pause();
}

static void
collect(int from, int processes)
{
	int i, counts[2], answered = 0, failed = 0;

	for (i = 0; i < processes; i++) {
		if (read(from, counts, sizeof(counts)) != sizeof(counts))
			errx(1, "a process has died");
		answered += counts[0];
		failed += counts[1];
	}
	printf("answered=%d failed=%d\n", answered, failed);
	fflush(stdout);
}

/* --------------------------------------------------------------------------- */

static pid_t child[PROCESSES];

static void
end(int sig)
{
	int i;

	for (i = 0; i < PROCESSES; i++)
		if (child[i] > 0)
			kill(child[i], SIGKILL);
	_exit(sig == SIGTERM ? 0 : 1);
}

int
main(int argc, char **argv)
{
	bool server = argc == 4 && strcmp(argv[1], "serve") == 0;
	int processes = argc > 3 ? atoi(argv[2]) : 0, i, fds[2], n;
	struct address a;

	if (processes < 1 || processes > PROCESSES ||
	    (!server && (argc < 5 || strcmp(argv[1], "hold") != 0)))
		errx(64, "usage: mirror serve PROCESSES IP:PORT\n"
		    "       mirror hold PROCESSES N ADDRESS...");
	all_descriptors();
	if (pipe(fds) == -1)
		err(1, "pipe");
	if (server) {
		parse(argv[3], &a);
		fds[0] = listen_on(&a);
		if (getsockname(fds[0], (struct sockaddr *)&a.ss, &a.len) == -1)
			err(1, "getsockname");
		/* The port stands in one place in both families. */
		printf("%u\n", ntohs(((struct sockaddr_in *)&a.ss)->sin_port));
		fflush(stdout);
	}
	for (i = 0; i < processes; i++) {
		if ((child[i] = fork()) == -1)
			err(1, "fork");
		if (child[i] != 0)
			continue;
		if (server)
			serve(i == 0 ? fds[0] : listen_on(&a));
		n = atoi(argv[3]);
		hold(n / processes + (i < n % processes), argv + 4, argc - 4,
		    fds[1]);
		_exit(0);
	}
	signal(SIGTERM, end);
	if (!server)
		collect(fds[0], processes);
	for (;;)
		pause();
}
