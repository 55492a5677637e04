/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * helpers.h: what several unit tests need: connected sockets, a byte stream
 * that can be checked at any place, random numbers that come again, and a count
 * of open descriptors. Nothing here waits for more than PATIENCE. A child of a
 * test must not use these checks: it would go on with the next test.
 */
#ifndef HELPERS_H
#define HELPERS_H

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wrap.h"

#define PATIENCE	20000		/* ms */
#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

/* A system call of the test itself has to work. Gives its result back. */
#define MUST(call)	must((long)(call), #call, __FILE__, __LINE__)

static inline long
must(long result, const char *what, const char *file, int line)
{
	if (result == -1) {
		print_error("%s: %s\n", what, strerror(errno));
		_fail(file, line);
	}
	return result;
}

/*
 * TEST(name) { ... } is a case; see cases.c. A program may define what is to be
 * done before and after each of them, and before and after them all, and answers
 * 0, or -1 when that has failed.
 */
#define TEST(name)							\
	static void test_##name(void **);				\
	__attribute__((constructor)) static void			\
	add_test_##name(void)						\
	{								\
		case_add(#name, test_##name, __LINE__);			\
	}								\
	static void							\
	test_##name(void **state __attribute__((unused)))

void	case_add(const char *, CMUnitTestFunction, int line);
int	set_up(void);
int	tear_down(void);
int	set_up_all(void);
int	tear_down_all(void);

/* Have all cases run over each engine of the poller, whose name is in *engine*. */
#define OVER_ENGINES							\
	__attribute__((constructor)) static void			\
	add_engines(void)						\
	{								\
		cases_over_engines();					\
	}

void	cases_over_engines(void);
extern const char *engine;

/* All of them. A new one is added here, and it has to pass as it is. */
static const char *const engines[] = { "hybrid", "select" };

/* UNIT_SEED in the environment gives other random numbers. */
static inline uint64_t
random_seed(void)
{
	const char *given = getenv("UNIT_SEED");

	return given == NULL ? 20260101 : strtoull(given, NULL, 10);
}

/* SplitMix64: Steele, Lea and Flood 2014, figure 14. */
static inline uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint32_t
random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(random_next(state) % n);
}

/* The byte at place *i* of the stream called *seed*. */
static inline unsigned char
pattern(uint64_t seed, uint64_t i)
{
	return (unsigned char)((i + seed * 1000003) *
	    UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

static inline void
pattern_fill(uint64_t seed, uint64_t from, unsigned char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = pattern(seed, from + i);
}

/* How many bytes of *buf* are as they should be, from its beginning. */
static inline size_t
pattern_match(uint64_t seed, uint64_t from, const unsigned char *buf,
    size_t len)
{
	size_t i;

	for (i = 0; i < len && buf[i] == pattern(seed, from + i); i++)
		continue;
	return i;
}

static inline uint64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Does one of *events* (POLLIN, POLLOUT) come within *ms*? */
static inline bool
comes(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) == 1;
}

/* The network loses some of what is sent: tests/torture.sh says so. */
static inline bool
network_loses(void)
{
	const char *lossy = getenv("TEST_LOSSY");

	return lossy != NULL && lossy[0] != '\0';
}

static inline void
set_nonblocking(int fd)
{
	MUST(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

/* A socket that has a port of its own. Without listen() that port refuses. */
static inline int
loopback_bind(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	memset(at, 0, sizeof(*at));
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST(bind(fd, (struct sockaddr *)at, sizeof(*at)));
	MUST(getsockname(fd, (struct sockaddr *)at, &len));
	return fd;
}

static inline int
loopback_listen(struct sockaddr_in *at, int backlog)
{
	int fd = loopback_bind(at);

	MUST(listen(fd, backlog));
	return fd;
}

/*
 * Ask each second whether the other end is still there. A reset that the
 * network loses is not sent again unless somebody asks.
 */
static inline void
watch_peer(int fd)
{
	int one = 1;

	MUST(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one)));
	MUST(setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one)));
	MUST(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)));
}

