/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * egress.c: prepares a socket as configured and tries one source address after
 * the other. Keeps no state: the caller supplies the turn.
 */
#include "net/egress.h"

#include <errno.h>
#include <unistd.h>

/* True if a connection takes no more calls than without an egress. */
static bool
is_plain_egress(const struct egress *o, const struct connect_request *d)
{
	return addr_is_unix(d->to) || (o->sources == 0 && o->dscp == 0 &&
	    o->interface == NULL && (!o->transparent || d->client == NULL));
}

uint32_t
egress_sources(const struct egress *o, int family)
{
	uint32_t i, n = 0;

	if (o->sources == 0)
		return 1;
	for (i = 0; i < o->sources; i++)
		n += o->source[i].family == family;
	return n;
}

bool
egress_serves(const struct egress *o, int family)
{
	return family == AF_UNIX || egress_sources(o, family) > 0;
}

/* Number *n* of the source addresses of this family. */
static const struct endpoint *
source_at(const struct egress *o, int family, uint32_t n)
{
	const struct endpoint *e;

	for (e = o->source; e->family != family || n-- > 0; e++)
		continue;
	return e;
}

static int
begin_connect(struct connect_request *d, int fd)
{
	return socket_begin_connect(
	    fd, d->to, d->bytes, d->len, &d->went, &d->pending);
}

static int
begin_from(struct connect_request *d, int fd, const struct endpoint *from)
{
	struct addr a;

	if (!endpoint_as(from, d->to->sa.sa_family, &a)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return socket_bind_source(fd, &a) == -1 ? -1 : begin_connect(d, fd);
}

static int
begin_in_turn(const struct egress *o, struct connect_request *d, int fd)
{
	int family = d->to->sa.sa_family;
	uint32_t k, n = egress_sources(o, family);

	errno = EAFNOSUPPORT;
	for (k = 0; k < n; k++) {
		if (begin_from(d, fd, source_at(o, family,
		    (d->turn + k) % n)) == 0)
			return 0;
		if (socket_lack(errno) != LACK_PORT)
			break;
	}
	return -1;
}

static int
prepare_connect(const struct egress *o, struct connect_request *d, int fd)
{
	int family = d->to->sa.sa_family;

	if (o->interface != NULL &&
	    socket_set_interface(fd, o->interface) == -1)
		return -1;
	if (o->dscp != 0)
		socket_set_dscp(fd, family, o->dscp);
	if (o->freebind && o->sources > 0 &&
	    socket_set_freebind(fd, family) == -1)
		return -1;
	if (o->sources > 0)
		return begin_in_turn(o, d, fd);
	if (!o->transparent || d->client == NULL ||
	    d->client->family == AF_UNIX)
		return begin_connect(d, fd);
	return socket_set_transparent(fd, family, true) == -1 ? -1 :
	    begin_from(d, fd, d->client);
}

int
egress_connect(const struct egress *o, struct connect_request *d)
{
	int fd, err;

	if (is_plain_egress(o, d))
		return socket_connect_with(d->to, d->bytes, d->len, &d->went,
		    &d->pending);
	d->went = 0;
	d->pending = 0;
	if ((fd = socket_new_stream(d->to->sa.sa_family)) == -1)
		return -1;
	if (prepare_connect(o, d, fd) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}
