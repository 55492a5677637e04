/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load_serve.c: the server of the benchmark. The hello of a connection says
 * what it is: messages of one size to be sent back whole, or a stream of
 * pattern to make or to compare. A connection owns no buffer unless a message
 * comes or goes in pieces. Ends when its time is over, and closes a connection
 * when the client does; keeps no account.
 */
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define SERVE_EVENTS	64
#define SERVE_ACCEPTS	16
#define SERVE_TURNS	4

struct peer {
	int		 fd;
	bool		 listener;
	uint32_t	 kind;		/* 0: no hello yet */
	uint32_t	 size, done;
	bool		 writing;	/* held: bytes from done on go out */
	uint64_t	 pos, total;
	unsigned char	*held;		/* a message in pieces, or NULL */
	unsigned char	 hello[sizeof(struct hello)];
};

struct server {
	const struct serve_opts *opts;
	int		 ep;
	uint64_t	 answers, buffers;
	unsigned char	*block;
	unsigned char	*scratch;	/* with room for a hello before it */
};

static void
peer_close(struct peer *p)
{
	close(p->fd);
	free(p->held);
	free(p);
}

static int
peer_watch(const struct server *s, struct peer *p, int op, uint32_t want)
{
	struct epoll_event ev;

	memset(&ev, 0, sizeof(ev));
	ev.events = want;
	ev.data.ptr = p;
	return epoll_ctl(s->ep, op, p->fd, &ev);
}

/* True once in so many answers, if that was asked for. */
static bool
serve_corrupts(struct server *s)
{
	return s->opts->corrupt > 0 && ++s->answers % s->opts->corrupt == 0;
}

/* Keep the bytes of a message that is not whole. -1: no memory. */
static int
echo_hold(struct peer *p, const unsigned char *data, size_t n)
{
	if (p->held == NULL && (p->held = malloc(p->size)) == NULL)
		return -1;
	memcpy(p->held + p->done, data, n);
	return 0;
}

/* Send the message back; what the socket does not take is held. */
static int
echo_answer(struct server *s, struct peer *p, unsigned char *data)
{
	ssize_t n;

	if (serve_corrupts(s))
		data[p->size / 2] ^= 1;
	n = send(p->fd, data, p->size, MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN)
		return -1;
	p->done = 0;
	if (n != (ssize_t)p->size) {
		if (data != p->held && echo_hold(p, data, p->size) == -1)
			return -1;
		p->done = n == -1 ? 0 : (uint32_t)n;
		p->writing = true;
		return peer_watch(s, p, EPOLL_CTL_MOD, EPOLLOUT);
	}
	free(p->held);
	p->held = NULL;
	return 0;
}

static int
echo_write(struct server *s, struct peer *p)
{
	ssize_t n;

	n = send(p->fd, p->held + p->done, p->size - p->done, MSG_NOSIGNAL);
	if (n == -1)
		return errno == EAGAIN ? 0 : -1;
	p->done += (uint32_t)n;
	if (p->done < p->size)
		return 0;
	p->done = 0;
	p->writing = false;
	free(p->held);
	p->held = NULL;
	return peer_watch(s, p, EPOLL_CTL_MOD, EPOLLIN);
}

static int
echo_data(struct server *s, struct peer *p, unsigned char *data, size_t n)
{
	/* The client waits for the answer: more than a message is an error. */
	if (n > p->size - p->done)
		return -1;
	if (p->done == 0 && n == p->size)
		return echo_answer(s, p, data);
	if (echo_hold(p, data, n) == -1)
		return -1;
	p->done += (uint32_t)n;
	return p->done < p->size ? 0 : echo_answer(s, p, p->held);
}

/* A new piece of the stream; now and then with a wrong byte, if asked for. */
static ssize_t
source_send(struct server *s, struct peer *p)
{
	const unsigned char *data = pattern_at(s->block, p->pos + p->total);

	if (!serve_corrupts(s))
		return send(p->fd, data, PATTERN_SPAN, MSG_NOSIGNAL);
	memcpy(s->scratch, data, PATTERN_SPAN);
	s->scratch[0] ^= 1;
	return send(p->fd, s->scratch, PATTERN_SPAN, MSG_NOSIGNAL);
}

static int
source_write(struct server *s, struct peer *p)
{
	ssize_t n;
	int i;

	for (i = 0; i < SERVE_TURNS; i++) {
		n = source_send(s, p);
		if (n == -1)
			return errno == EAGAIN ? 0 : -1;
		p->total += (uint64_t)n;
	}
	return 0;
}

/*
 * Stream from a process of its own, so that others of this one do not wait.
 * It ends with the connection, or with its parent.
 */
static int
source_fork(struct server *s, struct peer *p)
{
	pid_t parent = getpid(), pid;
	int flags;

	/* The child holds the socket too: closing is not enough. */
	if (peer_watch(s, p, EPOLL_CTL_DEL, 0) == -1 || (pid = fork()) == -1)
		return -1;
	if (pid > 0)
		return -1;
	(void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL);
	if (getppid() != parent ||
	    (flags = fcntl(p->fd, F_GETFL)) == -1 ||
	    fcntl(p->fd, F_SETFL, flags & ~O_NONBLOCK) == -1)
		_exit(71);
	while (source_write(s, p) == 0)
		;
	_exit(0);
}

static int
sink_say(const struct peer *p, uint64_t what)
{
	/* Eight bytes a step: they always find room. */
	return send(p->fd, &what, sizeof(what), MSG_NOSIGNAL) ==
	    (ssize_t)sizeof(what) ? 0 : -1;
}

