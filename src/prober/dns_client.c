/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns_client.c: connects c-ares with the poller: registers the sockets that
 * c-ares wants watched and passes their events on. Does not know the purpose of
 * a lookup.
 */
#include "config.h"
#ifdef HAVE_CARES
#include "prober/dns_client.h"

/* c-ares 1.18 has only functions that later versions deprecate. */
#define CARES_NO_DEPRECATED
#include <sys/queue.h>
#include <sys/time.h>

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "prober/dns_socket.h"
#include "proto/dns_message.h"

/* Fits into one datagram on any network (DNS flag day 2020). */
#define DATAGRAM	1232

/*
 * From 1.31 on c-ares caches answers, negative ones too, for their TTL; but
 * resolver.c decides on times. A maximum of 0 disables the cache.
 */
#ifdef ARES_OPT_QUERY_CACHE
#define NO_CACHE	ARES_OPT_QUERY_CACHE
#else
#define NO_CACHE	0
#endif

struct dns_client {
	ares_channel	 channel;
	struct poller	*poller;
	bool		*ours;		/* by descriptor */
	size_t		 limit;
	struct dns_tap	 tap;
	bool		 searches;	/* search domains may apply */
	unsigned	 pending;	/* lookups in progress */
	TAILQ_HEAD(, lookup) questions; /* these */
};

struct lookup {
	TAILQ_ENTRY(lookup) entry;
	struct dns_client	*dns;
	dns_answer	*answer;
	void		*arg;
	char		*name;
	int		 type;
	int		 rcode;		/* last error of a server, or 0 */
};

/* c-ares closes a socket when it has no more use for it. */
static void
on_socket(void *arg, int fd, int readable, int writable)
{
	struct dns_client *d = arg;

	if (d->poller == NULL || (size_t)fd >= d->limit)
		return;
	d->ours[fd] = readable || writable;
	if (d->ours[fd])
		poller_want(d->poller, fd, (readable ? POLLER_READ : 0) |
		    (writable ? POLLER_WRITE : 0));
	else
		poller_forget(d->poller, fd);
}

/*
 * After an answer such as SERVFAIL c-ares tries the next server, and reports in
 * the end that no server could be contacted. So answers are examined here on
 * their way to c-ares, for messages only.
 */
static bool
is_of(const struct lookup *q, const char *name, int type)
{
	size_t len = strlen(q->name);

	/* A domain may have been appended; a final dot is not sent. */
	len -= len > 0 && q->name[len - 1] == '.';
	return q->type == type && strncasecmp(q->name, name, len) == 0 &&
	    (name[len] == '\0' || name[len] == '.');
}

static void
note_rcode(void *dns, const unsigned char *message, size_t len)
{
	struct dns_client *d = dns;
	char name[DNS_MESSAGE_NAME];
	struct lookup *q;
	int type, rcode = dns_message_asked(message, len, name, &type);

	if (rcode <= ns_r_noerror || rcode == ns_r_nxdomain)
		return;
	TAILQ_FOREACH(q, &d->questions, entry)
		if (is_of(q, name, type))
			q->rcode = rcode;
}

/* Uses the configured name servers instead of the system's. */
static int
set_servers(struct dns_client *d, const struct conf *c)
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

/* True if the system has search domains. */
static bool
has_domains(struct dns_client *d)
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

struct dns_client *
dns_client_new(const struct conf *c, const char **why)
{
	struct dns_client *d = calloc(1, sizeof(*d));
	struct ares_options o = {
		/*
		 * Aliases are in a file, which would be opened for each lookup.
		 */
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
	/*
	 * The search domains of this machine do not apply to other name
	 * servers.
	 */
	if (c->resolvers > 0)
		mask |= ARES_OPT_DOMAINS;
	TAILQ_INIT(&d->questions);
	status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS)
		status = ares_init_options(&d->channel, &o, mask);
	if (status == ARES_SUCCESS)
		status = set_servers(d, c);
	if (status == ARES_SUCCESS) {
		d->tap = (struct dns_tap){ note_rcode, d };
		dns_socket_use(d->channel, &d->tap);
		d->searches = has_domains(d);
		return d;
	}
	*why = ares_strerror(status);
	dns_client_free(d);
	return NULL;
}

int
dns_client_start(struct dns_client *d, struct poller *p, size_t limit)
{
	if ((d->ours = calloc(limit, sizeof(*d->ours))) == NULL)
		return -1;
	d->poller = p;
	d->limit = limit;
	return 0;
}

void
dns_client_free(struct dns_client *d)
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
status_of_ares(int status)
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

/* Describes the failure: the error of a server, or that none answered. */
static const char *
failure_text(const struct lookup *q, int status, char *buf, size_t size)
{
	const char *name = dns_message_rcode_name(q->rcode);

	if (q->rcode > 0 && name != NULL)
		snprintf(buf, size, "the name server answers %s", name);
	else if (q->rcode > 0)
		snprintf(buf, size, "the name server answers RCODE %d",
		    q->rcode);
	else if (status == ARES_ETIMEOUT)
		strlcpy(buf, "no name server answers in time", size);
	else if (status == ARES_ECONNREFUSED)
		strlcpy(buf, "no name server can be reached", size);
	else
		return ares_strerror(status);
	return buf;
}

static void
on_ares_answer(void *arg, int status, int timeouts, unsigned char *message,
    int len)
{
	struct lookup *q = arg;
	char why[64];

	(void)timeouts;
	q->dns->pending--;
	TAILQ_REMOVE(&q->dns->questions, q, entry);
	q->answer(q->arg, status_of_ares(status), failure_text(q, status, why,
	    sizeof(why)), message, message == NULL ? 0 : (size_t)len);
	free(q->name);
	free(q);
}

void
dns_client_ask(struct dns_client *d, const char *name, int type,
    dns_answer *answer, void *arg)
{
	struct lookup *q = calloc(1, sizeof(*q));

	if (q == NULL || (q->name = strdup(name)) == NULL) {
		free(q);
		answer(arg, DNS_FAILED, strerror(errno), NULL, 0);
		return;
	}
	q->dns = d;
	q->answer = answer;
	q->arg = arg;
	q->type = type;
	d->pending++;
	TAILQ_INSERT_TAIL(&d->questions, q, entry);
	/* After a failed search c-ares does not provide the answers. */
	if (d->searches)
		ares_search(d->channel, name, ns_c_in, type, on_ares_answer, q);
	else
		ares_query(d->channel, name, ns_c_in, type, on_ares_answer, q);
}

bool
dns_client_event(struct dns_client *d, const struct poller_event *ev)
{
	if ((size_t)ev->fd >= d->limit || !d->ours[ev->fd])
		return false;
	ares_process_fd(d->channel,
	    ev->ready & POLLER_READ ? ev->fd : ARES_SOCKET_BAD,
	    ev->ready & POLLER_WRITE ? ev->fd : ARES_SOCKET_BAD);
	return true;
}

void
dns_client_turn(struct dns_client *d)
{
	if (d->pending > 0)
		ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

int
dns_client_wait(struct dns_client *d, int limit)
{
	struct timeval tv;
	int ms;

	if (d->pending == 0 || ares_timeout(d->channel, NULL, &tv) == NULL ||
	    tv.tv_sec > limit / 1000)
		return limit;
	/* Round up: waking too early would be in vain. */
	ms = (int)(tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000);
	return ms < limit ? ms : limit;
}
#endif
