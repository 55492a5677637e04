/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * socket_option.h: options of sockets, for both families at once where that takes
 * two calls. What is not vital is not reported.
 */
#ifndef SOCKET_OPTION_H
#define SOCKET_OPTION_H

#include <stdbool.h>

#include "net/socket.h"

/*
 * Hold a connection back from accept() until its client has sent something, or
 * for about so many seconds; 0: not at all. On a unix socket it does nothing.
 */
void	socket_defer_accept(int fd, unsigned seconds);

/*
 * Let clients send their first bytes with the request to connect (RFC 7413). On
 * a unix socket, or where the system does not offer that, it does nothing.
 */
void	socket_set_fast_open(int fd, bool on);

/* End it when the peer takes nothing for so many ms (TCP_USER_TIMEOUT). */
void	socket_set_user_timeout(int fd, unsigned ms);

/*
 * When a silent peer is asked whether it is there (SO_KEEPALIVE), four times at
 * most, and how long any peer may leave us without an answer. Accepted sockets
 * inherit both from the listening one.
 */
struct peer_watch {
	unsigned	keepalive;	/* s, 0: never */
	unsigned	user_timeout;	/* ms, 0: as the system does it */
};

void	socket_watch_peer(int fd, const struct peer_watch *);

/* Mark what is sent with this DSCP; accepted sockets inherit it. */
void	socket_set_dscp(int fd, int family, unsigned dscp);

/*
 * Let it have addresses that are not of this machine: for CAP_NET_RAW and
 * CAP_NET_ADMIN.
 */
int	socket_set_transparent(int fd, int family, bool on);

/* It may be bound to an address that this machine does not have yet. */
int	socket_set_freebind(int fd, int family);

/* Send and receive by this interface only. */
int	socket_set_interface(int fd, const char *name);

/* Does one that listens already have v6only and interface, if they are wanted? */
bool	socket_listens_as(int fd, const struct socket_listening *);

/* Let bind() leave the choice of a port to connect(). */
void	socket_set_late_port(int fd);

/* Send at once what is written from now on, however little (TCP_NODELAY). */
void	socket_set_nodelay(int fd);

/* Let urgent bytes be read where they stand among the others (SO_OOBINLINE). */
void	socket_set_urgent_inline(int fd);

/* How long the system stays silent for us after socket_vanish(), in ms. */
#define SOCKET_VANISHED_MS	60000

/*
 * From here on let the peer hear nothing more, not even of the close. What it
 * sends is not acknowledged; and what we send, be it an end of file that the
 * system repeats for a minute after close(), goes no further than to the first
 * router. Who is in the same network does see that. On a unix socket it
 * does nothing.
 */
void	socket_vanish(int fd);

#endif
