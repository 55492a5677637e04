/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * budget.h: what a configuration needs of the system, and what the system has.
 * Workers go by it, and -T shows it.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "config/diagnostics.h"

/* Bytes of a block: what one read takes at most. */
#define BUDGET_BLOCK	65536

struct budget {				/* of one worker */
	size_t		 descriptors;	/* it may have so many */
	size_t		 set_aside;	/* and needs these for itself */
	unsigned	 each;		/* descriptors of one session */
	uint32_t	 sessions;	/* the rest carries, up to the wanted */
	size_t		 needed;	/* descriptors for those wanted */
	uint32_t	 pipes;		/* 0: there is no room for any */
	uint32_t	 notes;		/* blocks for headers that come */
	uint64_t	 own;		/* bytes of its address space */
	uint64_t	 memory;	/* with all sessions at work */
	uint64_t	 sockets;	/* bytes of the kernel, at least */
};

/* The descriptors that carry the sessions asked for; 0: no number was. */
size_t	budget_needed(const struct conf *);

/*
 * Workers that the board is to have room for: as many as there can be, where no
 * limit of this process is in the way, or else four generations.
 */
uint32_t budget_rows(const struct conf *);

/* What a worker can do with so many descriptors. */
void	budget_make(struct budget *, const struct conf *, size_t descriptors);

/*
 * Why the system did not give *more* bytes of memory to a process like this one,
 * and what would be right: to stand behind the error.
 */
const char *budget_no_memory(uint64_t more, char *buf, size_t size);

/* Local ports, for connections to any one address; 0: unknown. */
unsigned budget_ports(void);

/* Complain of what the system does not carry. */
void	budget_check(const struct budget *, const struct conf *,
	    struct diagnostics *);

#endif
