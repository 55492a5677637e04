/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * meet.h: how a test program that is servers and clients at once and the
 * balancer between them come to know each other's address. All on 127.0.0.1;
 * what goes wrong ends the program with a message.
 */
#ifndef MEET_H
#define MEET_H

#include <netinet/in.h>

/* Raise the limit of descriptors to as many as this process may have. */
void			meet_descriptors(void);

/*
 * Listen on a port that the kernel chooses and print the address, a line of its
 * own. The socket does not block.
 */
int			meet_listen(int backlog);

/* Wait for the file path; the balancer's address is its first line. */
struct sockaddr_in	meet_balancer(const char *path);

#endif
