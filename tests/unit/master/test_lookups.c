/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_lookups.c: children look names up; here getaddrinfo() is ours, so that there are
 * names that answer late, never, or not at all, and one that ends its process.
 */
#include "master/lookups.h"

#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "helpers.h"
#include "sys/clock.h"

static struct identity me;
static _Atomic int *last_asked;		/* shared: the last of many was */

int
__wrap_getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
	if (strncmp(name, "never", 5) == 0)
		for (;;)
			pause();
	while (strncmp(name, "later", 5) == 0 && !atomic_load(last_asked))
		usleep(10000);
	if (strcmp(name, "zz") == 0)
		atomic_store(last_asked, 1);
	if (strncmp(name, "dies", 4) == 0)
		_exit(1);
	if (strncmp(name, "none", 4) == 0)
		return EAI_NONAME;
	return __real_getaddrinfo("192.0.2.7", service, hints, list);
}

static void
leave(void *arg)
{
	(void)arg;
}

/* Until it is done; all children are gone then. */
static void
look_up(struct hosts *hosts, uint64_t ms)
{
	struct lookups l;
	pid_t pid;

	assert_int_equal(lookups_begin(&l, hosts, ms, &me, leave, NULL), 0);
	while (!lookups_done(&l)) {
		if ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			assert_true(lookups_reaped(&l, pid));
		usleep(1000);
	}
	lookups_end(&l);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void
name_all(struct addr_host *h, size_t n, const char *const *names)
{
	size_t i;

	memset(h, 0, n * sizeof(*h));
	for (i = 0; i < n; i++)
		snprintf(h[i].name, sizeof(h[i].name), "%s", names[i]);
}

TEST(all_at_once)
{
	static const char *const names[] = { "a", "dies", "never-1",
	    "never-2", "none", "z" };
	struct addr_host h[COUNT(names)];
	struct hosts hosts = { .host = h, .n = COUNT(h) };
	uint64_t began = clock_now_ms();

	name_all(h, hosts.n, names);
	look_up(&hosts, 500);
	assert_in_range(clock_now_ms() - began, 490, PATIENCE);
	assert_int_equal(h[0].n, 1);
	assert_int_equal(h[5].n, 1);
	assert_int_equal(h[5].addr[0].in.sin_addr.s_addr,
	    htonl(0xc0000207));
	assert_int_equal(h[1].error, ADDR_LATE);
	assert_int_equal(h[2].error, ADDR_LATE);
	assert_int_equal(h[3].error, ADDR_LATE);
	assert_int_equal(h[4].n, 0);
	assert_int_equal(h[4].error, EAI_NONAME);
	assert_string_equal(h[2].name, "never-1");
}

/* More than there are children have no answer until the last one has been asked. */
TEST(many_hold_no_other_up)
{
	struct addr_host *h = calloc(500, sizeof(*h));
	struct hosts hosts = { .host = h, .n = 500 };
	struct rlimit limit, few = { .rlim_cur = 48 };
	size_t i;

	assert_non_null(h);
	for (i = 0; i < hosts.n - 1; i++)
		snprintf(h[i].name, sizeof(h[i].name), "later-%zu", i);
	snprintf(h[i].name, sizeof(h[i].name), "zz");
	last_asked = mmap(NULL, sizeof(*last_asked), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(last_asked, MAP_FAILED);
	/* Just as many descriptors as it takes. */
	MUST(getrlimit(RLIMIT_NOFILE, &limit));
	few.rlim_max = limit.rlim_max;
	MUST(setrlimit(RLIMIT_NOFILE, &few));
	look_up(&hosts, PATIENCE);
	MUST(setrlimit(RLIMIT_NOFILE, &limit));
	assert_int_equal(h[i].n, 1);
	free(h);
}

/* More than there are children; and done as soon as all are known. */
TEST(many)
{
	struct addr_host *h = calloc(500, sizeof(*h));
	struct hosts hosts = { .host = h, .n = 500 };
	size_t i;

	assert_non_null(h);
	for (i = 0; i < hosts.n; i++)
		snprintf(h[i].name, sizeof(h[i].name), "n%zu", i);
	look_up(&hosts, PATIENCE);
	for (i = 0; i < hosts.n; i++)
		assert_int_equal(h[i].n, 1);
	free(h);
}

int
set_up(void)
{
	const char *why;

	if (geteuid() != 0) {
		me.uid = geteuid();
		me.gid = getegid();
	} else if (privileges_look_up(NULL, &me, &why) == -1) {
		skip();
	}
	return 0;
}
