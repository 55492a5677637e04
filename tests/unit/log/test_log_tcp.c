/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_log_tcp.c: logs that go to a syslog over TCP: how they are framed, and what
 * becomes of lines when the other end is slow, dies, or is not there.
 */
#include "log/log.h"

#include <netinet/tcp.h>

#include "helpers.h"
#include "log_rig.h"
#include "syslog_rig.h"

static int
tcp_receiver(char *target, size_t size)
{
	struct sockaddr_in at;
	int fd = loopback_listen(&at, 10);

	snprintf(target, size, "syslog+tcp://127.0.0.1:%u",
	    ntohs(at.sin_port));
	return fd;
}

/* The next message over TCP: its length, a blank, and so many bytes. */
static const char *
counted(struct log *l, int fd)
{
	size_t len = 0;
	char c;

	for (;;) {
		flush_until_ready(l, fd);
		assert_int_equal(MUST(read(fd, &c, 1)), 1);
		if (c == ' ')
			break;
		/* MSG-LEN = NONZERO-DIGIT *DIGIT */
		assert_in_range(c, len == 0 ? '1' : '0', '9');
		len = len * 10 + (size_t)(c - '0');
	}
	assert_in_range(len, 1, 4096);
	assert_int_equal(read_full(fd, text, len), len);
	text[len] = '\0';
	return text;
}

TEST(tcp)
{
	struct log *l;
	int listener, fd;

	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	assert_non_null(l);
	/* Each process has its own connection, and none before it is needed. */
	assert_int_equal(log_fd(l), -1);
	assert_false(comes(listener, POLLIN, 0));
	log_ident(l, "worker 2");
	log_line(l, LOG_NOTICE, "first");
	fd = (int)MUST(accept(listener, NULL, NULL));
	log_line(l, LOG_ERR, "%s", "");
	log_line(l, LOG_DEBUG, "not wanted");
	log_line(l, LOG_INFO, "third");
	assert_rfc5424(counted(l, fd), LOG_DAEMON | LOG_NOTICE,
	    "worker 2: first");
	assert_rfc5424(counted(l, fd), LOG_DAEMON | LOG_ERR, "worker 2: ");
	assert_rfc5424(counted(l, fd), LOG_DAEMON | LOG_INFO,
	    "worker 2: third");
	log_line(l, LOG_INFO, "at the end");
	log_close(l);
	assert_int_equal(read(fd, text, 3), 3);
	assert_true(read_full(fd, text, sizeof(text)) > 0);
	close(fd);
	close(listener);
}

/*
 * What was asked for in the last moment comes, if there is a connection within
 * half a second. A request for one that the network loses comes again later.
 */
TEST(tcp_says_goodbye)
{
	struct log *l;
	int listener, fd;

	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	log_line(l, LOG_NOTICE, "bye");
	log_close(l);
	if (!comes(listener, POLLIN, network_loses() ? 2000 : PATIENCE)) {
		close(listener);
		assert_true(network_loses());
		return;
	}
	fd = (int)MUST(accept(listener, NULL, NULL));
	read_text(fd, text, sizeof(text));
	assert_non_null(strstr(text, "start: bye"));
	close(fd);
	close(listener);
}

TEST(tcp_of_a_child)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	int listener, fd, other;
	struct log *l;
	pid_t pid;

	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	log_ident(l, "parent");
	log_line(l, LOG_NOTICE, "before");
	fd = (int)MUST(accept(listener, NULL, NULL));
	assert_non_null(strstr(counted(l, fd), "parent: before"));
	if ((pid = (pid_t)MUST(fork())) == 0) {
		log_ident(l, "child");
		log_line(l, LOG_NOTICE, "here");
		while (log_wait(l, -1) != -1 && clock_ms() < give_up)
			log_flush(l);
		log_close(l);
		_exit(0);
	}
	other = (int)MUST(accept(listener, NULL, NULL));
	read_text(other, text, sizeof(text));
	assert_non_null(strstr(text, "child: here"));
	assert_int_equal(wait_child(pid), 0);
	log_line(l, LOG_NOTICE, "after");
	assert_non_null(strstr(counted(l, fd), "parent: after"));
	log_close(l);
	close(fd);
	close(other);
	close(listener);
}

