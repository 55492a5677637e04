/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * peer_verbs.c: the verbs that make and end connections, and those that wait
 * for something other than bytes. All sockets are non-blocking; every wait
 * has the peer's deadline. Never moves payload.
 */
#include "peer.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILL_MAX	8192	/* connections that "fill" tries at most */
#define FILL_WAIT	200	/* ms without an answer: the queue is full */

/* A socket for this address, with the buffer sizes asked for. -1 printed. */
static int
socket_make(struct peer *p, const struct address *a)
{
	int fd;

	fd = socket(a->ss.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return peer_fail(p, "socket: %s", strerror(errno));
	if (p->rcvbuf > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &p->rcvbuf,
		    sizeof(p->rcvbuf));
	if (p->sndbuf > 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &p->sndbuf,
		    sizeof(p->sndbuf));
	if (a->ss.ss_family != AF_UNIX)
		tcp_prepare(fd);
	return fd;
}

/* Bind, and listen unless backlog is -1. */
static int
bind_to(struct peer *p, const char *where, int backlog)
{
	struct address a;
	mode_t mask;
	int fd, on = 1, bound;

	if (address_parse(&a, where) == -1)
		return peer_fail(p, "%s: not an address", where);
	fd = socket_make(p, &a);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Workers that gave up root have to reach the socket, too. */
	mask = umask(0);
	bound = bind(fd, (struct sockaddr *)&a.ss, a.len);
	umask(mask);
	if (bound == -1 || (backlog >= 0 && listen(fd, backlog) == -1)) {
		peer_fail(p, "%s: %s", where, strerror(errno));
		close(fd);
		return -1;
	}
	if (p->listen_fd != -1)
		close(p->listen_fd);
	p->listen_fd = fd;
	return 0;
}

static int
verb_listen(struct peer *p, const struct command *c)
{
	return bind_to(p, c->args[0].text,
	    c->nargs == 2 ? (int)c->args[1].n : SOMAXCONN);
}

/* The port is taken, but every connect is refused. */
static int
verb_bind(struct peer *p, const struct command *c)
{
	return bind_to(p, c->args[0].text, -1);
}

/* By rename, so that whoever sees the file sees all of it. */
static int
verb_port_file(struct peer *p, const struct command *c)
{
	char name[128], temporary[512];
	FILE *f;
	int bad;

	if (p->listen_fd == -1 ||
	    address_bound(p->listen_fd, name, sizeof(name)) == -1)
		return peer_fail(p, "not listening");
	if (snprintf(temporary, sizeof(temporary), "%s.tmp",
	    c->args[0].text) >= (int)sizeof(temporary))
		return peer_fail(p, "%s: name too long", c->args[0].text);
	f = fopen(temporary, "we");
	if (f == NULL)
		return peer_fail(p, "%s: %s", temporary, strerror(errno));
	bad = fprintf(f, "%s\n", name) < 0;
	if (fclose(f) != 0 || bad || rename(temporary, c->args[0].text) == -1)
		return peer_fail(p, "%s: %s", temporary, strerror(errno));
	return 0;
}

static void
connection_set(struct peer *p, int fd)
{
	if (p->fd != -1)
		close(p->fd);
	p->fd = fd;
}

static int
verb_accept(struct peer *p, const struct command *c)
{
	uint64_t end = peer_now() + (uint64_t)p->timeout_ms;
	int fd, ready;

	(void)c;
	if (p->listen_fd == -1)
		return peer_fail(p, "not listening");
	do {
		ready = data_wait(p, p->listen_fd, POLLIN,
		    (int)(end - peer_now()));
		if (ready == -1)
			return -1;
		if (ready == 0)
			return peer_fail(p, "no connection in %d ms",
			    p->timeout_ms);
		fd = accept4(p->listen_fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd == -1 && (errno == EAGAIN || errno == ECONNABORTED) &&
	    peer_now() < end);
	if (fd == -1)
		return peer_fail(p, "%s", strerror(errno));
	tcp_prepare(fd);
	connection_set(p, fd);
	return 0;
}

/*
 * The answer has come: 0 or the errno of the connect. SO_ERROR is no help, as
 * it takes away the reset of a server that was quick to send and reset.
 */
static int
connect_error(struct peer *p)
{
	char byte;

	if (recv(p->fd, &byte, 1, MSG_PEEK) >= 0 || errno == EAGAIN)
		return 0;
	/* Who had not listened had refused: it was a connection. */
	p->was_reset = errno == ECONNRESET;
	return p->was_reset ? 0 : errno;
}

/* Be this client; port 0 is any. */
static int
bind_source(struct peer *p, int fd, const char *source)
{
	struct address a;

	if (address_parse(&a, source) == -1)
		return peer_fail(p, "%s: not an address", source);
	if (bind(fd, (struct sockaddr *)&a.ss, a.len) == -1)
		return peer_fail(p, "%s: %s", source, strerror(errno));
	return 0;
}

/*
 * Connect within ms, from anywhere or from *source*. 0 with *error 0 or the errno of the connect (ETIMEDOUT
 * when nothing came back), -1 when the peer itself is in trouble (printed).
 */
static int
connect_to(struct peer *p, const char *where, const char *source, int ms,
    int *error)
{
	struct address a;
	int fd, ready;

	*error = 0;
	p->was_reset = false;
	if (address_parse(&a, where) == -1)
		return peer_fail(p, "%s: not an address", where);
	fd = socket_make(p, &a);
	if (fd == -1)
		return -1;
	connection_set(p, fd);
	if (source != NULL && bind_source(p, fd, source) == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&a.ss, a.len) == 0)
		return 0;
	*error = errno;
	if (errno != EINPROGRESS)
		return 0;
	ready = data_wait(p, fd, POLLOUT, ms);
	*error = ready == 1 ? connect_error(p) : ETIMEDOUT;
	return ready == -1 ? -1 : 0;
}

static int
verb_connect(struct peer *p, const struct command *c)
{
	int error;

	if (connect_to(p, c->args[0].text,
	    c->nargs > 1 ? c->args[1].text : NULL, p->timeout_ms,
	    &error) == -1)
		return -1;
	if (error != 0)
		return peer_fail(p, "%s: %s", c->args[0].text,
		    strerror(error));
	return 0;
}

static int
verb_connect_refused(struct peer *p, const struct command *c)
{
	int error;

	if (connect_to(p, c->args[0].text, NULL, p->timeout_ms, &error) == -1)
		return -1;
	if (error != ECONNREFUSED && error != ENOENT)
		return peer_fail(p, "%s: expected to be refused, got: %s",
		    c->args[0].text,
		    error == 0 ? "a connection" : strerror(error));
	connection_set(p, -1);
	return 0;
}

/* A queue takes no more. Of other kinds than TCP nobody is asked: true. */
static bool
queue_full(int listener)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return true;
	/* Of a socket that listens these are its length and its limit. */
	return info.tcpi_unacked > info.tcpi_sacked;
}

