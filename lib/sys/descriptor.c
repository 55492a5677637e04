/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* descriptor.c: helpers for descriptors of any kind. */
#include "sys/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

void
descriptor_close(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
}

bool
descriptor_is_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1;
}

bool
descriptor_hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLRDHUP)) != 0;
}
