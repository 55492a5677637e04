/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * egress.h: how connections to a server leave this machine: from which address,
 * through which interface, marked how. Zero is as the system does it.
 */
#ifndef EGRESS_H
#define EGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/socket_option.h"

#define EGRESS_SOURCES	16

struct egress {
	struct endpoint	source[EGRESS_SOURCES];
	uint32_t	sources;	/* 0: the system chooses */
	unsigned	dscp;		/* 0 … 63 */
	const char	*interface;	/* NULL: any */
	bool		transparent;	/* from the client's own address */
	bool		freebind;	/* sources need not be of an interface */
	struct peer_watch watch;
};

/* One connection on its way out. */
struct connect_request {
	const struct addr *to;
	const struct endpoint *client;	/* NULL: it is for ourselves */
	uint16_t	port;		/* for a server without one */
	uint32_t	turn;		/* which source comes first */
	const void	*bytes;		/* first ones, see socket_connect_with() */
	size_t		len;
	uint32_t	went;		/* of these */
	int		pending;	/* the answer is still to come */
};

/*
 * Begin to connect. When a source has no port left the next one is taken;
 * EADDRNOTAVAIL: none of them has. EAFNOSUPPORT: no source, or the client is
 * not, of the family that the server is of. A client of a unix socket has no
 * address: it is connected from ours. Returns the socket, or -1.
 */
int	egress_connect(const struct egress *, struct connect_request *);

/* Is there a source for servers of this family, or none asked for? */
bool	egress_serves(const struct egress *, int family);

/* Sources for servers of this family; 1 where the system chooses. */
uint32_t egress_sources(const struct egress *, int family);

#endif
