/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load_conn.c: one connection that sends a message and wants the same bytes
 * back. The first message of a connection begins with a hello, all the rest is
 * pattern, at another place of it each time; every byte that comes back is
 * compared. Never retries: what fails is counted once, under one name, and the
 * loop opens the connection anew a little later.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

enum failure
conn_why(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ENETUNREACH:
	case EHOSTUNREACH:
		return FAIL_CONNECT;
	case ETIMEDOUT:
		return FAIL_TIMEOUT;
	case EADDRNOTAVAIL:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return FAIL_RESOURCE;
	default:
		return FAIL_RESET;
	}
}

int
conn_watch(struct conn *c, uint32_t want)
{
	struct epoll_event ev;

	if (c->watched && c->want == want)
		return 0;
	memset(&ev, 0, sizeof(ev));
	ev.events = want;
	ev.data.ptr = c;
	if (epoll_ctl(c->group->run->ep, c->watched ? EPOLL_CTL_MOD :
	    EPOLL_CTL_ADD, c->fd, &ev) == -1)
		return -1;
	c->watched = true;
	c->want = want;
	return 0;
}

void
conn_ready(struct conn *c)
{
	if (c->listed)
		return;
	c->listed = true;
	STAILQ_INSERT_TAIL(&c->group->ready, c, entry);
}

/* It is known to be through to the server. */
void
conn_opened(struct conn *c)
{
	if (c->opening)
		c->group->opening--;
	c->opening = false;
	if (!c->stands)
		c->group->standing++;
	c->stands = true;
}

void
conn_close(struct conn *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->watched = false;
	c->state = CONN_CLOSED;
	if (c->opening)
		c->group->opening--;
	c->opening = false;
	if (c->stands)
		c->group->standing--;
	c->stands = false;
	if (c->paused)
		c->group->paused--;
	c->paused = false;
}

void
conn_fail(struct conn *c, enum failure why)
{
	c->group->run->failed[why]++;
	conn_close(c);
}

int
conn_open(struct conn *c)
{
	struct run *r = c->group->run;
	uint64_t seq = r->conn_seq++;

	c->fd = net_connect(r, seq, c->group->kind != KIND_CRR);
	if (c->fd == -1)
		return -1;
	c->first = true;
	c->done = 0;
	c->total = 0;
	/* Far apart, so that no connection passes with the bytes of another. */
	c->pos = (seq * 2654435761U) % PATTERN_PERIOD;
	return 0;
}

static void
conn_hello(const struct conn *c, struct hello *h)
{
	h->magic = HELLO_MAGIC;
	h->kind = HELLO_ECHO;
	h->size = (uint32_t)c->group->size;
	h->seed = (uint32_t)c->pos;
}

/* The message from its byte c->done on. */
static const unsigned char *
conn_message(const struct conn *c)
{
	const struct run *r = c->group->run;
	const unsigned char *p = pattern_at(r->block, c->pos);
	struct hello h;

	if (!c->first || c->done >= sizeof(h))
		return p + c->done;
	conn_hello(c, &h);
	memcpy(r->scratch, p, c->group->size);
	memcpy(r->scratch, &h, sizeof(h));
	return r->scratch + c->done;
}

static void
conn_send(struct conn *c)
{
	size_t left = c->group->size - c->done;
	ssize_t n;

	n = send(c->fd, conn_message(c), left, MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN) {
		conn_fail(c, conn_why(errno));
		return;
	}
	if (n > 0)
		c->done += (uint32_t)n;
	if (c->done == c->group->size) {
		c->state = CONN_RECV;
		c->done = 0;
	}
	if (conn_watch(c, c->state == CONN_RECV ? EPOLLIN : EPOLLOUT) == -1)
		conn_fail(c, FAIL_RESOURCE);
}

/* True if these are the next n bytes of the answer. */
static bool
conn_matches(const struct conn *c, const unsigned char *buf, size_t n)
{
	const struct run *r = c->group->run;
	size_t done = c->done, part;
	struct hello h;

	if (c->first && done < sizeof(h)) {
		conn_hello(c, &h);
		part = sizeof(h) - done < n ? sizeof(h) - done : n;
		if (memcmp(buf, (const char *)&h + done, part) != 0)
			return false;
		buf += part;
		done += part;
		n -= part;
	}
	return memcmp(buf, pattern_at(r->block, c->pos) + done, n) == 0;
}

/* Within the window, or meant for it by the schedule. */
static void
conn_account(const struct conn *c)
{
	struct group *g = c->group;
	struct run *r = g->run;

	if (r->phase == PHASE_MEASURE) {
		g->ops++;
		g->bytes += g->size;
	} else if (r->phase != PHASE_DRAIN || g->rate <= 0.0)
		return;
	hist_add(&g->hist, now_ns() - c->since);
}

static void
conn_done(struct conn *c)
{
	bool first = c->first;

	c->done = 0;
	c->first = false;
	switch (c->group->kind) {
	case KIND_CRR:
		conn_account(c);
		conn_close(c);
		conn_ready(c);
		break;
	case KIND_SILENT:
		c->state = CONN_SILENT;
		conn_opened(c);
		break;
	default:
		if (!first)
			conn_account(c);
		c->state = CONN_FREE;
		conn_opened(c);
		conn_ready(c);
		break;
	}
}

static void
conn_recv(struct conn *c)
{
	struct run *r = c->group->run;
	size_t left = c->group->size - c->done;
	ssize_t n;

	/* One byte more than is due must not come. */
	n = recv(c->fd, r->scratch, left + 1, 0);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		conn_fail(c, n == 0 ? FAIL_EOF : conn_why(errno));
		return;
	}
	if ((size_t)n > left || !conn_matches(c, r->scratch, (size_t)n)) {
		conn_fail(c, FAIL_WRONG);
		return;
	}
	r->checked += (uint64_t)n;
	c->done += (uint32_t)n;
	if (c->done == c->group->size)
		conn_done(c);
}

/* Begin an operation that should have begun at the time given. */
void
conn_start(struct conn *c, uint64_t since)
{
	c->since = since;
	c->moved = now_ns();
	if (c->fd == -1) {
		if (conn_open(c) == -1) {
			conn_fail(c, conn_why(errno));
			return;
		}
	} else
		c->pos = (c->pos + c->group->size + 1) % PATTERN_PERIOD;
	c->done = 0;
	c->state = CONN_SEND;
	conn_send(c);
}

/* Connect and say nothing yet. */
void
conn_hold(struct conn *c)
{
	c->moved = now_ns();
	if (conn_open(c) == -1) {
		conn_fail(c, conn_why(errno));
		return;
	}
	c->state = CONN_SILENT;
	if (conn_watch(c, EPOLLIN) == -1)
		conn_fail(c, FAIL_RESOURCE);
}

void
conn_event(struct conn *c, uint32_t events)
{
	switch (c->state) {
	case CONN_SEND:
		conn_send(c);
		break;
	case CONN_RECV:
		conn_recv(c);
		break;
	case CONN_STREAM:
		stream_event(c, events);
		break;
	case CONN_FREE:
	case CONN_SILENT:
		/* Nothing was asked for: an end, or bytes of somebody else. */
		conn_fail(c, FAIL_LOST);
		break;
	case CONN_CLOSED:
		break;
	}
}
