/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * names.c: when to look a name up, and what to make of the answers. Whatever goes
 * wrong leaves the servers that stand on the board as they are: only an answer
 * takes one away, or a name that is gone for longer than it is held.
 */
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "dns.h"
#include "seating.h"
#include "sys.h"

/* The longest wait after a failure, in ms, unless every answer is kept longer. */
#define BACKOFF_MAX	30000

/* As many servers of one name are looked at. */
#define FOUND		(2 * CONF_RESOLVE)

/* One name: what has been found since the look-up began, and how it went. */
struct name {
	struct names	*names;
	const struct lookup *lookup;
	uint64_t	 due;		/* of the next look-up */
	unsigned	 pending;	/* questions under way */
	unsigned	 failures;	/* look-ups in a row that failed */
	uint64_t	 gone;		/* since then it has no servers; 0 */
	unsigned	 keep;		/* families without an answer */
	char		 why[96];	/* … and the reason */
	uint32_t	 ttl;		/* s */
	size_t		 n;
	struct found	 found[FOUND];
};

struct names {
	const struct conf *conf;
	struct board	*board;
	struct log	*log;
	struct dns	*dns;
	size_t		 n;
	struct name	*name[];
};

/* A question under way. */
struct question {
	struct name	*name;
	int		 type;
	struct found	 like;		/* port, weight, priority of its answers */
};

static void	ask(struct name *, const char *host, int type,
		    const struct found *like);

static bool
is_better(const struct found *a, const struct found *b)
{
	return a->priority != b->priority ? a->priority < b->priority :
	    a->site.weight > b->site.weight;
}

/*
 * Two targets of a service may be one machine, and whose answer comes first is
 * chance.
 */
static void
add_found(struct name *nm, const struct found *f)
{
	size_t i;

	for (i = 0; i < nm->n; i++)
		if (site_same(&nm->found[i].site, &f->site))
			break;
	if (i < nm->n ? is_better(f, &nm->found[i]) : i < FOUND) {
		nm->found[i] = *f;
		nm->n += i == nm->n;
	}
}

/* Where no source is of a family nobody could connect to what it has. */
static void
ask_addresses(struct name *nm, const char *host, const struct found *like)
{
	const struct outlet *o =
	    &nm->names->conf->backend[nm->lookup->first].outlet;

	if (outlet_serves(o, AF_INET))
		ask(nm, host, ANSWER_A, like);
	if (outlet_serves(o, AF_INET6))
		ask(nm, host, ANSWER_AAAA, like);
}

static void
take_record(struct question *q, const struct record *r)
{
	struct found f = q->like;
	char target[ANSWER_NAME + 1];

	if (q->type != ANSWER_SRV) {
		memcpy(f.site.ip, r->ip, sizeof(f.site.ip));
		f.site.family = q->type == ANSWER_A ? AF_INET : AF_INET6;
		add_found(q->name, &f);
		return;
	}
	/* "." says that there is no such service. */
	if (r->target[0] == '\0' || r->port == 0)
		return;
	f.priority = r->priority;
	f.site.weight = r->weight;
	f.site.port = r->port;
	/* It is whole: the domains that are searched are not for it. */
	snprintf(target, sizeof(target), "%s.", r->target);
	ask_addresses(q->name, target, &f);
}

/* Nothing is known of these servers. */
static void
lack(struct question *q, const char *why)
{
	struct name *nm = q->name;

	nm->keep |= q->type == ANSWER_A ? SEATING_KEEP(AF_INET) :
	    q->type == ANSWER_AAAA ? SEATING_KEEP(AF_INET6) : SEATING_KEEP_ALL;
	(void)strlcpy(nm->why, why, sizeof(nm->why));
}

static void
take_answer(struct question *q, const unsigned char *message, size_t len)
{
	uint32_t most = q->name->lookup->n * 2;
	struct answer a;
	struct record r;
	int got = -1;

	if (answer_begin(&a, message, len) == 0)
		/* Targets of a service are questions: not too many of them. */
		while ((got = answer_next(&a, q->type, &r)) == 1 &&
		    (q->type != ANSWER_SRV || most-- > 0))
			take_record(q, &r);
	if (got == -1)
		lack(q, "the answer is garbage");
	else if (a.ttl < q->name->ttl)
		q->name->ttl = a.ttl;
}

static uint64_t
backoff(const struct name *nm)
{
	const struct conf *c = nm->names->conf;
	uint64_t most = c->resolve_min_ttl > BACKOFF_MAX ?
	    c->resolve_min_ttl : BACKOFF_MAX;
	unsigned shift = nm->failures > 16 ? 16 : nm->failures;
	uint64_t ms = c->resolve_min_ttl << (shift == 0 ? 0 : shift - 1);

	most = c->resolve_max_ttl < most ? c->resolve_max_ttl : most;
	return ms < most ? ms : most;
}

/* In ms, within the bounds. */
static uint64_t
kept(const struct name *nm)
{
	const struct conf *c = nm->names->conf;
	uint64_t ms = (uint64_t)nm->ttl * 1000;

	ms = ms < c->resolve_min_ttl ? c->resolve_min_ttl : ms;
	return ms > c->resolve_max_ttl ? c->resolve_max_ttl : ms;
}

static struct seating
seating_of(const struct name *nm)
{
	const struct conf *c = nm->names->conf;
	const struct backend *first = &c->backend[nm->lookup->first];
	const struct pool *p = &c->pool[first->pool];

	return (struct seating){ .board = nm->names->board, .seat = first,
	    .n = nm->lookup->n, .pool = p->seat, .keep = nm->keep,
	    .health = p->checked ? p->check.init_state : HEALTH_UNKNOWN };
}

