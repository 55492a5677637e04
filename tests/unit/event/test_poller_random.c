/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_poller_random.c: many descriptors that come, go, fill and drain at random.
 * After each step every engine has to say what poll(2) says.
 */
#include "event/poller.h"

#include "helpers.h"

static struct poller *poller;

static void
stream_pair(int fd[2])
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    fd));
}

#define PAIRS	90

/* Do something to one pair: fill, drain, change interest, close and reopen. */
static void
disturb(uint64_t *seed, int p[2], unsigned *want)
{
	static char bytes[300000];

	switch (random_below(seed, 6)) {
	case 0:
		(void)!send(p[1], bytes, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 1:
		(void)!recv(p[0], bytes, sizeof(bytes), MSG_DONTWAIT);
		break;
	case 2:
		while (send(p[0], bytes, sizeof(bytes),
		    MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			continue;
		break;
	case 3:
		if (random_below(seed, 3) == 0)
			MUST(shutdown(p[1], SHUT_RDWR));
		break;
	case 4:
		poller_forget(poller, p[0]);
		close_pair(p);
		stream_pair(p);
		*want = 0;
		break;
	default:
		*want = random_below(seed, 4);
		poller_want(poller, p[0], *want);
		break;
	}
}

/*
 * Is *got* what poll(2) says? A peer that hung up while our buffer was full is
 * told to a writer by some engines and not by others.
 */
static bool
agrees(unsigned got, int fd, unsigned want)
{
	struct pollfd f = { .fd = fd };
	unsigned is = 0, may = 0;

	f.events = (short)((want & POLLER_READ ? POLLIN : 0) |
	    (want & POLLER_WRITE ? POLLOUT : 0));
	MUST(poll(&f, 1, 0));
	if (f.revents & (POLLIN | POLLHUP | POLLERR))
		is |= POLLER_READ;
	if (f.revents & (POLLOUT | POLLERR))
		is |= POLLER_WRITE;
	if (f.revents & POLLHUP)
		may = POLLER_WRITE;
	return got == (is & want) || got == ((is | may) & want);
}

TEST(random_against_poll)
{
	uint64_t seed = random_seed();
	unsigned want[PAIRS] = { 0 }, got[PAIRS];
	int p[PAIRS][2], i, k, n;
	struct poller_event ev;

	poller = poller_new(poller_engine(engine), 1000);
	assert_non_null(poller);
	for (i = 0; i < PAIRS; i++)
		stream_pair(p[i]);
	for (k = 0; k < 1500; k++) {
		for (n = (int)random_below(&seed, 30); n > 0; n--) {
			i = (int)random_below(&seed, PAIRS);
			disturb(&seed, p[i], &want[i]);
		}
		memset(got, 0, sizeof(got));
		assert_true(poller_wait(poller, 0) >= 0);
		while (poller_next(poller, &ev)) {
			for (i = 0; p[i][0] != ev.fd; i++)
				assert_true(i < PAIRS - 1);
			assert_int_equal(got[i], 0);
			got[i] = ev.ready;
		}
		for (i = 0; i < PAIRS; i++)
			assert_true(agrees(got[i], p[i][0], want[i]));
	}
	for (i = 0; i < PAIRS; i++) {
		poller_forget(poller, p[i][0]);
		close_pair(p[i]);
	}
	poller_free(poller);
}

OVER_ENGINES
