/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver_assign.h: which of the servers that a name has got which of its
 * places. A server keeps its place, and so all that the board says of it, for
 * as long as it is among the answers.
 */
#ifndef RESOLVER_ASSIGN_H
#define RESOLVER_ASSIGN_H

#include <stddef.h>
#include <stdint.h>

#include "upstream/server.h"

/* One server among the answers. */
struct candidate {
	struct resolved_addr	resolved; /* address and weight as answered */
	uint16_t	priority;	/* the lowest come first */
	bool		assigned;		/* it serves already */
};

/* A question without an answer: what it found before is to stay. */
struct unanswered {
	uint16_t	origin;		/* see struct resolved_addr */
	uint16_t	family;
};

/* What has become of a server. */
enum resolver_assign_change {
	RESOLVER_ASSIGN_ADDED,
	RESOLVER_ASSIGN_REMOVED,
	RESOLVER_ASSIGN_CHANGED			/* its weight or priority */
};

typedef void resolver_assign_tell(void *, const struct server *,
	    const char *address, enum resolver_assign_change);

/* The places of one name: these have one lookup. */
struct resolver_assign {
	struct board	*board;
	const struct server *slot;
	uint32_t	 n;		/* at most CONF_PLACES … */
	uint32_t	 max;		/* … of which so many serve at a time */
	uint32_t	 pool;		/* on the board */
	enum server_health health;	/* of a new server */
	/* At most this: that of a server that may still be found. */
	uint16_t	 priority;
	bool		 keep_all;	/* nothing is known of any */
	const struct unanswered *keep;	/* nor of those that these found */
	size_t		 keeps;
	resolver_assign_tell	*tell;	/* of each change as it is made … */
	void		*arg;		/* … with this */
};

/*
 * Servers found, of which there are no two at the same address, take their
 * slots; these are put in order and given their share of the server's weight.
 * Returns how many came, went or have got another weight.
 */
unsigned resolver_assign_change(const struct resolver_assign *,
	    struct candidate *, size_t candidate);

/* The first look-up has failed: there is nothing to wait for. */
void	resolver_assign_fail(const struct resolver_assign *);

/* Has one of these slots got a server? */
bool	resolver_assign_taken(const struct resolver_assign *);

#endif
