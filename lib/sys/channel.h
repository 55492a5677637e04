/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * channel.h: the control channel between two processes.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

/*
 * A pair of message sockets (SOCK_SEQPACKET), close-on-exec; pair[0] is the
 * master's, pair[1] the child's, and only that one is non-blocking. A message is
 * one byte and may carry one descriptor (-1: none); of several the first is
 * taken, and the caller owns it. channel_receive() returns 1, or 0 when no message
 * can come again: the other end is gone, or the descriptor fails for another
 * reason than EAGAIN (no message), EINTR, ENOMEM or ENOBUFS, which are -1.
 */
int	channel_open(int pair[2]);
int	channel_send(int fd, char what, int passed);
int	channel_receive(int fd, char *what, int *passed);

/*
 * The same from a process that is not to be trusted: never waits, and takes no
 * descriptor. -1 also with EBADMSG: the message was longer, or one came along.
 */
int	channel_receive_untrusted(int fd, char *what);

#endif
