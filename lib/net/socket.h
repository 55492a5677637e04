/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * socket.h: sockets: listening, accepting, connecting, ending. Every descriptor
 * made here is close-on-exec and non-blocking. All return -1 with errno set on error.
 */
#ifndef SOCKET_H
#define SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

/* What has to be known before a socket listens; zero is as ever. */
struct socket_listening {
	bool		 v6only;	/* the IPv6 any-address: not for IPv4 */
	bool		 transparent;	/* for addresses of others, too */
	bool		 freebind;	/* the address may come later */
	const char	*interface;	/* NULL: any */
};

/*
 * A listening socket on *a*, backlog as large as the system allows. What
 * accepted sockets inherit from it is set here once: TCP_NODELAY, SO_KEEPALIVE,
 * SO_OOBINLINE.
 * *a* is rewritten with the address that was bound (port 0: the port chosen).
 * The any-address falls back to IPv4 where the system has no IPv6.
 * A unix socket is open to all (mode 0666), as a port is: its directory says who
 * may reach it. A path that nobody listens on is taken over; EADDRINUSE when
 * somebody does, EEXIST when it is not a socket.
 */
int	socket_listen(struct addr *a);
int	socket_listen_as(struct addr *a, const struct socket_listening *);

/*
 * Set a socket that somebody else listens on like one of socket_listen(). EINVAL:
 * it is no listening stream socket of a family that we know.
 */
int	socket_adopt(int fd);

/*
 * At most so many connections wait to be accepted, cut down to
 * net.core.somaxconn; 0: as many as that.
 */
void	socket_set_backlog(int fd, unsigned n);

/*
 * Does it listen? Any process that has a copy of it may have shut it down. One
 * of TCP, with a port that was asked for, can listen again: 0, or -1.
 */
bool	socket_listens(int fd);
int	socket_listen_again(int fd);

/* Accept one connection. EAGAIN: none is waiting. */
int	socket_accept(int fd, struct endpoint *from);

/*
 * Begin to connect to *a*. Returns the socket with *pending* telling whether
 * the answer is still to come (wait for writable, then socket_connected()).
 */
int	socket_connect(const struct addr *a, int *pending);

/*
 * The same, with the first of *len* bytes in the request itself (RFC 7413).
 * *went* tells how many, 0 where the two systems have not agreed on it: when the
 * connection stands, these have arrived or will.
 */
int	socket_connect_with(const struct addr *a, const void *bytes, size_t len,
	    uint32_t *went, int *pending);

/*
 * The same in steps, for who has something to set before: a socket, perhaps
 * the address that it connects from, its port chosen by the system, and the
 * beginning. When that fails with EADDRNOTAVAIL another address can be bound.
 */
int	socket_new_stream(int family);
int	socket_bind_source(int fd, const struct addr *a);
int socket_begin_connect(int fd, const struct addr *a, const void *bytes,
    size_t len, uint32_t *went, int *pending);

/*
 * May a socket have this address now, on this interface (NULL: any)? 0, or -1
 * with errno set: EADDRNOTAVAIL or EAFNOSUPPORT if this machine lacks it.
 */
int	socket_can_bind(const struct addr *, const char *interface);

/*
 * A socket that sends datagrams to *a*. On a unix socket the receiver may be
 * missing, now or later: socket_redirect() looks for it again.
 */
int	socket_new_datagram(const struct addr *a);
int	socket_redirect(int fd, const struct addr *a);

/* Has the peer of a stream ended it, or the network? */
bool	socket_ended(int fd);

/* The address of our end. 0, or -1. */
int	socket_local_addr(int fd, struct addr *);

/* 0: it stands; -1: it failed and errno says why. */
int	socket_connected(int fd);

/*
 * What was lacking when a call that opens a connection failed with this error?
 * Only LACK_NOTHING says something of the peer or the way to it.
 */
enum socket_lack {
	LACK_NOTHING,
	LACK_OF_OURS,			/* descriptors, memory: for any call */
	LACK_PORT,			/* a local port, towards this peer */
	LACK_ROOM			/* a place in a unix socket's queue */
};

enum socket_lack socket_lack(int err);

/* No more will be sent. The peer reads end of file after what was sent. */
int	socket_shut_write(int fd);

/* Close with a reset (RFC 9293, section 3.10.5); unsent bytes are dropped. */
void	socket_abort(int fd);

/* Bytes sent and not yet acknowledged by the peer's system; 0 if unknown. */
int	socket_unacked(int fd);

#endif
