/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_pipepool.c: pipes until there are none, and again; one that held bytes must
 * never come back with them.
 */
#include "relay/pipepool.h"

#include "helpers.h"

TEST(until_there_are_none)
{
	uint32_t pipes[PIPEPOOL_MAX], i;
	struct pipepool *p = pipepool_new();

	assert_non_null(p);
	for (i = 0; i < PIPEPOOL_MAX; i++) {
		pipes[i] = pipepool_get(p);
		assert_int_not_equal(pipes[i], PIPEPOOL_NONE);
		assert_true(pipepool_size(p, pipes[i]) >= 256 << 10);
	}
	assert_int_equal(pipepool_get(p), PIPEPOOL_NONE);
	pipepool_put(p, pipes[3]);
	assert_int_equal(pipepool_get(p), pipes[3]);
	assert_int_equal(pipepool_get(p), PIPEPOOL_NONE);
	for (i = 0; i < PIPEPOOL_MAX; i++)
		pipepool_put(p, pipes[i]);
	pipepool_free(p);
	pipepool_free(NULL);
}

TEST(spoilt)
{
	struct pipepool *p = pipepool_new();
	uint32_t pipe;
	char byte;

	pipe = pipepool_get(p);
	MUST(write(pipepool_writer(p, pipe), "old", 3));
	pipepool_spoil(p, pipe);
	pipe = pipepool_get(p);
	assert_int_not_equal(pipe, PIPEPOOL_NONE);
	assert_int_equal(read(pipepool_reader(p, pipe), &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	pipepool_put(p, pipe);
	pipepool_free(p);
}

/* No descriptor is left: none is given, and none is lost. */
TEST(no_descriptor)
{
	struct rlimit old, none = { 0, 0 };
	struct pipepool *p = pipepool_new();
	int before = open_descriptors();

	MUST(getrlimit(RLIMIT_NOFILE, &old));
	none.rlim_max = old.rlim_max;
	MUST(setrlimit(RLIMIT_NOFILE, &none));
	assert_int_equal(pipepool_get(p), PIPEPOOL_NONE);
	MUST(setrlimit(RLIMIT_NOFILE, &old));
	assert_int_equal(open_descriptors(), before);
	pipepool_free(p);
}
