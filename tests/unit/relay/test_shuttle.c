/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_shuttle.c: bytes one way. A source and a destination that live in this file
 * stand behind the descriptors FROM and TO: they give and take as little as
 * they like and fail at will, and every byte that arrives is compared.
 */
#include "relay/shuttle.h"

#include "helpers.h"

#define FROM	5001
#define TO	5002
#define BLOCK	256
#define STREAM	99			/* the pattern that is sent */

static struct {
	uint64_t length;		/* of the stream */
	uint64_t there;			/* bytes that have arrived so far */
	uint64_t taken;			/* and have been read */
	int	 end_error;		/* errno at the end; 0: end of file */
	int	 error;			/* of the next read */
	int	 take_error;		/* of the next read that is no peek */
	int	 calls, peeks;
	bool	 whims;			/* short reads and errors that pass */
} source;

static struct {
	uint64_t got;
	size_t	 room;			/* SIZE_MAX: endless */
	int	 error;
	int	 calls;
	bool	 whims;
	bool	 spoilt;		/* a byte was not the one expected */
} dest;

static uint64_t	seed;
static struct bufpool *pool;
static struct shuttle_counts counts;
static struct shuttle_kit kit = { .counts = &counts };
static struct shuttle s;

/* An error that passes by itself, or 0. */
static int
whim(void)
{
	static const int errors[] = { EAGAIN, EINTR, ENOBUFS, ENOMEM };

	return random_below(&seed, 4) != 0 ? 0 :
	    errors[random_below(&seed, COUNT(errors))];
}

