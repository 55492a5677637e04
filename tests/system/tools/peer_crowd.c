/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * peer_crowd.c: the verbs with thousands of connections in one process, where
 * "serve" would fork for each. Both end with the process, half an hour later at
 * most, whatever its life-time.
 */
#include "peer.h"

#include <sys/epoll.h>
#include <sys/resource.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CROWD_LIFE	1800	/* s */

/* A fixed buffer, and it is read from only when that is empty. */
struct echo {
	int	fd;
	size_t	used, done;
	char	buf[4096];
};

static void
crowd_prepare(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	alarm(CROWD_LIFE);
}

static bool
echo_watch(int ep, int op, int fd, struct echo *e, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = e };

	return epoll_ctl(ep, op, fd, &ev) == 0;
}

static bool
echo_accept(int ep, int listener)
{
	struct echo *e;
	int fd;

	while ((fd = accept4(listener, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		if ((e = calloc(1, sizeof(*e))) == NULL)
			return false;
		e->fd = fd;
		if (!echo_watch(ep, EPOLL_CTL_ADD, fd, e, EPOLLIN))
			return false;
	}
	return errno == EAGAIN || errno == ECONNABORTED;
}

/* Read when the buffer is empty, write when it is not. */
static bool
echo_move(int ep, struct echo *e)
{
	ssize_t n;

	if (e->used == 0)
		e->used = (size_t)((n = recv(e->fd, e->buf, sizeof(e->buf),
		    0)) > 0 ? n : 0);
	else if ((n = send(e->fd, e->buf + e->done, e->used - e->done,
	    MSG_NOSIGNAL)) > 0)
		e->done += (size_t)n;
	if (n == 0 || (n == -1 && errno != EAGAIN)) {
		close(e->fd);
		free(e);
		return true;
	}
	if (e->done == e->used)
		e->done = e->used = 0;
	return echo_watch(ep, EPOLL_CTL_MOD, e->fd, e,
	    e->used == 0 ? EPOLLIN : EPOLLOUT);
}

static int
verb_echo_all(struct peer *p, const struct command *c)
{
	struct epoll_event ev[64];
	int ep = epoll_create1(EPOLL_CLOEXEC), i, n;
	bool ok;

	(void)c;
	crowd_prepare();
	ok = p->listen_fd != -1 &&
	    echo_watch(ep, EPOLL_CTL_ADD, p->listen_fd, NULL, EPOLLIN);
	while (ok && ((n = epoll_wait(ep, ev, 64, -1)) != -1 || errno == EINTR))
		for (i = 0; ok && i < n; i++)
			ok = ev[i].data.ptr == NULL ?
			    echo_accept(ep, p->listen_fd) :
			    echo_move(ep, ev[i].data.ptr);
	return peer_fail(p, "%s", strerror(errno));
}

/* Each ends by a reset, which leaves its port free. */
static int
verb_exhaust(struct peer *p, const struct command *c)
{
	const struct linger reset = { .l_onoff = 1 };
	struct address to, from;
	int fd, n, on = 1;

	if (address_parse(&to, c->args[0].text) == -1 ||
	    address_parse(&from, c->args[1].text) == -1)
		return peer_fail(p, "not two addresses");
	crowd_prepare();
	for (n = 0;; n++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd == -1 || setsockopt(fd, IPPROTO_IP,
		    IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == -1 ||
		    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
		    sizeof(reset)) == -1 ||
		    bind(fd, (struct sockaddr *)&from.ss, from.len) == -1)
			return peer_fail(p, "%s", strerror(errno));
		if (connect(fd, (struct sockaddr *)&to.ss, to.len) == -1)
			break;
	}
	if (errno != EADDRNOTAVAIL)
		return peer_fail(p, "connect: %s", strerror(errno));
	printf("%d\n", n);
	fflush(stdout);
	for (;;)
		pause();
}

const struct verb verbs_crowd[] = {
	{ "echo-all", "", "", false, verb_echo_all,
	    "echo-all                   to all that connect, in this process" },
	{ "exhaust", "ss", "", false, verb_exhaust,
	    "exhaust ADDRESS SOURCE     connect until SOURCE has no port left" },
	{ NULL, NULL, NULL, false, NULL, NULL }
};
