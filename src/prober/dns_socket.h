/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns_socket.h: the sockets of c-ares, made by us: non-blocking from the start, so
 * that the sandbox need not allow to change flags, and with a look at what comes.
 */
#ifndef DNS_SOCKET_H
#define DNS_SOCKET_H

#include <ares.h>
#include <stddef.h>

/* What is received is shown to this before c-ares has it. By TCP it is a piece. */
struct dns_tap {
	void	(*show)(void *arg, const unsigned char *message, size_t len);
	void	*arg;
};

/* From now on, for as long as the channel lives. */
void	dns_socket_use(ares_channel, struct dns_tap *);

#endif
