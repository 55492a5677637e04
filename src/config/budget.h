/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * budget.h: what a configuration needs of the system, and what the system has.
 * Workers use it, and -T prints it.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "config/diagnostics.h"

/* Bytes of a block: the most that one read takes. */
#define BUDGET_BLOCK	65536

struct budget {				/* of one worker */
	size_t		 descriptors;	/* limit of descriptors */
	size_t		 set_aside;	/* needed apart from sessions */
	unsigned	 each;		/* descriptors of one session */
	uint32_t	 sessions;	/* carried by the rest, or wanted */
	size_t		 needed;	/* descriptors for wanted sessions */
	uint32_t	 pipes;		/* 0: no room for pipes */
	uint32_t	 notes;		/* blocks for received headers */
	uint64_t	 own;		/* bytes of its address space */
	uint64_t	 memory;	/* with all sessions active */
	uint64_t	 sockets;	/* kernel memory in bytes, at least */
};

/* The descriptors for the configured number of sessions; 0: none configured. */
size_t	budget_needed(const struct conf *);

/*
 * The workers that the board has room for: the maximum, or four generations if
 * a limit of this process does not allow that.
 */
uint32_t budget_rows(const struct conf *);

/* Calculates what a worker can do with this many descriptors. */
void	budget_make(struct budget *, const struct conf *, size_t descriptors);

/*
 * Explains why the system did not provide *more* bytes of memory to a process
 * like this one, and what would help: a text to follow the error.
 */
const char *budget_no_memory(uint64_t more, char *buf, size_t size);

/* Local ports for connections to one address; 0: unknown. */
unsigned budget_ports(void);

/* Adds a diagnostic for each requirement that the system does not meet. */
void	budget_check(const struct budget *, const struct conf *,
	    struct diagnostics *);

#endif
