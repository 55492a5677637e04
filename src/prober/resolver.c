/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver.c: the lookups of a name, their times, and the servers that result
 * from their answers. Only an answer removes a server, or a name that does not
 * exist for longer than resolve_hold; a failed lookup is only logged.
 */
#include "prober/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "prober/dns_client.h"
#include "prober/lookup.h"
#include "prober/resolver_assign.h"
#include "prober/resolver_log.h"
#include "sys/clock.h"

/* Maximum of servers considered for one name. */
#define CANDIDATES		LOOKUP_RECORDS

/* Targets of a service are lookups: at most this many. */
#define TARGETS(max)	(2 * (max) + 4)

/*
 * Lookups started in one turn at most: the answers of more would overflow the
 * receive buffer.
 */
#define IN_A_TURN	64

enum { IPV4, IPV6, FAMILIES };

static const struct {
	int		 type;
	sa_family_t	 family;
} families[FAMILIES] = {
	{ DNS_RR_A, AF_INET }, { DNS_RR_AAAA, AF_INET6 },
};

/* A host with servers: named by the operator, or target of a service. */
struct host {
	struct host	*next;
	bool		 wanted;
	uint16_t	 origin;	/* as on the board */
	struct lookup	 lookup[FAMILIES];
	char		 name[DNS_MESSAGE_NAME + 1];
};

struct name {
	struct resolver	*names;
	const struct dns_name *dns_name;
	struct lookup	 service;	/* SRV */
	struct host	*hosts;
	uint64_t	 due;		/* of the next action */
	bool		 changed;	/* since it was put on the board */
	bool		 done;		/* looked up once, and done */
	uint64_t	 gone;		/* clock_now_ms() of its loss, or 0 */
};

struct resolver {
	const struct conf *conf;
	struct board	*board;
	struct log	*log;
	struct dns_client	*dns;
	unsigned	 asked;		/* lookups started in this turn */
	/* The servers found of the current name. */
	struct candidate	 best[CANDIDATES];
	struct unanswered keep[FAMILIES * CANDIDATES];
	size_t		 n;
	struct name	 name[];
};

/* The state of a name on the board, and the new one. */
struct view {
	struct resolver_assign	 assign;
	size_t		 candidates;
	bool		 known;		/* there was an answer of any kind */
	bool		 pending;	/* a first lookup is in progress */
	bool		 nowhere;
};

/* --- hosts ----------------------------------------------------------------- */

static const char *
type_name(int type)
{
	return type == DNS_RR_A ? "A" : type == DNS_RR_AAAA ? "AAAA" : "SRV";
}

static struct resolver_subject
subject_of(const struct name *nm)
{
	const struct conf *c = nm->names->conf;

	return (struct resolver_subject){ .log = nm->names->log,
	    .pool = c->pool[c->server[nm->dns_name->first].pool].name,
	    .name = nm->dns_name->host };
}

static void
on_assigned(void *arg, const struct server *b, const char *address,
    enum resolver_assign_change what)
{
	const struct name *nm = arg;
	const struct resolver_subject s = subject_of(nm);

	resolver_log_server(&s, b, address, what, nm->gone != 0 ?
	    "the name has no address" : "an answer");
}

static struct resolver_assign
assign_of_name(struct name *nm)
{
	const struct conf *c = nm->names->conf;
	const struct server *first = &c->server[nm->dns_name->first];
	const struct pool *p = &c->pool[first->pool];

	return (struct resolver_assign){ .board = nm->names->board, .slot =
	    first, .n = nm->dns_name->n, .max = nm->dns_name->max, .pool =
	    p->slot, .priority = UINT16_MAX, .keep = nm->names->keep, .tell =
	    on_assigned, .arg = nm, .health = p->checked ? p->check.init_state :
	    HEALTH_UNKNOWN };
}

/* Logs the start and the end of a failure. */
static void
on_news(struct lookup *q, const char *why)
{
	struct name *nm = q->arg;
	const struct resolver_subject about = subject_of(nm);
	struct resolver_assign s = assign_of_name(nm);
	bool target = nm->dns_name->srv && q != &nm->service;
	char which[DNS_MESSAGE_NAME + 16];

	nm->changed = true;
	nm->due = 0;
	/* Without its final dot. */
	snprintf(which, sizeof(which), "%.*s%s%s", target ?
	    (int)strlen(q->host) - 1 : 0, q->host, target ? ": " : "",
	    type_name(q->type));
	if (why != NULL && !q->failing)
		resolver_log(&about, LOG_WARNING, "failing", why, "%s: %s: %s",
		    which, why, resolver_assign_taken(&s) ? "its servers are "
		    "kept" : "it has no servers");
	else if (why == NULL && q->failing)
		resolver_log(&about, LOG_NOTICE, "answered", which,
		    "lookup works again: %s", which);
}

