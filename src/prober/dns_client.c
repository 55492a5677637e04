/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns_client.c: between c-ares and the poller. c-ares says which sockets it wants to be
 * told of, and is told. Knows nothing of what is asked for.
 */
#include "config.h"
#ifdef HAVE_CARES
#include "prober/dns_client.h"

/* 1.18 has nothing better than what later ones discourage. */
#define CARES_NO_DEPRECATED
#include <sys/time.h>

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As much as goes through any network in one datagram (DNS flag day 2020). */
#define DATAGRAM	1232

/*
 * From 1.31 on c-ares keeps answers itself, also that there is none, for as long
 * as they say; how long is for resolver.c. The time of that option is 0 in ours.
 */
#ifdef ARES_OPT_QUERY_CACHE
#define NO_CACHE	ARES_OPT_QUERY_CACHE
#else
#define NO_CACHE	0
#endif

struct dns {
	ares_channel	 channel;
	struct poller	*poller;
	bool		*ours;		/* by descriptor */
	size_t		 limit;
	bool		 searches;	/* names are short for others, too */
	unsigned	 pending;	/* questions without an answer */
};

struct question {
	struct dns	*dns;
	dns_answer	*answer;
	void		*arg;
};

/* c-ares closes it when it wants nothing of it any more. */
static void
on_socket(void *arg, int fd, int readable, int writable)
{
	struct dns *d = arg;

	if (d->poller == NULL || (size_t)fd >= d->limit)
		return;
	d->ours[fd] = readable || writable;
	if (d->ours[fd])
		poller_want(d->poller, fd, (readable ? POLLER_READ : 0) |
		    (writable ? POLLER_WRITE : 0));
	else
		poller_forget(d->poller, fd);
}

/* Those that were asked for, instead of the system's. */
static int
set_servers(struct dns *d, const struct conf *c)
{
	char list[CONF_RESOLVERS * 64] = "";
	size_t i;

	if (c->resolvers == 0)
		return ARES_SUCCESS;
	for (i = 0; i < c->resolvers; i++) {
		if (i > 0)
			strlcat(list, ",", sizeof(list));
		strlcat(list, c->resolver[i], sizeof(list));
	}
	return ares_set_servers_ports_csv(d->channel, list);
}

/* Are there domains that are appended to names? */
static bool
has_domains(struct dns *d)
{
	struct ares_options o;
	int mask = 0;
	bool has;

	memset(&o, 0, sizeof(o));
	has = ares_save_options(d->channel, &o, &mask) != ARES_SUCCESS ||
	    o.ndomains > 0;
	ares_destroy_options(&o);
	return has;
}

struct dns *
dns_new(const struct conf *c, const char **why)
{
	struct dns *d = calloc(1, sizeof(*d));
	struct ares_options o = {
		/* Aliases are in a file, which is opened for each question. */
		.flags = ARES_FLAG_EDNS | ARES_FLAG_NOALIASES,
		.ednspsz = DATAGRAM,
		.timeout = (int)c->resolve_timeout,
		.tries = (int)c->resolve_retries + 1,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = d,
	};
	int status, mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | NO_CACHE |
	    ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;

	if (d == NULL) {
		*why = strerror(errno);
		return NULL;
	}
	/* The domains of this machine are no matter of other name servers. */
	if (c->resolvers > 0)
		mask |= ARES_OPT_DOMAINS;
	status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS)
		status = ares_init_options(&d->channel, &o, mask);
	if (status == ARES_SUCCESS)
		status = set_servers(d, c);
	if (status == ARES_SUCCESS) {
		d->searches = has_domains(d);
		return d;
	}
	*why = ares_strerror(status);
	dns_free(d);
	return NULL;
}

int
dns_start(struct dns *d, struct poller *p, size_t limit)
{
	if ((d->ours = calloc(limit, sizeof(*d->ours))) == NULL)
		return -1;
	d->poller = p;
	d->limit = limit;
	return 0;
}

void
dns_free(struct dns *d)
{
	if (d == NULL)
		return;
	if (d->channel != NULL)
		ares_destroy(d->channel);
	ares_library_cleanup();
	free(d->ours);
	free(d);
}

static enum dns_status
meaning(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return DNS_ANSWER;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
		return DNS_NOTHING;
	case ARES_EDESTRUCTION:
	case ARES_ECANCELLED:
		return DNS_ENDED;
	default:
		return DNS_FAILED;
	}
}

static void
on_answer(void *arg, int status, int timeouts, unsigned char *message,
    int len)
{
	struct question *q = arg;

	(void)timeouts;
	q->dns->pending--;
	q->answer(q->arg, meaning(status), ares_strerror(status), message,
	    message == NULL ? 0 : (size_t)len);
	free(q);
}

void
dns_ask(struct dns *d, const char *name, int type, dns_answer *answer,
    void *arg)
{
	struct question *q = malloc(sizeof(*q));

	if (q == NULL) {
		answer(arg, DNS_FAILED, strerror(errno), NULL, 0);
		return;
	}
	q->dns = d;
	q->answer = answer;
	q->arg = arg;
	d->pending++;
	/* Of a search that finds nothing c-ares does not show the answers. */
	if (d->searches)
		ares_search(d->channel, name, ns_c_in, type, on_answer, q);
	else
		ares_query(d->channel, name, ns_c_in, type, on_answer, q);
}

bool
dns_event(struct dns *d, const struct poller_event *ev)
{
	if ((size_t)ev->fd >= d->limit || !d->ours[ev->fd])
		return false;
	ares_process_fd(d->channel,
	    ev->ready & POLLER_READ ? ev->fd : ARES_SOCKET_BAD,
	    ev->ready & POLLER_WRITE ? ev->fd : ARES_SOCKET_BAD);
	return true;
}

void
dns_turn(struct dns *d)
{
	if (d->pending > 0)
		ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

int
dns_wait(struct dns *d, int limit)
{
	struct timeval tv;
	int ms;

	if (d->pending == 0 || ares_timeout(d->channel, NULL, &tv) == NULL ||
	    tv.tv_sec > limit / 1000)
		return limit;
	/* Too early would be a turn for nothing. */
	ms = (int)(tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000);
	return ms < limit ? ms : limit;
}
#endif