/*
 * Fill the queue of the own listening socket with connections nobody accepts,
 * until one gets no answer: from then on nobody else does. They stay open.
 */
static int
verb_fill(struct peer *p, const struct command *c)
{
	char where[128];
	int error = 0, i;

	(void)c;
	if (p->listen_fd == -1 ||
	    address_bound(p->listen_fd, where, sizeof(where)) == -1)
		return peer_fail(p, "not listening");
	for (i = 0; i < FILL_MAX && error == 0; i++) {
		p->fd = -1;	/* the last one stays open */
		if (connect_to(p, where, NULL, FILL_WAIT, &error) == -1)
			return -1;
		/* The request was only lost on its way. */
		if (error == ETIMEDOUT && !queue_full(p->listen_fd))
			error = 0;
	}
	p->fd = -1;
	if (error != ETIMEDOUT && error != EAGAIN)
		return peer_fail(p, "after %d: %s", i, strerror(error));
	return 0;
}

static int
verb_close(struct peer *p, const struct command *c)
{
	(void)c;
	if (p->fd == -1)
		return peer_fail(p, "not connected");
	connection_set(p, -1);
	return 0;
}

static int
verb_close_listen(struct peer *p, const struct command *c)
{
	(void)c;
	if (p->listen_fd == -1)
		return peer_fail(p, "not listening");
	close(p->listen_fd);
	p->listen_fd = -1;
	return 0;
}

static int
verb_half_close(struct peer *p, const struct command *c)
{
	(void)c;
	if (shutdown(p->fd, SHUT_WR) == -1)
		return peer_fail(p, "%s", strerror(errno));
	return 0;
}

/* What is still in the send queue is lost; see flush. */
static int
verb_reset(struct peer *p, const struct command *c)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == -1)
		return peer_fail(p, "%s", strerror(errno));
	return verb_close(p, c);
}

