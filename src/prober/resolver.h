/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver.h: looks up names regularly, as configured, and writes the addresses
 * of their servers on the board. A part of the prober.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

#include "board/board.h"
#include "config/conf.h"
#include "event/poller.h"
#include "log/log.h"

struct resolver;

/* The number of names in this configuration that are looked up regularly. */
size_t	resolver_wanted(const struct conf *);

/*
 * Prepares the lookups of the configuration. Reads files of the system, so call
 * it before confinement. NULL after a failure, which is logged.
 */
struct resolver *resolver_new(const struct conf *, struct board *,
	    struct log *);
void	resolver_free(struct resolver *);

/* Starts the lookups, on descriptors below *limit*. 0, or -1 with errno. */
int	resolver_start(struct resolver *, struct poller *, size_t limit);

/* Handles an event. False: the descriptor belongs to another owner. */
bool	resolver_event(struct resolver *, const struct poller_event *);

/* Starts due lookups; call it once a turn, after the events. */
void	resolver_turn(struct resolver *);

/* The time in ms until resolver_turn() must be called, at most *limit*. */
int	resolver_wait(const struct resolver *, int limit);

#endif