static ssize_t
fake_recv(unsigned char *buf, size_t len, int flags)
{
	uint64_t n = source.there - source.taken;

	source.calls++;
	source.peeks += (flags & MSG_PEEK) != 0;
	assert_int_equal(flags & ~MSG_PEEK, 0);
	if ((errno = source.error) != 0)
		return -1;
	if (!(flags & MSG_PEEK) && (errno = source.take_error) != 0)
		return -1;
	/* Bytes that were seen can be taken: only their number may vary. */
	if (source.whims && (source.peeks == 0 || flags & MSG_PEEK) &&
	    (errno = whim()) != 0)
		return -1;
	if (n == 0 && source.there == source.length) {
		errno = source.end_error;
		return source.end_error == 0 ? 0 : -1;
	}
	if (n == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (n > len)
		n = len;
	if (source.whims)
		n = 1 + random_below(&seed, (uint32_t)n);
	pattern_fill(STREAM, source.taken, buf, n);
	if (!(flags & MSG_PEEK))
		source.taken += n;
	return (ssize_t)n;
}

static ssize_t
fake_send(const unsigned char *buf, size_t len, int flags)
{
	dest.calls++;
	assert_int_equal(flags, MSG_NOSIGNAL);
	assert_true(len > 0);
	if ((errno = dest.error) != 0)
		return -1;
	if (dest.whims && (errno = whim()) != 0)
		return -1;
	if (dest.room == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (len > dest.room)
		len = dest.room;
	if (dest.whims)
		len = 1 + random_below(&seed, (uint32_t)len);
	if (pattern_match(STREAM, dest.got, buf, len) != len)
		dest.spoilt = true;
	dest.got += len;
	if (dest.room != SIZE_MAX)
		dest.room -= len;
	return (ssize_t)len;
}

ssize_t
__wrap_recv(int fd, void *buf, size_t len, int flags)
{
	assert_int_equal(fd, FROM);
	return fake_recv(buf, len, flags);
}

ssize_t
__wrap_send(int fd, const void *buf, size_t len, int flags)
{
	assert_int_equal(fd, TO);
	return fake_send(buf, len, flags);
}

static void
make_kit(uint32_t blocks, size_t size)
{
	kit.read_max = 0;
	pool = kit.pool = bufpool_new(blocks, size);
	kit.scratch = malloc(size);
	assert_non_null(pool);
	assert_non_null(kit.scratch);
}

static void
free_kit(void)
{
	bufpool_free(pool);
	free(kit.scratch);
}

int
set_up(void)
{
	memset(&source, 0, sizeof(source));
	memset(&dest, 0, sizeof(dest));
	dest.room = SIZE_MAX;
	seed = random_seed();
	make_kit(4, BLOCK);
	memset(&s, 0xa5, sizeof(s));
	shuttle_init(&s);
	return 0;
}

int
tear_down(void)
{
	free_kit();
	return dest.spoilt ? -1 : 0;
}

/* Begin again, with the random numbers going on. */
static void
again(void)
{
	uint64_t keep = seed;

	free_kit();
	set_up();
	seed = keep;
}

static void
assert_sound(void)
{
	assert_false(dest.spoilt);
	assert_int_equal(s.in, s.out + shuttle_held(&s));
	assert_int_equal(s.in, source.taken);
	assert_int_equal(s.out, dest.got);
	assert_true(shuttle_held(&s) <= BLOCK);
	assert_int_equal(s.block != BUFPOOL_NONE, shuttle_held(&s) > 0);
	/* Never read on while bytes wait, and never wait for nothing. */
	assert_false(shuttle_wants_read(&s) && shuttle_wants_write(&s));
	assert_true(s.eof || shuttle_wants_read(&s) || shuttle_wants_write(&s));
}

static enum shuttle_result
do_read(void)
{
	return shuttle_read(&s, &kit, FROM, TO);
}

static enum shuttle_result
do_write(void)
{
	return shuttle_write(&s, &kit, FROM, TO);
}

/* *n* bytes have come, of a stream that goes on. */
static void
arrive(uint64_t n)
{
	source.there += n;
	source.length = source.there + 1;
}

TEST(fresh)
{
	assert_sound();
	assert_int_equal(s.in, 0);
	assert_true(shuttle_wants_read(&s));
	arrive(0);
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(dest.calls, 0);
}

TEST(sent_at_once)
{
	arrive(100);
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(dest.got, 100);
	assert_int_equal(s.in, 100);
	assert_int_equal(s.out, 100);
	assert_int_equal(source.calls, 1);
	assert_int_equal(dest.calls, 1);
	assert_int_equal(bufpool_left(pool), 4);
	assert_sound();
}

/* One block a turn: no session keeps a worker from the others. */
TEST(one_block_a_turn)
{
	arrive(10 * BLOCK);
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(s.in, BLOCK);
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(s.in, 2 * BLOCK);
	assert_int_equal(source.calls, 2);
	assert_sound();
}

TEST(rest_is_held)
{
	arrive(500);
	dest.room = 30;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(shuttle_held(&s), BLOCK - 30);
	assert_int_equal(bufpool_left(pool), 3);
	assert_true(shuttle_wants_write(&s));
	assert_sound();
	/* What must not be read now is not, whoever asks. */
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(source.calls, 1);
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(shuttle_held(&s), BLOCK - 30);
	dest.room = 100;
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(shuttle_held(&s), BLOCK - 130);
	assert_sound();
	dest.room = SIZE_MAX;
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(shuttle_held(&s), 0);
	assert_int_equal(bufpool_left(pool), 4);
	assert_true(shuttle_wants_read(&s));
	assert_int_equal(source.calls, 1);
	assert_sound();
	/* Nothing to write: nothing is. */
	dest.calls = 0;
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(dest.calls, 0);
}

TEST(end_of_file)
{
	source.length = source.there = 100;
	dest.room = 10;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	dest.room = SIZE_MAX;
	assert_int_equal(do_write(), SHUTTLE_GOING);
	/* Not before the last byte is out. */
	assert_int_equal(dest.got, 100);
	assert_int_equal(do_read(), SHUTTLE_ENDED);
	assert_true(s.eof);
	assert_false(shuttle_wants_read(&s));
	assert_false(shuttle_wants_write(&s));
	assert_sound();
	/* The descriptor is not touched any more. */
	source.calls = 0;
	do_read();
	assert_int_equal(source.calls, 0);
}

TEST(source_fails)
{
	static const int errors[] = { ECONNRESET, ETIMEDOUT, EHOSTUNREACH };
	size_t i;

	for (i = 0; i < COUNT(errors); i++) {
		again();
		source.length = source.there = 20;
		source.end_error = errors[i];
		assert_int_equal(do_read(), SHUTTLE_GOING);
		errno = 0;
		assert_int_equal(do_read(), SHUTTLE_FROM_FAILED);
		assert_int_equal(errno, errors[i]);
		assert_int_equal(dest.got, 20);
		assert_false(shuttle_wants_read(&s));
		assert_sound();
	}
}

TEST(destination_fails)
{
	arrive(400);
	dest.error = EPIPE;
	errno = 0;
	assert_int_equal(do_read(), SHUTTLE_TO_FAILED);
	assert_int_equal(errno, EPIPE);
	shuttle_drop(&s, &kit);
	assert_int_equal(s.in, 0);
	assert_int_equal(s.out, 0);
	assert_int_equal(bufpool_left(pool), 4);
	assert_false(shuttle_wants_write(&s));
	shuttle_init(&s);
	dest.error = 0;
	dest.room = 30;
	dest.got = source.taken;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(bufpool_left(pool), 3);
	dest.error = ECONNRESET;
	assert_int_equal(do_write(), SHUTTLE_TO_FAILED);
	assert_int_equal(errno, ECONNRESET);
	/* What is held does not count as read. */
	shuttle_drop(&s, &kit);
	assert_int_equal(s.in, 30);
	assert_int_equal(s.out, 30);
	assert_int_equal(bufpool_left(pool), 4);
	shuttle_drop(&s, &kit);
	assert_int_equal(bufpool_left(pool), 4);
}

/* Without a block nothing is taken that cannot be sent. */
TEST(pool_is_empty)
{
	while (bufpool_get(pool) != BUFPOOL_NONE)
		continue;
	arrive(1000);
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(dest.got, BLOCK);
	assert_int_equal(source.taken, BLOCK);
	assert_true(shuttle_wants_read(&s));
	assert_sound();
	dest.room = 50;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(source.taken, BLOCK + 50);
	assert_int_equal(shuttle_held(&s), 0);
	assert_true(shuttle_wants_write(&s));
	assert_false(shuttle_wants_read(&s));
	assert_sound();
	/* Not a spin: the source is left alone until there is room. */
	source.calls = 0;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(source.calls, 0);
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(source.taken, BLOCK + 50);
	assert_true(shuttle_wants_write(&s));
	dest.room = SIZE_MAX;
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(source.taken, 2 * BLOCK + 50);
	assert_true(shuttle_wants_read(&s));
	assert_sound();
	/* And with a block again, as ever. */
	bufpool_put(pool, 0);
	source.peeks = 0;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(source.peeks, 0);
	assert_sound();
}

TEST(dropped_while_stuck)
{
	while (bufpool_get(pool) != BUFPOOL_NONE)
		continue;
	arrive(100);
	dest.room = 50;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_true(shuttle_wants_write(&s));
	shuttle_drop(&s, &kit);
	assert_false(shuttle_wants_write(&s));
	assert_int_equal(s.in, 50);
	assert_int_equal(s.out, 50);
}

TEST(pool_is_empty_at_the_end)
{
	while (bufpool_get(pool) != BUFPOOL_NONE)
		continue;
	source.length = source.there = 10;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(do_read(), SHUTTLE_ENDED);
	assert_sound();
	shuttle_init(&s);
	source.end_error = ECONNRESET;
	assert_int_equal(do_read(), SHUTTLE_FROM_FAILED);
	assert_int_equal(errno, ECONNRESET);
	/* What was seen cannot be taken: never sent twice. */
	shuttle_init(&s);
	arrive(10);
	source.take_error = ECONNRESET;
	dest.got = source.taken;
	assert_int_equal(do_read(), SHUTTLE_FROM_FAILED);
	assert_int_equal(errno, ECONNRESET);
	assert_false(shuttle_wants_read(&s) || shuttle_wants_write(&s));
	shuttle_init(&s);
	source.take_error = 0;
	dest.error = EPIPE;
	assert_int_equal(do_read(), SHUTTLE_TO_FAILED);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(source.taken, 10);
}

/* A shuttle can be moved: it holds no pointer to itself or to anything. */
TEST(moved_while_it_holds)
{
	struct shuttle copy;

	arrive(200);
	dest.room = 3;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	memcpy(&copy, &s, sizeof(s));
	memset(&s, 0xa5, sizeof(s));
	dest.room = SIZE_MAX;
	assert_int_equal(shuttle_write(&copy, &kit, FROM, TO), SHUTTLE_GOING);
	assert_int_equal(dest.got, 200);
	s = copy;
	assert_sound();
}

/* However it is read, no more than that a turn. */
TEST(read_max)
{
	kit.read_max = 7;
	arrive(100);
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(dest.got, 7);
	assert_sound();
	assert_int_equal(shuttle_fetch(&s, &kit, FROM), SHUTTLE_GOING);
	assert_int_equal(s.in, 14);
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(dest.got, 14);
	kit.read_max = BLOCK + 1;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	assert_int_equal(dest.got, 100);
	assert_sound();
}

/* Somebody else has said that this is the end. */
TEST(ended_while_it_holds)
{
	arrive(50);
	dest.room = 10;
	assert_int_equal(do_read(), SHUTTLE_GOING);
	s.eof = true;
	dest.room = 30;
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(shuttle_held(&s), 10);
	dest.room = SIZE_MAX;
	assert_int_equal(do_write(), SHUTTLE_ENDED);
	assert_int_equal(dest.got, 50);
	assert_sound();
}

TEST(give)
{
	unsigned char bytes[BLOCK];

	pattern_fill(STREAM, 0, bytes, sizeof(bytes));
	dest.room = 100;
	assert_int_equal(shuttle_give(&s, &kit, TO, bytes, BLOCK),
	    SHUTTLE_GOING);
	assert_int_equal(s.in, BLOCK);
	assert_int_equal(s.out, 100);
	assert_int_equal(shuttle_held(&s), BLOCK - 100);
	memset(bytes, 0, sizeof(bytes));
	dest.room = SIZE_MAX;
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(dest.got, BLOCK);
	assert_int_equal(bufpool_left(pool), 4);
	dest.error = EPIPE;
	assert_int_equal(shuttle_give(&s, &kit, TO, bytes, 1),
	    SHUTTLE_TO_FAILED);
	assert_int_equal(errno, EPIPE);
	dest.error = 0;
	shuttle_drop(&s, &kit);
	shuttle_init(&s);
	while (bufpool_get(pool) != BUFPOOL_NONE)
		continue;
	dest.room = 0;
	assert_int_equal(shuttle_give(&s, &kit, TO, bytes, 1),
	    SHUTTLE_TO_FAILED);
	assert_int_equal(errno, ENOBUFS);
}

/* Read before there is anywhere to send it. */
TEST(fetch)
{
	arrive(0);
	assert_int_equal(shuttle_fetch(&s, &kit, FROM), SHUTTLE_GOING);
	assert_sound();
	arrive(100);
	assert_int_equal(shuttle_fetch(&s, &kit, FROM), SHUTTLE_GOING);
	assert_int_equal(shuttle_held(&s), 100);
	assert_int_equal(pattern_match(STREAM, 0, shuttle_bytes(&s, &kit),
	    100), 100);
	assert_sound();
	/* No more than that, until it is gone. */
	arrive(BLOCK);
	source.calls = 0;
	assert_int_equal(shuttle_fetch(&s, &kit, FROM), SHUTTLE_GOING);
	assert_int_equal(source.calls, 0);
	/* It has gone another way. */
	dest.got = 30;
	shuttle_sent(&s, &kit, 30);
	assert_int_equal(pattern_match(STREAM, 30, shuttle_bytes(&s, &kit),
	    70), 70);
	assert_sound();
	assert_int_equal(do_write(), SHUTTLE_GOING);
	assert_int_equal(dest.got, 100);
	assert_int_equal(shuttle_fetch(&s, &kit, FROM), SHUTTLE_GOING);
	dest.got += BLOCK;
	shuttle_sent(&s, &kit, BLOCK);
	assert_int_equal(bufpool_left(pool), 4);
	assert_sound();
}

TEST(fetch_finds_no_bytes)
{
	/* Without a block it does not even ask. */
	while (bufpool_get(pool) != BUFPOOL_NONE)
		continue;
	arrive(100);
	assert_int_equal(shuttle_fetch(&s, &kit, FROM), SHUTTLE_GOING);
	assert_int_equal(source.calls, 0);
	assert_sound();
	again();
	/* The end comes in its turn; a reset may be told only once. */
	assert_int_equal(shuttle_fetch(&s, &kit, FROM), SHUTTLE_GOING);
	assert_int_equal(source.calls, 1);
	assert_false(s.eof);
	assert_int_equal(do_read(), SHUTTLE_ENDED);
	again();
	source.error = ECONNRESET;
	assert_int_equal(shuttle_fetch(&s, &kit, FROM), SHUTTLE_FROM_FAILED);
	assert_int_equal(errno, ECONNRESET);
}

TEST(discard)
{
	source.length = source.there = 300;
	assert_int_equal(shuttle_discard(&s, &kit, FROM), SHUTTLE_GOING);
	assert_int_equal(s.in, BLOCK);
	assert_int_equal(s.out, BLOCK);
	assert_int_equal(shuttle_discard(&s, &kit, FROM), SHUTTLE_GOING);
	assert_int_equal(s.in, 300);
	source.error = EAGAIN;
	assert_int_equal(shuttle_discard(&s, &kit, FROM), SHUTTLE_GOING);
	assert_false(s.eof);
	source.error = 0;
	assert_int_equal(shuttle_discard(&s, &kit, FROM), SHUTTLE_ENDED);
	assert_true(s.eof);
	assert_int_equal(s.out, 300);
	shuttle_init(&s);
	source.error = ECONNRESET;
	assert_int_equal(shuttle_discard(&s, &kit, FROM), SHUTTLE_FROM_FAILED);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(dest.calls, 0);
}

/*
 * As a session drives it, with a source and a destination full of whims, and
 * other sessions that take the last block and give it back.
 */
static void
run_to_the_end(uint64_t length, int end_error)
{
	enum shuttle_result r = SHUTTLE_GOING;
	uint32_t others[4], taken = 0;
	unsigned turns = 0;

	source.length = length;
	source.end_error = end_error;
	source.whims = dest.whims = true;
	while (r == SHUTTLE_GOING) {
		assert_true(turns++ < 200 * length + 1000);
		if (random_below(&seed, 6) == 0)
			dest.room = random_below(&seed, 3) ?
			    random_below(&seed, 2 * BLOCK) : SIZE_MAX;
		if (random_below(&seed, 4) == 0)
			source.there += random_below(&seed, 3 * BLOCK);
		if (source.there > length || turns > 100 * length)
			source.there = length;
		if (random_below(&seed, 5) == 0 && taken < 4 &&
		    (others[taken] = bufpool_get(pool)) != BUFPOOL_NONE)
			taken++;
		else if (random_below(&seed, 6) == 0 && taken > 0)
			bufpool_put(pool, others[--taken]);
		source.peeks = 0;
		r = shuttle_wants_write(&s) ? do_write() : do_read();
		assert_sound();
	}
	assert_int_equal(r, end_error == 0 ? SHUTTLE_ENDED :
	    SHUTTLE_FROM_FAILED);
	assert_int_equal(s.out, length);
	while (taken > 0)
		bufpool_put(pool, others[--taken]);
	assert_int_equal(bufpool_left(pool), 4);
}

TEST(random_against_a_model)
{
	int i;

	for (i = 0; i < 400; i++) {
		again();
		run_to_the_end(random_below(&seed, 20 * BLOCK),
		    i % 2 ? ECONNRESET : 0);
	}
}
