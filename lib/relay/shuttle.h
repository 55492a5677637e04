/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * shuttle.h: one direction of a session: bytes from one descriptor to another,
 * in order, none lost, none held longer than need be.
 *
 * What is read is sent at once. Bytes that the destination does not take are
 * held in a block, and nothing more is read until they are out: back-pressure
 * on the sender is the kernel's own. When there is no block left the bytes stay
 * in the source's receive queue (MSG_PEEK) until the destination has taken
 * them: slower, and never stuck.
 *
 * A direction in which several reads in a row brought much is a stream:
 * its bytes go through a pipe by splice(2) and are never copied to user space,
 * until they become few again. A pipe belongs to a shuttle only while it holds
 * bytes.
 *
 * Invariant: in == out + held.
 */
#ifndef SHUTTLE_H
#define SHUTTLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/bufpool.h"
#include "relay/pipepool.h"

/* No pointers in here: a shuttle can be moved to another process as it is. */
struct shuttle {
	uint64_t	in, out;	/* bytes read, bytes sent */
	uint32_t	block;		/* of held bytes, or BUFPOOL_NONE */
	uint32_t	head, tail;	/* held are tail - head bytes */
	uint8_t		pipe;		/* as block, or PIPEPOOL_NONE */
	uint8_t		streak;		/* reads that speak for changing this */
	uint8_t		vain;		/* the owner's: see session_stall.c */
	bool		splicing : 1;	/* this is a stream */
	bool		eof : 1;	/* nothing more comes from the source */
	bool		stuck : 1;	/* destination full, nothing held */
};

/* How the shuttles of a process move bytes. That process alone writes them. */
struct shuttle_counts {
	_Atomic uint64_t streams;	/* times one became a stream */
	_Atomic uint64_t copied;	/* times one ceased to be one */
	_Atomic uint64_t spliced;	/* bytes that went through pipes */
	_Atomic uint64_t refused;	/* no pipe, or nothing to splice with */
	_Atomic uint64_t peeked;	/* reads for want of a block */
};

/* What all shuttles of a worker share. */
struct shuttle_kit {
	struct bufpool	*pool;
	unsigned char	*scratch;	/* as large as a block */
	struct pipepool	*pipes;		/* NULL: never splice */
	size_t		 splice_max;	/* bytes a turn; 0: what a pipe holds */
	size_t		 read_max;	/* the same, copied or not; 0: no limit */
	struct shuttle_counts *counts;
};

enum shuttle_result {
	SHUTTLE_GOING,			/* see the two wants below */
	SHUTTLE_ENDED,			/* end of file read, all is sent */
	SHUTTLE_FROM_FAILED,		/* errno; all that was read is sent */
	SHUTTLE_TO_FAILED		/* errno; nothing can be sent any more */
};

void	shuttle_init(struct shuttle *);

/* *from* is readable: move what can be moved, at most one block. */
enum shuttle_result shuttle_read(struct shuttle *, const struct shuttle_kit *,
	    int from, int to);

/*
 * Read what can be read and hold it. End of file, and what finds no block, is
 * left to be read later.
 */
enum shuttle_result shuttle_fetch(struct shuttle *, const struct shuttle_kit *,
	    int from);

/* The bytes held in a block, and that the first *n* of them have been sent. */
const void *shuttle_bytes(const struct shuttle *, const struct shuttle_kit *);
void	shuttle_sent(struct shuttle *, const struct shuttle_kit *, uint32_t n);

/*
 * *to* is writable: send what is held, or go on where it was stuck. Who has set
 * eof while bytes were held is told when they are out.
 */
enum shuttle_result shuttle_write(struct shuttle *, const struct shuttle_kit *,
	    int from, int to);

/*
 * Send *len* bytes of our own, at most a block. SHUTTLE_TO_FAILED with ENOBUFS:
 * some did not go and there is no block to hold them.
 */
enum shuttle_result shuttle_give(struct shuttle *, const struct shuttle_kit *,
	    int to, const void *bytes, size_t len);

/* *from* is readable: read and forget, counted as sent. */
enum shuttle_result shuttle_discard(struct shuttle *,
	    const struct shuttle_kit *, int from);

/* Give up: what is held is dropped and does not count as read. */
void	shuttle_drop(struct shuttle *, const struct shuttle_kit *);

static inline uint32_t
shuttle_held(const struct shuttle *s)
{
	return s->tail - s->head;
}

static inline bool
shuttle_wants_read(const struct shuttle *s)
{
	return !s->eof && !s->stuck && shuttle_held(s) == 0;
}

static inline bool
shuttle_wants_write(const struct shuttle *s)
{
	return s->stuck || shuttle_held(s) > 0;
}

#endif
