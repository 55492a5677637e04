/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * lookups.h: names of hosts are looked up beside a process that has other things
 * to do: by children of it, all at once, with one deadline.
 */
#ifndef LOOKUPS_H
#define LOOKUPS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"

/*
 * So many processes at most, and threads in each: 16,384 names can be without an
 * answer, and the next one is looked up all the same. With fewer descriptors or
 * processes there are fewer.
 */
#define LOOKUPS_CHILDREN	64
#define LOOKUPS_THREADS		256

struct lookups_page;

struct lookups {
	struct hosts	*hosts;		/* what is to be known */
	struct lookups_page *page;	/* shared with the children */
	size_t		 size;
	pid_t		 child[LOOKUPS_CHILDREN];	/* 0: it has ended */
	unsigned	 children;	/* that have not */
	_Atomic uint32_t own;		/* of a child: its first name */
	uint64_t	 deadline;	/* clock_now_ms() */
};

/* How long all of them may take, in ms. */
#define LOOKUPS_TIME	10000

/*
 * Begin, for *ms* at most. The children call *leave* with its argument, to let go
 * of what is not theirs, and become *user* if root starts them; both may be NULL.
 * 0, or -1 with errno set. Pair with lookups_end().
 */
int	lookups_begin(struct lookups *, struct hosts *, uint64_t ms,
	    const struct identity *user, void (*leave)(void *), void *);

/* A process has ended. False: it was none of these. */
bool	lookups_reaped(struct lookups *, pid_t);

/* Is all known, or the time over? */
bool	lookups_done(const struct lookups *);

/* Milliseconds until it is over. */
int	lookups_wait(const struct lookups *);

/*
 * Write down what was found; what was not is ADDR_LATE. Children that are left are
 * killed, and are to be reaped as others are.
 */
void	lookups_end(struct lookups *);

/*
 * All of it, for a process that has nothing else to do. Likewise; or the number
 * of a signal that came meanwhile and ends the process: TERM, INT or QUIT. These
 * are held back from then on. No child is left.
 */
int	lookups_run(struct hosts *, uint64_t ms);

#endif