static struct lookup
init_lookup(struct name *nm, const char *host, int type)
{
	return (struct lookup){ .conf = nm->names->conf, .host = host,
	    .type = type, .news = on_news, .arg = nm };
}

/* Without a source address of a family its addresses cannot be used. */
static bool
is_asked(const struct name *nm, int family)
{
	const struct conf *c = nm->names->conf;

	return egress_serves(&c->server[nm->dns_name->first].egress, family);
}

/* The host called *name*, created if missing. NULL: out of memory. */
static struct host *
host_for(struct name *nm, const char *name)
{
	struct host *h;
	int i;

	for (h = nm->hosts; h != NULL; h = h->next)
		if (strcasecmp(h->name, name) == 0)
			return h;
	if ((h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	(void)strlcpy(h->name, name, sizeof(h->name));
	h->origin = resolved_addr_origin(board_hash(name));
	for (i = 0; i < FAMILIES; i++)
		if (is_asked(nm, families[i].family))
			h->lookup[i] = init_lookup(nm, h->name,
			    families[i].type);
	h->next = nm->hosts;
	nm->hosts = h;
	return h;
}

static void
drop_host(struct host *h)
{
	int i;

	for (i = 0; i < FAMILIES; i++)
		lookup_cancel(&h->lookup[i]);
	free(h);
}

static void
drop_unwanted(struct name *nm)
{
	struct host **at = &nm->hosts, *h;

	while ((h = *at) != NULL)
		if (h->wanted) {
			at = &h->next;
		} else {
			*at = h->next;
			drop_host(h);
		}
}

/* The dot makes it absolute: search domains do not apply. */
static struct host *
target_of(struct name *nm, const struct record *r)
{
	char name[DNS_MESSAGE_NAME + 1];

	snprintf(name, sizeof(name), "%s.", r->target);
	return host_for(nm, name);
}

static size_t
targets_of_name(const struct name *nm)
{
	size_t most = TARGETS(nm->dns_name->max);

	return nm->service.n < most ? nm->service.n : most;
}

/* Each current target has lookups of its own. */
static void
follow_service(struct name *nm)
{
	struct host *h;
	size_t i;

	for (h = nm->hosts; h != NULL; h = h->next)
		h->wanted = false;
	for (i = 0; i < targets_of_name(nm); i++)
		if ((h = target_of(nm, &nm->service.service[i])) != NULL)
			h->wanted = true;
	drop_unwanted(nm);
}

/* --- what is known --------------------------------------------------------- */

static bool
is_better(const struct candidate *a, const struct candidate *b)
{
	return a->priority != b->priority ? a->priority < b->priority :
	    a->resolved.weight > b->resolved.weight;
}

/*
 * Two targets of a service may be one machine, and the order of their answers
 * is chance.
 */
static void
add_candidate_of(struct resolver *ns, struct view *v, const struct candidate *f)
{
	size_t i;

	for (i = 0; i < v->candidates; i++)
		if (resolved_addr_same(&ns->best[i].resolved, &f->resolved))
			break;
	if (i < v->candidates ? is_better(f, &ns->best[i]) : i < CANDIDATES) {
		ns->best[i] = *f;
		v->candidates += i == v->candidates;
	}
}

/* Records that the result of this lookup is unknown. */
static void
add_unanswered(struct name *nm, struct view *v, const struct host *h, int i,
    uint16_t priority)
{
	struct resolver *ns = nm->names;

	if (v->assign.keeps < FAMILIES * CANDIDATES)
		ns->keep[v->assign.keeps++] = (struct unanswered){
		    .origin = h->origin, .family = families[i].family };
	if (h->lookup[i].tried)
		return;
	v->pending = true;
	if (priority < v->assign.priority)
		v->assign.priority = priority;
}

/* Adds the servers of a host with these properties as a target. */
static void
view_host(struct name *nm, struct view *v, const struct host *h,
    struct candidate like)
{
	const struct lookup *q;
	size_t k;
	int i;

	for (i = 0; i < FAMILIES; i++) {
		q = &h->lookup[i];
		if (q->type == 0)
			continue;
		v->known |= q->known;
		v->nowhere |= q->nowhere;
		if (!q->known)
			add_unanswered(nm, v, h, i, like.priority);
		like.resolved.family = families[i].family;
		like.resolved.origin = h->origin;
		for (k = 0; k < q->n; k++) {
			memcpy(like.resolved.ip, q->ip[k], sizeof(q->ip[k]));
			add_candidate_of(nm->names, v, &like);
		}
	}
}

static void
view_service(struct name *nm, struct view *v)
{
	const struct lookup *q = &nm->service;
	const struct record *r;
	struct host *h;
	size_t i;

	v->known = q->known;
	v->pending = !q->tried;
	v->assign.keep_all = !q->known;
	for (i = 0; i < targets_of_name(nm); i++) {
		r = &q->service[i];
		if ((h = target_of(nm, r)) != NULL)
			view_host(nm, v, h, (struct candidate){
			    .priority = r->priority, .resolved = {
			    .weight = r->weight, .port = r->port } });
	}
}

static struct view
view_of(struct name *nm)
{
	struct view v = { .assign = assign_of_name(nm) };

	if (nm->dns_name->srv)
		view_service(nm, &v);
	else
		view_host(nm, &v, nm->hosts, (struct candidate){ .resolved = {
		    .weight = 1, .port = nm->dns_name->port } });
	return v;
}

/* --- what follows of it ---------------------------------------------------- */

/* Logs the start and the end of a time without any address. */
static void
note_gone(struct name *nm, const struct view *v, uint64_t now)
{
	const struct resolver_subject about = subject_of(nm);
	const struct conf *c = nm->names->conf;
	const char *what = v->nowhere ? "it resolves to 0.0.0.0 or ::" :
	    "it has no address";

	if ((nm->gone != 0) == (v->candidates == 0))
		return;
	nm->gone = v->candidates == 0 ? now : 0;
	if (nm->gone == 0)
		resolver_log(&about, LOG_NOTICE, "answered",
		    "it has an address again", "it has an address again");
	else if (c->resolve_hold == 0 || !resolver_assign_taken(&v->assign))
		resolver_log(&about, LOG_WARNING, "gone", what, "%s: %s", what,
		    resolver_assign_taken(&v->assign) ? "its servers are "
		    "removed" : "it has no servers");
	else
		resolver_log(&about, LOG_WARNING, "gone", what,
		    "%s: its servers are kept for %g s", what,
		    (double)c->resolve_hold / 1000);
}

static void
put_on_board(struct name *nm, const struct view *v)
{
	const struct resolver_subject about = subject_of(nm);

	if (resolver_assign_change(&v->assign, nm->names->best, v->candidates) >
	    0 && v->candidates > v->assign.max)
		resolver_log(&about, LOG_NOTICE, "cut", "resolve_max",
		    "it has more servers than resolve_max, %u", v->assign.max);
}

static void
use_answers(struct name *nm, uint64_t now)
{
	uint64_t hold = nm->names->conf->resolve_hold;
	struct view v = view_of(nm);

	/* An answer still to come may have the first or only address. */
	if (v.candidates == 0 && v.pending)
		return;
	if (v.candidates == 0 && (!v.known || v.assign.keeps > 0) &&
	    !resolver_assign_taken(&v.assign)) {
		resolver_assign_fail(&v.assign);
		return;
	}
	if (!v.known)
		return;
	note_gone(nm, &v, now);
	nm->done = nm->dns_name->once && v.candidates > 0 && !v.pending;
	if (nm->gone == 0 || now >= nm->gone + hold)
		put_on_board(nm, &v);
}

/* --- when ------------------------------------------------------------------ */

static uint64_t
least_of_two(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The time of its next action, apart from answers. */
static uint64_t
due_of(const struct name *nm)
{
	uint64_t due = LOOKUP_NEVER, hold = nm->names->conf->resolve_hold;
	const struct host *h;
	int i;

	if (nm->done)
		return LOOKUP_NEVER;
	if (nm->dns_name->srv && nm->service.ask == NULL)
		due = nm->service.due;
	for (h = nm->hosts; h != NULL; h = h->next)
		for (i = 0; i < FAMILIES; i++)
			if (h->lookup[i].type != 0 &&
			    h->lookup[i].ask == NULL)
				due = least_of_two(due, h->lookup[i].due);
	if (nm->gone != 0 && clock_now_ms() < nm->gone + hold)
		due = least_of_two(due, nm->gone + hold);
	return due;
}

static void
start_lookup(struct resolver *ns, struct lookup *q, uint64_t now)
{
	if (q->type != 0 && q->ask == NULL && q->due <= now &&
	    ns->asked < IN_A_TURN) {
		ns->asked++;
		lookup_start(q, ns->dns);
	}
}

/*
 * If one family has no address and no TTL, and the other has addresses, both
 * are looked up together, by the TTL of the other.
 */
static void
ask_host(struct name *nm, struct host *h, uint64_t now)
{
	struct lookup *q, *other;
	int i;

	for (i = 0; i < FAMILIES; i++) {
		q = &h->lookup[i];
		other = &h->lookup[FAMILIES - 1 - i];
		if (q->type == 0 || q->ask != NULL)
			continue;
		if (q->known && !q->failing && !q->dated && other->n > 0)
			q->due = other->due;
		start_lookup(nm->names, q, now);
	}
}

static void
ask_name(struct name *nm, uint64_t now)
{
	struct host *h;

	start_lookup(nm->names, &nm->service, now);
	for (h = nm->hosts; h != NULL; h = h->next)
		ask_host(nm, h, now);
}

static void
name_turn(struct name *nm)
{
	uint64_t now = clock_now_ms();

	if (nm->due > now)
		return;
	if (nm->changed && nm->dns_name->srv)
		follow_service(nm);
	nm->changed = false;
	ask_name(nm, now);
	/* All answers of this turn are one change; so is an expired time. */
	use_answers(nm, now);
	nm->due = nm->changed ? 0 : due_of(nm);
}

/* --- beginning and end ----------------------------------------------------- */

static int
name_init(struct resolver *ns, struct name *nm, const struct dns_name *l)
{
	nm->names = ns;
	nm->dns_name = l;
	if (l->srv)
		nm->service = init_lookup(nm, l->host, DNS_RR_SRV);
	else if (host_for(nm, l->host) == NULL)
		return -1;
	return 0;
}

size_t
resolver_wanted(const struct conf *c)
{
	return DNS_IS_THERE ? c->dns_names : 0;
}

struct resolver *
resolver_new(const struct conf *c, struct board *board, struct log *log)
{
	size_t i, lookups = resolver_wanted(c);
	struct resolver *n = calloc(1, sizeof(*n) + lookups *
	    sizeof(struct name));
	const char *why = strerror(ENOMEM);

	if (n == NULL)
		goto fail;
	n->conf = c;
	n->board = board;
	n->log = log;
	for (i = 0; i < lookups; i++, n->n++)
		if (name_init(n, &n->name[i], &c->dns_name[i]) == -1)
			goto fail;
	if (lookups == 0 || (n->dns = dns_client_new(c, &why)) != NULL)
		return n;
fail:
	log_line(log, LOG_ERR, "cannot look up names: %s", why);
	resolver_free(n);
	return NULL;
}

void
resolver_free(struct resolver *n)
{
	struct host *h;

	if (n == NULL)
		return;
	/* Ends lookups in progress. */
	dns_client_free(n->dns);
	while (n->n-- > 0) {
		lookup_cancel(&n->name[n->n].service);
		while ((h = n->name[n->n].hosts) != NULL) {
			n->name[n->n].hosts = h->next;
			drop_host(h);
		}
	}
	free(n);
}

int
resolver_start(struct resolver *n, struct poller *p, size_t limit)
{
	return n->n == 0 ? 0 : dns_client_start(n->dns, p, limit);
}

bool
resolver_event(struct resolver *n, const struct poller_event *ev)
{
	return n->n > 0 && dns_client_event(n->dns, ev);
}

void
resolver_turn(struct resolver *n)
{
	size_t i;

	if (n->n > 0)
		dns_client_turn(n->dns);
	n->asked = 0;
	for (i = 0; i < n->n; i++)
		name_turn(&n->name[i]);
}

int
resolver_wait(const struct resolver *n, int limit)
{
	uint64_t now = clock_now_ms(), due;
	size_t i;

	for (i = 0; i < n->n; i++) {
		/* Name servers, too, have limited receive buffers. */
		if ((due = n->name[i].due) <= now)
			return n->asked < IN_A_TURN || limit < 1 ? 0 : 1;
		if (due - now < (uint64_t)limit)
			limit = (int)(due - now);
	}
	return n->n == 0 ? limit : dns_client_wait(n->dns, limit);
}
