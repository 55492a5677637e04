/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_bufpool.c: the pool until it is empty and full again: blocks that overlap
 * would mix the bytes of two sessions.
 */
#include "relay/bufpool.h"

#include <sys/mman.h>

#include "helpers.h"

static int	fail_mmap;		/* errno of the next call */

void *
__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t from)
{
	if (fail_mmap == 0)
		return __real_mmap(at, size, prot, flags, fd, from);
	errno = fail_mmap;
	fail_mmap = 0;
	return MAP_FAILED;
}

static struct bufpool *
new_pool(uint32_t n, size_t size)
{
	struct bufpool *p = bufpool_new(n, size);

	assert_non_null(p);
	assert_int_equal(bufpool_size(p), size);
	assert_int_equal(bufpool_left(p), n);
	return p;
}

TEST(until_it_is_empty)
{
	struct bufpool *p = new_pool(100, 1000);
	bool taken[100] = { false };
	uint32_t i, block;

	for (i = 0; i < 100; i++) {
		block = bufpool_get(p);
		assert_true(block < 100 && !taken[block]);
		taken[block] = true;
		assert_int_equal(bufpool_left(p), 99 - i);
	}
	assert_int_equal(bufpool_get(p), BUFPOOL_NONE);
	assert_int_equal(bufpool_get(p), BUFPOOL_NONE);
	assert_int_equal(bufpool_left(p), 0);
	bufpool_put(p, 42);
	assert_int_equal(bufpool_left(p), 1);
	assert_int_equal(bufpool_get(p), 42);
	assert_int_equal(bufpool_get(p), BUFPOOL_NONE);
	for (i = 0; i < 100; i++)
		bufpool_put(p, i);
	assert_int_equal(bufpool_left(p), 100);
	bufpool_free(p);
}

TEST(one_block)
{
	struct bufpool *p = new_pool(1, 65536);

	assert_int_equal(bufpool_get(p), 0);
	memset(bufpool_bytes(p, 0), 1, 65536);
	assert_int_equal(bufpool_get(p), BUFPOOL_NONE);
	bufpool_put(p, 0);
	bufpool_free(p);
	bufpool_free(NULL);
}

/* Taken and put back at random, each full of bytes of its own. */
TEST(blocks_do_not_overlap)
{
	enum { BLOCKS = 50, SIZE = 777 };
	struct bufpool *p = new_pool(BLOCKS, SIZE);
	uint64_t seed = random_seed(), stamp[BLOCKS];
	bool taken[BLOCKS] = { false };
	uint32_t block, left = BLOCKS;
	int i;

	for (i = 0; i < 20000; i++) {
		block = random_below(&seed, BLOCKS);
		if (taken[block] && random_below(&seed, 2) == 0) {
			assert_int_equal(pattern_match(stamp[block], 0,
			    bufpool_bytes(p, block), SIZE), SIZE);
			bufpool_put(p, block);
			taken[block] = false;
			left++;
		} else if ((block = bufpool_get(p)) == BUFPOOL_NONE) {
			assert_int_equal(left, 0);
		} else {
			assert_false(taken[block]);
			taken[block] = true;
			left--;
			stamp[block] = (uint64_t)i;
			pattern_fill(stamp[block], 0, bufpool_bytes(p, block),
			    SIZE);
		}
		assert_int_equal(bufpool_left(p), left);
	}
	bufpool_free(p);
}

/* A pool for the worst case must not cost its memory in the usual one. */
TEST(memory_comes_with_use)
{
	enum { BLOCKS = 512, SIZE = 65536 };
	struct bufpool *p = new_pool(BLOCKS, SIZE);
	static unsigned char resident[(size_t)BLOCKS * SIZE / 4096];
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i, used = 0;
	size_t pages = (size_t)BLOCKS * SIZE / page;
	uint32_t block = bufpool_get(p);

	bufpool_bytes(p, block)[SIZE - 1] = 1;
	assert_true(pages <= sizeof(resident));
	MUST(mincore(bufpool_bytes(p, 0), (size_t)BLOCKS * SIZE, resident));
	for (i = 0; i < pages; i++)
		used += resident[i] & 1;
	/* Huge pages, where they are on, are two MiB. */
	assert_in_range(used, 1, pages / 4);
	bufpool_put(p, block);
	bufpool_free(p);
}

TEST(out_of_memory)
{
	struct bufpool *p;
	int n;

	alloc_needed();
	for (n = 0; ; n++) {
		alloc_fail(n);
		p = bufpool_new(8, 4096);
		if (!alloc_failed())
			break;
		assert_null(p);
		assert_int_equal(errno, ENOMEM);
	}
	assert_true(n > 0);
	bufpool_free(p);
	fail_mmap = ENOMEM;
	assert_null(bufpool_new(8, 4096));
	assert_int_equal(errno, ENOMEM);
}
