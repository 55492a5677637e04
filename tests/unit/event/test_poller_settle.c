/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_poller_settle.c: where the hybrid engine keeps a descriptor, as the kernel
 * tells it: in epoll or not, exclusively or not (/proc/self/fdinfo).
 */
#include "helpers.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "event/poller.h"

#define LIMIT	256
#define CALLS	32		/* until a descriptor settles */

static struct poller *poller;
static bool	ticking;
static int	pair[2];

/* The events that epoll has for *fd*; 0 when it is not there. */
static unsigned
in_epoll(int fd)
{
	char path[64], line[256];
	unsigned events, found = 0;
	int epoll, tfd;
	FILE *f;

	for (epoll = 0; epoll < LIMIT; epoll++) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
		if ((f = fopen(path, "r")) == NULL)
			continue;
		while (fgets(line, sizeof(line), f) != NULL)
			if (sscanf(line, "tfd: %d events: %x", &tfd,
			    &events) == 2 && tfd == fd)
				found = events;
		fclose(f);
	}
	return found;
}

int
set_up(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	poller = poller_new(poller_engine("hybrid"), LIMIT);
	return poller == NULL ? -1 : 0;
}

int
tear_down(void)
{
	poller_free(poller);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

/* The clock, which ticks at every look or not at all. */
uint64_t
__wrap_clock_tick_ms(void)
{
	static uint64_t tick;

	tick += ticking;
	return tick;
}

static int	fail_select;		/* errno of the next call */

int
__wrap_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *tv)
{
	if (fail_select == 0)
		return __real_select(n, r, w, e, tv);
	errno = fail_select;
	fail_select = 0;
	return -1;
}

static void
turn(bool sleeps_long)
{
	struct poller_event ev;

	ticking = sleeps_long;
	MUST(poller_wait(poller, 0));
	while (poller_next(poller, &ev))
		;
}

TEST(old_ones_settle)
{
	int calls;

	turn(false);
	poller_want(poller, pair[0], POLLER_WRITE);
	turn(false);
	assert_int_equal(in_epoll(pair[0]), 0);
	for (calls = 0; calls < CALLS && !in_epoll(pair[0]); calls++)
		turn(false);
	assert_true(in_epoll(pair[0]) & EPOLLOUT);
}

TEST(all_settle_after_a_long_sleep)
{
	turn(false);
	poller_want(poller, pair[0], POLLER_READ);
	turn(false);
	assert_int_equal(in_epoll(pair[0]), 0);
	turn(true);
	assert_int_equal(in_epoll(pair[0]), 0);
	turn(false);
	assert_true(in_epoll(pair[0]) & EPOLLIN);
}

/* While one is young the sleep is in select(): a failure there is reported. */
TEST(select_without_memory)
{
	struct poller_event ev;

	turn(false);
	poller_want(poller, pair[0], POLLER_WRITE);
	fail_select = ENOMEM;
	assert_int_equal(poller_wait(poller, 0), 0);
	assert_int_equal(fail_select, 0);
	assert_int_equal(poller_next(poller, &ev), 0);
	assert_true(poller_failed(poller));
	assert_false(poller_failed(poller));
	assert_int_equal(poller_wait(poller, 0), 1);
	assert_int_equal(poller_next(poller, &ev), 1);
	assert_int_equal(ev.fd, pair[0]);
}

/* In the queue when nobody is young, out of it with every poller_share(). */
TEST(listener_queues_to_sleep)
{
	struct sockaddr_in at;
	int listener;

	listener = loopback_listen(&at, 5);
	turn(false);
	poller_share(poller, listener, true);
	assert_int_equal(in_epoll(listener), 0);
	turn(false);
	assert_true(in_epoll(listener) & EPOLLEXCLUSIVE);
	poller_share(poller, listener, true);
	assert_int_equal(in_epoll(listener), 0);
	poller_want(poller, pair[0], POLLER_READ);
	turn(false);
	assert_int_equal(in_epoll(listener), 0);
	poller_forget(poller, pair[0]);
	turn(false);
	assert_true(in_epoll(listener) & EPOLLEXCLUSIVE);
	poller_share(poller, listener, false);
	assert_int_equal(in_epoll(listener), 0);
	poller_forget(poller, listener);
	close(listener);
}