/* What the kernel says of a TCP socket. False: it is none. */
static inline bool
tcp_state(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

/* The queue of a listener takes no more: that is its length and its limit. */
static inline bool
queue_is_full(int listener)
{
	struct tcp_info info;

	return tcp_state(listener, &info) &&
	    info.tcpi_unacked > info.tcpi_sacked;
}

/*
 * Something that an open socket of this process has sent is still on its way,
 * as what the network loses is for a while.
 */
static inline bool
in_flight(void)
{
	struct tcp_info info;
	int fd;

	for (fd = 0; fd < 256; fd++)
		if (tcp_state(fd, &info) && info.tcpi_state != TCP_LISTEN &&
		    info.tcpi_state != TCP_SYN_SENT && info.tcpi_unacked > 0)
			return true;
	return false;
}

/* Is this our end of the connection whose other end that is? */
static inline bool
leads_to(int fd, int other)
{
	struct sockaddr_in a = { 0 }, b = { 0 };
	socklen_t alen = sizeof(a), blen = sizeof(b);

	return getsockname(fd, (struct sockaddr *)&a, &alen) == 0 &&
	    getpeername(other, (struct sockaddr *)&b, &blen) == 0 &&
	    a.sin_family == AF_INET && a.sin_port == b.sin_port;
}

/* Two ends of one TCP connection, both non-blocking. */
static inline void
tcp_pair(int fd[2])
{
	struct sockaddr_in at;
	int listener = loopback_listen(&at, 1);

	fd[1] = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(connect(fd[1], (struct sockaddr *)&at, sizeof(at)));
	fd[0] = (int)MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(listener);
	set_nonblocking(fd[0]);
	set_nonblocking(fd[1]);
	watch_peer(fd[0]);
	watch_peer(fd[1]);
}

static inline void
close_pair(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

/* Bytes that fit between the two ends while nobody reads. */
static inline void
small_buffers(int fd)
{
	int size = 4096;

	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	MUST(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
}

/*
 * Read until *len* bytes are there or the end of file. Returns how many, or -1
 * with errno on an error, ETIME when nothing more comes.
 */
static inline ssize_t
read_full(int fd, void *buf, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		if (!comes(fd, POLLIN, PATIENCE)) {
			errno = ETIME;
			return -1;
		}
		n = read(fd, (char *)buf + got, len - got);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static inline void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Everything up to the end of file, as a string of at most *size* bytes. */
static inline const char *
read_text(int fd, char *buf, size_t size)
{
	ssize_t n = read_full(fd, buf, size - 1);

	if (n == -1)
		snprintf(buf, size, "(%s)", strerror(errno));
	else
		buf[n] = '\0';
	return buf;
}

static inline void
write_text(int fd, const char *text)
{
	ssize_t len = (ssize_t)strlen(text);

	assert_int_equal(MUST(write(fd, text, (size_t)len)), len);
}

/* What stands behind the first *what* in *text*, which must have it. */
static inline const char *
behind(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	if (at == NULL)
		fail_msg("no \"%s\" in: %s", what, text);
	return at + strlen(what);
}

static inline bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static inline int
open_descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += is_open(fd);
	return n;
}

/* From now on no descriptor can be had: EMFILE. Pair with the next. */
static inline rlim_t
forbid_descriptors(void)
{
	struct rlimit rl;
	rlim_t was;

	MUST(getrlimit(RLIMIT_NOFILE, &rl));
	was = rl.rlim_cur;
	rl.rlim_cur = 0;
	MUST(setrlimit(RLIMIT_NOFILE, &rl));
	return was;
}

static inline void
allow_descriptors(rlim_t soft)
{
	struct rlimit rl;

	MUST(getrlimit(RLIMIT_NOFILE, &rl));
	rl.rlim_cur = soft;
	MUST(setrlimit(RLIMIT_NOFILE, &rl));
}

/* The exit status of a child, or 128 and the signal that killed it. */
static inline int
wait_child(pid_t pid)
{
	int status;

	MUST(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

/*
 * A directory of our own, short enough for the path of a unix socket. Pair with
 * remove_dir(), best in a tear-down, which runs also when the test fails.
 */
static inline void
make_dir(char *path, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, size, "%s/shuttled-unit.XXXXXX",
	    tmp == NULL || strlen(tmp) > 40 ? "/tmp" : tmp);
	assert_non_null(mkdtemp(path));
}

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void
remove_dir(const char *path)
{
	if (path[0] != '\0')
		(void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/*
 * The allocation number *n* from now (0 is the next) fails, once. alloc_failed()
 * tells whether it has come to that, and calls it off, as the end of a case does.
 * alloc_needed() skips the test where the linker has kept the calls from us.
 */
void	alloc_fail(int n);
bool	alloc_failed(void);
void	alloc_needed(void);

#endif
