/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sd_sockets.h: listening sockets and the service manager: those that it opens for
 * us, and ours, of which it keeps copies for the one that comes after us. See
 * sd_listen_fds(3) and, for its store of descriptors, sd_notify(3). Without a
 * manager nothing is done.
 */
#ifndef SD_SOCKETS_H
#define SD_SOCKETS_H

#include "config/conf.h"
#include "log/log.h"
#include "master/fd_inherit.h"

/*
 * Take what it has for us, and take that out of the environment. 0, or -1 with
 * errno set.
 */
int	sd_sockets_take(struct inheritance *);

/* Close those that no listener asks for; a warning names each. */
void	sd_sockets_check(struct inheritance *, const struct conf *,
	    struct log *);

/* Have it keep a copy, of listeners that are open and whose paths are ours. */
void	sd_sockets_keep(const struct conf *);

/*
 * Have it close its copies, but for those that *stays* has as well (NULL: none);
 * on return that is done. To be called before ours are closed, lest connections
 * come to the copy.
 */
void	sd_sockets_drop(const struct conf *goes, const struct conf *stays);

#endif
