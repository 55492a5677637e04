/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns_socket.c: functions that c-ares calls instead of those of the system with
 * the same names.
 */
#include "config.h"
#ifdef HAVE_CARES
/* c-ares 1.18 has only functions that later versions deprecate. */
#define CARES_NO_DEPRECATED
#include "prober/dns_socket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <stdint.h>
#include <unistd.h>

static ares_socket_t
make_socket(int family, int type, int protocol, void *tap)
{
	(void)tap;
	return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int
close_socket(ares_socket_t fd, void *tap)
{
	(void)tap;
	return close(fd);
}

static int
connect_socket(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len,
    void *tap)
{
	(void)tap;
	return connect(fd, to, len);
}

static ares_ssize_t
receive_some(ares_socket_t fd, void *to, size_t size, int flags,
    struct sockaddr *from, ares_socklen_t *len, void *arg)
{
	const struct dns_tap *tap = arg;
	ssize_t n = recvfrom(fd, to, size, flags, from, len);

	if (n > 0)
		tap->show(tap->arg, to, (size_t)n);
	return n;
}

static ares_ssize_t
send_pieces(ares_socket_t fd, const struct iovec *piece, int n, void *tap)
{
	const struct msghdr msg = {
		.msg_iov = (struct iovec *)(uintptr_t)piece,
		.msg_iovlen = (size_t)n
	};

	(void)tap;
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

void
dns_socket_use(ares_channel channel, struct dns_tap *tap)
{
	static const struct ares_socket_functions functions = {
		.asocket = make_socket, .aclose = close_socket,
		.aconnect = connect_socket, .arecvfrom = receive_some,
		.asendv = send_pieces
	};

	ares_set_socket_functions(channel, &functions, tap);
}
#endif
