/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * server.c: the state of a server that workers share on the board. Decides
 * nothing; balance.c chooses.
 */
#include "upstream/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A slow start begins at one percent. */
#define COLD	(SERVER_WARM / 100)

/* The longest ejection by an earlier configuration, in ms. */
#define EARLIER		(UINT64_C(24) * 3600 * 1000)

/* Difference of the clocks of processes, in ms. */
#define AHEAD		1000

/* Pauses after a lack of local ports; lacks this far apart are two episodes. */
#define LACK_FIRST	UINT64_C(4)	/* ms */
#define LACK_STEPS	4
#define LACK_EPISODE	10000		/* ms */

/* The longest valid pause, seen from another process; more is garbage. */
#define LACK_LONGEST	(SERVER_LACK_MOST + 2 * AHEAD)

/*
 * Recent failures: the time of the first in ms, and their number in the upper
 * bits. Consecutive lacks: the end of the pause, and their number.
 */
#define RECENT_SHIFT	48
#define RECENT_TIME	((UINT64_C(1) << RECENT_SHIFT) - 1)

static struct board_server *
shared_server(const struct servers *bs, uint32_t i)
{
	return &bs->board->server[bs->list[i].slot];
}

/* The prober's part of its slot. */
static const struct board_book *
book_entry_of(const struct servers *bs, uint32_t i)
{
	return &bs->board->book[bs->list[i].slot];
}

/*
 * True if the time is within the longest ejection of this or an earlier
 * configuration; other values are garbage.
 */
static bool
is_held(const struct servers *bs, uint32_t i, uint64_t until, uint64_t now)
{
	return until > now && until - now <= SERVER_EJECT_MAX *
	    server_pool(bs, i)->eject_time + EARLIER;
}

bool
server_take(const struct servers *bs, uint32_t i)
{
	const struct server *b = &bs->list[i];
	_Atomic uint32_t *mine = board_live(bs->board, bs->worker, b->slot);

	board_own_live(bs->board, b->slot, 1);
	if (b->max_sessions == 0) {
		gauge_add(mine, 1);
		return true;
	}
	/*
	 * First add, then count, in one total order: of several that race for
	 * the last place, all but the first see it taken. All may step back.
	 */
	atomic_fetch_add(mine, 1);
	if (server_load(bs, i) <= b->max_sessions)
		return true;
	atomic_fetch_sub(mine, 1);
	board_own_live(bs->board, b->slot, -1);
	return false;
}

void
server_drop(const struct servers *bs, uint32_t i)
{
	const struct server *b = &bs->list[i];
	_Atomic uint32_t *mine = board_live(bs->board, bs->worker, b->slot);

	board_own_live(bs->board, b->slot, -1);
	/*
	 * In the total order: either this sees the waiting session, or that
	 * session sees the free place.
	 */
	if (b->max_sessions != 0)
		atomic_fetch_sub(mine, 1);
	else
		gauge_add(mine, -1);
}

uint32_t
server_load(const struct servers *bs, uint32_t i)
{
	return board_server_live(bs->board, bs->list[i].slot);
}

/* The resolved address of its name. False: not resolved yet. */
static bool
read_resolved(const struct servers *bs, uint32_t i, struct resolved_addr *p)
{
	(void)resolved_addr_read(&book_entry_of(bs, i)->resolved, p);
	return p->lookup == bs->list[i].lookup;
}

/* True if its name is looked up regularly. */
static bool
is_looked_up_again(const struct servers *bs, uint32_t i)
{
	return bs->list[i].lookup != 0;
}

bool
server_address(const struct servers *bs, uint32_t i, struct addr *a)
{
	struct resolved_addr p;

	if (!is_looked_up_again(bs, i)) {
		*a = bs->list[i].addr;
		return true;
	}
	if (!read_resolved(bs, i, &p) || !resolved_addr_serves(&p))
		return false;
	resolved_addr_to_addr(&p, a);
	return true;
}

int
server_connect(const struct servers *bs, uint32_t i, struct connect_request *d)
{
	struct addr a;

	if (!server_address(bs, i, &a)) {
		errno = EHOSTUNREACH;
		return -1;
	}
	if (bs->list[i].client_port)
		addr_set_port(&a, d->port);
	d->to = &a;
	d->turn = bs->turn == NULL ? 0 : bs->turn[i]++;
	return egress_connect(&bs->list[i].egress, d);
}

