/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * liar.c: a child that has been taken over: takes a copy of its end of the
 * channel and says something on it, so often, at this interval:
 *	liar PID byte=X|long|empty|descriptors [COUNT [MS]]
 * or shuts down all sockets that it listens on, which are those of all:
 *	liar PID shutdown
 * Prints how many messages went, or sockets. Exit status 77: the system does not let us.
 */
#include <sys/socket.h>
#include <sys/syscall.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Its only pair of message sockets. */
static int
take_channel(pid_t pid)
{
	socklen_t len = sizeof(int);
	int pidfd, fd, copy, type;

	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	for (fd = 0; pidfd != -1 && fd < 4096; fd++) {
		copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		if (copy == -1 && errno != EBADF)
			return -1;
		if (copy != -1 && getsockopt(copy, SOL_SOCKET, SO_TYPE, &type,
		    &len) == 0 && type == SOCK_SEQPACKET)
			return copy;
		if (copy != -1)
			close(copy);
	}
	return -1;
}

static int
shut_listeners(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd, copy, on, n = 0;
	socklen_t len;

	for (fd = 0; pidfd != -1 && fd < 4096; fd++) {
		copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		if (copy == -1 && errno != EBADF)
			return -1;
		if (copy == -1)
			continue;
		len = sizeof(on);
		if (getsockopt(copy, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) ==
		    0 && on == 1 && shutdown(copy, SHUT_RDWR) == 0)
			n++;
		close(copy);
	}
	return pidfd == -1 ? -1 : n;
}

static ssize_t
say(int channel, const char *what)
{
	union {
		char	 room[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	int passed[2] = { STDIN_FILENO, STDIN_FILENO };
	char text[100] = "R";
	struct iovec iov = { .iov_base = text, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (strncmp(what, "byte=", 5) == 0)
		text[0] = what[5];
	else if (strcmp(what, "long") == 0)
		iov.iov_len = sizeof(text);
	else if (strcmp(what, "empty") == 0)
		iov.iov_len = 0;
	else {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(passed));
		memcpy(CMSG_DATA(c), passed, sizeof(passed));
	}
	return sendmsg(channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int
main(int argc, char **argv)
{
	struct timespec pause = { .tv_sec = 0 };
	int channel, i, went = 0, count, ms;

	if (argc < 3)
		errx(1, "usage: liar PID WHAT [COUNT [MS]]");
	if (strcmp(argv[2], "shutdown") == 0) {
		if ((went = shut_listeners((pid_t)atoi(argv[1]))) == -1)
			err(77, "the sockets of %s", argv[1]);
		printf("%d\n", went);
		return 0;
	}
	if ((channel = take_channel((pid_t)atoi(argv[1]))) == -1)
		err(77, "the channel of %s", argv[1]);
	count = argc > 3 ? atoi(argv[3]) : 1;
	ms = argc > 4 ? atoi(argv[4]) : 0;
	pause.tv_sec = ms / 1000;
	pause.tv_nsec = ms % 1000 * 1000000L;
	for (i = 0; i < count; i++) {
		went += say(channel, argv[2]) != -1;
		if (ms > 0)
			nanosleep(&pause, NULL);
	}
	printf("%d\n", went);
	return 0;
}
