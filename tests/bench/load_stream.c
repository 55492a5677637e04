/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load_stream.c: a connection that carries bulk one way. Down: the server
 * sends, and one buffer in check_every is compared with the pattern, all of it
 * (a byte lost or doubled anywhere shifts all that follow). Up: the server
 * compares and says how much has arrived; only that counts. A limited group
 * stops reading or writing until the clock allows more.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "load.h"

#define STREAM_TURNS	4

static void
stream_count(struct conn *c, uint64_t n)
{
	struct group *g = c->group;

	c->moved = now_ns();
	g->taken += n;
	if (g->run->phase == PHASE_MEASURE)
		g->bytes += n;
}

/* True if the group has had what it may have up to now. */
static bool
stream_limited(const struct group *g)
{
	double allowed;

	if (g->rate <= 0.0)
		return false;
	allowed = g->rate * (double)(now_ns() - g->start) / (double)NSEC;
	return (double)g->taken >= allowed;
}

static bool
stream_pause(struct conn *c)
{
	if (!stream_limited(c->group))
		return false;
	if (conn_watch(c, c->group->up ? (uint32_t)EPOLLIN : 0) == -1)
		return false;
	c->paused = true;
	c->group->paused++;
	return true;
}

void
stream_resume(struct group *g)
{
	size_t i;

	if (g->paused == 0 || stream_limited(g))
		return;
	for (i = 0; i < g->nconns; i++) {
		if (!g->conns[i].paused)
			continue;
		g->conns[i].paused = false;
		g->paused--;
		g->conns[i].moved = now_ns();
		if (conn_watch(&g->conns[i], EPOLLIN |
		    (g->up ? (uint32_t)EPOLLOUT : 0)) == -1)
			conn_fail(&g->conns[i], FAIL_RESOURCE);
	}
}

static void
stream_read(struct conn *c)
{
	struct run *r = c->group->run;
	ssize_t n;
	int i;

	for (i = 0; i < STREAM_TURNS; i++) {
		if (stream_pause(c))
			return;
		n = recv(c->fd, r->scratch, SCRATCH_SIZE, 0);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0) {
			conn_fail(c, n == 0 ? FAIL_EOF : conn_why(errno));
			return;
		}
		if (r->buffers++ % r->check_every == 0) {
			if (memcmp(r->scratch, pattern_at(r->block, c->pos +
			    c->total), (size_t)n) != 0) {
				conn_fail(c, FAIL_WRONG);
				return;
			}
			r->checked += (uint64_t)n;
		}
		c->total += (uint64_t)n;
		stream_count(c, (uint64_t)n);
		if (n < SCRATCH_SIZE / 4)
			return;
	}
}

/* What the sink confirms: bytes so far, eight bytes at a time. */
static void
stream_confirmed(struct conn *c)
{
	struct run *r = c->group->run;
	uint64_t said;
	ssize_t n;

	n = recv(c->fd, r->scratch, sizeof(said) - c->done, 0);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		conn_fail(c, n == 0 ? FAIL_EOF : conn_why(errno));
		return;
	}
	memcpy(&said, &c->answer, sizeof(said));
	memcpy((char *)&said + c->done, r->scratch, (size_t)n);
	c->answer = said;
	c->done += (uint32_t)n;
	if (c->done < sizeof(said))
		return;
	c->done = 0;
	if (said & SINK_WRONG || said != c->acked + SINK_STEP) {
		conn_fail(c, FAIL_WRONG);
		return;
	}
	c->acked = said;
	r->checked += SINK_STEP;
	stream_count(c, SINK_STEP);
}

static void
stream_write(struct conn *c)
{
	struct run *r = c->group->run;
	ssize_t n;
	int i, err;
	char said;

	for (i = 0; i < STREAM_TURNS; i++) {
		if (stream_pause(c))
			return;
		n = send(c->fd, pattern_at(r->block, c->pos + c->total),
		    PATTERN_SPAN, MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1) {
			/* What the sink said before it left says more. */
			err = errno;
			while (c->state == CONN_STREAM &&
			    recv(c->fd, &said, 1, MSG_PEEK) > 0)
				stream_confirmed(c);
			if (c->state == CONN_STREAM)
				conn_fail(c, conn_why(err));
			return;
		}
		c->total += (uint64_t)n;
	}
}

/* Connect and say what is wanted; the rest is done as events come. */
void
stream_start(struct conn *c)
{
	c->moved = now_ns();
	if (conn_open(c) == -1) {
		conn_fail(c, conn_why(errno));
		return;
	}
	c->acked = 0;
	c->state = CONN_STREAM;
	if (conn_watch(c, EPOLLOUT) == -1)
		conn_fail(c, FAIL_RESOURCE);
}

static void
stream_hello(struct conn *c)
{
	bool up = c->group->up;
	struct hello h = { HELLO_MAGIC, up ? HELLO_SINK : HELLO_SOURCE, 0,
	    (uint32_t)c->pos };
	ssize_t n;

	n = send(c->fd, &h, sizeof(h), MSG_NOSIGNAL);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n != (ssize_t)sizeof(h)) {
		conn_fail(c, n == -1 ? conn_why(errno) : FAIL_RESET);
		return;
	}
	c->first = false;
	conn_opened(c);
	if (conn_watch(c, EPOLLIN | (up ? (uint32_t)EPOLLOUT : 0)) == -1)
		conn_fail(c, FAIL_RESOURCE);
}

void
stream_event(struct conn *c, uint32_t events)
{
	if (c->first)
		stream_hello(c);
	else if (!c->group->up)
		stream_read(c);
	else {
		if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
			stream_confirmed(c);
		if (c->state == CONN_STREAM && !c->paused &&
		    events & EPOLLOUT)
			stream_write(c);
	}
}
