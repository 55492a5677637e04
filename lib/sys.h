/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sys.h: the system calls on sockets, descriptors, signals and the clock that
 * need more than one line to be called right. Every descriptor made here is
 * close-on-exec, and non-blocking but where it says otherwise. All return -1
 * with errno set on error.
 */
#ifndef SYS_H
#define SYS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

/* What has to be known before a socket listens; zero is as ever. */
struct sys_listening {
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
int	sys_listen(struct addr *a);
int	sys_listen_as(struct addr *a, const struct sys_listening *);

/*
 * Set a socket that somebody else listens on like one of sys_listen(). EINVAL:
 * it is no listening stream socket of a family that we know.
 */
int	sys_adopt(int fd);

/*
 * Hold a connection back from accept() until its client has sent something, or
 * for about so many seconds; 0: not at all. On a unix socket it does nothing.
 */
void	sys_defer_accept(int fd, unsigned seconds);

/*
 * Let clients send their first bytes with the request to connect (RFC 7413). On
 * a unix socket, or where the system does not offer that, it does nothing.
 */
void	sys_fast_open(int fd, bool on);

/*
 * At most so many connections wait to be accepted, cut down to
 * net.core.somaxconn; 0: as many as that.
 */
void	sys_set_backlog(int fd, unsigned n);

/* Accept one connection. EAGAIN: none is waiting. */
int	sys_accept(int fd, struct endpoint *from);

/*
 * Begin to connect to *a*. Returns the socket with *pending* telling whether
 * the answer is still to come (wait for writable, then sys_connected()).
 */
int	sys_connect(const struct addr *a, int *pending);

/*
 * The same, with the first of *len* bytes in the request itself (RFC 7413).
 * *went* tells how many, 0 where the two systems have not agreed on it: when the
 * connection stands, these have arrived or will.
 */
int	sys_connect_with(const struct addr *a, const void *bytes, size_t len,
	    uint32_t *went, int *pending);

/*
 * The same in steps, for who has something to set before: a socket, perhaps
 * the address that it connects from, its port chosen by the system, and the
 * beginning. When that fails with EADDRNOTAVAIL another address can be bound.
 */
int	sys_stream(int family);
int	sys_bind_source(int fd, const struct addr *a);
int	sys_begin(int fd, const struct addr *a, const void *bytes, size_t len,
	    uint32_t *went, int *pending);

/*
 * May a socket have this address now, on this interface (NULL: any)? 0, or -1
 * with errno set: EADDRNOTAVAIL or EAFNOSUPPORT if this machine lacks it.
 */
int	sys_has_address(const struct addr *, const char *interface);

/*
 * A socket that sends datagrams to *a*. On a unix socket the receiver may be
 * missing, now or later: sys_redirect() looks for it again.
 */
int	sys_datagrams(const struct addr *a);
int	sys_redirect(int fd, const struct addr *a);

/* Has the peer of a stream ended it, or the network? */
bool	sys_ended(int fd);

/* End it when the peer takes nothing for so many ms (TCP_USER_TIMEOUT). */
void	sys_give_up_after(int fd, unsigned ms);

/*
 * When a silent peer is asked whether it is there (SO_KEEPALIVE), four times at
 * most, and how long any peer may leave us without an answer. Accepted sockets
 * inherit both from the listening one.
 */
struct peer_watch {
	unsigned	keepalive;	/* s, 0: never */
	unsigned	user_timeout;	/* ms, 0: as the system does it */
};

void	sys_watch_peer(int fd, const struct peer_watch *);

/* Mark what is sent with this DSCP; accepted sockets inherit it. */
void	sys_mark(int fd, int family, unsigned dscp);

/*
 * Let it have addresses that are not of this machine: for CAP_NET_RAW and
 * CAP_NET_ADMIN.
 */
int	sys_be_transparent(int fd, int family, bool on);

/* It may be bound to an address that this machine does not have yet. */
int	sys_bind_freely(int fd, int family);

/* Send and receive by this interface only. */
int	sys_use_interface(int fd, const char *name);

/* Does one that listens already have v6only and interface, if they are wanted? */
bool	sys_listens_as(int fd, const struct sys_listening *);

/* Let bind() leave the choice of a port to connect(). */
void	sys_late_port(int fd);

/* Would a write to a pipe be taken now? Another writer may be faster. */
bool	sys_has_room(int fd);

/* Send at once what is written from now on, however little (TCP_NODELAY). */
void	sys_nodelay(int fd);

/* Let urgent bytes be read where they stand among the others (SO_OOBINLINE). */
void	sys_urgent_in_line(int fd);

/* The address of our end. 0, or -1. */
int	sys_local(int fd, struct addr *);

/* 0: it stands; -1: it failed and errno says why. */
int	sys_connected(int fd);

/*
 * What was lacking when a call that opens a connection failed with this error?
 * Only LACK_NOTHING says something of the peer or the way to it.
 */
enum sys_lack {
	LACK_NOTHING,
	LACK_OF_OURS,			/* descriptors, memory: for any call */
	LACK_PORT,			/* a local port, towards this peer */
	LACK_ROOM			/* a place in a unix socket's queue */
};

enum sys_lack sys_lack(int err);

/* No more will be sent. The peer reads end of file after what was sent. */
int	sys_shut_write(int fd);

/* Close with a reset (RFC 9293, section 3.10.5); unsent bytes are dropped. */
void	sys_abort(int fd);

/* How long the system stays silent for us after sys_vanish(), in ms. */
#define SYS_VANISHED	60000

/*
 * From here on let the peer hear nothing more, not even of the close. What it
 * sends is not acknowledged; and what we send, be it an end of file that the
 * system repeats for a minute after close(), goes no further than to the first
 * router. Who is in the same network does see that. On a unix socket it
 * does nothing.
 */
void	sys_vanish(int fd);

/* Bytes sent and not yet acknowledged by the peer's system; 0 if unknown. */
int	sys_unacked(int fd);

/*
 * Hold back the signals that operators send to a service, and CHLD: they wait
 * until somebody asks for them. They are returned in *set*.
 */
void	sys_hold_signals(sigset_t *set);

/*
 * Hold back *set* and return a descriptor that is readable when one of them has
 * come; sys_next_signal() then gives them one by one, 0: no more.
 */
int	sys_signals(const sigset_t *set);
int	sys_next_signal(int fd);

/*
 * The control channel between master and one worker: a pair of message
 * sockets. A message is one byte and may carry one descriptor (-1: none).
 * sys_receive() returns 1, or 0 when no message will ever come again: the other
 * end is gone, or the descriptor fails for another reason than EAGAIN (nothing
 * there), EINTR, ENOMEM or ENOBUFS, which are returned as -1. Only the worker's end (pair[1]) is non-blocking. Of several descriptors
 * in one message the first is taken.
 */
int	sys_channel(int pair[2]);
int	sys_send(int fd, char what, int passed);
int	sys_receive(int fd, char *what, int *passed);

/*
 * The same from a process that is not to be trusted: never waits, and takes no
 * descriptor. -1 also with EBADMSG: the message was longer, or one came along.
 */
int	sys_hear(int fd, char *what);

/* Monotonic clock in milliseconds, and in microseconds. */
uint64_t sys_now(void);
uint64_t sys_now_us(void);

/*
 * The same clock in milliseconds as of the system's last tick, which was up to
 * 10 ms ago: a quarter of the price.
 */
uint64_t sys_tick(void);

/* The processors this process may run on, at least 1. */
unsigned sys_processors(void);

/* Run on one of them only, number *i* from 0, counted round and round. */
int	sys_pin(unsigned i);

/*
 * Raise the hard limit of descriptors to *n* if it is lower: the superuser may.
 * Otherwise nothing happens.
 */
void	sys_need_descriptors(size_t n);

/*
 * Raise the soft limit of descriptors to the hard one, but to no more than a
 * million. Returns how many this process may use.
 */
size_t	sys_raise_descriptors(void);

#endif
