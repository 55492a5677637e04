/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * lookup.h: a lookup that is repeated: its last answer, and when it is due.
 * Each has its own time and back-off. A failure keeps the last answer.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "prober/dns_client.h"
#include "proto/dns_message.h"

/* Maximum of records used of an answer. */
#define LOOKUP_RECORDS	(2 * CONF_RESOLVE)

#define LOOKUP_NEVER		UINT64_MAX

struct lookup;

/* Called after an answer with *why* NULL, or after a failure. */
typedef void lookup_news(struct lookup *, const char *why);

struct lookup {
	const struct conf *conf;
	const char	*host;
	int		 type;		/* see dns_message.h; 0: unused */
	lookup_news	*news;
	void		*arg;		/* for the owner */

	struct ask	*ask;		/* in progress, or NULL */
	bool		 tried;		/* the first lookup is over */
	bool		 known;		/* there was an answer */
	bool		 failing;	/* the last lookup failed */
	bool		 dated;		/* the answer has a TTL */
	bool		 nowhere;	/* an address was 0.0.0.0 or :: */
	unsigned	 row;		/* lookups in a row without a record */
	uint64_t	 due;		/* clock_now_ms() of the next one */
	size_t		 n;		/* records of the answer */
	unsigned char	(*ip)[16];	/* of A and AAAA */
	struct record	*service;	/* of SRV */
};

/*
 * Starts a lookup, unless one is in progress. *news* may be called before this
 * returns.
 */
void	lookup_start(struct lookup *, struct dns_client *);

/* Frees the answer; an answer still to come will be ignored. */
void	lookup_cancel(struct lookup *);

#endif
