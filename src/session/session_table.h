/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_table.h: the slots of all sessions of one worker, and whose a
 * descriptor is. Made once at start-up as large as the descriptor limit allows;
 * memory is touched only when a session is the first to use it.
 */
#ifndef SESSION_TABLE_H
#define SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/session.h"

/* What is rarely asked of a session, apart so that an idle one stays small. */
struct session_cold {
	uint64_t	began;		/* when accepted, ms since 1970 */
	uint32_t	first_byte;	/* of the server; ms since it began */
	bool		answered;	/* there was one */
	/* While it looks for a server: see session_queue.c. */
	uint32_t	picked;		/* the first; ms since it began */
	bool		lent;		/* it tries, and keeps its place */
	bool		held;		/* there was no server at all */
	uint32_t	shared;		/* of a limit: see session_limits.c */
	uint8_t		spared;		/* dry_run let it in despite this end */
	/* Refused by a count: see session_park.c. */
	uint8_t		looks;
	uint32_t	asked;		/* at first; ms since it began */
};

struct session_table {
	struct session	*session;	/* by id */
	struct session_cold *cold;	/* likewise */
	uint32_t	*owner;		/* id and side, by descriptor */
	uint32_t	*free_id;	/* ids that were used before */
	uint32_t	 free_ids;
	uint32_t	 used;		/* ids from here on were never used */
	uint32_t	 limit;		/* most sessions at once */
	uint32_t	 live;
	size_t		 descriptors;	/* size of owner */
};

/*
 * Make the table for *limit* sessions over descriptors below *descriptors*. 0, or
 * -1 with ENOMEM; pair with table_free().
 */
int	table_init(struct session_table *, uint32_t limit, size_t descriptors);
void	table_free(struct session_table *);

/* Take a free slot, not to be called when table_full(); and give it back. */
struct session *table_take(struct session_table *);
void	table_give(struct session_table *, struct session *);

/* The descriptor is this side of this session from now on; and no longer. */
void	table_attach(struct session_table *, struct session *, int side,
	    int fd);
void	table_detach(struct session_table *, struct session *, int side);

/* Whose descriptor is this? NULL: of no session. */
struct session *table_owner(const struct session_table *, int fd, int *side);

static inline bool
table_full(const struct session_table *t)
{
	return t->live >= t->limit;
}

static inline uint32_t
table_id(const struct session_table *t, const struct session *s)
{
	return (uint32_t)(s - t->session);
}

#endif
