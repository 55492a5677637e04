/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_log.c: what a line looks like, how lines are gathered, and what becomes of
 * those that cannot be written. The clock is ours, so that a line can be compared
 * to the byte; write(2) is cut short or fails when a test says so. See
 * log_file.c for files, log_syslog.c for sockets.
 */
#include "log/log.h"

#include <ctype.h>
#include <limits.h>

#include "helpers.h"
#include "log_rig.h"

static struct {
	uint64_t seed;			/* of short writes; 0: none */
	int	 error;			/* errno of every write */
	size_t	 room;			/* on the disk, and one; 0: enough */
	int	 calls;
	bool	 torn;			/* one that began or ended in a line */
	bool	 large;			/* one of more than PIPE_BUF bytes */
} writes;

static struct timespec fake_now;

static uint64_t fake_uptime;		/* ms */

ssize_t
__wrap_write(int fd, const void *buf, size_t len)
{
	if (fd == STDERR_FILENO || fd == STDOUT_FILENO)
		return __real_write(fd, buf, len);
	writes.calls++;
	writes.large |= len > PIPE_BUF;
	writes.torn |= ((const char *)buf)[len - 1] != '\n';
	if (writes.error != 0) {
		errno = writes.error;
		return -1;
	}
	if (writes.room == 1) {
		errno = ENOSPC;
		return -1;
	}
	if (writes.room > 1) {
		len = len < writes.room - 1 ? len : writes.room - 1;
		writes.room -= len;
		return __real_write(fd, buf, len);
	}
	if (writes.seed != 0) {
		if (random_below(&writes.seed, 3) == 0) {
			errno = EINTR;
			return -1;
		}
		len = 1 + random_below(&writes.seed, (uint32_t)len);
	}
	return __real_write(fd, buf, len);
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	*ts = fake_now;
	if (clock == CLOCK_MONOTONIC) {
		ts->tv_sec = (time_t)(fake_uptime / 1000);
		ts->tv_nsec = 0;
	} else
		assert_int_equal(clock, CLOCK_REALTIME);
	return 0;
}

/* The time of the example in log.h. */
#define STAMP	"2026-11-22T01:44:27.123Z"


int
set_up(void)
{
	memset(&writes, 0, sizeof(writes));
	fake_uptime = 5000;
	fake_now.tv_sec = 1795311867;
	fake_now.tv_nsec = 123456789;
	return make_log_dir();
}

TEST(a_line)
{
	struct log *l = open_log(LOG_INFO);
	char want[100];

	log_ident(l, "worker 2");
	log_line(l, LOG_INFO, "session %s=%d", "x", 7);
	snprintf(want, sizeof(want), STAMP " worker 2[%d] info: session x=7\n",
	    (int)getpid());
	assert_string_equal(slurp(path), want);
	log_close(l);
}

/* UTC, whatever the zone; milliseconds with all their zeros. */
TEST(time)
{
	static const struct {
		time_t	    sec;
		long	    nsec;
		const char *want;
	} times[] = {
		{ 0, 0, "1970-01-01T00:00:00.000Z" },
		{ 0, 1999999, "1970-01-01T00:00:00.001Z" },
		{ 951782399, 999999999, "2000-02-28T23:59:59.999Z" },
		{ 951782400, 50000000, "2000-02-29T00:00:00.050Z" },
		{ 951782400, 60000000, "2000-02-29T00:00:00.060Z" },
		{ 951782399, 0, "2000-02-28T23:59:59.000Z" },
	};
	struct log *l = open_log(LOG_INFO);
	const char *line;
	size_t i;

	setenv("TZ", "Asia/Kathmandu", 1);
	tzset();
	for (i = 0; i < COUNT(times); i++) {
		fake_now.tv_sec = times[i].sec;
		fake_now.tv_nsec = times[i].nsec;
		gather(l, LOG_INFO, "x");
	}
	log_close(l);
	unsetenv("TZ");
	tzset();
	line = slurp(path);
	for (i = 0; i < COUNT(times); i++) {
		assert_memory_equal(line, times[i].want, 24);
		line = behind(line, "\n");
	}
}

