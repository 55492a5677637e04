/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_poller.c: one body of tests, run over every engine in *engines*. A test
 * knows the engine by nothing but the contract in poller.h.
 */
#include "event/poller.h"

#include <sys/time.h>

#include <signal.h>

#include "helpers.h"

#define LIMIT	4000

static int	fail_select;		/* errno of the next call */

static struct poller *poller;
static int	before;			/* descriptors open */

int
__wrap_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *tv)
{
	if (fail_select == 0)
		return __real_select(n, r, w, e, tv);
	errno = fail_select;
	fail_select = 0;
	return -1;
}

int
set_up(void)
{
	before = open_descriptors();
	poller = poller_new(poller_engine(engine), LIMIT);
	return poller == NULL ? -1 : 0;
}

int
tear_down(void)
{
	poller_free(poller);
	return open_descriptors() == before ? 0 : -1;
}

static void
stream_pair(int fd[2])
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    fd));
}

/* What is ready of *fd* alone; everything else that is found is a mistake. */
static unsigned
ready(int fd, int ms)
{
	struct poller_event ev;
	unsigned got = 0;

	assert_true(poller_wait(poller, ms) >= 0);
	while (poller_next(poller, &ev)) {
		assert_int_equal(ev.fd, fd);
		assert_int_equal(got, 0);
		assert_int_not_equal(ev.ready, 0);
		got = ev.ready;
	}
	/* And it stays empty. */
	assert_int_equal(poller_next(poller, &ev), 0);
	return got;
}

static void
drop(int fd)
{
	poller_forget(poller, fd);
	close(fd);
}

TEST(engine_is_known)
{
	const struct poller_engine *e = poller_engine(engine);

	assert_non_null(e);
	assert_string_equal(e->name, engine);
	assert_ptr_equal(poller->engine, e);
	assert_non_null(strstr(poller_engines(), engine));
	assert_null(poller_engine(""));
	assert_null(poller_engine("poll"));
	poller_free(NULL);
}

TEST(no_engine_is_left_out)
{
	char list[200] = "";
	size_t i;

	for (i = 0; i < COUNT(engines); i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
		    "%s%s", i == 0 ? "" : ", ", engines[i]);
	assert_string_equal(poller_engines(), list);
}

TEST(time_is_kept)
{
	static const int times[] = { 0, 1, 30 };
	uint64_t begin;
	size_t i;

	for (i = 0; i < COUNT(times); i++) {
		begin = clock_ms();
		assert_int_equal(poller_wait(poller, times[i]), 0);
		/* One ms, since both ends are rounded. */
		assert_in_range(clock_ms() - begin + 1, times[i], 10000);
	}
}

TEST(read_is_level_triggered)
{
	char c;
	int p[2];

	stream_pair(p);
	poller_want(poller, p[0], POLLER_READ);
	assert_int_equal(ready(p[0], 0), 0);
	write_text(p[1], "xy");
	assert_int_equal(ready(p[0], PATIENCE), POLLER_READ);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_READ);
	assert_int_equal(MUST(read(p[0], &c, 1)), 1);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_READ);
	assert_int_equal(MUST(read(p[0], &c, 1)), 1);
	assert_int_equal(ready(p[0], 0), 0);
	drop(p[0]);
	close(p[1]);
}

/* What stays open and ready is told of no more, wherever it was watched. */
TEST(dropped_though_open)
{
	uint64_t begin;
	int i, p[2];

	for (i = 0; i < 80; i += 40) {
		stream_pair(p);
		poller_want(poller, p[0], POLLER_READ);
		/* Young at first, settled after some calls. */
		for (begin = 0; begin < (uint64_t)i; begin++)
			assert_int_equal(ready(p[0], 0), 0);
		write_text(p[1], "x");
		assert_int_equal(ready(p[0], PATIENCE), POLLER_READ);
		poller_drop(poller, p[0]);
		begin = clock_ms();
		assert_int_equal(ready(p[0], 30), 0);
		assert_in_range(clock_ms() - begin + 1, 30, 10000);
		close(p[0]);
		close(p[1]);
	}
}

