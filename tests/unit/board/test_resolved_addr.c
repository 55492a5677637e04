/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_resolved_addr.c: one process writes where a server is, others read: nobody
 * ever sees half of a change, and nobody waits for a writer that has been
 * killed.
 */
#include "board/resolved_addr.h"

#include <sys/mman.h>

#include <signal.h>

#include "helpers.h"

static struct board_addr *shared;

int
set_up(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED ? -1 : 0;
}

int
tear_down(void)
{
	return munmap(shared, sizeof(*shared));
}

/* All of it follows from the number. */
static struct resolved_addr
addr_of(uint16_t n)
{
	struct resolved_addr s = { .lookup = (uint64_t)n << 40 | n,
	    .family = (uint16_t)(n == 0 ? 0 : AF_INET), .port = n,
	    .weight = n, .origin = n, .backup = n & 1, .gone = n >> 1 & 1,
	    .failed = n >> 2 & 1 };

	memset(s.ip, n & 0xff, sizeof(s.ip));
	s.ip[15] = (unsigned char)(n >> 8);
	return s;
}

static bool
is_whole(const struct resolved_addr *s)
{
	struct resolved_addr whole = addr_of(s->port);

	return resolved_addr_same(s, &whole) && s->lookup == whole.lookup &&
	    s->weight == whole.weight && s->origin == whole.origin &&
	    s->backup == whole.backup && s->gone == whole.gone &&
	    s->failed == whole.failed;
}

TEST(comes_back)
{
	struct resolved_addr s = { .lookup = UINT64_MAX, .ip = { 127, 0, 0, 1 },
	    .family = AF_INET, .port = 65535, .weight = 256, .origin = 65535,
	    .backup = true };
	struct resolved_addr got;
	struct addr a;
	char text[ADDR_TEXT];

	assert_int_equal(resolved_addr_read(shared, &got), 0);
	assert_true(got.lookup == 0 && got.family == 0);
	resolved_addr_write(shared, &s);
	assert_int_equal(resolved_addr_read(shared, &got), 1);
	assert_memory_equal(&got, &s, offsetof(struct resolved_addr, failed));
	assert_true(got.backup && !got.gone && !got.failed);
	assert_true(resolved_addr_serves(&got));
	resolved_addr_to_addr(&got, &a);
	assert_string_equal(addr_format(&a, text, sizeof(text)),
	    "127.0.0.1:65535");
	got = (struct resolved_addr){ .ip = { [15] = 1 }, .family = AF_INET6,
	    .port = 80 };
	assert_false(resolved_addr_same(&got, &s));
	resolved_addr_to_addr(&got, &a);
	assert_string_equal(addr_format(&a, text, sizeof(text)), "[::1]:80");
	assert_int_equal(a.len, sizeof(struct sockaddr_in6));
	got.family = AF_UNIX;
	resolved_addr_to_addr(&got, &a);
	assert_string_equal(addr_format(&a, text, sizeof(text)), "[::1]:80");
}

static void
write_on(void)
{
	struct resolved_addr s;
	uint16_t n;

	/* For when nobody is left to end us. */
	alarm(120);
	for (n = 1;; n++) {
		s = addr_of(n);
		resolved_addr_write(shared, &s);
	}
}

/* Wait until that process has begun to. */
static void
writes(pid_t pid)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	uint32_t before, version;
	struct resolved_addr s;

	before = version = resolved_addr_read(shared, &s);
	while (version == before && clock_ms() < give_up) {
		(void)poll(NULL, 0, 1);
		version = resolved_addr_read(shared, &s);
	}
	if (version == before) {
		kill(pid, SIGKILL);
		fail_msg("the writer has not begun");
	}
}

/* So many times, for the writer is to be killed somewhere. */
TEST(two_processes)
{
	uint32_t before = 0, version;
	struct resolved_addr s;
	int round, i;
	pid_t pid;

	for (round = 0; round < 20; round++) {
		if ((pid = (pid_t)MUST(fork())) == 0)
			write_on();
		writes(pid);
		for (i = 0; i < 20000; i++) {
			version = resolved_addr_read(shared, &s);
			if (!is_whole(&s) || version - before > INT32_MAX)
				fail_msg("version %u is torn", version);
			before = version;
		}
		kill(pid, SIGKILL);
		MUST(waitpid(pid, NULL, 0));
		(void)resolved_addr_read(shared, &s);
		assert_true(is_whole(&s));
	}
	assert_true(before > 0);
}

/* Killed in the midst: what was there is there, and the next one goes on. */
TEST(half_a_change)
{
	struct resolved_addr s = addr_of(7);
	int i;

	resolved_addr_write(shared, &s);
	for (i = 0; i < 3; i++)
		atomic_store(&shared->word[0][i], UINT64_MAX);
	assert_int_equal(resolved_addr_read(shared, &s), 1);
	assert_true(is_whole(&s) && s.port == 7);
	s = addr_of(8);
	resolved_addr_write(shared, &s);
	assert_int_equal(resolved_addr_read(shared, &s), 2);
	assert_true(is_whole(&s) && s.port == 8);
}