static int
sink_data(struct server *s, struct peer *p, const unsigned char *data,
    size_t n)
{
	uint64_t step = p->total / SINK_STEP;

	if (serve_corrupts(s) || (s->buffers++ % s->opts->check_every == 0 &&
	    memcmp(data, pattern_at(s->block, p->pos + p->total), n) != 0)) {
		(void)sink_say(p, SINK_WRONG);
		return -1;
	}
	p->total += n;
	for (step++; step <= p->total / SINK_STEP; step++)
		if (sink_say(p, step * SINK_STEP) == -1)
			return -1;
	return 0;
}

static int
peer_data(struct server *s, struct peer *p, unsigned char *data, size_t n)
{
	switch (p->kind) {
	case HELLO_ECHO:
		return echo_data(s, p, data, n);
	case HELLO_SINK:
		return n == 0 ? 0 : sink_data(s, p, data, n);
	default:
		return -1;
	}
}

/* The first bytes: they may come in pieces too. */
static int
peer_hello(struct server *s, struct peer *p, unsigned char *data, size_t n)
{
	struct hello h;

	data -= p->done;
	memcpy(data, p->hello, p->done);
	n += p->done;
	if (n < sizeof(h)) {
		memcpy(p->hello, data, n);
		p->done = (uint32_t)n;
		return 0;
	}
	memcpy(&h, data, sizeof(h));
	if (h.magic != HELLO_MAGIC || h.kind < HELLO_ECHO ||
	    h.kind > HELLO_SINK || h.size > SCRATCH_SIZE)
		return -1;
	p->done = 0;
	p->kind = h.kind;
	p->size = h.size;
	p->pos = h.seed;
	if (h.kind == HELLO_ECHO)
		return peer_data(s, p, data, n);
	if (h.kind == HELLO_SOURCE && s->opts->fork_streams)
		return source_fork(s, p);
	if (h.kind == HELLO_SOURCE && peer_watch(s, p, EPOLL_CTL_MOD,
	    EPOLLIN | EPOLLOUT) == -1)
		return -1;
	data += sizeof(h);
	n -= sizeof(h);
	return h.kind == HELLO_SOURCE ? 0 : peer_data(s, p, data, n);
}

static int
peer_read(struct server *s, struct peer *p)
{
	unsigned char *data = s->scratch + sizeof(struct hello);
	ssize_t n;

	n = recv(p->fd, data, SCRATCH_SIZE, 0);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	if (p->kind == 0)
		return peer_hello(s, p, data, (size_t)n);
	return peer_data(s, p, data, (size_t)n);
}

static void
peer_event(struct server *s, struct peer *p, uint32_t events)
{
	int rv = 0;

	if (p->writing)
		rv = echo_write(s, p);
	else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		rv = peer_read(s, p);
	else if (p->kind == HELLO_SOURCE)
		rv = source_write(s, p);
	if (rv == -1)
		peer_close(p);
}

static void
serve_accept(struct server *s, const struct peer *listener)
{
	struct peer *p;
	int fd, i;

	for (i = 0; i < SERVE_ACCEPTS; i++) {
		fd = accept4(listener->fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1)
			return;
		if ((p = calloc(1, sizeof(*p))) == NULL) {
			close(fd);
			return;
		}
		p->fd = fd;
		if (peer_watch(s, p, EPOLL_CTL_ADD, EPOLLIN) == -1)
			peer_close(p);
	}
}

static void
serve_listen(const struct server *s, FILE *out)
{
	struct sockaddr_in sin;
	struct peer *p;
	int i;

	for (i = 0; i < s->opts->listeners; i++) {
		if ((p = calloc(1, sizeof(*p))) == NULL ||
		    (p->fd = net_listen(&sin,
		    i == 0 ? s->opts->port : 0)) == -1)
			err(71, "listen");
		p->listener = true;
		if (peer_watch(s, p, EPOLL_CTL_ADD, EPOLLIN) == -1)
			err(71, "epoll_ctl");
		fprintf(out, "127.0.0.1:%u\n", ntohs(sin.sin_port));
	}
}

/* The addresses go to stdout, or to a file that appears when it is whole. */
static void
serve_announce(const struct server *s)
{
	const char *name = s->opts->ports_file;
	char tmp[4096];
	FILE *out;

	if (name == NULL) {
		serve_listen(s, stdout);
		fflush(stdout);
		return;
	}
	snprintf(tmp, sizeof(tmp), "%s.new", name);
	if ((out = fopen(tmp, "w")) == NULL)
		err(73, "%s", tmp);
	serve_listen(s, out);
	if (fclose(out) != 0 || rename(tmp, name) == -1)
		err(73, "%s", name);
}

int
serve(const struct serve_opts *opts)
{
	uint64_t until = now_ns() + (uint64_t)(opts->secs * (double)NSEC);
	struct epoll_event ev[SERVE_EVENTS];
	struct server s = { .opts = opts };
	struct peer *p;
	int i, n;

	/* Children that streamed are nobody's to wait for. */
	signal(SIGCHLD, SIG_IGN);
	if ((s.ep = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    (s.block = pattern_new()) == NULL || (s.scratch =
	    malloc(SCRATCH_SIZE + sizeof(struct hello))) == NULL)
		err(71, "serve");
	serve_announce(&s);
	while (now_ns() < until) {
		n = epoll_wait(s.ep, ev, SERVE_EVENTS, 1000);
		if (n == -1 && errno != EINTR)
			err(71, "epoll_wait");
		for (i = 0; i < n; i++) {
			p = ev[i].data.ptr;
			if (p->listener)
				serve_accept(&s, p);
			else
				peer_event(&s, p, ev[i].events);
		}
	}
	close(s.ep);
	free(s.block);
	free(s.scratch);
	return 0;
}
