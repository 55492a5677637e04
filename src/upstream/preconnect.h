/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * preconnect.h: connections that a worker opens to its backends before any session
 * needs them, as many for each backend as its spare=N says. A session takes one
 * that stands instead of connecting, and another is opened in its place.
 *
 * A spare is no session: the board does not count it, the log does not know it.
 * One that the backend ends is replaced after a second, so that a backend that
 * ends them all sees no more than N of them in a second. One that cannot be
 * opened is a failure of the backend, as it is for a session: it is held off,
 * and no spare is opened or given out until a session has found it to answer.
 * Those of one that checks find down are closed.
 */
#ifndef PRECONNECT_H
#define PRECONNECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/poller.h"
#include "log/log.h"
#include "upstream/server.h"

struct spares;

/* The descriptors that the spares of these backends take at most. */
size_t	spares_sum(const struct backend *list, size_t n);

/*
 * What they work with; all of it has to outlive them. Descriptors are below
 * *descriptors*, and *now* is the clock of the loop in ms.
 */
struct spares_env {
	const struct backends *backends;
	struct poller	*poller;
	struct log	*log;
	size_t		 descriptors;
	const uint64_t	*now;
};

/* Make the places; they are filled once the loop turns. NULL with ENOMEM. */
struct spares *spares_new(const struct spares_env *);
void	spares_free(struct spares *);

/*
 * A connection to this backend whose end has not come, -1: there is none. It is
 * the caller's from now on, and still in the poller. There may be bytes in
 * it: a server that speaks first has spoken.
 */
int	spare_take(struct spares *, uint32_t backend);

/* Act on an event. False: the descriptor is not one of these. */
bool	spares_event(struct spares *, const struct poller_event *);

/*
 * Open what is lacking. To be called once a turn, after the sessions have had
 * theirs: no client waits for it.
 */
void	spares_turn(struct spares *);

/* Milliseconds until spares_turn() wants to be called; at most *limit*. */
int	spares_wait(const struct spares *, int limit);

/* Close all, and open none any more. */
void	spares_close(struct spares *);

#endif
