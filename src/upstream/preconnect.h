/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * preconnect.h: connections that a worker opens to its servers before any
 * session needs them, as many for each server as its preconnect=N says. A
 * session takes one that stands instead of connecting, and another is opened in
 * its place.
 *
 * A preconnected connection is no session: the board does not count it, the log
 * does not know it. One that the server ends is replaced after a second, so
 * that a server that ends them all sees no more than N of them in a second. One
 * that cannot be opened is a failure of the server, as it is for a session: it
 * is ejected, and no preconnected connection is opened or given out until a
 * session has found it to answer. Those of one that checks find down are
 * closed.
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
 * The descriptors that the preconnected connections of these servers take at
 * most.
 */
size_t	preconnect_sum(const struct server *list, size_t n);

/*
 * What they work with; all of it has to outlive them. Descriptors are below
 * *descriptors*, and *now* is the clock of the loop in ms.
 */
struct preconnect_env {
	const struct servers *servers;
	struct poller	*poller;
	struct log	*log;
	size_t		 descriptors;
	const uint64_t	*now;
};

/* Make the places; they are filled once the loop turns. NULL with ENOMEM. */
struct preconnects *preconnect_new(const struct preconnect_env *);
void	preconnect_free(struct preconnects *);

/*
 * A connection to this server whose end has not come, -1: there is none. It is
 * the caller's from now on, and still in the poller. There may be bytes in
 * it: a server that speaks first has spoken.
 */
int	preconnect_take(struct preconnects *, uint32_t server);

/* Act on an event. False: the descriptor is not one of these. */
bool	preconnect_event(struct preconnects *, const struct poller_event *);

/*
 * Open what is lacking. To be called once a turn, after the sessions have had
 * theirs: no client waits for it.
 */
void	preconnect_turn(struct preconnects *);

/* Milliseconds until preconnect_turn() wants to be called; at most *limit*. */
int	preconnect_wait(const struct preconnects *, int limit);

/* Close all, and open none any more. */
void	preconnect_close(struct preconnects *);

#endif
