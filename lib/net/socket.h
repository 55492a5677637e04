/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * socket.h: listen, accept, connect, end. Every descriptor made here is
 * close-on-exec and non-blocking. All functions return -1 with errno set on
 * error.
 */
#ifndef SOCKET_H
#define SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

/* Options that are set before listen(); zero is the default. */
struct socket_listening {
	bool		 v6only;	/* the IPv6 any-address excludes IPv4 */
	bool		 transparent;	/* also for addresses of other hosts */
	bool		 freebind;	/* the address may be added later */
	const char	*interface;	/* NULL: any */
};

/*
 * Returns a listening socket on *a* with the largest backlog that the system
 * allows. Accepted sockets inherit TCP_NODELAY, SO_KEEPALIVE and SO_OOBINLINE.
 * *a* is rewritten with the bound address (port 0: the port chosen). The
 * any-address falls back to IPv4 on a system without IPv6. A unix socket has
 * mode 0666: its directory restricts access. A path without a listener is
 * replaced; EADDRINUSE if a process listens on it, EEXIST if it is not a
 * socket.
 */
int	socket_listen(struct addr *a);
int	socket_listen_as(struct addr *a, const struct socket_listening *);

/*
 * Sets the options of socket_listen() on an inherited listening socket. EINVAL:
 * not a listening stream socket of a known family.
 */
int	socket_adopt(int fd);

/*
 * Limits the backlog to *n* connections, capped at net.core.somaxconn; 0: the
 * cap itself.
 */
void	socket_set_backlog(int fd, unsigned n);

/*
 * socket_listens(): true if it listens; any process with a copy may have shut
 * it down. socket_listen_again(): resumes that for a TCP socket with a fixed
 * port. 0, or -1.
 */
bool	socket_listens(int fd);
int	socket_listen_again(int fd);

/* Accepts one connection. EAGAIN: none is waiting. */
int	socket_accept(int fd, struct endpoint *from);

/*
 * Begins to connect to *a*. Returns the socket; *pending* is 1 if the answer is
 * still to come: wait until it is writable, then call socket_connected().
 */
int	socket_connect(const struct addr *a, int *pending);

/*
 * The same, with the first of *len* bytes in the SYN itself (RFC 7413). *went*
 * is the number of bytes sent, 0 where both systems have no cookie for it. If
 * the connection is established, these bytes have arrived or will.
 */
int	socket_connect_with(const struct addr *a, const void *bytes, size_t len,
	    uint32_t *went, int *pending);

/*
 * The same in steps, for a caller that sets options in between: create a
 * socket, bind it to a source address (the system chooses the port), connect.
 * After EADDRNOTAVAIL from connect, another address can be bound.
 */
int	socket_new_stream(int family);
int	socket_bind_source(int fd, const struct addr *a);
int socket_begin_connect(int fd, const struct addr *a, const void *bytes,
    size_t len, uint32_t *went, int *pending);

/*
 * Checks whether a socket can have this address now, on this interface (NULL:
 * any). 0, or -1 with errno: EADDRNOTAVAIL or EAFNOSUPPORT if this machine
 * lacks it.
 */
int	socket_can_bind(const struct addr *, const char *interface);

/*
 * A socket that sends datagrams to *a*. The receiver on a unix socket may be
 * missing, now or later: socket_redirect() looks for it again.
 */
int	socket_new_datagram(const struct addr *a);
int	socket_redirect(int fd, const struct addr *a);

/* True if the peer or the network has ended the connection. */
bool	socket_ended(int fd);

/* The local address. 0, or -1 with errno. */
int	socket_local_addr(int fd, struct addr *);

/* 0: connected; -1: failed, with errno. */
int	socket_connected(int fd);

/*
 * Classifies an error of a call that opens a connection. Only LACK_NOTHING
 * concerns the peer or the way to it.
 */
enum socket_lack {
	LACK_NOTHING,
	LACK_OF_OURS,			/* descriptors, memory: for any call */
	LACK_PORT,			/* a local port for this peer */
	LACK_ROOM			/* room in the queue of a unix socket */
};

enum socket_lack socket_lack(int err);

/* Ends the sending side. The peer reads end of file behind the bytes sent. */
int	socket_shut_write(int fd);

/* Closes with a reset (RFC 9293, section 3.10.5); unsent bytes are dropped. */
void	socket_abort(int fd);

/* Bytes that the peer's system has not acknowledged yet; 0 if unknown. */
int	socket_unacked(int fd);

#endif
