/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * socket_option.h: options of sockets, set for both families where that takes
 * two calls. A failure of an option that is not vital is not reported.
 */
#ifndef SOCKET_OPTION_H
#define SOCKET_OPTION_H

#include <stdbool.h>

#include "net/socket.h"

/*
 * Holds a connection back from accept() until its client has sent bytes, or for
 * about *seconds*; 0: off. No effect on a unix socket.
 */
void	socket_defer_accept(int fd, unsigned seconds);

/*
 * Lets clients send their first bytes with the SYN (RFC 7413). No effect on a
 * unix socket or a system without it.
 */
void	socket_set_fast_open(int fd, bool on);

/*
 * Ends the connection if the peer acknowledges nothing for *ms*
 * (TCP_USER_TIMEOUT).
 */
void	socket_set_user_timeout(int fd, unsigned ms);

/*
 * How soon a silent peer is probed (SO_KEEPALIVE), at most four times, and how
 * long sent bytes may stay unacknowledged. Accepted sockets inherit both from
 * the listening one.
 */
struct peer_watch {
	unsigned	keepalive;	/* s, 0: never */
	unsigned	user_timeout;	/* ms, 0: the system's default */
};

void	socket_watch_peer(int fd, const struct peer_watch *);

/* Marks sent packets with this DSCP; accepted sockets inherit it. */
void	socket_set_dscp(int fd, int family, unsigned dscp);

/*
 * Allows addresses that do not belong to this machine; requires CAP_NET_RAW or
 * CAP_NET_ADMIN. 0, or -1 with errno.
 */
int	socket_set_transparent(int fd, int family, bool on);

/* Allows bind() to an address that this machine does not have yet. */
int	socket_set_freebind(int fd, int family);

/* Sends and receives on this interface only. */
int	socket_set_interface(int fd, const char *name);

/* True if a listening socket has the wanted v6only and interface. */
bool	socket_listens_as(int fd, const struct socket_listening *);

/* Defers the choice of a port from bind() to connect(). */
void	socket_set_late_port(int fd);

/* Sends small writes at once (TCP_NODELAY). */
void	socket_set_nodelay(int fd);

/* Leaves urgent bytes in the stream (SO_OOBINLINE). */
void	socket_set_urgent_inline(int fd);

/* How long the system stays silent after socket_vanish(), in ms. */
#define SOCKET_VANISHED_MS	60000

/*
 * From here on the peer receives nothing, not even the close. What it sends is
 * not acknowledged. Packets of this end, such as the FIN that the system
 * repeats for a minute after close(), have a hop limit of 1: they reach the
 * local network but pass no router. No effect on a unix socket.
 */
void	socket_vanish(int fd);

#endif
