/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* channel.h: the control channel between two processes. */
#ifndef CHANNEL_H
#define CHANNEL_H

/*
 * A pair of message sockets (SOCK_SEQPACKET), close-on-exec. pair[0] belongs to
 * the master; pair[1] belongs to the child and is the only non-blocking one. A
 * message is one byte and may carry one descriptor (-1: none), which the caller
 * of channel_receive() owns; of several, the first is taken. channel_receive()
 * returns 1 for a message, 0 if no message can follow (peer closed or
 * descriptor unusable), and -1 with errno EAGAIN (no message), EINTR, ENOMEM or
 * ENOBUFS.
 */
int	channel_open(int pair[2]);
int	channel_send(int fd, char what, int passed);
int	channel_receive(int fd, char *what, int *passed);

/*
 * The same for an untrusted peer: never waits and accepts no descriptor. Fails
 * also with EBADMSG if the message was longer or carried a descriptor.
 */
int	channel_receive_untrusted(int fd, char *what);

#endif
