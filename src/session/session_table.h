/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_table.h: the slots of all sessions of one worker, and the owners of
 * descriptors. Created once at start-up, as large as the descriptor limit
 * allows; memory is first touched on first use.
 */
#ifndef SESSION_TABLE_H
#define SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/session.h"

/* Rarely used members of a session, apart so that an idle one stays small. */
struct session_cold {
	uint64_t	began;		/* when accepted, ms since 1970 */
	uint32_t	first_byte;	/* of the server; ms since it began */
	bool		answered;	/* the server sent a byte */
	/* While it looks for a server: see session_queue.c. */
	uint32_t	picked;		/* the first; ms since it began */
	bool		lent;		/* it tries, and keeps its place */
	bool		held;		/* there was no server at all */
	uint32_t	shared;		/* of a limit: see session_limits.c */
	uint8_t		spared;		/* refusal that dry_run ignored */
	/* Refused by a count: see session_park.c. */
	uint8_t		looks;
	uint32_t	asked;		/* first refusal; ms since it began */
};

struct session_table {
	struct session	*session;	/* by id */
	struct session_cold *cold;	/* likewise */
	uint32_t	*owner;		/* id and side, by descriptor */
	uint32_t	*free_id;	/* ids that are free again */
	uint32_t	 free_ids;
	uint32_t	 used;		/* ids from here on are unused */
	uint32_t	 limit;		/* maximum of live sessions */
	uint32_t	 live;
	size_t		 descriptors;	/* size of owner */
};

/*
 * Makes the table for *limit* sessions over descriptors below *descriptors*. 0,
 * or -1 with ENOMEM; pair with table_free().
 */
int	table_init(struct session_table *, uint32_t limit, size_t descriptors);
void	table_free(struct session_table *);

/* Takes a free slot; must not be called if table_full(). And frees it. */
struct session *table_take(struct session_table *);
void	table_give(struct session_table *, struct session *);

/* Records that the descriptor is this side of this session; or no longer. */
void	table_attach(struct session_table *, struct session *, int side,
	    int fd);
void	table_detach(struct session_table *, struct session *, int side);

/* The session and side of this descriptor, or NULL. */
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
