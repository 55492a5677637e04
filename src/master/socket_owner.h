/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * socket_owner.h: which process listens at an address that is in use.
 */
#ifndef SOCKET_OWNER_H
#define SOCKET_OWNER_H

#include <sys/types.h>

#include "net/addr.h"

/* The process, and its name as in ps(1). */
struct socket_owner {
	pid_t	pid;
	char	name[32];
};

/*
 * Find the process that has a listening socket which keeps another one from this
 * address; of several that share it, the oldest. For error messages: it reads
 * all of /proc. 0, or -1: it cannot be known, as for processes of other users.
 */
int	socket_owner_find(const struct addr *, struct socket_owner *);

#endif