TEST(write_is_level_triggered)
{
	static char bytes[65536];
	int p[2];

	stream_pair(p);
	poller_want(poller, p[0], POLLER_WRITE);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_WRITE);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_WRITE);
	while (send(p[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	assert_int_equal(ready(p[0], 0), 0);
	while (recv(p[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	assert_int_equal(ready(p[0], PATIENCE), POLLER_WRITE);
	drop(p[0]);
	close(p[1]);
}

TEST(interest_changes)
{
	static const unsigned wants[] = {
		POLLER_READ, POLLER_WRITE, POLLER_READ | POLLER_WRITE, 0,
		POLLER_READ | POLLER_WRITE, POLLER_WRITE, 0, POLLER_READ, 0,
		POLLER_WRITE, POLLER_READ, POLLER_READ,
	};
	size_t i;
	int p[2];

	stream_pair(p);
	write_text(p[1], "x");
	for (i = 0; i < COUNT(wants); i++) {
		poller_want(poller, p[0], wants[i]);
		assert_int_equal(ready(p[0], 10), wants[i]);
	}
	drop(p[0]);
	close(p[1]);
}

/* End of file and errors are seen by whoever waits for anything. */
TEST(end_of_file)
{
	int p[2];

	stream_pair(p);
	poller_want(poller, p[0], POLLER_READ);
	close(p[1]);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_READ);
	poller_want(poller, p[0], POLLER_READ | POLLER_WRITE);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_READ | POLLER_WRITE);
	drop(p[0]);
	tcp_pair(p);
	MUST(shutdown(p[1], SHUT_WR));
	poller_want(poller, p[0], POLLER_READ);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_READ);
	drop(p[0]);
	close(p[1]);
}

TEST(reset)
{
	static const unsigned wants[] = {
		POLLER_READ, POLLER_WRITE, POLLER_READ | POLLER_WRITE
	};
	struct linger now = { .l_onoff = 1 };
	static char bytes[65536];
	size_t i;
	int p[2];

	for (i = 0; i < COUNT(wants); i++) {
		tcp_pair(p);
		/* So that it is not writable but for the error. */
		while (comes(p[0], POLLOUT, 20))
			(void)!send(p[0], bytes, sizeof(bytes), MSG_DONTWAIT);
		poller_want(poller, p[0], wants[i]);
		assert_int_equal(ready(p[0], 0), 0);
		MUST(setsockopt(p[1], SOL_SOCKET, SO_LINGER, &now,
		    sizeof(now)));
		close(p[1]);
		assert_int_equal(ready(p[0], PATIENCE), wants[i]);
		drop(p[0]);
	}
}

TEST(refused_connect)
{
	struct sockaddr_in at;
	int taken, fd;

	taken = loopback_bind(&at);
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		assert_true(errno == EINPROGRESS || errno == ECONNREFUSED);
	poller_want(poller, fd, POLLER_READ | POLLER_WRITE);
	assert_int_equal(ready(fd, PATIENCE), POLLER_READ | POLLER_WRITE);
	drop(fd);
	close(taken);
}

/* Bytes before the end do not hide it, nor does anything else stand for it. */
TEST(hung_up)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	int kind, p[2];

	for (kind = 0; kind < 4; kind++) {
		if (kind < 3)
			tcp_pair(p);
		else
			MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
		assert_false(poller_hung_up(p[0]));
		if (kind > 0)
			write_text(p[1], "last words");
		assert_false(poller_hung_up(p[0]));
		if (kind == 2)
			/* Unread bytes: a reset. */
			write_text(p[0], "unheard");
		close(p[1]);
		while (!poller_hung_up(p[0]))
			assert_true(clock_ms() < give_up);
		close(p[0]);
	}
}

/* A listener that others may watch as well. */
TEST(shared_listener)
{
	struct sockaddr_in at;
	int listener, out, in, i;

	listener = loopback_listen(&at, 5);
	set_nonblocking(listener);
	poller_share(poller, listener, true);
	assert_int_equal(ready(listener, 0), 0);
	for (i = 0; i < 3; i++) {
		out = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
		MUST(connect(out, (struct sockaddr *)&at, sizeof(at)));
		assert_int_equal(ready(listener, PATIENCE), POLLER_READ);
		/* Until it is accepted, unless it is not wanted. */
		assert_int_equal(ready(listener, PATIENCE), POLLER_READ);
		poller_share(poller, listener, false);
		assert_int_equal(ready(listener, 0), 0);
		poller_share(poller, listener, true);
		assert_int_equal(ready(listener, PATIENCE), POLLER_READ);
		in = (int)MUST(accept(listener, NULL, NULL));
		poller_share(poller, listener, true);
		assert_int_equal(ready(listener, 0), 0);
		close(in);
		close(out);
	}
	drop(listener);
}

TEST(pipe_without_reader)
{
	int p[2];

	MUST(pipe2(p, O_NONBLOCK));
	while (write(p[1], "0123456789abcdef", 16) > 0)
		continue;
	poller_want(poller, p[1], POLLER_WRITE);
	assert_int_equal(ready(p[1], 0), 0);
	close(p[0]);
	assert_int_equal(ready(p[1], PATIENCE), POLLER_WRITE);
	drop(p[1]);
}

TEST(forget_drops_what_was_found)
{
	struct poller_event ev;
	int p[5][2], i, seen[5] = { 0 }, first, n;

	for (i = 0; i < 5; i++) {
		stream_pair(p[i]);
		write_text(p[i][1], "x");
		poller_want(poller, p[i][0], POLLER_READ | POLLER_WRITE);
	}
	assert_true(poller_wait(poller, PATIENCE) > 0);
	assert_int_equal(poller_next(poller, &ev), 1);
	for (first = 0; p[first][0] != ev.fd; first++)
		assert_true(first < 4);
	/* Forget two of the other four, and the one just given out. */
	poller_forget(poller, p[first][0]);
	poller_forget(poller, p[(first + 1) % 5][0]);
	poller_forget(poller, p[(first + 4) % 5][0]);
	for (n = 0; poller_next(poller, &ev); n++)
		for (i = 0; i < 5; i++)
			seen[i] += p[i][0] == ev.fd;
	assert_int_equal(n, 2);
	assert_int_equal(seen[(first + 2) % 5], 1);
	assert_int_equal(seen[(first + 3) % 5], 1);
	/* Nor do they come back. */
	assert_true(poller_wait(poller, 0) > 0);
	for (n = 0; poller_next(poller, &ev); n++)
		assert_true(ev.fd == p[(first + 2) % 5][0] ||
		    ev.fd == p[(first + 3) % 5][0]);
	assert_int_equal(n, 2);
	for (i = 0; i < 5; i++) {
		poller_forget(poller, p[i][0]);
		close_pair(p[i]);
	}
}

/* A session that ends and one that begins within a turn share a number. */
TEST(number_is_used_again_at_once)
{
	struct poller_event ev;
	int p[2][2], fresh[2], other, closed, fd;

	stream_pair(p[0]);
	stream_pair(p[1]);
	poller_want(poller, p[0][0], POLLER_READ);
	poller_want(poller, p[1][0], POLLER_READ);
	write_text(p[0][1], "x");
	write_text(p[1][1], "x");
	assert_true(poller_wait(poller, PATIENCE) > 0);
	assert_int_equal(poller_next(poller, &ev), 1);
	other = ev.fd == p[0][0];
	closed = p[other][0];
	drop(closed);
	stream_pair(fresh);
	fd = fresh[0];
	if (fd != closed) {
		fd = (int)MUST(dup2(fresh[0], closed));
		close(fresh[0]);
	}
	poller_want(poller, fd, POLLER_READ);
	assert_int_equal(poller_next(poller, &ev), 0);
	poller_forget(poller, p[!other][0]);
	assert_int_equal(ready(fd, 0), 0);
	write_text(fresh[1], "x");
	assert_int_equal(ready(fd, PATIENCE), POLLER_READ);
	drop(fd);
	close(fresh[1]);
	close(p[other][1]);
	close_pair(p[!other]);
}

TEST(forget_what_is_not_known)
{
	poller_forget(poller, 5);
	poller_want(poller, 5, 0);
	poller_forget(poller, LIMIT - 1);
	assert_int_equal(poller_wait(poller, 0), 0);
}

/* Beyond FD_SETSIZE, and where words of bits end. */
TEST(high_descriptors)
{
	static const int numbers[] = {
		1022, 1023, 1024, 1025, 1087, 1088, 2047, 2048, 3000, 3967,
		3968, LIMIT - 1
	};
	struct poller_event ev;
	struct rlimit rl;
	int p[2], peer[COUNT(numbers)], odd, n;
	size_t i;

	MUST(getrlimit(RLIMIT_NOFILE, &rl));
	if (rl.rlim_cur < LIMIT && rl.rlim_max < LIMIT)
		skip();
	if (rl.rlim_cur < LIMIT)
		allow_descriptors(LIMIT);
	for (i = 0; i < COUNT(numbers); i++) {
		stream_pair(p);
		MUST(dup2(p[0], numbers[i]));
		close(p[0]);
		peer[i] = p[1];
		poller_want(poller, numbers[i], POLLER_WRITE | POLLER_READ);
	}
	/* All of them, then every second one, each once. */
	for (odd = 0; odd < 2; odd++) {
		assert_true(poller_wait(poller, PATIENCE) > 0);
		for (n = 0; poller_next(poller, &ev); n++) {
			for (i = 0; numbers[i] != ev.fd; i++)
				assert_true(i < COUNT(numbers) - 1);
			assert_true(odd == 0 || i % 2 == 1);
			assert_int_equal(ev.ready, POLLER_WRITE);
		}
		assert_int_equal(n, (int)COUNT(numbers) / (odd + 1));
		for (i = 0; odd == 0 && i < COUNT(numbers); i += 2)
			drop(numbers[i]);
	}
	for (i = 1; i < COUNT(numbers); i += 2)
		drop(numbers[i]);
	for (i = 0; i < COUNT(numbers); i++)
		close(peer[i]);
	assert_int_equal(poller_wait(poller, 0), 0);
	allow_descriptors(rl.rlim_cur);
}

TEST(count)
{
	struct poller_event ev;
	int p[3][2], i, n;

	for (i = 0; i < 3; i++) {
		stream_pair(p[i]);
		poller_want(poller, p[i][0], POLLER_READ);
	}
	write_text(p[0][1], "x");
	write_text(p[2][1], "x");
	assert_int_equal(poller_wait(poller, PATIENCE), 1);
	for (n = 0; poller_next(poller, &ev); n++)
		assert_true(ev.fd == p[0][0] || ev.fd == p[2][0]);
	assert_int_equal(n, 2);
	for (i = 0; i < 3; i++) {
		drop(p[i][0]);
		close(p[i][1]);
	}
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/* A signal ends the wait, and is no error. */
TEST(interrupted)
{
	struct sigaction act = { .sa_handler = on_alarm }, old;
	/* Again and again: the first one may come before the wait. */
	struct itimerval soon = { .it_value = { .tv_usec = 20000 },
	    .it_interval = { .tv_usec = 20000 } },
	    never = { .it_value = { .tv_sec = 0 } };
	struct poller_event ev;
	int p[2];

	stream_pair(p);
	poller_want(poller, p[0], POLLER_READ);
	MUST(sigaction(SIGALRM, &act, &old));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	assert_int_equal(poller_wait(poller, PATIENCE), 0);
	assert_int_equal(poller_next(poller, &ev), 0);
	MUST(setitimer(ITIMER_REAL, &never, NULL));
	MUST(sigaction(SIGALRM, &old, NULL));
	alarm(120);
	drop(p[0]);
	close(p[1]);
}

/* Young, then settled: told of once it is there, and beside the others. */
TEST(urgent)
{
	int p[2], i;

	tcp_pair(p);
	poller_want(poller, p[0], POLLER_READ | POLLER_URGENT);
	assert_int_equal(ready(p[0], 0), 0);
	MUST(send(p[1], "a", 1, 0));
	for (i = 0; i < 50; i++)
		assert_int_equal(ready(p[0], PATIENCE), POLLER_READ);
	MUST(send(p[1], "b", 1, MSG_OOB));
	assert_true(comes(p[0], POLLPRI, PATIENCE));
	for (i = 0; i < 50; i++)
		assert_int_equal(ready(p[0], PATIENCE),
		    POLLER_READ | POLLER_URGENT);
	poller_want(poller, p[0], POLLER_READ);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_READ);
	poller_want(poller, p[0], POLLER_WRITE);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_WRITE);
	poller_want(poller, p[0], POLLER_URGENT);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_URGENT);
	drop(p[0]);
	close(p[1]);
}

