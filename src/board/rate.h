/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * rate.h: limits events to *max* in any second, over all processes. Time is cut
 * into slices of 1/16 s. The current slice and the 16 before it cover every
 * second that ends now, and a little more: a client that is always at the limit
 * gets 16/17 of it.
 *
 * There are no locks, and nothing to clean up: the counts of a dead process
 * expire after a second.
 */
#ifndef RATE_H
#define RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RATE_SLICES	24 /* counted ones, and some preconnected connection */
#define RATE_WAYS	16		/* clients that share a bucket */
#define RATE_BUCKETS	8192

/* Each slice: its number and count. Any process writes. */
struct rate {
	_Atomic uint64_t slice[RATE_SLICES];
};

/* Rates by client. A place becomes free a second after its last event. */
struct rate_bucket {
	_Alignas(64)
	_Atomic uint64_t owner[RATE_WAYS]; /* a client, and its last slice */
	struct rate	 rate[RATE_WAYS];
};

/* A counted event. */
struct rate_mark {
	struct rate	*rate;		/* NULL: none was */
	uint64_t	 slice;
};

/*
 * Counts one event now. False: *max* events were counted in this second, or the
 * slice passed before that was certain. If the event is refused for another
 * reason, rate_give() removes it.
 */
bool	rate_take(struct rate *, uint32_t max, struct rate_mark *);
void	rate_give(const struct rate_mark *);

/*
 * The same for a client, in a table of RATE_BUCKETS. False also if all places
 * of its bucket belong to clients of this second: none of them may be evicted.
 */
bool	rate_take_client(struct rate_bucket *, uint64_t client, uint32_t max,
	    struct rate_mark *);

#endif
