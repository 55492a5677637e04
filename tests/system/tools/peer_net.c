/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * peer_net.c: addresses as text and back, in the form shuttled uses. Asks no
 * name server: hosts are numbers, or "localhost", which is 127.0.0.1.
 */
#include "peer.h"

#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
tcp_prepare(int fd)
{
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static int
unix_parse(struct address *a, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->ss;

	if (*path == '\0' || strlen(path) >= sizeof(un->sun_path))
		return -1;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, strlen(path) + 1);
	a->len = sizeof(*un);
	return 0;
}

static int
inet_parse(struct address *a, const char *host, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&a->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->ss;

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	else if (*host == '\0' || strcmp(host, "*") == 0)
		host = "::";
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		a->len = sizeof(*in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		a->len = sizeof(*in6);
		return 0;
	}
	return -1;
}

int
address_parse(struct address *a, const char *text)
{
	char host[INET6_ADDRSTRLEN + 2], *end;
	const char *start = text, *colon = strrchr(text, ':');
	size_t len;
	unsigned long port;

	memset(a, 0, sizeof(*a));
	if (strncmp(text, "unix:", 5) == 0)
		return unix_parse(a, text + 5);
	if (colon == NULL || colon[1] < '0' || colon[1] > '9')
		return -1;
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port > 65535)
		return -1;
	len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		start++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -1;
	memcpy(host, start, len);
	host[len] = '\0';
	return inet_parse(a, host, (uint16_t)port);
}

int
address_bound(int fd, char *buf, size_t size)
{
	struct address a;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a.ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a.ss;
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a.ss;
	char host[INET6_ADDRSTRLEN];

	memset(&a, 0, sizeof(a));
	a.len = sizeof(a.ss);
	if (getsockname(fd, (struct sockaddr *)&a.ss, &a.len) == -1)
		return -1;
	switch (a.ss.ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(buf, size, "%s:%u", host, ntohs(in->sin_port));
		return 0;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(buf, size, "[%s]:%u", host, ntohs(in6->sin6_port));
		return 0;
	case AF_UNIX:
		snprintf(buf, size, "unix:%s", un->sun_path);
		return 0;
	default:
		errno = EAFNOSUPPORT;
		return -1;
	}
}