TEST(levels)
{
	static const char *const names[] = {
		"emerg", "alert", "crit", "error", "warning", "notice", "info",
		"debug"
	};
	char want[32];
	struct log *l;
	int limit, level;

	for (limit = LOG_ERR; limit <= LOG_DEBUG; limit++) {
		unlink(path);
		l = open_log(limit);
		for (level = LOG_EMERG; level <= LOG_DEBUG; level++) {
			assert_int_equal(log_wants(l, level), level <= limit);
			log_line(l, level, "line %d", level);
			gather(l, level, "gathered %d", level);
		}
		log_close(l);
		slurp(path);
		for (level = LOG_EMERG; level <= LOG_DEBUG; level++) {
			snprintf(want, sizeof(want), " %s: line %d\n",
			    names[level], level);
			assert_int_equal(strstr(text, want) != NULL,
			    level <= limit);
			snprintf(want, sizeof(want), " %s: gathered %d\n",
			    names[level], level);
			assert_int_equal(strstr(text, want) != NULL,
			    level <= limit);
		}
	}
}

TEST(gathered_lines_go_in_one_write)
{
	struct log *l = open_log(LOG_INFO);

	log_ident(l, "w");
	gather(l, LOG_INFO, "a");
	gather(l, LOG_INFO, "b");
	assert_int_equal(writes.calls, 0);
	log_flush(l);
	assert_int_equal(writes.calls, 1);
	gather(l, LOG_INFO, "c");
	log_line(l, LOG_INFO, "d");
	assert_int_equal(writes.calls, 2);
	log_flush(l);
	assert_int_equal(writes.calls, 2);
	gather(l, LOG_INFO, "e");
	log_close(l);
	assert_int_equal(writes.calls, 3);
	slurp(path);
	assert_non_null(strstr(text, "info: a\n"));
	assert_true(strstr(text, ": a\n") < strstr(text, ": b\n"));
	assert_true(strstr(text, ": b\n") < strstr(text, ": c\n"));
	assert_true(strstr(text, ": c\n") < strstr(text, ": d\n"));
	assert_true(strstr(text, ": d\n") < strstr(text, ": e\n"));
}

/* Lines of all lengths: each is there once, whole, and no write is torn. */
TEST(more_than_fits)
{
	struct log *l = open_log(LOG_INFO);
	uint64_t seed = random_seed();
	unsigned len[300], i;
	char line[1000];
	const char *at;

	memset(line, 'x', sizeof(line));
	for (i = 0; i < COUNT(len); i++) {
		len[i] = random_below(&seed, sizeof(line));
		gather(l, LOG_INFO, "%u %.*s", i, (int)len[i], line);
	}
	log_flush(l);
	assert_false(writes.torn);
	assert_false(writes.large);
	assert_in_range(writes.calls, 2, COUNT(len) / 4);
	at = slurp(path);
	for (i = 0; i < COUNT(len); i++) {
		at = behind(at, "info: ");
		assert_int_equal(strtoul(at, NULL, 10), i);
		at = behind(at, " ");
		assert_int_equal(strspn(at, "x"), len[i]);
		at += len[i];
		assert_int_equal(*at, '\n');
	}
	assert_string_equal(at, "\n");
	log_close(l);
}

TEST(long_line_is_cut)
{
	struct log *l = open_log(LOG_INFO);
	static char line[3 * PIPE_BUF];
	size_t len;

	memset(line, 'y', sizeof(line) - 1);
	log_line(l, LOG_INFO, "%s", line);
	len = strlen(slurp(path));
	assert_in_range(len, 1000, PIPE_BUF);
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	assert_int_equal(strspn(strchr(text, 'y'), "y"),
	    text + len - 1 - strchr(text, 'y'));
	log_line(l, LOG_INFO, "next");
	slurp(path);
	assert_non_null(strstr(text, "y\n" STAMP));
	assert_non_null(strstr(text, ": next\n"));
	log_close(l);
}

