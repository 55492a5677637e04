/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fd_inherit.h: what the process that started this one has left open for it: in
 * an upgrade the old master leaves its sockets, its board, and a channel.
 */
#ifndef FD_INHERIT_H
#define FD_INHERIT_H

#include <stddef.h>

#include "config/listener.h"

struct inventory;

struct inherited_socket {
	int		fd;		/* -1: taken by a listener */
	bool		ours;		/* remove its path at the end */
	char		wanted[ADDR_TEXT]; /* as configured; "": unknown */
	struct addr	addr;		/* as bound */
	struct file_id	path;		/* the file at a unix address */
	char		name[256];	/* given by the manager, or "" */
};

struct inheritance {
	struct inherited_socket *socket;
	size_t		 sockets;
	int		 board;		/* -1: none */
	int		 channel;	/* to the old master; -1: none */
	struct inventory *inventory;	/* of the old master, or NULL */
};

/*
 * Reads the list and removes it from the environment, so that no other process
 * inherits it. 0, or -1 with errno set: EINVAL if it is malformed. Pair with
 * fd_inherit_free().
 */
int	fd_inherit_read(struct inheritance *);

/*
 * Adds a socket from another source: *name* is its name there, *wanted* is ""
 * if unknown. The list owns *fd* from now on. 0, or -1 with errno set.
 */
int	fd_inherit_add(struct inheritance *, int fd, bool ours,
	    const char *wanted, const char *name);

/*
 * Closes every other descriptor above standard error: nothing was passed on
 * with it, and open descriptors are open in children, too.
 */
void	fd_inherit_close_others(const struct inheritance *);

/*
 * Gives this listener its socket: with the same configured address, or else
 * bound to the same one. Its path is claimed, not yet bound. False: there is
 * none.
 */
bool	fd_inherit_socket(struct inheritance *, struct listener *);

/* True if this listener would take the socket. */
bool	fd_inherit_matches(const struct inherited_socket *,
	    const struct listener *);

/*
 * The old master has ended: removes the paths of sockets that no listener has
 * taken, if this process owns them.
 */
void	fd_inherit_remove(struct inheritance *);

/* Closes sockets that no listener has taken. */
void	fd_inherit_free(struct inheritance *);

/*
 * Passes all of this to the program that this process is about to execute. For
 * the child of a fork: descriptors lose close-on-exec. 0, or -1 with errno set.
 */
int	fd_inherit_leave(int channel, int board,
	    const struct listener *listener, size_t listeners,
	    const struct listener *builtin, size_t builtins);

#endif
