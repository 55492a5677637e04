/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns_client.h: lookups by c-ares in the caller's poller: no process waits.
 * c-ares handles timeouts, retries, other servers, and TCP for what does not
 * fit UDP. In a build without the library a configuration that needs it is
 * rejected.
 */
#ifndef DNS_CLIENT_H
#define DNS_CLIENT_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "event/poller.h"

struct dns_client;

enum dns_status {
	DNS_ANSWER,			/* a message, not yet parsed */
	DNS_NOTHING,			/* no such name or record; a message, */
					/* unless several names were tried */
	DNS_FAILED,			/* no answer; *why* has the reason */
	DNS_ENDED	/* by dns_client_free(), before an answer */
};

/*
 * Called exactly once for each lookup, perhaps before dns_client_ask() returns.
 */
typedef void dns_answer(void *arg, enum dns_status, const char *why,
	    const unsigned char *message, size_t len);

#ifdef HAVE_CARES
#define DNS_IS_THERE	1

/*
 * Reads the files of the system that list its name servers, and opens nothing
 * else. NULL with *why set.
 */
struct dns_client *dns_client_new(const struct conf *, const char **why);

/* Starts, on descriptors below *limit*. 0, or -1 with errno. */
int	dns_client_start(struct dns_client *, struct poller *, size_t limit);
void	dns_client_free(struct dns_client *);

/* Looks *name* up; *type*: see dns_message.h. */
void	dns_client_ask(struct dns_client *, const char *name, int type,
	    dns_answer *, void *arg);

/* Handles an event. False: the descriptor belongs to another owner. */
bool	dns_client_event(struct dns_client *, const struct poller_event *);

/* Handles timeouts. */
void	dns_client_turn(struct dns_client *);

/* The time in ms until dns_client_turn() must be called, at most *limit*. */
int	dns_client_wait(struct dns_client *, int limit);

#else
#define DNS_IS_THERE	0

static inline struct dns_client *
dns_client_new(const struct conf *c, const char **why)
{
	(void)c;
	*why = "this build has no c-ares";
	return NULL;
}

/* These are never called. */
#define dns_client_start(d, poller, limit)	((void)(d), (void)(poller), \
					(void)(limit), -1)
#define dns_client_free(d)			((void)(d))
#define dns_client_ask(d, name, type, answer, arg) \
					((void)(d), (void)(name), \
					answer(arg, DNS_ENDED, "", NULL, 0))
#define dns_client_event(d, ev)		((void)(d), (void)(ev), false)
#define dns_client_turn(d)			((void)(d))
#define dns_client_wait(d, limit)		((void)(d), (limit))

#endif

#endif
