/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * shuttle.c: moves bytes one way between two descriptors. Never closes them;
 * the session owns both. A call makes one recv() and one send(), so that no
 * session keeps a worker from the others.
 */
#include "relay/shuttle.h"

#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "util/counter.h"

/*
 * This many reads in a row that fill half the buffer make a stream; this many
 * small ones end it. Half, because a sender may be limited to one segment of
 * 64 KiB less its headers.
 */
#define STREAM_BEGINS	3
#define STREAM_ENDS	2

/* A spliced chunk below this size costs more than a copied one. */
#define SMALL		16384

static bool
is_send_retry(int err)
{
	return err == EAGAIN || err == EWOULDBLOCK || err == EINTR ||
	    /* No kernel memory: the bytes remain unsent. */
	    err == ENOBUFS || err == ENOMEM;
}

void
shuttle_init(struct shuttle *s)
{
	memset(s, 0, sizeof(*s));
	s->block = BUFPOOL_NONE;
	s->pipe = PIPEPOOL_NONE;
}

void
shuttle_drop(struct shuttle *s, const struct shuttle_kit *k)
{
	if (s->block != BUFPOOL_NONE)
		bufpool_put(k->pool, s->block);
	if (s->pipe != PIPEPOOL_NONE)
		pipepool_spoil(k->pipes, s->pipe);
	s->block = BUFPOOL_NONE;
	s->pipe = PIPEPOOL_NONE;
	s->head = s->tail = 0;
	s->stuck = false;
	s->in = s->out;
}

/* Sends and counts. Returns the bytes sent, 0 if none can go now, or -1. */
static ssize_t
send_bytes(struct shuttle *s, int to, const void *bytes, size_t len)
{
	ssize_t n;

	n = send(to, bytes, len, MSG_NOSIGNAL);
	if (n == -1)
		return is_send_retry(errno) ? 0 : -1;
	s->out += (uint64_t)n;
	return n;
}

/* Keeps *len* bytes for later. -1: there is no block. */
static int
hold_bytes(struct shuttle *s, const struct shuttle_kit *k, const void *bytes,
    size_t len)
{
	assert(len <= bufpool_size(k->pool));
	if ((s->block = bufpool_get(k->pool)) == BUFPOOL_NONE) {
		errno = ENOBUFS;
		return -1;
	}
	memcpy(bufpool_bytes(k->pool, s->block), bytes, len);
	s->head = 0;
	s->tail = (uint32_t)len;
	return 0;
}

/* The most to read in one call. */
static size_t
most_to_read(const struct shuttle_kit *k, size_t room)
{
	return k->read_max != 0 && k->read_max < room ? k->read_max : room;
}

/* Sends what it can of *bytes* and holds the rest. */
static enum shuttle_result
pass_bytes(struct shuttle *s, const struct shuttle_kit *k, int to,
    const unsigned char *bytes, size_t len)
{
	ssize_t n;
	int err;

	s->in += len;
	if ((n = send_bytes(s, to, bytes, len)) == -1) {
		/* The caller may find another destination for them. */
		err = errno;
		(void)hold_bytes(s, k, bytes, len);
		errno = err;
		return SHUTTLE_TO_FAILED;
	}
	/* A reader has made sure of a block; given bytes may find none. */
	if ((size_t)n < len && hold_bytes(s, k, bytes + n, len - (size_t)n) ==
	    -1)
		return SHUTTLE_TO_FAILED;
	assert(s->in == s->out + shuttle_held(s));
	return SHUTTLE_GOING;
}

/* The result for a recv() that returned no bytes. */
static enum shuttle_result
no_bytes(struct shuttle *s, ssize_t n)
{
	if (n == -1 && is_send_retry(errno))
		return SHUTTLE_GOING;
	s->eof = true;
	return n == 0 ? SHUTTLE_ENDED : SHUTTLE_FROM_FAILED;
}

