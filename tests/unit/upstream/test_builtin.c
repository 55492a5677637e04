/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_builtin.c: hello, echo and discard, spoken to over real sockets. The loop is
 * turned here; a client is the other end of a pair.
 */
#include "upstream/builtin.h"

#include "helpers.h"

#define LIMIT	500
#define BLOCK	4096

static struct poller *poller;
static struct shuttle_counts counts;
static struct shuttle_kit kit = { .counts = &counts };
static struct builtins *builtins;
static int	before;			/* descriptors open */

static struct {
	int	fd, calls;		/* so many calls on it … */
	size_t	most;			/* send so much; 0: EAGAIN */
} slow;

ssize_t
__wrap_send(int fd, const void *buf, size_t len, int flags)
{
	if (slow.calls == 0 || fd != slow.fd)
		return __real_send(fd, buf, len, flags);
	slow.calls--;
	if (slow.most == 0) {
		errno = EAGAIN;
		return -1;
	}
	return __real_send(fd, buf, len < slow.most ? len : slow.most, flags);
}

int
set_up(void)
{
	memset(&slow, 0, sizeof(slow));
	before = open_descriptors();
	poller = poller_new(poller_engine("select"), LIMIT);
	kit.pool = bufpool_new(2, BLOCK);
	kit.scratch = malloc(BLOCK);
	builtins = builtin_new(poller, &kit, LIMIT);
	return poller == NULL || kit.pool == NULL || kit.scratch == NULL ||
	    builtins == NULL ? -1 : 0;
}

int
tear_down(void)
{
	builtin_free(builtins);
	poller_free(poller);
	bufpool_free(kit.pool);
	free(kit.scratch);
	return open_descriptors() == before ? 0 : -1;
}

static void
turn(int ms)
{
	struct poller_event ev;

	assert_true(poller_wait(poller, ms) >= 0);
	while (poller_next(poller, &ev))
		assert_true(builtin_event(builtins, &ev));
}

static void
turn_until_live(uint32_t n)
{
	uint64_t give_up = clock_ms() + PATIENCE;

	while (builtin_live(builtins) != n) {
		assert_true(clock_ms() < give_up);
		turn(1);
	}
}

static void
turn_until_heard(int fd)
{
	uint64_t give_up = clock_ms() + PATIENCE;

	while (!comes(fd, POLLIN, 0)) {
		assert_true(clock_ms() < give_up);
		turn(1);
	}
}

/* A client of such a service; its end of the connection. */
static int
visit(enum builtin_kind kind)
{
	int p[2];

	tcp_pair(p);
	builtin_open(builtins, p[0], kind, "me");
	return p[1];
}

TEST(names)
{
	assert_int_equal(builtin_kind("hello"), BUILTIN_HELLO);
	assert_int_equal(builtin_kind("echo"), BUILTIN_ECHO);
	assert_int_equal(builtin_kind("discard"), BUILTIN_DISCARD);
	assert_int_equal(builtin_kind("none"), BUILTIN_NONE);
	assert_int_equal(builtin_kind(""), BUILTIN_NONE);
	assert_int_equal(builtin_kind("hell"), BUILTIN_NONE);
	assert_int_equal(builtin_kind("Echo"), BUILTIN_NONE);
	assert_string_equal(builtin_name(BUILTIN_HELLO), "hello");
	assert_string_equal(builtin_name(BUILTIN_ECHO), "echo");
	assert_string_equal(builtin_name(BUILTIN_DISCARD), "discard");
}

static void
assert_hello(int fd)
{
	char want[64], got[64];

	snprintf(want, sizeof(want), "Hello from %d, server me\n",
	    (int)getpid());
	assert_string_equal(read_text(fd, got, sizeof(got)), want);
}

TEST(hello)
{
	int fd = visit(BUILTIN_HELLO);

	assert_int_equal(builtin_live(builtins), 1);
	assert_hello(fd);
	close(fd);
	turn_until_live(0);
}

/* Who has sent a request gets the answer, not a reset that overtakes it. */
TEST(hello_to_one_that_talks)
{
	int p[2];

	tcp_pair(p);
	write_text(p[1], "GET / HTTP/1.0\r\n\r\n");
	builtin_open(builtins, p[0], BUILTIN_HELLO, "me");
	write_text(p[1], "and more");
	turn(1);
	write_text(p[1], "and more");
	turn(1);
	assert_hello(p[1]);
	close(p[1]);
	turn_until_live(0);
}

/* The answer comes whole, however little the socket takes at a time. */
static void
hello_slowly(int calls, size_t most)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	int p[2];

	tcp_pair(p);
	slow.fd = p[0];
	slow.calls = calls;
	slow.most = most;
	builtin_open(builtins, p[0], BUILTIN_HELLO, "me");
	while (slow.calls > 0 && clock_ms() < give_up)
		turn(1);
	turn(1);
	assert_hello(p[1]);
	close(p[1]);
	turn_until_live(0);
	assert_int_equal(bufpool_left(kit.pool), 2);
}

TEST(hello_through_a_slow_socket)
{
	hello_slowly(1, 3);
	hello_slowly(3, 5);
	hello_slowly(1, 0);
}

TEST(hello_without_a_block)
{
	uint32_t blocks[2];
	int fd;

	blocks[0] = bufpool_get(kit.pool);
	blocks[1] = bufpool_get(kit.pool);
	fd = visit(BUILTIN_HELLO);
	assert_hello(fd);
	close(fd);
	turn_until_live(0);
	bufpool_put(kit.pool, blocks[0]);
	bufpool_put(kit.pool, blocks[1]);
}

