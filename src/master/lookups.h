/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * lookups.h: resolves host names beside a process that has other work: in
 * children, all at once, with one deadline.
 */
#ifndef LOOKUPS_H
#define LOOKUPS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"

/*
 * Maxima of processes, and of threads in each: with 16,384 names without an
 * answer, the next one is still looked up. With fewer descriptors or processes
 * there are fewer.
 */
#define LOOKUPS_CHILDREN	64
#define LOOKUPS_THREADS		256

struct lookups_page;

struct lookups {
	struct hosts	*hosts;		/* the names, and their results */
	struct lookups_page *page;	/* shared with the children */
	size_t		 size;
	pid_t		 child[LOOKUPS_CHILDREN];	/* 0: it has ended */
	unsigned	 children;	/* children that have not ended */
	_Atomic uint32_t own;		/* in a child: its first name */
	uint64_t	 deadline;	/* clock_now_ms() */
};

/* Time for all of them, in ms. */
#define LOOKUPS_TIME	10000

/*
 * Starts, for *ms* at most. The children call *leave* with its argument, to
 * close what they do not need, and switch to *user* if started by root; both
 * may be NULL. 0, or -1 with errno set. Pair with lookups_end().
 */
int	lookups_begin(struct lookups *, struct hosts *, uint64_t ms,
	    const struct identity *user, void (*leave)(void *), void *);

/* A process has ended. False: it was none of these. */
bool	lookups_reaped(struct lookups *, pid_t);

/* True if all is resolved, or the time is over. */
bool	lookups_done(const struct lookups *);

/* The time left, in ms. */
int	lookups_wait(const struct lookups *);

/*
 * Stores the results; names without one get ADDR_LATE. Remaining children are
 * killed, and must be reaped as others are.
 */
void	lookups_end(struct lookups *);

/*
 * All of the above, for a process without other work: the result is that of
 * lookups_begin(), or the number of a signal that came meanwhile and ends the
 * process: TERM, INT or QUIT, which stay blocked. No child is left.
 */
int	lookups_run(struct hosts *, uint64_t ms);

#endif
