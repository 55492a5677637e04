/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * priv.h: who the processes that read from the network run as.
 */
#ifndef PRIV_H
#define PRIV_H

#include <sys/types.h>

#include <stdbool.h>

struct identity {
	char	name[64];
	uid_t	uid;
	gid_t	gid;
};

/*
 * Look up USER[:GROUP]; NULL is the default: `shuttled` if there is such an
 * account, else `nobody`. Returns 0, or -1 with *why set to a constant text.
 */
int	priv_look_up(const char *text, struct identity *, const char **why);

/* May this process bind ports that are not for everybody? */
bool	priv_has_low_ports(void);

/* May it connect from addresses that are not of this machine? */
bool	priv_has_foreign_addresses(void);

/*
 * Become *id* for good, when this process is root, with *dir* (NULL: none) as
 * the root of its file system; otherwise *id* must be who we are, and *dir*
 * NULL. No capability is left, whoever we were, but the one for foreign addresses
 * where that is asked for. 0, or -1 with errno set: the process must not go on.
 */
int	priv_drop(const struct identity *, const char *dir,
	    bool foreign_addresses);

#endif
