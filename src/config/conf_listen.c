/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_listen.c: adds listeners to a configuration: one for each address of a
 * name that this machine has, and none that excludes another. Opens none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "config/conf_hosts.h"
#include "net/socket.h"

#define BUILTIN_PREFIX	"builtin:"

/* Maximum of addresses used of one name. */
#define ADDRESSES	ADDR_OF_HOST

/* True if a socket bound to *a* gets connections to *b* on the same port. */
static bool
covers_address(const struct addr *a, bool v6only, const struct addr *b)
{
	if (a->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr) &&
		    (!v6only || b->sa.sa_family == AF_INET6);
	return a->in.sin_addr.s_addr == INADDR_ANY &&
	    (b->sa.sa_family == AF_INET ||
	    IN6_IS_ADDR_V4MAPPED(&b->in6.sin6_addr));
}

/* True if both cannot be open. Port 0 is a different port each time. */
static bool
listeners_clash(const struct listener *a, const struct listener *b)
{
	if (addr_is_unix(&a->addr) || addr_is_unix(&b->addr))
		return strcmp(a->wanted, b->wanted) == 0;
	if (addr_port(&a->addr) == 0 ||
	    addr_port(&a->addr) != addr_port(&b->addr))
		return false;
	if (a->how.interface != NULL && b->how.interface != NULL &&
	    strcmp(a->how.interface, b->how.interface) != 0)
		return false;
	return strcmp(a->name, b->name) == 0 ||
	    covers_address(&a->addr, a->how.v6only, &b->addr) ||
	    covers_address(&b->addr, b->how.v6only, &a->addr);
}

/* A socket bound with other options is another socket. */
static void
note_wanted(struct listener *l)
{
	strlcpy(l->wanted, l->name, sizeof(l->wanted));
	if (l->how.v6only)
		strlcat(l->wanted, " v6only", sizeof(l->wanted));
	if (l->how.interface != NULL) {
		strlcat(l->wanted, " ", sizeof(l->wanted));
		strlcat(l->wanted, l->how.interface, sizeof(l->wanted));
	}
}

static bool
address_is_taken(const struct conf *c, const struct listener *l)
{
	size_t i;

	for (i = 0; i < c->listeners; i++)
		if (listeners_clash(&c->listener[i], l))
			return true;
	return false;
}

static bool
may_listen(const struct addr *a, const struct listener *like)
{
	return like->how.transparent || like->how.freebind ||
	    socket_can_bind(a, like->how.interface) == 0 ||
	    (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT);
}

/*
 * Keeps those of the *n* addresses of a name that this machine has, without
 * IPv6 ones if IPv6 is off for example, and records the others. Returns their
 * number, or -1: none.
 */
static int
leave_present(struct conf *c, struct addr *found, int n,
    const struct listener *like, const char **why)
{
	void *list = reallocarray(c->absent, c->absents + (size_t)n,
	    sizeof(*c->absent));
	size_t absents = c->absents;
	int i, present = 0;

	*why = strerror(ENOMEM);
	if (list == NULL)
		return -1;
	c->absent = list;
	for (i = 0; i < n; i++)
		if (may_listen(&found[i], like))
			found[present++] = found[i];
		else
			addr_format(&found[i], c->absent[absents++],
			    sizeof(*c->absent));
	*why = "this machine has none of the addresses of this name";
	if (present == 0)
		return -1;
	c->absents = absents;
	return present;
}

/* A copy of *like* that listens there. */
static int
append_listener(struct conf *c, const struct listener *like, const struct addr *addr,
    const char **why)
{
	struct listener *l;

	l = reallocarray(c->listener, c->listeners + 1, sizeof(*l));
	if (l == NULL) {
		*why = strerror(errno);
		return -1;
	}
	c->listener = l;
	l = &c->listener[c->listeners];
	*l = *like;
	l->addr = *addr;
	l->fd = -1;
	addr_format(&l->addr, l->name, sizeof(l->name));
	if (addr_is_unix(&l->addr))
		memset(&l->how, 0, sizeof(l->how));
	/* Others are of one family anyway. */
	if (strncmp(l->name, "[::]:", 5) != 0)
		l->how.v6only = false;
	note_wanted(l);
	if (address_is_taken(c, l)) {
		*why = "another listener has this address, or all "
		    "addresses at this port";
		return -1;
	}
	c->listeners++;
	return 0;
}

int
conf_add_listener(struct conf *c, const struct listener *like,
    const char *text, const char **why)
{
	char first[ADDR_TEXT + ADDR_HOST];
	struct addr found[ADDRESSES];
	unsigned k, ports;
	size_t before;
	int i, n;

	if (strncmp(text, BUILTIN_PREFIX, strlen(BUILTIN_PREFIX)) == 0) {
		*why = "builtin: is for servers; a listener is host:port, "
		    ":port or unix:/path";
		return -1;
	}
	if ((ports = addr_ports(text, first, sizeof(first), why)) == 0 ||
	    (n = conf_hosts_parse(&c->hosts, first, ADDR_LISTEN, found,
	    ADDRESSES, why)) == -1 ||
	    (n > 1 && (n = leave_present(c, found, n, like, why)) == -1))
		return -1;
	if (c->listeners + (size_t)n * ports > CONF_LISTENERS) {
		*why = "there are more than 4096 listeners";
		return -1;
	}
	before = c->listeners;
	for (k = 0; k < ports; k++)
		for (i = 0; i < n; i++) {
			if (k > 0)
				addr_set_port(&found[i],
				    (uint16_t)(addr_port(&found[i]) + 1));
			if (append_listener(c, like, &found[i], why) == -1) {
				c->listeners = before;
				return -1;
			}
		}
	return 0;
}
