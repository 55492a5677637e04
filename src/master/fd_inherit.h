/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fd_inherit.h: what the process that started this one has left open for it: the
 * master before an upgrade its sockets, its board, and a channel.
 */
#ifndef FD_INHERIT_H
#define FD_INHERIT_H

#include <stddef.h>

#include "config/listener.h"

struct inventory;

struct inherited_socket {
	int		fd;		/* -1: somebody has it */
	bool		ours;		/* its path is ours to remove */
	char		wanted[ADDR_TEXT]; /* asked for so; "": not known */
	struct addr	addr;		/* as bound */
	struct file_id	path;		/* what stands at a unix address */
	char		name[256];	/* by the service manager; else "" */
};

struct inheritance {
	struct inherited_socket *socket;
	size_t		 sockets;
	int		 board;		/* -1: none */
	int		 channel;	/* to the master before us; -1: none */
	struct inventory *inventory;	/* of what it ran; NULL: not known */
};

/*
 * Find out, and take it out of the environment so that nobody else inherits it.
 * 0, or -1 with errno set: EINVAL when it makes no sense. Pair with
 * fd_inherit_free().
 */
int	fd_inherit_read(struct inheritance *);

/*
 * One more, from elsewhere: *name* says where from, *wanted* is "" where that is
 * not known. It is ours from now on. 0, or -1 with errno set.
 */
int	fd_inherit_add(struct inheritance *, int fd, bool ours,
	    const char *wanted, const char *name);

/*
 * Close every other descriptor above standard error: nothing was handed over by
 * it, and what this process has open is open in its children, too.
 */
void	fd_inherit_close_others(const struct inheritance *);

/*
 * The socket for this listener, which then has it: asked for in the same words,
 * or else bound to the same address. Its path is claimed, not yet bound. False:
 * there is none.
 */
bool	fd_inherit_socket(struct inheritance *, struct listener *);

/* Would this listener take it? */
bool	fd_inherit_matches(const struct inherited_socket *,
	    const struct listener *);

/*
 * The one before has gone: remove the paths of sockets that nobody has taken, if
 * they are ours.
 */
void	fd_inherit_remove(struct inheritance *);

/* Close what nobody has taken. */
void	fd_inherit_free(struct inheritance *);

/*
 * Leave all of this to the program that this process is about to become. For the
 * child of a fork: descriptors lose close-on-exec. 0, or -1 with errno set.
 */
int	fd_inherit_leave(int channel, int board,
	    const struct listener *listener, size_t listeners,
	    const struct listener *builtin, size_t builtins);

#endif