static void
use(struct name *nm)
{
	struct seating s = seating_of(nm);
	char news[900];
	struct text t = { news, news + sizeof(news) - 1 };
	size_t found = nm->n;

	if (seating_change(&s, nm->found, nm->n, &t) == 0)
		return;
	*t.at = '\0';
	log_line(nm->names->log, LOG_NOTICE, "name %s: %s%s", nm->lookup->host,
	    news, found > s.n ? "; it has more servers than resolve_max" : "");
}

/* Is it time to believe that the name has no servers any more? */
static bool
believe(struct name *nm, uint64_t now)
{
	const struct conf *c = nm->names->conf;
	struct seating s = seating_of(nm);

	if (!seating_taken(&s))
		return true;
	if (nm->gone == 0)
		nm->gone = now;
	return now >= nm->gone + c->resolve_hold;
}

/* What is wrong, at the beginning and at the end of an episode. */
static void
note(struct name *nm, bool wrong)
{
	struct log *log = nm->names->log;
	struct seating s = seating_of(nm);

	if (wrong && nm->failures++ == 0)
		log_line(log, LOG_WARNING, "name %s: %s: %s%s",
		    nm->lookup->host, nm->why, seating_taken(&s) ?
		    "its servers stay as they are" : "it has no servers",
		    nm->keep == 0 && seating_taken(&s) ? " for a while" : "");
	else if (!wrong && nm->failures > 0) {
		log_line(log, LOG_NOTICE, "name %s: can be looked up again",
		    nm->lookup->host);
		nm->failures = 0;
	}
}

/* All has been answered. */
static void
finish(struct name *nm)
{
	uint64_t now = sys_now(), end;
	const struct conf *c = nm->names->conf;

	if (nm->keep == 0 && nm->n == 0)
		(void)strlcpy(nm->why, "it has no address",
		    sizeof(nm->why));
	note(nm, nm->keep != 0 || nm->n == 0);
	if (nm->n > 0 || (nm->keep == 0 && believe(nm, now)))
		use(nm);
	if (nm->n > 0 || nm->keep != 0)
		nm->gone = 0;
	nm->due = now + (nm->failures > 0 ? backoff(nm) : kept(nm));
	end = nm->gone + c->resolve_hold;
	if (nm->gone != 0 && now < end && end < nm->due)
		nm->due = end;
}

/* One question of it less. */
static void
release(struct name *nm)
{
	if (--nm->pending == 0)
		finish(nm);
}

static void
on_answer(void *arg, enum dns_status status, const char *why,
    const unsigned char *message, size_t len)
{
	struct question *q = arg;

	if (status == DNS_ANSWER)
		take_answer(q, message, len);
	else if (status == DNS_FAILED)
		lack(q, why);
	if (status != DNS_ENDED)
		release(q->name);
	free(q);
}

static void
ask(struct name *nm, const char *host, int type, const struct found *like)
{
	struct question *q = malloc(sizeof(*q));

	if (q == NULL) {
		nm->keep = SEATING_KEEP_ALL;
		(void)strlcpy(nm->why, strerror(errno), sizeof(nm->why));
		return;
	}
	*q = (struct question){ .name = nm, .type = type, .like = *like };
	nm->pending++;
	dns_ask(nm->names->dns, host, type, on_answer, q);
}

static void
look_up(struct name *nm)
{
	struct found like = { .priority = 0 };

	nm->keep = 0;
	nm->n = 0;
	nm->ttl = UINT32_MAX;
	like.site.weight = 1;
	like.site.port = nm->lookup->port;
	/* An answer may come before the next question is out. */
	nm->pending++;
	if (nm->lookup->srv)
		ask(nm, nm->lookup->host, ANSWER_SRV, &like);
	else
		ask_addresses(nm, nm->lookup->host, &like);
	release(nm);
}

struct names *
names_new(const struct conf *c, struct board *board, struct log *log)
{
	struct names *n = calloc(1, sizeof(*n) +
	    c->lookups * sizeof(struct name *));
	const char *why = strerror(ENOMEM);

	if (n == NULL)
		goto fail;
	n->conf = c;
	n->board = board;
	n->log = log;
	for (; n->n < c->lookups; n->n++) {
		if ((n->name[n->n] = calloc(1, sizeof(struct name))) == NULL)
			goto fail;
		n->name[n->n]->names = n;
		n->name[n->n]->lookup = &c->lookup[n->n];
	}
	if (c->lookups == 0 || (n->dns = dns_new(c, &why)) != NULL)
		return n;
fail:
	log_line(log, LOG_ERR, "cannot look names up: %s", why);
	names_free(n);
	return NULL;
}

void
names_free(struct names *n)
{
	if (n == NULL)
		return;
	dns_free(n->dns);
	while (n->n > 0)
		free(n->name[--n->n]);
	free(n);
}

int
names_start(struct names *n, struct poller *p, size_t limit)
{
	return n->n == 0 ? 0 : dns_start(n->dns, p, limit);
}

bool
names_event(struct names *n, const struct poller_event *ev)
{
	return n->n > 0 && dns_event(n->dns, ev);
}

void
names_turn(struct names *n)
{
	uint64_t now = sys_now();
	size_t i;

	if (n->n > 0)
		dns_turn(n->dns);
	for (i = 0; i < n->n; i++)
		if (n->name[i]->pending == 0 && n->name[i]->due <= now)
			look_up(n->name[i]);
}

int
names_wait(const struct names *n, int limit)
{
	uint64_t now = sys_now(), due;
	size_t i;

	for (i = 0; i < n->n; i++) {
		due = n->name[i]->due;
		if (n->name[i]->pending > 0)
			continue;
		if (due <= now)
			return 0;
		if (due - now < (uint64_t)limit)
			limit = (int)(due - now);
	}
	return n->n == 0 ? limit : dns_wait(n->dns, limit);
}