bool
server_is_watched(const struct servers *bs, uint32_t i)
{
	const struct server *b = &bs->list[i];

	return (b->egress.watch.keepalive != 0 ||
	    b->egress.watch.user_timeout != 0) &&
	    b->addr.sa.sa_family != AF_UNIX;
}

void
server_watch(const struct servers *bs, uint32_t i, int fd)
{
	socket_watch_peer(fd, &bs->list[i].egress.watch);
}

bool
server_check_address(const struct servers *bs, uint32_t i, struct addr *a)
{
	const struct server *b = &bs->list[i];

	/* Without a server in this place there is nothing to check. */
	if (!server_address(bs, i, a))
		return false;
	if (b->check_addr.len > 0)
		*a = b->check_addr;
	if (b->check_port != 0 && !addr_is_unix(a))
		addr_set_port(a, (uint16_t)b->check_port);
	return true;
}

uint32_t
server_version(const struct servers *bs, uint32_t i)
{
	return is_looked_up_again(bs, i) ?
	    resolved_addr_version(&book_entry_of(bs, i)->resolved) : 0;
}

uint32_t
server_weight(const struct servers *bs, uint32_t i)
{
	uint32_t weight = bs->list[i].weight;
	struct resolved_addr p;

	if (!is_looked_up_again(bs, i))
		return weight;
	if (!read_resolved(bs, i, &p) || !resolved_addr_serves(&p))
		return 0;
	weight *= p.weight;
	return weight < SERVER_WEIGHT_MAX ? weight : SERVER_WEIGHT_MAX;
}

uint32_t
server_tier(const struct servers *bs, uint32_t i)
{
	struct resolved_addr p;

	if (is_looked_up_again(bs, i) && read_resolved(bs, i, &p) && p.backup)
		return TIER_BACKUP;
	return bs->list[i].tier;
}

/* FNV-1a as in board_hash(), continued from the hash of the lookup. */
uint64_t
server_hash(const struct servers *bs, uint32_t i)
{
	struct resolved_addr p;
	uint64_t h;
	size_t k;

	if (!is_looked_up_again(bs, i) || !read_resolved(bs, i, &p))
		return bs->list[i].hash;
	h = p.lookup ^ p.port;
	for (k = 0; k < sizeof(p.ip); k++)
		h = (h ^ p.ip[k]) * UINT64_C(0x100000001b3);
	return h;
}

/* With regard to the operator only. */
static bool
in_service(const struct server *b)
{
	return b->state == SERVER_READY && b->weight > 0;
}

bool
server_is_wanted(const struct servers *bs, uint32_t i)
{
	return in_service(&bs->list[i]);
}

static enum server_health
health_of_server(const struct servers *bs, uint32_t i)
{
	return server_pool(bs, i)->checked ?
	    board_health(book_entry_of(bs, i)) : HEALTH_UP;
}

bool
server_serves(const struct servers *bs, uint32_t i)
{
	struct resolved_addr p;

	return in_service(&bs->list[i]) &&
	    health_of_server(bs, i) == HEALTH_UP &&
	    (!is_looked_up_again(bs, i) ||
	    (read_resolved(bs, i, &p) && resolved_addr_serves(&p)));
}

bool
server_pending(const struct servers *bs, uint32_t i)
{
	struct resolved_addr p;

	if (!in_service(&bs->list[i]))
		return false;
	if (is_looked_up_again(bs, i) && !read_resolved(bs, i, &p))
		return true;
	return (!is_looked_up_again(bs, i) || resolved_addr_serves(&p)) &&
	    health_of_server(bs, i) == HEALTH_UNKNOWN;
}

bool
server_unknown(const struct servers *bs, uint32_t i)
{
	struct resolved_addr p;

	return server_pending(bs, i) || (in_service(&bs->list[i]) &&
	    is_looked_up_again(bs, i) && read_resolved(bs, i, &p) && p.failed);
}

bool
server_full(const struct servers *bs, uint32_t i)
{
	uint32_t max = bs->list[i].max_sessions;

	return max != 0 && server_load(bs, i) >= max;
}

uint32_t
server_warmth(const struct servers *bs, uint32_t i, uint64_t now)
{
	uint64_t span = server_pool(bs, i)->slow_start, up;

	if (span == 0)
		return SERVER_WARM;
	up = atomic_load_explicit(&book_entry_of(bs, i)->changed,
	    memory_order_relaxed);
	if (up == 0 || now >= up + span)
		return SERVER_WARM;
	/* A clock that is an event behind is still before its rise. */
	now = now > up ? now - up : 0;
	return COLD + (uint32_t)((SERVER_WARM - COLD) * now / span);
}