TEST(echo)
{
	int fd = visit(BUILTIN_ECHO);
	char got[16] = "";

	write_text(fd, "one");
	turn_until_heard(fd);
	assert_int_equal(read_full(fd, got, 3), 3);
	assert_string_equal(got, "one");
	write_text(fd, "two");
	MUST(shutdown(fd, SHUT_WR));
	turn_until_live(0);
	assert_string_equal(read_text(fd, got, sizeof(got)), "two");
	close(fd);
}

/* More than fits anywhere, from one that reads late, through few blocks. */
TEST(echo_of_much)
{
	static unsigned char buf[30000];
	uint64_t put[3] = { 0 }, got[3] = { 0 }, length = 3000000;
	int fd[3], i, open = 3;
	ssize_t n;
	size_t len;

	for (i = 0; i < 3; i++)
		fd[i] = visit(BUILTIN_ECHO);
	for (; open > 0; turn(0))
		for (i = 0; i < 3; i++) {
			if (fd[i] == -1)
				continue;
			len = length - put[i] < sizeof(buf) ?
			    length - put[i] : sizeof(buf);
			pattern_fill((uint64_t)i, put[i], buf, len);
			n = len == 0 ? 0 : send(fd[i], buf, len,
			    MSG_DONTWAIT);
			if (n > 0 && (put[i] += (uint64_t)n) == length)
				MUST(shutdown(fd[i], SHUT_WR));
			if (n > 0)
				continue;
			n = recv(fd[i], buf, sizeof(buf), MSG_DONTWAIT);
			if (n == -1) {
				assert_int_equal(errno, EAGAIN);
				continue;
			}
			assert_int_equal(pattern_match((uint64_t)i, got[i],
			    buf, (size_t)n), n);
			got[i] += (uint64_t)n;
			if (n == 0) {
				assert_int_equal(got[i], length);
				close(fd[i]);
				fd[i] = -1;
				open--;
			}
		}
	turn_until_live(0);
	assert_int_equal(bufpool_left(kit.pool), 2);
}

TEST(discard)
{
	static char bytes[100000];
	uint64_t give_up = clock_ms() + PATIENCE;
	int fd = visit(BUILTIN_DISCARD);
	size_t sent = 0;
	ssize_t n;
	char c;

	while (sent < 2000000) {
		assert_true(clock_ms() < give_up);
		n = send(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		turn(5);
	}
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(builtin_live(builtins), 1);
	MUST(shutdown(fd, SHUT_WR));
	turn_until_live(0);
	assert_int_equal(read_full(fd, &c, 1), 0);
	close(fd);
}

TEST(peer_resets)
{
	struct linger now = { .l_onoff = 1 };
	static const enum builtin_kind kinds[] = {
		BUILTIN_HELLO, BUILTIN_ECHO, BUILTIN_DISCARD
	};
	uint64_t give_up = clock_ms() + PATIENCE;
	static char bytes[65536];
	size_t i;
	int fd;

	for (i = 0; i < COUNT(kinds); i++) {
		fd = visit(kinds[i]);
		do {
			(void)!send(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
			turn(0);
			assert_true(clock_ms() < give_up);
		/* Until bytes for it are held. */
		} while (kinds[i] == BUILTIN_ECHO &&
		    bufpool_left(kit.pool) == 2);
		MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now,
		    sizeof(now)));
		close(fd);
		turn_until_live(0);
	}
	assert_int_equal(bufpool_left(kit.pool), 2);
}

TEST(many_at_once)
{
	struct poller_event ev = { .ready = POLLER_READ };
	char got[8] = "";
	int fd[20], i;

	assert_int_equal(builtin_live(builtins), 0);
	for (i = 0; i < 20; i++)
		fd[i] = visit(i % 2 ? BUILTIN_ECHO : BUILTIN_DISCARD);
	assert_int_equal(builtin_live(builtins), 20);
	write_text(fd[7], "seven");
	turn_until_heard(fd[7]);
	assert_int_equal(read_full(fd[7], got, 5), 5);
	assert_string_equal(got, "seven");
	for (i = 0; i < 10; i++)
		close(fd[i]);
	turn_until_live(10);
	/* Descriptors of others, and of those that are gone. */
	ev.fd = 0;
	assert_false(builtin_event(builtins, &ev));
	ev.fd = fd[15];
	assert_false(builtin_event(builtins, &ev));
	for (i = 10; i < 20; i++)
		close(fd[i]);
	turn_until_live(0);
}

/* What is still open is closed with it; tear_down() counts. */
TEST(free_closes)
{
	int fd[3], i;
	char c;

	for (i = 0; i < 3; i++)
		fd[i] = visit(BUILTIN_ECHO);
	builtin_free(builtins);
	builtins = NULL;
	builtin_free(NULL);
	for (i = 0; i < 3; i++) {
		assert_int_equal(read_full(fd[i], &c, 1), 0);
		close(fd[i]);
	}
}

TEST(out_of_memory)
{
	struct builtins *b;
	int n;

	alloc_needed();
	for (n = 0; ; n++) {
		alloc_fail(n);
		b = builtin_new(poller, &kit, 10);
		if (!alloc_failed())
			break;
		assert_null(b);
		assert_int_equal(errno, ENOMEM);
	}
	assert_true(n > 0);
	builtin_free(b);
}