/* Moves bytes without a block: removes from the source what was sent. */
static enum shuttle_result
pass_peeked(struct shuttle *s, const struct shuttle_kit *k, int from, int to)
{
	ssize_t n, sent, took;

	counter_add(&k->counts->peeked, 1);
	n = recv(from, k->scratch, most_to_read(k, bufpool_size(k->pool)),
	    MSG_PEEK);
	if (n <= 0)
		return no_bytes(s, n);
	if ((sent = send_bytes(s, to, k->scratch, (size_t)n)) == -1)
		return SHUTTLE_TO_FAILED;
	s->stuck = sent < n;
	for (; sent > 0; sent -= took) {
		took = recv(from, k->scratch, (size_t)sent, 0);
		/* MSG_PEEK has just shown these bytes. */
		if (took <= 0) {
			s->eof = true;
			return SHUTTLE_FROM_FAILED;
		}
		s->in += (uint64_t)took;
	}
	return SHUTTLE_GOING;
}

/* Returns the end of file if all bytes are out. */
static enum shuttle_result
emptied_result(const struct shuttle *s)
{
	return s->eof && shuttle_held(s) == 0 ? SHUTTLE_ENDED : SHUTTLE_GOING;
}

/* Sends from the pipe what can go. */
static enum shuttle_result
drain_pipe(struct shuttle *s, const struct shuttle_kit *k, int to)
{
	ssize_t n;

	/*
	 * Without SPLICE_F_MORE, which would hold the last bytes back until
	 * more arrive, and none need arrive.
	 */
	n = splice(pipepool_reader(k->pipes, s->pipe), NULL, to, NULL,
	    shuttle_held(s), SPLICE_F_NONBLOCK);
	if (n == -1 && !is_send_retry(errno))
		return SHUTTLE_TO_FAILED;
	if (n > 0) {
		s->head += (uint32_t)n;
		s->out += (uint64_t)n;
	}
	assert(s->in == s->out + shuttle_held(s));
	if (shuttle_held(s) == 0) {
		pipepool_put(k->pipes, s->pipe);
		s->pipe = PIPEPOOL_NONE;
	}
	return emptied_result(s);
}

/*
 * True if this descriptor or system cannot splice; other errors are the peer's.
 */
static bool
cannot_splice(int err)
{
	return err == EINVAL || err == ENOSYS || err == EBADF ||
	    err == EOPNOTSUPP;
}

/*
 * Splices once. False: nothing moved, and recv() must be tried. recv() detects
 * end of file for certain, reads from descriptors that cannot splice, and
 * passes an urgent byte, at which splice() returns EAGAIN for ever.
 */
static bool
pass_spliced(struct shuttle *s, const struct shuttle_kit *k, int from, int to,
    enum shuttle_result *result)
{
	size_t len = k->splice_max;
	ssize_t n;

	if ((s->pipe = pipepool_get(k->pipes)) == PIPEPOOL_NONE) {
		counter_add(&k->counts->refused, 1);
		return false;
	}
	if (len == 0 || len > pipepool_size(k->pipes, s->pipe))
		len = pipepool_size(k->pipes, s->pipe);
	n = splice(from, NULL, pipepool_writer(k->pipes, s->pipe), NULL,
	    most_to_read(k, len), SPLICE_F_NONBLOCK);
	if (n <= 0) {
		pipepool_put(k->pipes, s->pipe);
		s->pipe = PIPEPOOL_NONE;
		if (n == -1 && is_send_retry(errno))
			return false;
		if (n == -1 && !cannot_splice(errno)) {
			*result = no_bytes(s, n);
			return true;
		}
		s->splicing = false;
		counter_add(&k->counts->refused, n == -1);
		return false;
	}
	s->in += (uint64_t)n;
	counter_add(&k->counts->spliced, (uint64_t)n);
	s->head = 0;
	s->tail = (uint32_t)n;
	s->streak = n < SMALL ? s->streak + 1 : 0;
	if (s->streak >= STREAM_ENDS) {
		s->splicing = false;
		s->streak = 0;
		counter_add(&k->counts->copied, 1);
	}
	*result = drain_pipe(s, k, to);
	return true;
}

