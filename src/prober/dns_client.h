/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns_client.h: questions to name servers, by c-ares and in our poller: no process waits.
 * Timeouts, retries, other servers and TCP for what UDP cannot carry are c-ares's.
 * Without the library there is none, and no configuration that needs one.
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
	DNS_ANSWER,			/* a message, whatever is in it */
	DNS_NOTHING,			/* no such name or record; a message, */
					/* unless several names were tried */
	DNS_FAILED,			/* there is no answer; *why* says more */
	DNS_ENDED	/* by dns_client_free(), before an answer */
};

/* Exactly one for each question, perhaps before dns_client_ask() returns. */
typedef void dns_answer(void *arg, enum dns_status, const char *why,
	    const unsigned char *message, size_t len);

#ifdef HAVE_CARES
#define DNS_IS_THERE	1

/*
 * Reads the files of the system that tell its name servers, and opens nothing
 * else. NULL with *why set.
 */
struct dns_client *dns_client_new(const struct conf *, const char **why);

/* From now on, for descriptors below *limit*. 0, or -1 with errno. */
int	dns_client_start(struct dns_client *, struct poller *, size_t limit);
void	dns_client_free(struct dns_client *);

/* *type*: see dns_message.h. */
void	dns_client_ask(struct dns_client *, const char *name, int type,
	    dns_answer *, void *arg);

/* Act on an event. False: the descriptor is not one of these. */
bool	dns_client_event(struct dns_client *, const struct poller_event *);

/* What has waited for too long. */
void	dns_client_turn(struct dns_client *);

/* Milliseconds until dns_client_turn() wants to be called; at most *limit*. */
int	dns_client_wait(struct dns_client *, int limit);

#else
#define DNS_IS_THERE	0

static inline struct dns_client *
dns_client_new(const struct conf *c, const char **why)
{
	(void)c;
	*why = "there is no c-ares";
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
