/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * lookup.h: one question to the name servers, asked again and again: its last
 * answer, and when it is due. Each has a time and a back-off of its own. A
 * failure leaves the last answer as it is.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "prober/dns_client.h"
#include "proto/dns_message.h"

/* As many records of an answer are looked at. */
#define LOOKUP_RECORDS	(2 * CONF_RESOLVE)

#define LOOKUP_NEVER		UINT64_MAX

struct lookup;

/* It was answered, or it failed: *why*, which is NULL after an answer. */
typedef void lookup_news(struct lookup *, const char *why);

struct lookup {
	const struct conf *conf;
	const char	*host;
	int		 type;		/* see dns_message.h; 0: it is not asked */
	lookup_news	*news;
	void		*arg;		/* of the owner */

	struct ask	*ask;		/* it is under way; NULL: it is not */
	bool		 tried;		/* the first look-up is over */
	bool		 known;		/* there was an answer */
	bool		 failing;	/* the last look-up failed */
	bool		 dated;		/* the answer says how long it is good */
	bool		 nowhere;	/* an address was 0.0.0.0 or :: */
	unsigned	 row;		/* look-ups in a row without a record */
	uint64_t	 due;		/* clock_now_ms() of the next look-up */
	size_t		 n;		/* records of the answer */
	unsigned char	(*ip)[16];	/* of A and AAAA */
	struct record	*service;	/* of SRV */
};

/* Ask, unless it is under way. The news may come before this returns. */
void	lookup_start(struct lookup *, struct dns_client *);

/* Forget it; an answer that is still to come is not wanted any more. */
void	lookup_cancel(struct lookup *);

#endif