/* Large reads identify a stream. */
static void
watch_for_stream(struct shuttle *s, const struct shuttle_kit *k, size_t n)
{
	s->streak = n >= bufpool_size(k->pool) / 2 ? s->streak + 1 : 0;
	if (s->streak >= STREAM_BEGINS && k->pipes != NULL) {
		s->splicing = true;
		s->streak = 0;
		counter_add(&k->counts->streams, 1);
	}
}

enum shuttle_result
shuttle_read(struct shuttle *s, const struct shuttle_kit *k, int from, int to)
{
	enum shuttle_result result;
	ssize_t n;

	if (!shuttle_wants_read(s))
		return SHUTTLE_GOING;
	if (s->splicing && pass_spliced(s, k, from, to, &result))
		return result;
	if (bufpool_left(k->pool) == 0)
		return pass_peeked(s, k, from, to);
	n = recv(from, k->scratch, most_to_read(k, bufpool_size(k->pool)), 0);
	if (n <= 0)
		return no_bytes(s, n);
	if (!s->splicing)
		watch_for_stream(s, k, (size_t)n);
	return pass_bytes(s, k, to, k->scratch, (size_t)n);
}

/* Records that *n* of the block's bytes were sent. */
static void
release_block(struct shuttle *s, const struct shuttle_kit *k, uint32_t n)
{
	s->head += n;
	assert(s->in == s->out + shuttle_held(s));
	if (shuttle_held(s) == 0) {
		bufpool_put(k->pool, s->block);
		s->block = BUFPOOL_NONE;
	}
}

enum shuttle_result
shuttle_write(struct shuttle *s, const struct shuttle_kit *k, int from, int to)
{
	ssize_t n;

	if (s->stuck) {
		s->stuck = false;
		return shuttle_read(s, k, from, to);
	}
	if (shuttle_held(s) == 0)
		return SHUTTLE_GOING;
	if (s->pipe != PIPEPOOL_NONE)
		return drain_pipe(s, k, to);
	n = send_bytes(s, to, shuttle_bytes(s, k), shuttle_held(s));
	if (n == -1)
		return SHUTTLE_TO_FAILED;
	release_block(s, k, (uint32_t)n);
	return emptied_result(s);
}

enum shuttle_result
shuttle_fetch(struct shuttle *s, const struct shuttle_kit *k, int from)
{
	ssize_t n;

	if (!shuttle_wants_read(s) || bufpool_left(k->pool) == 0)
		return SHUTTLE_GOING;
	n = recv(from, k->scratch, most_to_read(k, bufpool_size(k->pool)), 0);
	if (n == -1 && !is_send_retry(errno))
		return SHUTTLE_FROM_FAILED;
	if (n > 0) {
		s->in += (uint64_t)n;
		(void)hold_bytes(s, k, k->scratch, (size_t)n);
	}
	return SHUTTLE_GOING;
}

const void *
shuttle_bytes(const struct shuttle *s, const struct shuttle_kit *k)
{
	return bufpool_bytes(k->pool, s->block) + s->head;
}

void
shuttle_sent(struct shuttle *s, const struct shuttle_kit *k, uint32_t n)
{
	s->out += n;
	release_block(s, k, n);
}

enum shuttle_result
shuttle_give(struct shuttle *s, const struct shuttle_kit *k, int to,
    const void *bytes, size_t len)
{
	return pass_bytes(s, k, to, bytes, len);
}

enum shuttle_result
shuttle_discard(struct shuttle *s, const struct shuttle_kit *k, int from)
{
	ssize_t n;

	n = recv(from, k->scratch, bufpool_size(k->pool), 0);
	if (n <= 0)
		return no_bytes(s, n);
	s->in += (uint64_t)n;
	s->out += (uint64_t)n;
	return SHUTTLE_GOING;
}
