/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * egress.h: how connections to a server leave this machine: source address,
 * interface, marks. Zero is the default of the system.
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
	bool		freebind;	/* a source may be absent yet */
	struct peer_watch watch;
};

/* A connect request. */
struct connect_request {
	const struct addr *to;
	const struct endpoint *client;	/* NULL: not for a client */
	uint16_t	port;		/* for a server without one */
	uint32_t	turn;		/* index of the first source tried */
	const void	*bytes;		/* sent with the SYN, if possible */
	size_t		len;
	uint32_t	went;		/* of these */
	int		pending;	/* the answer is still to come */
};

/*
 * Begins to connect. If a source address has no port left the next one is
 * taken; EADDRNOTAVAIL: none has one. EAFNOSUPPORT: no source address, or not
 * the client, is of the family of the server. A client on a unix socket has no
 * address: its connection uses this machine's. Returns the socket, or -1 with
 * errno.
 */
int	egress_connect(const struct egress *, struct connect_request *);

/*
 * True if servers of this family can be reached: a source address of that
 * family exists, or none is configured.
 */
bool	egress_serves(const struct egress *, int family);

/* The number of source addresses for this family; 1 if the system chooses. */
uint32_t egress_sources(const struct egress *, int family);

#endif
