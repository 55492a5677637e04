/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * lookup.c: sends a lookup, follows aliases, and takes the records from the
 * answer. Knows no servers and logs nothing.
 */
#include "prober/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"

/* The longest wait after a failure, in ms, unless resolve_min_ttl is longer. */
#define BACKOFF_MAX	30000

/* Maximum of answers in a row that contain only an alias. */
#define ALIASES		8

/* The answer does not say how long it is valid. */
#define NO_TTL		UINT32_MAX

/* A look-up under way, which may outlive its question. */
struct ask {
	struct lookup	*lookup;	/* NULL: nothing waits for it */
	struct dns_client	*dns;
	unsigned	 aliases;	/* followed up to now */
	uint32_t	 ttl;		/* s, the lowest of their TTLs */
};

/* The records of one answer, which are few. */
struct records {
	size_t		 n;
	bool		 nowhere;
	uint32_t	 ttl;
	struct record	 record[LOOKUP_RECORDS];
};

static uint64_t
backoff_ms(const struct lookup *q)
{
	uint64_t least = q->conf->resolve_min_ttl;
	uint64_t most = least > BACKOFF_MAX ? least : BACKOFF_MAX;
	uint64_t ms = least << (q->row > 16 ? 16 : q->row == 0 ? 0 : q->row - 1);

	most = q->conf->resolve_max_ttl < most ? q->conf->resolve_max_ttl :
	    most;
	return ms < most ? ms : most;
}

/* Converts to ms, within the bounds. */
static uint64_t
kept_ms(const struct lookup *q, uint32_t ttl)
{
	uint64_t ms = (uint64_t)ttl * 1000;

	ms = ms < q->conf->resolve_min_ttl ? q->conf->resolve_min_ttl : ms;
	return ms > q->conf->resolve_max_ttl ? q->conf->resolve_max_ttl : ms;
}

static void
fail_lookup(struct lookup *q, const char *why)
{
	q->row++;
	q->tried = true;
	q->due = clock_now_ms() + backoff_ms(q);
	q->news(q, why);
	q->failing = true;
}

/* Replaces the answer with these records. 0, or -1 with errno set. */
static int
keep_records(struct lookup *q, const struct record *record, size_t n)
{
	unsigned char (*ip)[16] = NULL;
	struct record *service = NULL;
	size_t i;

	if (n > 0 && q->type == DNS_RR_SRV &&
	    (service = calloc(n, sizeof(*service))) == NULL)
		return -1;
	if (n > 0 && q->type != DNS_RR_SRV &&
	    (ip = calloc(n, sizeof(*ip))) == NULL)
		return -1;
	for (i = 0; i < n; i++)
		if (service != NULL)
			service[i] = record[i];
		else
			memcpy(ip[i], record[i].ip, sizeof(ip[i]));
	free(q->ip);
	free(q->service);
	q->ip = ip;
	q->service = service;
	q->n = n;
	return 0;
}

/* Without a TTL the next lookup comes as after a failure. */
static void
accept_answer(struct lookup *q, const struct record *record, size_t n,
    uint32_t ttl)
{
	if (keep_records(q, record, n) == -1) {
		fail_lookup(q, strerror(errno));
		return;
	}
	q->row = n > 0 ? 0 : q->row + 1;
	q->dated = ttl != NO_TTL;
	q->due = clock_now_ms() + (q->dated ? kept_ms(q, ttl) : backoff_ms(q));
	q->tried = q->known = true;
	q->news(q, NULL);
	q->failing = false;
}

/* "This host on this network" (RFC 1122, section 3.2.1.3) is not a server. */
static bool
is_unusable_ip(const unsigned char ip[16], int type)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const unsigned char zero[16];

	return memcmp(ip, zero, type == DNS_RR_A ? 4 : 16) == 0 ||
	    (type == DNS_RR_AAAA && memcmp(ip, mapped, 12) == 0 &&
	    memcmp(ip + 12, zero, 4) == 0);
}

/* The best services first, in case there are too many. */
static int
by_record_priority(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->weight == y->weight ? 0 : x->weight > y->weight ? -1 : 1;
}