uint32_t
server_max_fails(const struct servers *bs, uint32_t i)
{
	const struct server *b = &bs->list[i];

	return b->own_fails ? b->max_fails : server_pool(bs, i)->max_fails;
}

static uint64_t
fail_timeout(const struct servers *bs, uint32_t i)
{
	uint64_t own = bs->list[i].fail_timeout;

	return own != 0 ? own : server_pool(bs, i)->fail_timeout;
}

bool
server_lacks(const struct servers *bs, uint32_t i, uint64_t now)
{
	uint64_t until = atomic_load_explicit(&shared_server(bs, i)->lacking,
	    memory_order_relaxed) & RECENT_TIME;

	return until > now && until <= now + LACK_LONGEST;
}

void
server_note_begun(const struct servers *bs, uint32_t i)
{
	_Atomic uint64_t *lacking = &shared_server(bs, i)->lacking;
	uint64_t was = atomic_load_explicit(lacking, memory_order_relaxed);

	/* Look before writing: all workers share the line. */
	if (was >> RECENT_SHIFT != 0)
		(void)atomic_compare_exchange_strong(lacking, &was,
		    was & RECENT_TIME);
}

/* Starts or extends a pause. True: an episode begins. */
static bool
extend_lack(_Atomic uint64_t *lacking, uint64_t now)
{
	uint64_t was = atomic_load(lacking), until = was & RECENT_TIME;
	uint64_t n = was >> RECENT_SHIFT, ms;

	/* Another worker was first. */
	if (until > now && until <= now + LACK_LONGEST)
		return false;
	ms = n < LACK_STEPS ? LACK_FIRST << n : SERVER_LACK_MOST;
	n = n < LACK_STEPS ? n + 1 : LACK_STEPS;
	return atomic_compare_exchange_strong(lacking, &was,
	    n << RECENT_SHIFT | (now + ms)) && until + LACK_EPISODE <= now;
}

void
server_note_lack(const struct servers *bs, uint32_t i, uint64_t now,
    struct log *log, int err)
{
	struct log_field f[SERVER_FIELDS];
	char cause[120];

	if (!extend_lack(&shared_server(bs, i)->lacking, now))
		return;
	snprintf(cause, sizeof(cause), "%s: %s", socket_lack(err) == LACK_PORT ?
	    "no local port" : "connect: queue full", strerror(err));
	server_fields(bs, i, "unreachable", cause, f);
	log_event_seldom(log, LOG_WARNING, f, "server %s: %s; sessions use "
	    "other servers or wait", bs->list[i].name, cause);
}

/* Counts a failure. True: *max_fails* are reached. */
static bool
too_many(const struct servers *bs, uint32_t i, uint64_t now)
{
	struct board_server *b = shared_server(bs, i);
	uint64_t was = atomic_load(&b->recent), began, n;
	uint32_t max = server_max_fails(bs, i);

	do {
		began = was & RECENT_TIME;
		n = was >> RECENT_SHIFT;
		/* Clocks read in turn differ, but not by this much. */
		if (n == 0 || began + fail_timeout(bs, i) <= now ||
		    began > now + AHEAD) {
			began = now;
			n = 0;
		}
		if (n < max)
			n++;
	} while (!atomic_compare_exchange_weak(&b->recent, &was,
	    n << RECENT_SHIFT | began));
	return n >= max;
}

/*
 * True if more servers are ejected than allowed, this one included. A name may
 * have more places than servers: only existing servers count.
 */
static bool
over_share(const struct servers *bs, const struct pool *p, uint64_t now)
{
	uint32_t i, n = 0, all = 0;
	struct addr a;

	for (i = p->first; i < p->first + p->n; i++) {
		if (!in_service(&bs->list[i]) || !server_address(bs, i, &a))
			continue;
		all++;
		n += server_is_ejected(bs, i, now);
	}
	return all <= 1 || n * 100 > all * p->max_ejected_percent;
}

/* Duration of the *row*th consecutive ejection. */
static uint64_t
ejection_ms(struct board_server *b, const struct pool *p, uint64_t now,
    bool answered, uint32_t *row)
{
	uint64_t longest = SERVER_EJECT_MAX * p->eject_time, ms;

	*row = atomic_load(&b->ejections);
	if (answered && atomic_load(&b->last_ejected_until) + longest <= now)
		*row = 0;
	ms = p->eject_time << (*row < 5 ? *row : 5);
	return ms < longest ? ms : longest;
}

