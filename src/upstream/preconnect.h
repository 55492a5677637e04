/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * preconnect.h: connections that a worker opens to its servers before any
 * session needs them, as many for each server as its preconnect=N. A session
 * takes an open one instead of connecting, and another is opened in its place.
 *
 * A preconnected connection is not a session: the board does not count it, and
 * it is not logged. One that the server ends is replaced after a second, so a
 * server that ends them all sees at most N of them a second. One that cannot be
 * opened counts as a failure of the server, which may eject it; then none is
 * opened or used until a session has got an answer. Those of a server that
 * checks find down are closed.
 */
#ifndef PRECONNECT_H
#define PRECONNECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/poller.h"
#include "log/log.h"
#include "upstream/server.h"

struct preconnects;

/*
 * The most descriptors that the preconnected connections of these servers use.
 */
size_t	preconnect_sum(const struct server *list, size_t n);

/*
 * Their environment, which must outlive them. Descriptors are below
 * *descriptors*; *now* is the clock of the loop in ms.
 */
struct preconnect_env {
	const struct servers *servers;
	struct poller	*poller;
	struct log	*log;
	size_t		 descriptors;
	const uint64_t	*now;
};

/* Makes the places; they are filled once the loop runs. NULL with ENOMEM. */
struct preconnects *preconnect_new(const struct preconnect_env *);
void	preconnect_free(struct preconnects *);

/*
 * A connection to this server that has not ended, or -1. The caller owns it
 * from now on; it is still in the poller. It may have bytes, if the server
 * speaks first.
 */
int	preconnect_take(struct preconnects *, uint32_t server);

/* Handles an event. False: the descriptor belongs to another owner. */
bool	preconnect_event(struct preconnects *, const struct poller_event *);

/*
 * Opens what is missing. Call it once a turn, after the sessions: no client
 * waits for it.
 */
void	preconnect_turn(struct preconnects *);

/* The time in ms until preconnect_turn() must be called, at most *limit*. */
int	preconnect_wait(const struct preconnects *, int limit);

/* Closes all, and opens none any more. */
void	preconnect_close(struct preconnects *);

#endif
