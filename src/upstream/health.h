/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * health.h: the consequences of a check: whether the server is up, and when it
 * is checked next. The health is on the board; the count of results against it
 * only here.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"
#include "upstream/check_policy.h"

/* One server, as its checks see it. All 0 at first. */
struct health {
	uint32_t	run;		/* results in a row against it */
};

/*
 * Records the result of a check that took *ms*. True: the server went up or
 * down, and the board says so. For the prober.
 */
bool	health_note(struct health *, struct board *, uint32_t slot,
	    const struct check_policy *, bool passed, uint64_t ms,
	    uint64_t now);

/* The number of consecutive results that change this health. */
uint32_t health_needs(const struct check_policy *, enum server_health before);

/*
 * The time until the next check in ms. *dice* is a random number, a new one for
 * each call.
 */
uint64_t health_wait(const struct health *, const struct board *,
	    uint32_t slot, const struct check_policy *, uint32_t dice);

/*
 * Prepares the slot of a server that is checked, before any session uses it: if
 * its health is unknown it starts with init_state.
 */
void	health_sit_down(struct board *, uint32_t slot,
	    const struct check_policy *);

/* Its checks end: later its known health would be out of date. */
void	health_forget(struct board *, uint32_t slot);

#endif
