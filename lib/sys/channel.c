/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* channel.c: a message is one byte with at most one descriptor. */
#include "sys/channel.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "sys/descriptor.h"

int
channel_open(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	/* Unlike FIONBIO, a filter can permit this in one direction only. */
	if (fcntl(pair[1], F_SETFL, O_NONBLOCK) == -1) {
		descriptor_close(pair[0]);
		descriptor_close(pair[1]);
		return -1;
	}
	return 0;
}

/* Sized as the system lays it out: more descriptors than one are cut off. */
union passed_fd {
	char		room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr	align;
};

int
channel_send(int fd, char what, int passed)
{
	struct iovec iov = { .iov_base = &what, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union passed_fd control;
	struct cmsghdr *c;

	if (passed != -1) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed, sizeof(passed));
	}
	/* Never wait for a worker that is stuck. */
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

/* True if the same call can succeed later. */
static bool
is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == ENOMEM ||
	    error == ENOBUFS;
}

int
channel_receive(int fd, char *what, int *passed)
{
	struct iovec iov = { .iov_base = what, .iov_len = 1 };
	union passed_fd control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *c;
	ssize_t n;

	*passed = -1;
	if ((n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC)) != 1)
		return n == -1 && is_passing(errno) ? -1 : 0;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(passed, CMSG_DATA(c), sizeof(*passed));
	return 1;
}

int
channel_receive_untrusted(int fd, char *what)
{
	struct iovec iov = { .iov_base = what, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	/* Without room for descriptors the kernel drops all that arrive. */
	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == ECONNRESET ? 0 : -1;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return (int)n;
	errno = EBADMSG;
	return -1;
}