/* The kernel has no event for an empty send queue, so look at it. */
static int
verb_flush(struct peer *p, const struct command *c)
{
	uint64_t end = peer_now() + (uint64_t)p->timeout_ms;
	int left = 0;

	(void)c;
	for (;;) {
		if (ioctl(p->fd, SIOCOUTQ, &left) == -1)
			return peer_fail(p, "%s", strerror(errno));
		if (left == 0)
			return 0;
		if (peer_now() >= end)
			return peer_fail(p, "%d bytes unacknowledged after "
			    "%d ms", left, p->timeout_ms);
		peer_sleep(2);
	}
}

static int
buffer_size(struct peer *p, const struct command *c, int name, int *later)
{
	int size = (int)c->args[0].n;

	*later = size;
	if (p->fd != -1 &&
	    setsockopt(p->fd, SOL_SOCKET, name, &size, sizeof(size)) == -1)
		return peer_fail(p, "%s", strerror(errno));
	return 0;
}

static int
verb_rcvbuf(struct peer *p, const struct command *c)
{
	return buffer_size(p, c, SO_RCVBUF, &p->rcvbuf);
}

static int
verb_sndbuf(struct peer *p, const struct command *c)
{
	return buffer_size(p, c, SO_SNDBUF, &p->sndbuf);
}

static int
verb_pause(struct peer *p, const struct command *c)
{
	(void)p;
	peer_sleep(c->args[0].n);
	return 0;
}

static int
verb_timeout(struct peer *p, const struct command *c)
{
	p->timeout_ms = (int)c->args[0].n;
	return 0;
}

static int
verb_print(struct peer *p, const struct command *c)
{
	(void)p;
	dprintf(STDOUT_FILENO, "%s\n", c->args[0].text);
	return 0;
}

static int
verb_touch(struct peer *p, const struct command *c)
{
	int fd = open(c->args[0].text, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd == -1)
		return peer_fail(p, "%s: %s", c->args[0].text,
		    strerror(errno));
	close(fd);
	return 0;
}

static int
verb_wait_file(struct peer *p, const struct command *c)
{
	uint64_t end = peer_now() + (uint64_t)p->timeout_ms;

	while (access(c->args[0].text, F_OK) == -1) {
		if (peer_now() >= end)
			return peer_fail(p, "%s: not there after %d ms",
			    c->args[0].text, p->timeout_ms);
		peer_sleep(5);
	}
	return 0;
}

const struct verb verbs_connection[] = {
	{ "listen", "s?n", "", false, verb_listen,
	    "listen ADDR [BACKLOG]" },
	{ "bind", "s", "", false, verb_bind,
	    "bind ADDR                  hold the port, refuse connections" },
	{ "port-file", "s", "", false, verb_port_file,
	    "port-file FILE             write the bound address" },
	{ "fill", "", "", false, verb_fill,
	    "fill                       make the own listener unresponsive" },
	{ "accept", "", "", false, verb_accept,
	    "accept" },
	{ "connect", "s?s", "", false, verb_connect,
	    "connect ADDR [SOURCE]" },
	{ "connect-refused", "s", "", false, verb_connect_refused,
	    "connect-refused ADDR" },
	{ "close", "", "", false, verb_close,
	    "close" },
	{ "close-listen", "", "", false, verb_close_listen,
	    "close-listen" },
	{ "half-close", "", "", false, verb_half_close,
	    "half-close                 end of file to the other side" },
	{ "reset", "", "", false, verb_reset,
	    "reset                      drop the send queue, send RST" },
	{ "flush", "", "", false, verb_flush,
	    "flush                      until all sent bytes are acknowledged" },
	{ "rcvbuf", "n", "", false, verb_rcvbuf,
	    "rcvbuf BYTES               before listen or connect" },
	{ "sndbuf", "n", "", false, verb_sndbuf,
	    "sndbuf BYTES" },
	{ "pause", "n", "", false, verb_pause,
	    "pause MS" },
	{ "timeout", "n", "", false, verb_timeout,
	    "timeout MS                 of the waits that follow" },
	{ "print", "s", "", false, verb_print,
	    "print TEXT" },
	{ "touch", "s", "", false, verb_touch,
	    "touch FILE                 tell others" },
	{ "wait-file", "s", "", false, verb_wait_file,
	    "wait-file FILE             until others have told" },
	{ NULL, NULL, NULL, false, NULL, NULL }
};
