/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * shuttle.h: one direction of a session: moves bytes from one descriptor to
 * another, in order and without loss or delay.
 *
 * Bytes are sent as soon as they are read. Bytes that the destination does not
 * accept are held in a block, and nothing more is read until they are sent:
 * the kernel's own back-pressure slows the sender. Without a free block the
 * bytes stay in the source's receive queue (MSG_PEEK) until the destination
 * accepts them: slower, and never stuck.
 *
 * Several large reads in a row make a stream: its bytes go through a pipe by
 * splice(2) and are never copied to user space, until reads become small again.
 * A shuttle holds a pipe only while the pipe has bytes.
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

/* Contains no pointers: a shuttle can move to another process as it is. */
struct shuttle {
	uint64_t	in, out;	/* bytes read, bytes sent */
	uint32_t	block;		/* of held bytes, or BUFPOOL_NONE */
	uint32_t	head, tail;	/* tail - head bytes are held */
	uint8_t		pipe;		/* as block, or PIPEPOOL_NONE */
	uint8_t		streak;		/* reads in favour of a change */
	uint8_t		vain;		/* for the owner: see session_stall.c */
	bool		splicing : 1;	/* this is a stream */
	bool		eof : 1;	/* end of file was read */
	bool		stuck : 1;	/* destination full, nothing held */
};

/* How the shuttles of a process move bytes. Only that process writes them. */
struct shuttle_counts {
	_Atomic uint64_t streams;	/* changes to a stream */
	_Atomic uint64_t copied;	/* changes back to copying */
	_Atomic uint64_t spliced;	/* bytes through pipes */
	_Atomic uint64_t refused;	/* no pipe, or splice() impossible */
	_Atomic uint64_t peeked;	/* reads without a free block */
};

/* Shared by all shuttles of a worker. */
struct shuttle_kit {
	struct bufpool	*pool;
	unsigned char	*scratch;	/* as large as a block */
	struct pipepool	*pipes;		/* NULL: never splice */
	size_t		 splice_max;	/* bytes a turn; 0: pipe capacity */
	size_t		 read_max;	/* the same of all reads; 0: no limit */
	struct shuttle_counts *counts;
};

enum shuttle_result {
	SHUTTLE_GOING,			/* see shuttle_wants_*() */
	SHUTTLE_ENDED,			/* end of file read, all is sent */
	SHUTTLE_FROM_FAILED,		/* errno; all bytes read are sent */
	SHUTTLE_TO_FAILED		/* errno; nothing more can be sent */
};

void	shuttle_init(struct shuttle *);

/* *from* is readable: moves what it can, at most one block. */
enum shuttle_result shuttle_read(struct shuttle *, const struct shuttle_kit *,
	    int from, int to);

/*
 * Reads and holds what it can. End of file, and bytes without a free block, are
 * left for a later read.
 */
enum shuttle_result shuttle_fetch(struct shuttle *, const struct shuttle_kit *,
	    int from);

/*
 * The bytes held in a block; and a note that the first *n* of them were sent.
 */
const void *shuttle_bytes(const struct shuttle *, const struct shuttle_kit *);
void	shuttle_sent(struct shuttle *, const struct shuttle_kit *, uint32_t n);

/*
 * *to* is writable: sends held bytes, or continues where it was stuck. If eof
 * was set while bytes were held, the result reports it when they are out.
 */
enum shuttle_result shuttle_write(struct shuttle *, const struct shuttle_kit *,
	    int from, int to);

/*
 * Sends *len* bytes of the caller, at most a block. SHUTTLE_TO_FAILED with
 * ENOBUFS: some were not sent and there is no block to hold them.
 */
enum shuttle_result shuttle_give(struct shuttle *, const struct shuttle_kit *,
	    int to, const void *bytes, size_t len);

/* *from* is readable: reads and drops, counted as sent. */
enum shuttle_result shuttle_discard(struct shuttle *,
	    const struct shuttle_kit *, int from);

/* Drops the held bytes, which then do not count as read. */
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
