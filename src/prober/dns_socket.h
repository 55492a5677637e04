/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns_socket.h: creates the sockets of c-ares: non-blocking from the start, so
 * that the system call filter need not permit changes of flags, and with a tap
 * on received messages.
 */
#ifndef DNS_SOCKET_H
#define DNS_SOCKET_H

#include <ares.h>
#include <stddef.h>

/* Called with received bytes before c-ares gets them; over TCP, with pieces. */
struct dns_tap {
	void	(*show)(void *arg, const unsigned char *message, size_t len);
	void	*arg;
};

/* Applies to this channel from now on. */
void	dns_socket_use(ares_channel, struct dns_tap *);

#endif
