/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* socket_owner.h: which process listens on an address that is in use. */
#ifndef SOCKET_OWNER_H
#define SOCKET_OWNER_H

#include <sys/types.h>

#include "net/addr.h"

/* A process, with its name as in ps(1). */
struct socket_owner {
	pid_t	pid;
	char	name[32];
};

/*
 * Finds the process with a listening socket that excludes this address; of
 * several that share it, the oldest. For error messages: it reads all of /proc.
 * 0, or -1: unknown, for example a process of another user.
 */
int	socket_owner_find(const struct addr *, struct socket_owner *);

#endif