TEST(failed_wait)
{
	struct poller_event ev;
	int p[2];

	if (strcmp(engine, "select") != 0)
		skip();
	stream_pair(p);
	poller_want(poller, p[0], POLLER_WRITE);
	fail_select = EBADF;
	assert_int_equal(poller_wait(poller, 0), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(poller_next(poller, &ev), 0);
	assert_false(poller_failed(poller));
	/* A want of memory passes. */
	fail_select = ENOMEM;
	assert_int_equal(poller_wait(poller, 0), 0);
	assert_int_equal(poller_next(poller, &ev), 0);
	assert_true(poller_failed(poller));
	assert_false(poller_failed(poller));
	fail_select = EINTR;
	assert_int_equal(poller_wait(poller, 0), 0);
	assert_int_equal(poller_next(poller, &ev), 0);
	assert_int_equal(ready(p[0], PATIENCE), POLLER_WRITE);
	drop(p[0]);
	close(p[1]);
}

TEST(out_of_memory)
{
	struct poller *p;
	int n, open_before = open_descriptors();

	alloc_needed();
	for (n = 0; ; n++) {
		alloc_fail(n);
		p = poller_new(poller_engine(engine), 1000);
		if (!alloc_failed())
			break;
		assert_null(p);
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(open_descriptors(), open_before);
	}
	assert_true(n > 0);
	poller_free(p);
}

OVER_ENGINES
