/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver_assign.h: which of the servers that a name has got which of its backends. A
 * server keeps its backend, and so all that the board says of it, for as long as
 * it is among the answers.
 */
#ifndef RESOLVER_ASSIGN_H
#define RESOLVER_ASSIGN_H

#include <stddef.h>
#include <stdint.h>

#include "upstream/server.h"

/* One server among the answers. */
struct found {
	struct site	site;		/* address and weight as answered */
	uint16_t	priority;	/* the lowest come first */
	bool		seated;		/* it serves already */
};

/* A question without an answer: what it found before is to stay. */
struct unanswered {
	uint16_t	origin;		/* see struct site */
	uint16_t	family;
};

/* What has become of a server. */
enum seating_change {
	SEATING_ADDED,
	SEATING_REMOVED,
	SEATING_CHANGED			/* its weight or priority */
};

typedef void seating_tell(void *, const struct backend *, const char *address,
	    enum seating_change);

/* The backends of one name: these have one question. */
struct seating {
	struct board	*board;
	const struct backend *seat;
	uint32_t	 n;		/* at most CONF_PLACES … */
	uint32_t	 max;		/* … of which so many serve at a time */
	uint32_t	 pool;		/* on the board */
	enum backend_health health;	/* of a new server */
	/* At most this: that of a server that may still be found. */
	uint16_t	 priority;
	bool		 keep_all;	/* nothing is known of any */
	const struct unanswered *keep;	/* nor of those that these found */
	size_t		 keeps;
	seating_tell	*tell;		/* of each change as it is made … */
	void		*arg;		/* … with this */
};

/*
 * Servers found, of which there are no two at the same address, take their
 * seats; these are put in order and given their share of the backend's weight.
 * Returns how many came, went or have got another weight.
 */
unsigned seating_change(const struct seating *, struct found *, size_t found);

/* The first look-up has failed: there is nothing to wait for. */
void	seating_fail(const struct seating *);

/* Has one of these seats got a server? */
bool	seating_taken(const struct seating *);

#endif