TEST(long_ident_is_cut)
{
	struct log *l = open_log(LOG_INFO);
	char ident[500];

	memset(ident, 'i', sizeof(ident) - 1);
	ident[sizeof(ident) - 1] = '\0';
	log_ident(l, ident);
	log_line(l, LOG_INFO, "text");
	assert_non_null(strstr(slurp(path), "info: text\n"));
	log_close(l);
}

TEST(short_writes)
{
	struct log *l = open_log(LOG_INFO);
	char want[32];
	const char *at;
	int i;

	writes.seed = random_seed();
	for (i = 0; i < 500; i++) {
		gather(l, LOG_INFO, "number %d", i);
		if (i % 7 == 0)
			log_flush(l);
	}
	log_close(l);
	at = slurp(path);
	for (i = 0; i < 500; i++) {
		assert_memory_equal(at, STAMP, 24);
		snprintf(want, sizeof(want), ": number %d\n", i);
		at = strstr(at, want);
		assert_non_null(at);
		assert_ptr_equal(strchr(at, '\n'), at + strlen(want) - 1);
		at += strlen(want);
	}
	assert_string_equal(at, "");
}

/* How often *what* is in the log. */
static int
count(const char *what)
{
	const char *at;
	int n = 0;

	slurp(path);
	for (at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

/* The disk is full for a while: up to 64 KiB of lines come later, in order. */
TEST(lines_wait)
{
	static const int errors[] = { EPIPE, ENOSPC, EAGAIN, EIO };
	struct log *l = open_log(LOG_INFO);
	_Atomic uint64_t lost = 0;
	size_t i;

	log_count_lost(l, &lost);
	for (i = 0; i < COUNT(errors); i++) {
		writes.error = errors[i];
		errno = EXDEV;
		log_line(l, LOG_INFO, "one");
		assert_int_equal(errno, EXDEV);
		gather(l, LOG_INFO, "two");
		assert_int_equal(log_wait(l, -1), 100);
		assert_int_equal(log_wait(l, 1000), 100);
		assert_int_equal(log_wait(l, 50), 50);
		errno = EXDEV;
		log_flush(l);
		assert_int_equal(errno, EXDEV);
		assert_int_equal(count(": one\n"), i);
		writes.error = 0;
		log_flush(l);
		assert_int_equal(count(": one\n"), i + 1);
		assert_int_equal(count(": two\n"), i + 1);
		assert_int_equal(log_wait(l, -1), -1);
		assert_int_equal(log_wait(l, 1000), 1000);
	}
	assert_int_equal(lost, 0);
	assert_null(strstr(text, "lost"));
	log_close(l);
}

/* What does not fit is counted, and told of as soon as lines go out again. */
TEST(lines_are_lost)
{
	struct log *l = open_log(LOG_INFO);
	_Atomic uint64_t lost = 0;
	char want[60];
	int i, kept;

	log_count_lost(l, &lost);
	writes.error = ENOSPC;
	for (i = 0; i < 2000; i++)
		log_line(l, LOG_INFO, "number %d %050d", i, 0);
	kept = 2000 - (int)lost;
	assert_in_range(kept, 400, 800);
	/* A full log costs no more than one that is not. */
	assert_in_range(writes.calls, 1, 2001);
	writes.error = 0;
	log_line(l, LOG_INFO, "this one too");
	assert_int_equal(lost, 2001 - kept);
	assert_int_equal(count(": number "), kept);
	snprintf(want, sizeof(want), ": number %d 0", kept - 1);
	assert_int_equal(count(want), 1);
	snprintf(want, sizeof(want), " warning: log: %d lines lost\n",
	    2001 - kept);
	assert_int_equal(count(want), 1);
	log_line(l, LOG_INFO, "and on");
	assert_int_equal(count(": and on\n"), 1);
	assert_int_equal(count("lines lost"), 1);
	log_close(l);
}

/* One that is full every moment does not fill itself with saying so. */
TEST(losses_are_told_once_a_second)
{
	struct log *l = open_log(LOG_INFO);
	int i, told;

	for (told = 1; told < 4; told++) {
		for (i = 0; i < 3000; i++) {
			writes.error = i % 1500 == 1499 ? 0 : ENOSPC;
			log_line(l, LOG_INFO, "number %d %050d", i, 0);
		}
		assert_int_equal(count("lines lost"), told);
		fake_uptime += 1000;
	}
	log_close(l);
}

/* Whoever comes behind a line that was cut begins a new one. */
TEST(torn_line)
{
	struct log *l = open_log(LOG_INFO);
	struct stat st;

	log_line(l, LOG_INFO, "whole");
	MUST(stat(path, &st));
	writes.room = 31;
	log_line(l, LOG_INFO, "cut");
	assert_int_equal(strlen(slurp(path)), st.st_size + 30);
	log_line(l, LOG_INFO, "next");
	writes.room = 0;
	log_flush(l);
	slurp(path);
	assert_int_equal(text[st.st_size + 30], '\n');
	assert_memory_equal(text + st.st_size + 31, STAMP, 24);
	assert_int_equal(count(": cut\n"), 1);
	assert_non_null(strstr(text, ": cut\n" STAMP));
	assert_int_equal(count(": next\n"), 1);
	log_close(l);
}

/* A child of fork() does not write what its parent could not. */
TEST(lines_are_not_inherited)
{
	struct log *l = open_log(LOG_INFO);
	pid_t pid;

	writes.error = ENOSPC;
	log_line(l, LOG_INFO, "once");
	if ((pid = (pid_t)MUST(fork())) == 0) {
		writes.error = 0;
		log_ident(l, "child");
		log_line(l, LOG_INFO, "of the child");
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
	writes.error = 0;
	log_ident(l, "parent");
	log_close(l);
	assert_int_equal(count(": once\n"), 1);
	assert_int_equal(count(": of the child\n"), 1);
}

TEST(lines_that_repeat)
{
	struct log *l = open_log(LOG_INFO);
	int i;

	for (i = 0; i < 50; i++)
		log_seldom(l, LOG_WARNING, "server %d: connect", i);
	log_seldom(l, LOG_DEBUG, "not wanted");
	assert_int_equal(count(": connect\n"), 10);
	log_line(l, LOG_WARNING, "another: connect");
	assert_int_equal(count(": connect\n"), 11);
	fake_uptime += 999;
	log_seldom(l, LOG_WARNING, "server %d: connect", i);
	assert_int_equal(count(": connect\n"), 11);
	fake_uptime += 1;
	for (i = 0; i < 50; i++)
		log_seldom(l, LOG_WARNING, "server %d: connect", i);
	assert_int_equal(count(": connect\n"), 21);
	assert_int_equal(count(" warning: 41 similar lines left out before this\n"),
	    1);
	fake_uptime += 5000;
	log_seldom(l, LOG_WARNING, "at last");
	assert_int_equal(count(" warning: 40 similar lines left out before this\n"),
	    1);
	for (i = 0; i < 10; i++)
		log_seldom(l, LOG_WARNING, "once more");
	fake_uptime += 1000;
	log_seldom(l, LOG_WARNING, "the last");
	assert_int_equal(count(" warning: 1 similar line left out before this\n"), 1);
	log_close(l);
}

TEST(errno_is_kept)
{
	struct log *l = open_log(LOG_INFO);

	writes.seed = random_seed();
	errno = EXDEV;
	log_line(l, LOG_INFO, "%m");
	assert_int_equal(errno, EXDEV);
	log_line(l, LOG_DEBUG, "not wanted");
	assert_int_equal(errno, EXDEV);
	assert_non_null(strstr(slurp(path), strerror(EXDEV)));
	log_close(l);
}
