/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sd_sockets.h: listening sockets and the service manager: those that it opens
 * for this service, and copies that it keeps for the next one. See
 * sd_listen_fds(3) and, for its store of descriptors, sd_notify(3). Without a
 * manager nothing happens.
 */
#ifndef SD_SOCKETS_H
#define SD_SOCKETS_H

#include "config/conf.h"
#include "log/log.h"
#include "master/fd_inherit.h"

/*
 * Takes the sockets of the manager, and removes them from the environment. 0,
 * or -1 with errno set.
 */
int	sd_sockets_take(struct inheritance *);

/* Closes those without a listener; each is logged as a warning. */
void	sd_sockets_check(struct inheritance *, const struct conf *,
	    struct log *);

/* Has it keep copies of open listeners whose paths this process owns. */
void	sd_sockets_keep(const struct conf *);

/*
 * Has it close its copies, except those that *stays* has as well (NULL: none),
 * and waits for that. Call it before the listeners are closed, or connections
 * would go to the copies.
 */
void	sd_sockets_drop(const struct conf *goes, const struct conf *stays);

#endif
