/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * health.h: what follows of a check: whether its server is up, and when it is
 * asked again. What it amounts to stands on the board; how many results in a row
 * spoke against that, only here.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"
#include "upstream/check_policy.h"

/* One server, as its checks see it. All 0 at first. */
struct health {
	uint32_t	run;		/* results in a row against what stands */
};

/*
 * A check has ended so, after *ms*. True: the server went up or down, which
 * stands on the board. For the prober.
 */
bool	health_note(struct health *, struct board *, uint32_t slot,
	    const struct check_policy *, bool passed, uint64_t ms,
	    uint64_t now);

/* How many results in a row decide about one that was so before. */
uint32_t health_needs(const struct check_policy *, enum server_health before);

/*
 * How long to wait until the next check, in ms. *dice* is any number, drawn anew
 * for each call.
 */
uint64_t health_wait(const struct health *, const struct board *,
	    uint32_t slot, const struct check_policy *, uint32_t dice);

/*
 * A server that is checked takes its slot, before any session uses it: if
 * nothing is known of it it begins as the plan says.
 */
void	health_sit_down(struct board *, uint32_t slot,
	    const struct check_policy *);

/* It is checked no more: what is known of it would be out of date some day. */
void	health_forget(struct board *, uint32_t slot);

#endif