enum server_news
server_failed(const struct servers *bs, uint32_t i, uint64_t now)
{
	struct board_server *b = shared_server(bs, i);
	const struct pool *p = server_pool(bs, i);
	uint64_t was = atomic_load(&b->ejected_until), until;
	uint32_t row;

	atomic_fetch_add_explicit(&b->failures, 1, memory_order_relaxed);
	if (server_max_fails(bs, i) == 0 || is_held(bs, i, was, now) ||
	    (!too_many(bs, i, now) && was == 0))
		return NEWS_NONE;
	until = now + ejection_ms(b, p, now, was == 0, &row);
	/*
	 * Of several workers that see it fail at once, one ejects it, and once.
	 */
	if (!atomic_compare_exchange_strong(&b->ejected_until, &was, until))
		return NEWS_NONE;
	/*
	 * First eject, then count: so two workers cannot both eject the last
	 * one.
	 */
	if (over_share(bs, p, now)) {
		(void)atomic_compare_exchange_strong(&b->ejected_until, &until,
		    now);
		return was == 0 ? NEWS_PROBATION : NEWS_NONE;
	}
	atomic_store(&b->last_ejected_until, until);
	atomic_store(&b->ejections, row + 1);
	return NEWS_EJECTED;
}

const char *
server_name_in(const struct server *b, const char *pool)
{
	size_t len = strlen(pool);

	return strncmp(b->name, pool, len) == 0 && b->name[len] == '/' ?
	    b->name + len + 1 : b->name;
}

const char *
server_short_name(const struct servers *bs, uint32_t i)
{
	return server_name_in(&bs->list[i], server_pool(bs, i)->name);
}

void
server_fields(const struct servers *bs, uint32_t i, const char *state,
    const char *cause, struct log_field f[SERVER_FIELDS])
{
	f[0] = (struct log_field){ "event", "server" };
	f[1] = (struct log_field){ "pool", server_pool(bs, i)->name };
	f[2] = (struct log_field){ "server", server_short_name(bs, i) };
	f[3] = (struct log_field){ "state", state };
	f[4] = (struct log_field){ "cause", cause };
	f[5] = (struct log_field){ NULL, NULL };
}

void
server_record_failure(const struct servers *bs, uint32_t i, uint64_t now,
    struct log *log, const char *what, int err)
{
	const char *name = bs->list[i].name;
	struct log_field f[SERVER_FIELDS];
	char cause[100];
	uint64_t until;

	snprintf(cause, sizeof(cause), "%s: %s", what, strerror(err));
	switch (server_failed(bs, i, now)) {
	case NEWS_EJECTED:
		until = atomic_load(&shared_server(bs, i)->last_ejected_until);
		server_fields(bs, i, "ejected", cause, f);
		log_event_seldom(log, LOG_WARNING, f, "server %s: %s: %s; "
		    "ejected for %g s", name, what, strerror(err),
		    (double)(until - now) / 1000);
		break;
	case NEWS_PROBATION:
		server_fields(bs, i, "failing", cause, f);
		log_event_seldom(log, LOG_WARNING, f, "server %s: %s: %s; not "
		    "ejected: too few other servers are left", name, what,
		    strerror(err));
		break;
	case NEWS_NONE:
		break;
	}
}

bool
server_answered(const struct servers *bs, uint32_t i)
{
	struct board_server *b = shared_server(bs, i);

	atomic_fetch_add_explicit(&b->served, 1, memory_order_relaxed);
	/* Look before writing: all workers share the line. */
	if (atomic_load_explicit(&b->ejected_until, memory_order_relaxed) ==
	    0 || atomic_exchange(&b->ejected_until, 0) == 0)
		return false;
	atomic_store(&b->recent, 0);
	return true;
}

bool
server_is_ejected(const struct servers *bs, uint32_t i, uint64_t now)
{
	return is_held(bs, i, atomic_load_explicit(&shared_server(bs,
	    i)->ejected_until, memory_order_relaxed), now);
}

bool
server_on_probation(const struct servers *bs, uint32_t i)
{
	return atomic_load_explicit(&shared_server(bs, i)->ejected_until,
	    memory_order_relaxed) != 0;
}

uint32_t
server_downs(const struct servers *bs, uint32_t i)
{
	return atomic_load(&book_entry_of(bs, i)->downs);
}

bool
server_went_down(const struct servers *bs, uint32_t i, uint32_t downs)
{
	uint32_t now = server_downs(bs, i);

	return health_of_server(bs, i) == HEALTH_DOWN && now != downs &&
	    (now | BOARD_DOWNS) == (downs | BOARD_DOWNS);
}