/*
 * Of so many lines each comes, in order, or is told of as lost. Some have been
 * *seen* before.
 */
static void
assert_all_accounted(struct log *l, int fd, unsigned lines, unsigned seen,
    unsigned *told)
{
	unsigned next = 0, number;
	uint64_t give_up = clock_ms() + PATIENCE;
	const char *at;

	for (*told = 0; seen + *told < lines; assert_true(clock_ms() < give_up)) {
		/* Losses are told of once in a second, behind a line. */
		if (!comes(fd, POLLIN, 0) && log_wait(l, -1) == -1)
			log_line(l, LOG_INFO, "number %u ", lines++);
		if ((at = strstr(counted(l, fd), ": number ")) == NULL) {
			assert_non_null(at = strstr(text, " log: "));
			*told += (unsigned)strtoul(at + 6, NULL, 10);
			continue;
		}
		number = (unsigned)strtoul(at + 9, NULL, 10);
		assert_true(number >= next);
		next = number + 1;
		seen++;
	}
	assert_int_equal(seen + *told, lines);
}

/*
 * It takes nothing for a while: 64 KiB wait, the rest is lost and counted. How
 * often the system finds more room in between is up to it.
 */
TEST(tcp_stalls)
{
	_Atomic uint64_t lost = 0;
	unsigned i, told;
	int listener, fd;
	struct log *l;

	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	log_count_lost(l, &lost);
	log_line(l, LOG_INFO, "number 0 ");
	fd = (int)MUST(accept(listener, NULL, NULL));
	for (i = 1; atomic_load(&lost) < 1000; i++) {
		assert_in_range(i, 0, 1000000);
		log_line(l, LOG_INFO, "number %u %0500d", i, 0);
	}
	assert_all_accounted(l, fd, i, 0, &told);
	assert_int_equal(told, lost);
	log_close(l);
	close(fd);
	close(listener);
}

/* How many lines have come to here and are whole, before the sender gave up. */
static unsigned
whole_lines(int fd)
{
	static char all[1 << 22];
	size_t got = 0, n;
	unsigned lines = 0;
	ssize_t r;
	char *at, *msg;

	/* A reset that the network loses comes when somebody asks. */
	watch_peer(fd);
	while (comes(fd, POLLIN, PATIENCE) &&
	    (r = read(fd, all + got, sizeof(all) - 1 - got)) > 0)
		got += (size_t)r;
	all[got] = '\0';
	for (at = all; at < all + got; at = msg + 1 + n, lines++) {
		n = strtoul(at, &msg, 10);
		if (msg + 1 + n > all + got)
			break;
		assert_true(strstr(msg, ": number ") < msg + 1 + n);
	}
	return lines;
}

/*
 * The other end of *fd* ends, which the log sees with one of the next lines; now
 * there is a new one. Returns how many lines have come to the old one.
 */
static unsigned
next_connection(struct log *l, unsigned *number, int listener, int *fd)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	unsigned lines;

	MUST(shutdown(*fd, SHUT_WR));
	/* What has come is confirmed a little later. */
	while (in_flight())
		assert_true(clock_ms() < give_up);
	do {
		assert_true(clock_ms() < give_up);
		log_line(l, LOG_INFO, "number %u ", (*number)++);
	} while (!comes(listener, POLLIN, 10));
	lines = whole_lines(*fd);
	close(*fd);
	*fd = (int)MUST(accept(listener, NULL, NULL));
	return lines;
}

/*
 * The connection dies while lines are under way that the other end has no room
 * for: those are lost, and counted. So is a line that told of losses: what it
 * said is said again.
 */
