/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver.h: looks up again and again the names that the configuration wants so,
 * and writes on the board who their servers are. A part of the prober.
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

/* How many it has that can be looked up again. */
size_t	resolver_wanted(const struct conf *);

/*
 * Those of the configuration, if any. Reads files of the system: to be called
 * before these are out of reach. NULL, when the log has said why.
 */
struct resolver *resolver_new(const struct conf *, struct board *,
	    struct log *);
void	resolver_free(struct resolver *);

/* They are first looked up from here on, for descriptors below *limit*. 0, -1. */
int	resolver_start(struct resolver *, struct poller *, size_t limit);

/* Act on an event. False: the descriptor is not one of these. */
bool	resolver_event(struct resolver *, const struct poller_event *);

/* Look up what is due; to be called once a turn, after the events. */
void	resolver_turn(struct resolver *);

/* Milliseconds until resolver_turn() wants to be called; at most *limit*. */
int	resolver_wait(const struct resolver *, int limit);

#endif
