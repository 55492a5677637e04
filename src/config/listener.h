/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * listener.h: the listening sockets. The master opens them, workers inherit
 * them.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "log/log.h"
#include "net/addr.h"
#include "net/socket.h"
#include "net/socket_option.h"
#include "session/session_env.h"
#include "sys/safe_file.h"
#include "upstream/builtin.h"

struct listener {
	char		name[ADDR_TEXT]; /* as bound, for logs */
	char		wanted[ADDR_TEXT]; /* as configured, with port 0 */
	char		label[64];	/* name of its sessions in the log */
	struct addr	addr;
	int		fd;		/* -1: not open */
	bool		bound;		/* remove its path at the end */
	struct file_id	path;		/* the file created there */
	bool		claimed;	/* to be bound at the end */
	const char	*fault;		/* of its old socket, or NULL */
	int		fault_errno;	/* why it is kept; 0: replaced */
	int		replaces;	/* closed old descriptor, or 0 */
	enum builtin_kind builtin;	/* of a builtin server, else NONE */
	size_t		server;	/* its server, if builtin */
	const char	*log;		/* NULL: the main log */
	uint32_t	own_log;	/* of the configuration, from 1 */
	bool		silent;		/* its sessions are not logged */
	uint32_t	pool;		/* of its sessions */
	struct session_limits limits;
	struct session_counts counts;
	uint32_t	slot;		/* on the board, if it has a label */
	uint32_t	limit;		/* its shared limit, from 1; 0: none */
	unsigned	defer_accept;	/* s, 0: off */
	bool		fast_open;
	const struct cidr *allow, *deny;	/* of the configuration */
	enum session_rejection reject_with;
	struct socket_listening how;
	struct peer_watch watch;
	unsigned	backlog;	/* 0: the maximum of the system */
	unsigned	dscp;
	const struct cidr *proxies;	/* peers that send a header */
	bool		untrusted_plain; /* serve other peers without one */
};

/* Opens it; address and name become those that were bound. -1 with errno. */
int	listener_open(struct listener *);

/*
 * Returns why an open listener gets no clients, a constant text to follow its
 * name; NULL: no fault.
 */
const char *listener_fault(const struct listener *);

/* Logs that it listens. */
void	listener_log(const struct listener *, struct log *);

/*
 * Sets what can change while it listens: inherited options of accepted sockets,
 * deferred accept, backlog.
 */
void	listener_tune(const struct listener *);

/* Closes the descriptor of this process; other processes keep theirs. */
void	listener_close(struct listener *);

/*
 * Removes the path of a unix socket from the file system, if it is still the
 * one that was opened. For the process that opened it.
 */
void	listener_remove(struct listener *);

#endif
