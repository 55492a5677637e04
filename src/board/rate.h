/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * rate.h: at most so many in any second, whoever of many processes asks. Time
 * is cut into slices of a 16th of a second. What is counted in the one that goes
 * on and in the 16 before it covers every second that ends now, and a little
 * more: who is always at the limit gets 16 of 17 parts of it.
 *
 * It needs no lock, and nobody to clear up: what a dead process has counted is
 * of no account a second later.
 */
#ifndef RATE_H
#define RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RATE_SLICES	24		/* those that count, and to spare */
#define RATE_WAYS	16		/* clients that may share a bucket */
#define RATE_BUCKETS	8192

/* Each slice: which one it is, and how many came in it. Any process writes. */
struct rate {
	_Atomic uint64_t slice[RATE_SLICES];
};

/* Rates by client. A place is given up a second after the last that it took. */
struct rate_bucket {
	_Alignas(64)
	_Atomic uint64_t owner[RATE_WAYS]; /* a client, and when it came last */
	struct rate	 rate[RATE_WAYS];
};

/* One that was counted. */
struct rate_mark {
	struct rate	*rate;		/* NULL: none was */
	uint64_t	 slice;
};

/*
 * Count one more, now. False: *max* have come within this second, or the
 * moment has passed before it could be said. One that is refused later on is to
 * be given back: then it has never been.
 */
bool	rate_take(struct rate *, uint32_t max, struct rate_mark *);
void	rate_give(const struct rate_mark *);

/*
 * The same for a client, in a table of RATE_BUCKETS. False as well when as many
 * others of its bucket as it has places came within this second: none of them
 * may be forgotten.
 */
bool	rate_take_client(struct rate_bucket *, uint64_t client, uint32_t max,
	    struct rate_mark *);

#endif