TEST(tcp_dies_with_lines)
{
	uint64_t before, give_up = clock_ms() + PATIENCE;
	int listener, fd, size = 4096;
	_Atomic uint64_t lost = 0;
	unsigned i, arrived, told;
	struct log *l;

	listener = tcp_receiver(path, sizeof(path));
	MUST(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	l = log_open(path, LOG_INFO);
	log_count_lost(l, &lost);
	log_line(l, LOG_INFO, "number 0 ");
	fd = (int)MUST(accept(listener, NULL, NULL));
	/* Full, so far that some are lost already. */
	for (i = 1; atomic_load(&lost) < 100; i++) {
		assert_in_range(i, 0, 1000000);
		log_line(l, LOG_INFO, "number %u %0500d", i, 0);
	}
	arrived = next_connection(l, &i, listener, &fd);
	assert_in_range(arrived, 1, 1000);
	assert_true(lost > 100);
	/* All is under way, and last that so many are lost. */
	while (log_wait(l, -1) != -1) {
		assert_true(clock_ms() < give_up);
		log_flush(l);
	}
	before = lost;
	arrived += next_connection(l, &i, listener, &fd);
	assert_true(lost > before);
	assert_all_accounted(l, fd, i, arrived, &told);
	assert_int_equal(told, lost);
	log_close(l);
	close(fd);
	close(listener);
}

/* End of file, which has come to the other side. */
static void
shut_and_arrive(int fd)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	struct tcp_info info;
	socklen_t len = sizeof(info);

	MUST(shutdown(fd, SHUT_WR));
	do {
		assert_true(clock_ms() < give_up);
		MUST(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
	} while (info.tcpi_state != TCP_FIN_WAIT2);
}

/* It dies in the middle of a line: a new connection begins with that line. */
TEST(tcp_comes_again)
{
	int listener, fd, i;
	struct log *l;

	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	log_line(l, LOG_INFO, "number 0");
	fd = (int)MUST(accept(listener, NULL, NULL));
	for (i = 0; log_wait(l, -1) == -1; i++)
		log_line(l, LOG_INFO, "number %d %0500d", i, 0);
	close(fd);
	flush_until_ready(l, listener);
	fd = (int)MUST(accept(listener, NULL, NULL));
	assert_non_null(strstr(counted(l, fd), ": number "));
	assert_int_equal(text[0], '<');
	/* An orderly end is seen before the next line is sent. */
	while (log_wait(l, -1) != -1)
		counted(l, fd);
	shut_and_arrive(fd);
	log_line(l, LOG_INFO, "on the third");
	close(fd);
	flush_until_ready(l, listener);
	fd = (int)MUST(accept(listener, NULL, NULL));
	assert_non_null(strstr(counted(l, fd), ": on the third"));
	log_close(l);
	close(fd);
	close(listener);
}

/* Who refuses is not asked with every line. */
TEST(tcp_refuses)
{
	struct sockaddr_in at;
	struct log *l;
	int listener, i, fd;

	listener = loopback_bind(&at);
	snprintf(path, sizeof(path), "syslog+tcp://127.0.0.1:%u/user",
	    ntohs(at.sin_port));
	l = log_open(path, LOG_INFO);
	for (i = 0; i < 100; i++)
		log_line(l, LOG_INFO, "number %d", i);
	assert_int_equal(log_wait(l, 5000), 100);
	MUST(listen(listener, 5));
	flush_until_ready(l, listener);
	fd = (int)MUST(accept(listener, NULL, NULL));
	for (i = 0; i < 100; i++) {
		char want[40];

		snprintf(want, sizeof(want), "start: number %d", i);
		assert_rfc5424(counted(l, fd), LOG_USER | LOG_INFO, want);
	}
	log_close(l);
	close(fd);
	close(listener);
}

int
set_up(void)
{
	return make_log_dir();
}
