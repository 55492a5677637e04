/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * socket_option.c: options of sockets, set for both families where that takes
 * two calls. A failure of an option that is not vital is not reported.
 */
#include "net/socket_option.h"

#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>

/* Probes of a silent peer, each after a quarter of the first wait. */
#define ASKED		4

/* Kernels are often newer than headers. */
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND	78
#endif

static int
set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

void
socket_set_nodelay(int fd)
{
	(void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void
socket_set_urgent_inline(int fd)
{
	(void)set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

void
socket_defer_accept(int fd, unsigned seconds)
{
	(void)set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, (int)seconds);
}

void
socket_set_fast_open(int fd, bool on)
{
	/* The kernel caps it at net.core.somaxconn, as the backlog. */
	(void)set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, on ? INT_MAX : 0);
}

void
socket_set_user_timeout(int fd, unsigned ms)
{
	(void)set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)ms);
}

void
socket_vanish(int fd)
{
	/* Accept only packets that passed no router (RFC 5082). */
	(void)set_option(fd, IPPROTO_IP, IP_MINTTL, 255);
	(void)set_option(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, 255);
	socket_set_user_timeout(fd, SOCKET_VANISHED_MS);
	(void)set_option(fd, IPPROTO_IP, IP_TTL, 1);
	(void)set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1);
}

void
socket_watch_peer(int fd, const struct peer_watch *w)
{
	unsigned again = w->keepalive / ASKED;

	if (w->keepalive > 0) {
		(void)set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE,
		    (int)w->keepalive);
		(void)set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL,
		    again == 0 ? 1 : (int)again);
		(void)set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, ASKED);
	}
	(void)set_option(fd, SOL_SOCKET, SO_KEEPALIVE, w->keepalive > 0);
	socket_set_user_timeout(fd, w->user_timeout);
}

/* A socket for both families has two of these. */
void
socket_set_dscp(int fd, int family, unsigned dscp)
{
	(void)set_option(fd, IPPROTO_IP, IP_TOS, (int)dscp << 2);
	if (family == AF_INET6)
		(void)set_option(fd, IPPROTO_IPV6, IPV6_TCLASS,
		    (int)dscp << 2);
}

int
socket_set_transparent(int fd, int family, bool on)
{
	return family == AF_INET6 ?
	    set_option(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, on) :
	    set_option(fd, IPPROTO_IP, IP_TRANSPARENT, on);
}

int
socket_set_freebind(int fd, int family)
{
	return family == AF_INET6 ?
	    set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) :
	    set_option(fd, IPPROTO_IP, IP_FREEBIND, 1);
}

int
socket_set_interface(int fd, const char *name)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name,
	    (socklen_t)strlen(name));
}

bool
socket_listens_as(int fd, const struct socket_listening *how)
{
	char name[IF_NAMESIZE + 1] = "";
	socklen_t len = IF_NAMESIZE;
	int only = 0;

	if (how->interface != NULL && (getsockopt(fd, SOL_SOCKET,
	    SO_BINDTODEVICE, name, &len) == -1 ||
	    strcmp(name, how->interface) != 0))
		return false;
	len = sizeof(only);
	return !how->v6only || (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
	    &only, &len) == 0 && only);
}

void
socket_set_late_port(int fd)
{
	(void)set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
}