/* Parses the records. False: malformed. */
static bool
read_answer(const struct lookup *q, const unsigned char *message,
    size_t len, struct records *r)
{
	struct answer a;
	struct record *to;
	int got = 0;

	r->n = 0;
	r->nowhere = false;
	if (dns_message_begin(&a, message, len) == -1)
		return false;
	while (r->n < LOOKUP_RECORDS) {
		to = &r->record[r->n];
		if ((got = dns_message_next(&a, q->type, to)) != 1)
			break;
		if (q->type != DNS_RR_SRV && is_unusable_ip(to->ip, q->type))
			r->nowhere = true;
		/* "." means that the service does not exist. */
		else if (q->type != DNS_RR_SRV ||
		    (to->target[0] != '\0' && to->port != 0))
			r->n++;
	}
	r->ttl = a.ttl;
	if (r->n == LOOKUP_RECORDS)
		got = 0;
	if (q->type == DNS_RR_SRV)
		qsort(r->record, r->n, sizeof(r->record[0]),
		    by_record_priority);
	return got != -1;
}

static void	on_lookup_answer(void *, enum dns_status, const char *,
		    const unsigned char *, size_t);

/* The records of an alias may come in another answer. */
static void
follow_alias(struct lookup *q, struct ask *from, const char *target,
    uint32_t ttl)
{
	struct ask *next = malloc(sizeof(*next));
	char name[DNS_MESSAGE_NAME + 1];

	if (next == NULL || from->aliases == ALIASES) {
		free(next);
		fail_lookup(q, next == NULL ? strerror(ENOMEM) :
		    "the chain of aliases is too long");
		return;
	}
	*next = *from;
	next->aliases++;
	next->ttl = ttl;
	q->ask = next;
	/* The dot makes it absolute: search domains do not apply. */
	snprintf(name, sizeof(name), "%s.", target);
	dns_client_ask(next->dns, name, q->type, on_lookup_answer, next);
}

static void
take_dns_answer(struct lookup *q, struct ask *ask, const unsigned char *message,
    size_t len)
{
	char target[DNS_MESSAGE_NAME];
	struct records r;
	int alias = 0;

	if (!read_answer(q, message, len, &r)) {
		fail_lookup(q, "malformed answer");
		return;
	}
	r.ttl = r.ttl < ask->ttl ? r.ttl : ask->ttl;
	q->nowhere = r.nowhere;
	if (r.n == 0 && !r.nowhere)
		alias = dns_message_alias(message, len, target);
	if (alias == 1)
		follow_alias(q, ask, target, r.ttl);
	else if (alias == -1)
		fail_lookup(q, "malformed aliases");
	else
		accept_answer(q, r.record, r.n, r.n > 0 ? r.ttl : NO_TTL);
}

/* Handles a negative answer; without a message several names were tried. */
static void
take_nothing(struct lookup *q, const struct ask *ask,
    const unsigned char *message, size_t len)
{
	uint32_t ttl;

	if (message == NULL || dns_message_nothing_ttl(message, len, &ttl) != 1)
		ttl = NO_TTL;
	else if (ask->ttl < ttl)
		ttl = ask->ttl;
	accept_answer(q, NULL, 0, ttl);
}

static void
on_lookup_answer(void *arg, enum dns_status status, const char *why,
    const unsigned char *message, size_t len)
{
	struct ask *ask = arg;
	struct lookup *q = ask->lookup;

	if (q != NULL) {
		q->ask = NULL;
		if (status == DNS_ANSWER)
			take_dns_answer(q, ask, message, len);
		else if (status == DNS_NOTHING)
			take_nothing(q, ask, message, len);
		else if (status == DNS_FAILED)
			fail_lookup(q, why);
	}
	free(ask);
}

void
lookup_start(struct lookup *q, struct dns_client *dns)
{
	struct ask *ask;

	if (q->ask != NULL)
		return;
	if ((ask = malloc(sizeof(*ask))) == NULL) {
		fail_lookup(q, strerror(errno));
		return;
	}
	*ask = (struct ask){ .lookup = q, .dns = dns, .ttl = UINT32_MAX };
	q->ask = ask;
	dns_client_ask(dns, q->host, q->type, on_lookup_answer, ask);
}

void
lookup_cancel(struct lookup *q)
{
	if (q->ask != NULL)
		q->ask->lookup = NULL;
	q->ask = NULL;
	free(q->ip);
	free(q->service);
	q->ip = NULL;
	q->service = NULL;
	q->n = 0;
}
