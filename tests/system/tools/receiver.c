/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * receiver.c: a syslog of another machine, for as many senders as there are
 * processes. It prints its address, then every message as a line of its own, and
 * ends at the first that is not framed as RFC 6587, section 3.4.1, says.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SENDERS		32

struct sender {
	size_t	used;
	char	buf[8192];
};

static struct pollfd	fds[SENDERS];
static struct sender	senders[SENDERS];
static nfds_t		n;

static int
open_socket(int type, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd, on = 1, small = 4096;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((uint16_t)atoi(port));
	fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	/* So that a sender soon feels it when nobody reads. */
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1 || (type == SOCK_STREAM && setsockopt(fd,
	    SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == -1) ||
	    bind(fd, (struct sockaddr *)&a, len) == -1 ||
	    (type == SOCK_STREAM && listen(fd, SENDERS) == -1) ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		err(1, "socket");
	printf("127.0.0.1:%u\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

static void
take_datagram(int fd)
{
	char buf[8192];
	ssize_t len = recv(fd, buf, sizeof(buf), 0);

	if (len == -1)
		err(1, "recv");
	printf("%.*s\n", (int)len, buf);
}

static void
take_sender(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd == -1)
		err(1, "accept");
	if (n == SENDERS)
		errx(1, "more than %d senders", SENDERS - 1);
	senders[n].used = 0;
	fds[n].events = POLLIN;
	fds[n++].fd = fd;
}

/* Print all whole messages: MSG-LEN SP SYSLOG-MSG. */
static void
take_messages(struct sender *s)
{
	size_t len, head;

	while (memchr(s->buf, ' ', s->used) != NULL) {
		len = strtoul(s->buf, NULL, 10);
		head = strspn(s->buf, "0123456789") + 1;
		if (!isdigit((unsigned char)s->buf[0]) || s->buf[0] == '0' ||
		    s->buf[head - 1] != ' ' || len > 4096)
			errx(1, "no length: %.20s", s->buf);
		if (s->used < head + len)
			return;
		printf("%.*s\n", (int)len, s->buf + head);
		s->used -= head + len;
		memmove(s->buf, s->buf + head + len, s->used);
	}
}

static void
take_bytes(nfds_t i)
{
	struct sender *s = &senders[i];
	ssize_t got;

	got = recv(fds[i].fd, s->buf + s->used, sizeof(s->buf) - 1 - s->used,
	    0);
	if (got > 0) {
		s->used += (size_t)got;
		s->buf[s->used] = '\0';
		take_messages(s);
		return;
	}
	/* A sender that was killed may have been cut off. */
	close(fds[i].fd);
	fds[i] = fds[--n];
	senders[i] = senders[n];
}

int
main(int argc, char **argv)
{
	int type;
	nfds_t i;

	if (argc != 3 || (strcmp(argv[1], "udp") != 0 &&
	    strcmp(argv[1], "tcp") != 0))
		errx(64, "usage: receiver udp|tcp PORT");
	type = strcmp(argv[1], "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM;
	fds[0].fd = open_socket(type, argv[2]);
	fds[0].events = POLLIN;
	n = 1;
	/* A test that was killed leaves nothing behind for long. */
	alarm(600);
	while (poll(fds, n, -1) != -1) {
		for (i = n; i-- > 1;)
			if (fds[i].revents != 0)
				take_bytes(i);
		if (fds[0].revents != 0 && type == SOCK_STREAM)
			take_sender(fds[0].fd);
		else if (fds[0].revents != 0)
			take_datagram(fds[0].fd);
		fflush(stdout);
	}
	err(1, "poll");
}
