/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_shuttle_socket.c: a shuttle between real sockets, whose ends are played here.
 * What sockets do at will is in test_shuttle.c.
 */
#include "relay/shuttle.h"

#include "helpers.h"

#define BLOCK	65536
#define STREAM	99			/* the pattern that is sent */

static uint64_t	seed;
static struct shuttle_counts counts;
static struct shuttle_kit kit = { .counts = &counts };
static struct shuttle s;

/* The other ends of the sockets: give on in[1], check what comes on out[1]. */
static void
play_both_ends(int in, int out, uint64_t length, uint64_t *put, uint64_t *got)
{
	unsigned char buf[5000];
	ssize_t n;
	size_t len;

	len = length - *put < sizeof(buf) ? length - *put : sizeof(buf);
	pattern_fill(STREAM, *put, buf, len);
	n = len == 0 ? 0 : send(in, buf, len, MSG_DONTWAIT);
	if (n > 0 && (*put += (uint64_t)n) == length)
		MUST(shutdown(in, SHUT_WR));
	len = 1 + random_below(&seed, sizeof(buf));
	n = recv(out, buf, len, MSG_DONTWAIT);
	if (n == -1)
		assert_int_equal(errno, EAGAIN);
	else
		assert_int_equal(pattern_match(STREAM, *got, buf, (size_t)n),
		    n);
	*got += n > 0 ? (uint64_t)n : 0;
}

/*
 * Real sockets, more than their buffers take, with one block or with none, as a
 * stream through a pipe or copied.
 */
static void
carry(uint64_t length, uint32_t blocks, bool stream)
{
	enum shuttle_result r = SHUTTLE_GOING;
	int in[2], out[2], room = 4096;
	uint64_t put = 0, got = 0;

	tcp_pair(in);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, out));
	MUST(setsockopt(out[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)));
	kit.pool = bufpool_new(1, BLOCK);
	kit.scratch = malloc(BLOCK);
	assert_true(kit.pool != NULL && kit.scratch != NULL);
	if (blocks == 0)
		assert_int_equal(bufpool_get(kit.pool), 0);
	kit.pipes = stream ? pipepool_new() : NULL;
	shuttle_init(&s);
	while (r == SHUTTLE_GOING || got < length) {
		/* Small pieces would end it. */
		s.splicing = stream;
		play_both_ends(in[1], out[1], length, &put, &got);
		if (r != SHUTTLE_GOING)
			continue;
		if (shuttle_wants_write(&s) && comes(out[0], POLLOUT, 0))
			r = shuttle_write(&s, &kit, in[0], out[0]);
		else if (shuttle_wants_read(&s) && comes(in[0], POLLIN, 0))
			r = shuttle_read(&s, &kit, in[0], out[0]);
	}
	assert_int_equal(r, SHUTTLE_ENDED);
	assert_int_equal(got, length);
	assert_int_equal(s.in, length);
	assert_int_equal(s.out, length);
	assert_int_equal(s.pipe, PIPEPOOL_NONE);
	pipepool_free(kit.pipes);
	kit.pipes = NULL;
	bufpool_free(kit.pool);
	free(kit.scratch);
	close_pair(in);
	close_pair(out);
}

TEST(real_sockets)
{
	seed = random_seed();
	carry(4 << 20, 1, false);
	carry(1 << 20, 0, false);
	carry(4 << 20, 1, true);
	carry(1 << 20, 0, true);
}

/* Large reads make a stream, small ones end it. */
TEST(stream)
{
	static unsigned char bytes[1 << 20];
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	uint64_t give_up = clock_ms() + PATIENCE;
	int from[2], to[2], big = 4 << 20, i;
	uint64_t sent = 0, got = 0, streams = counts.streams;
	uint64_t copied = counts.copied, spliced = counts.spliced;
	ssize_t n;

	tcp_pair(from);
	tcp_pair(to);
	MUST(setsockopt(from[1], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big)));
	kit.pool = bufpool_new(4, BLOCK);
	kit.scratch = malloc(BLOCK);
	kit.pipes = pipepool_new();
	assert_true(kit.pool != NULL && kit.scratch != NULL);
	assert_non_null(kit.pipes);
	shuttle_init(&s);
	while (!s.splicing) {
		assert_true(clock_ms() < give_up);
		pattern_fill(STREAM, sent, bytes, sizeof(bytes));
		n = send(from[1], bytes, sizeof(bytes), MSG_DONTWAIT);
		sent += n > 0 ? (uint64_t)n : 0;
		assert_int_equal(shuttle_read(&s, &kit, from[0], to[0]),
		    SHUTTLE_GOING);
		assert_int_equal(shuttle_write(&s, &kit, from[0], to[0]),
		    SHUTTLE_GOING);
		n = recv(to[1], bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			assert_int_equal(pattern_match(STREAM, got, bytes,
			    (size_t)n), n);
		got += n > 0 ? (uint64_t)n : 0;
	}
	assert_int_equal(counts.streams, streams + 1);
	while (got < sent) {
		(void)shuttle_read(&s, &kit, from[0], to[0]);
		(void)shuttle_write(&s, &kit, from[0], to[0]);
		n = recv(to[1], bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			assert_int_equal(pattern_match(STREAM, got, bytes,
			    (size_t)n), n);
		got += n > 0 ? (uint64_t)n : 0;
	}
	for (i = 0; i < 3 && s.splicing; i++) {
		write_text(from[1], "small");
		while (!comes(from[0], POLLIN, 1))
			;
		assert_int_equal(shuttle_read(&s, &kit, from[0], to[0]),
		    SHUTTLE_GOING);
	}
	assert_false(s.splicing);
	assert_int_equal(counts.copied, copied + 1);
	assert_true(counts.spliced > spliced);
	/* A reset is a reset through a pipe, too. */
	s.splicing = true;
	MUST(setsockopt(from[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	close(from[1]);
	while (!comes(from[0], POLLIN, 1))
		;
	assert_int_equal(shuttle_read(&s, &kit, from[0], to[0]),
	    SHUTTLE_FROM_FAILED);
	assert_int_equal(errno, ECONNRESET);
	close(from[0]);
	close_pair(to);
	pipepool_free(kit.pipes);
	kit.pipes = NULL;
	bufpool_free(kit.pool);
	free(kit.scratch);
}

/* EPIPE, and no SIGPIPE that would end this program. */
TEST(peer_is_gone)
{
	int from[2], to[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, from));
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, to));
	kit.pool = bufpool_new(1, BLOCK);
	kit.scratch = malloc(BLOCK);
	assert_true(kit.pool != NULL && kit.scratch != NULL);
	shuttle_init(&s);
	close(to[1]);
	write_text(from[1], "bytes");
	assert_int_equal(shuttle_read(&s, &kit, from[0], to[0]),
	    SHUTTLE_TO_FAILED);
	assert_int_equal(errno, EPIPE);
	/* And the source's end is there to be read. */
	close(from[1]);
	assert_int_equal(shuttle_discard(&s, &kit, from[0]), SHUTTLE_ENDED);
	bufpool_free(kit.pool);
	free(kit.scratch);
	close(from[0]);
	close(to[0]);
}
