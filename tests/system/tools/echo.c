/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * echo.c: a server for thousands of connections in one process, where peer
 * would fork for each. Prints its address, then echoes until it is killed. A
 * connection has a fixed buffer and is read only when that is empty.
 * usage: echo [PORT [IP]]
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct conn {
	int	fd;
	size_t	used, done;
	char	buf[4096];
};

static int
listen_socket(uint16_t port, const char *ip)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd, on = 1;

	a.sin_port = htons(port);
	a.sin_addr.s_addr = inet_addr(ip);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1 || bind(fd, (struct sockaddr *)&a, len) == -1 ||
	    listen(fd, INT_MAX) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		err(1, "listen");
	printf("%s:%u\n", ip, ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

static void
watch(int ep, int op, int fd, struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (epoll_ctl(ep, op, fd, &ev) == -1)
		err(1, "epoll_ctl");
}

static void
accept_all(int ep, int listener)
{
	struct conn *c;
	int fd;

	while ((fd = accept4(listener, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		if ((c = calloc(1, sizeof(*c))) == NULL)
			err(1, NULL);
		c->fd = fd;
		watch(ep, EPOLL_CTL_ADD, fd, c, EPOLLIN);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		err(1, "accept");
}

/* Read when the buffer is empty, write when it is not. */
static void
move(int ep, struct conn *c)
{
	ssize_t n;

	if (c->used == 0) {
		n = recv(c->fd, c->buf, sizeof(c->buf), 0);
		if (n > 0)
			c->used = (size_t)n;
	} else {
		n = send(c->fd, c->buf + c->done, c->used - c->done,
		    MSG_NOSIGNAL);
		if (n > 0)
			c->done += (size_t)n;
	}
	if (n == 0 || (n == -1 && errno != EAGAIN)) {
		close(c->fd);
		free(c);
		return;
	}
	if (c->done == c->used)
		c->done = c->used = 0;
	watch(ep, EPOLL_CTL_MOD, c->fd, c, c->used == 0 ? EPOLLIN : EPOLLOUT);
}

int
main(int argc, char **argv)
{
	struct epoll_event ev[64];
	struct rlimit rl;
	int ep, i, listener, n;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll");
	listener = listen_socket(argc > 1 ? (uint16_t)atoi(argv[1]) : 0,
	    argc > 2 ? argv[2] : "127.0.0.1");
	watch(ep, EPOLL_CTL_ADD, listener, NULL, EPOLLIN);
	/* A test that was killed leaves nothing behind for long. */
	alarm(1800);
	for (;;) {
		if ((n = epoll_wait(ep, ev, 64, -1)) == -1 && errno != EINTR)
			err(1, "epoll_wait");
		for (i = 0; i < n; i++)
			if (ev[i].data.ptr == NULL)
				accept_all(ep, listener);
			else
				move(ep, ev[i].data.ptr);
	}
}
