/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver_assign.h: assigns the servers of a name to its places. A server
 * keeps its place, and so its state on the board, for as long as it is among
 * the answers.
 */
#ifndef RESOLVER_ASSIGN_H
#define RESOLVER_ASSIGN_H

#include <stddef.h>
#include <stdint.h>

#include "upstream/server.h"

/* A server among the answers. */
struct candidate {
	struct resolved_addr	resolved; /* address and weight as answered */
	uint16_t	priority;	/* the lowest is preferred */
	bool		assigned;		/* it serves already */
};

/* A lookup without an answer: the servers it found before stay. */
struct unanswered {
	uint16_t	origin;		/* see struct resolved_addr */
	uint16_t	family;
};

/* The change of a server. */
enum resolver_assign_change {
	RESOLVER_ASSIGN_ADDED,
	RESOLVER_ASSIGN_REMOVED,
	RESOLVER_ASSIGN_CHANGED			/* its weight or priority */
};

typedef void resolver_assign_tell(void *, const struct server *,
	    const char *address, enum resolver_assign_change);

/* The places of one name, which share a lookup. */
struct resolver_assign {
	struct board	*board;
	const struct server *slot;
	uint32_t	 n;		/* at most CONF_PLACES … */
	uint32_t	 max;		/* … of which this many may serve */
	uint32_t	 pool;		/* on the board */
	enum server_health health;	/* of a new server */
	/* At most this: the priority of servers that may still be found. */
	uint16_t	 priority;
	bool		 keep_all;	/* the lookup has no answer */
	const struct unanswered *keep;	/* nor have these */
	size_t		 keeps;
	resolver_assign_tell	*tell;		/* called for each change … */
	void		*arg;		/* … with this */
};

/*
 * Assigns the found servers, of which no two have the same address, to places;
 * orders them and distributes the weight of the configured server. Returns the
 * number that were added, removed or changed.
 */
unsigned resolver_assign_change(const struct resolver_assign *,
	    struct candidate *, size_t candidate);

/* The first lookup has failed: sessions stop waiting for it. */
void	resolver_assign_fail(const struct resolver_assign *);

/* True if one of these places has a server. */
bool	resolver_assign_taken(const struct resolver_assign *);

#endif
