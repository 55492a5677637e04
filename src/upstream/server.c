/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * server.c: what the workers tell each other about a backend, on the board.
 * Decides nothing; balance.c chooses.
 */
#include "upstream/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where a slow start begins: at one percent. */
#define COLD	(BACKEND_WARM / 100)

/* What a configuration before ours may have held a server off for, in ms. */
#define EARLIER		(UINT64_C(24) * 3600 * 1000)

/* Of the clocks of processes, in ms. */
#define AHEAD		1000

/* For how long one is not tried again; so far apart, it is another episode. */
#define LACK_FIRST	UINT64_C(4)	/* ms */
#define LACK_STEPS	4
#define LACK_EPISODE	10000		/* ms */

/* The longest that can be, seen from a while ago; more is nonsense. */
#define LACK_LONGEST	(BACKEND_LACK_MOST + 2 * AHEAD)

/*
 * Recent failures: when they began, in ms, and above that how many. Lacks in a
 * row: until when it is not to be tried, and how many.
 */
#define RECENT_SHIFT	48
#define RECENT_TIME	((UINT64_C(1) << RECENT_SHIFT) - 1)

static struct board_backend *
shared(const struct backends *bs, uint32_t i)
{
	return &bs->board->backend[bs->list[i].seat];
}

/* What the prober says of it. */
static const struct board_server *
server(const struct backends *bs, uint32_t i)
{
	return &bs->board->server[bs->list[i].seat];
}

/* Not for much longer than its pool, or one before a reload, says; or nonsense. */
static bool
is_held(const struct backends *bs, uint32_t i, uint64_t until, uint64_t now)
{
	return until > now && until - now <= BACKEND_EJECT_MAX *
	    backend_pool(bs, i)->eject_time + EARLIER;
}

bool
backend_take(const struct backends *bs, uint32_t i)
{
	const struct backend *b = &bs->list[i];
	_Atomic uint32_t *mine = board_live(bs->board, bs->worker, b->seat);

	board_own_live(bs->board, b->seat, 1);
	if (b->max_sessions == 0) {
		gauge_add(mine, 1);
		return true;
	}
	/*
	 * First add, then count, in one order for all: of those that race for
	 * the last place all but the first see it taken. All may step back.
	 */
	atomic_fetch_add(mine, 1);
	if (backend_load(bs, i) <= b->max_sessions)
		return true;
	atomic_fetch_sub(mine, 1);
	board_own_live(bs->board, b->seat, -1);
	return false;
}

void
backend_drop(const struct backends *bs, uint32_t i)
{
	const struct backend *b = &bs->list[i];
	_Atomic uint32_t *mine = board_live(bs->board, bs->worker, b->seat);

	board_own_live(bs->board, b->seat, -1);
	/* In the same order: whoever sees nobody waiting is seen by who does. */
	if (b->max_sessions != 0)
		atomic_fetch_sub(mine, 1);
	else
		gauge_add(mine, -1);
}

uint32_t
backend_load(const struct backends *bs, uint32_t i)
{
	return board_backend_live(bs->board, bs->list[i].seat);
}

/* What its name has been found to mean. False: no answer has come yet. */
static bool
found(const struct backends *bs, uint32_t i, struct site *p)
{
	(void)site_read(&server(bs, i)->site, p);
	return p->question == bs->list[i].question;
}

/* Is its name looked up again and again? */
static bool
moves(const struct backends *bs, uint32_t i)
{
	return bs->list[i].question != 0;
}

bool
backend_address(const struct backends *bs, uint32_t i, struct addr *a)
{
	struct site p;

	if (!moves(bs, i)) {
		*a = bs->list[i].addr;
		return true;
	}
	if (!found(bs, i, &p) || !site_serves(&p))
		return false;
	site_addr(&p, a);
	return true;
}

int
backend_connect(const struct backends *bs, uint32_t i, struct departure *d)
{
	struct addr a;

	if (!backend_address(bs, i, &a)) {
		errno = EHOSTUNREACH;
		return -1;
	}
	d->to = &a;
	d->turn = bs->turn == NULL ? 0 : bs->turn[i]++;
	return outlet_connect(&bs->list[i].outlet, d);
}

bool
backend_is_watched(const struct backends *bs, uint32_t i)
{
	const struct backend *b = &bs->list[i];

	return (b->outlet.watch.keepalive != 0 ||
	    b->outlet.watch.user_timeout != 0) &&
	    b->addr.sa.sa_family != AF_UNIX;
}

void
backend_watch(const struct backends *bs, uint32_t i, int fd)
{
	socket_watch_peer(fd, &bs->list[i].outlet.watch);
}

bool
backend_check_address(const struct backends *bs, uint32_t i, struct addr *a)
{
	const struct backend *b = &bs->list[i];

	/* Where nobody is there is nothing to check, wherever that would be. */
	if (!backend_address(bs, i, a))
		return false;
	if (b->check_addr.len > 0)
		*a = b->check_addr;
	if (b->check_port != 0 && !addr_is_unix(a))
		addr_set_port(a, (uint16_t)b->check_port);
	return true;
}

uint32_t
backend_version(const struct backends *bs, uint32_t i)
{
	return moves(bs, i) ? site_version(&server(bs, i)->site) : 0;
}

uint32_t
backend_weight(const struct backends *bs, uint32_t i)
{
	uint32_t weight = bs->list[i].weight;
	struct site p;

	if (!moves(bs, i))
		return weight;
	if (!found(bs, i, &p) || !site_serves(&p))
		return 0;
	weight *= p.weight;
	return weight < BACKEND_WEIGHT_MAX ? weight : BACKEND_WEIGHT_MAX;
}

uint32_t
backend_tier(const struct backends *bs, uint32_t i)
{
	struct site p;

	if (moves(bs, i) && found(bs, i, &p) && p.backup)
		return TIER_BACKUP;
	return bs->list[i].tier;
}

/* FNV-1a, as board_hash(), going on from that of the question. */
uint64_t
backend_hash(const struct backends *bs, uint32_t i)
{
	struct site p;
	uint64_t h;
	size_t k;

	if (!moves(bs, i) || !found(bs, i, &p))
		return bs->list[i].hash;
	h = p.question ^ p.port;
	for (k = 0; k < sizeof(p.ip); k++)
		h = (h ^ p.ip[k]) * UINT64_C(0x100000001b3);
	return h;
}

/* As far as the operator is concerned. */
static bool
in_service(const struct backend *b)
{
	return b->state == BACKEND_READY && b->weight > 0;
}

bool
backend_is_wanted(const struct backends *bs, uint32_t i)
{
	return in_service(&bs->list[i]);
}

static enum backend_health
health(const struct backends *bs, uint32_t i)
{
	return backend_pool(bs, i)->checked ? board_health(server(bs, i)) :
	    HEALTH_UP;
}

bool
backend_serves(const struct backends *bs, uint32_t i)
{
	struct site p;

	return in_service(&bs->list[i]) && health(bs, i) == HEALTH_UP &&
	    (!moves(bs, i) || (found(bs, i, &p) && site_serves(&p)));
}

bool
backend_pending(const struct backends *bs, uint32_t i)
{
	struct site p;

	if (!in_service(&bs->list[i]))
		return false;
	if (moves(bs, i) && !found(bs, i, &p))
		return true;
	return (!moves(bs, i) || site_serves(&p)) &&
	    health(bs, i) == HEALTH_UNKNOWN;
}

bool
backend_unknown(const struct backends *bs, uint32_t i)
{
	struct site p;

	return backend_pending(bs, i) || (in_service(&bs->list[i]) &&
	    moves(bs, i) && found(bs, i, &p) && p.failed);
}

bool
backend_full(const struct backends *bs, uint32_t i)
{
	uint32_t max = bs->list[i].max_sessions;

	return max != 0 && backend_load(bs, i) >= max;
}

uint32_t
backend_warmth(const struct backends *bs, uint32_t i, uint64_t now)
{
	uint64_t span = backend_pool(bs, i)->slow_start, up;

	if (span == 0)
		return BACKEND_WARM;
	up = atomic_load_explicit(&server(bs, i)->changed,
	    memory_order_relaxed);
	if (up == 0 || now >= up + span)
		return BACKEND_WARM;
	/* Whose clock is an event behind has not seen it come up yet. */
	now = now > up ? now - up : 0;
	return COLD + (uint32_t)((BACKEND_WARM - COLD) * now / span);
}

uint32_t
backend_max_fails(const struct backends *bs, uint32_t i)
{
	const struct backend *b = &bs->list[i];

	return b->own_fails ? b->max_fails : backend_pool(bs, i)->max_fails;
}

static uint64_t
fail_timeout(const struct backends *bs, uint32_t i)
{
	uint64_t own = bs->list[i].fail_timeout;

	return own != 0 ? own : backend_pool(bs, i)->fail_timeout;
}

bool
backend_lacks(const struct backends *bs, uint32_t i, uint64_t now)
{
	uint64_t until = atomic_load_explicit(&shared(bs, i)->lacking,
	    memory_order_relaxed) & RECENT_TIME;

	return until > now && until <= now + LACK_LONGEST;
}

void
backend_note_begun(const struct backends *bs, uint32_t i)
{
	_Atomic uint64_t *lacking = &shared(bs, i)->lacking;
	uint64_t was = atomic_load_explicit(lacking, memory_order_relaxed);

	/* Look before writing: the line is shared by all workers. */
	if (was >> RECENT_SHIFT != 0)
		(void)atomic_compare_exchange_strong(lacking, &was,
		    was & RECENT_TIME);
}

/* True: an episode begins. */
static bool
extend_lack(_Atomic uint64_t *lacking, uint64_t now)
{
	uint64_t was = atomic_load(lacking), until = was & RECENT_TIME;
	uint64_t n = was >> RECENT_SHIFT, ms;

	/* Another worker was faster. */
	if (until > now && until <= now + LACK_LONGEST)
		return false;
	ms = n < LACK_STEPS ? LACK_FIRST << n : BACKEND_LACK_MOST;
	n = n < LACK_STEPS ? n + 1 : LACK_STEPS;
	return atomic_compare_exchange_strong(lacking, &was,
	    n << RECENT_SHIFT | (now + ms)) && until + LACK_EPISODE <= now;
}

void
backend_note_lack(const struct backends *bs, uint32_t i, uint64_t now,
    struct log *log, int err)
{
	struct log_field f[BACKEND_FIELDS];
	char cause[120];

	if (!extend_lack(&shared(bs, i)->lacking, now))
		return;
	snprintf(cause, sizeof(cause), "%s: %s", socket_lack(err) == LACK_PORT ?
	    "no local port" : "connect: queue full", strerror(err));
	backend_fields(bs, i, "unreachable", cause, f);
	log_event_seldom(log, LOG_WARNING, f, "backend %s: %s; sessions go to "
	    "others, or wait", bs->list[i].name, cause);
}

/* Count a failure. Were there too many of late? */
static bool
too_many(const struct backends *bs, uint32_t i, uint64_t now)
{
	struct board_backend *b = shared(bs, i);
	uint64_t was = atomic_load(&b->recent), began, n;
	uint32_t max = backend_max_fails(bs, i);

	do {
		began = was & RECENT_TIME;
		n = was >> RECENT_SHIFT;
		/* Of clocks that are read by turns one is ahead, but not so far. */
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
 * Are more ejected than may be, this one included? Of those that there are: a
 * name may have more places than servers.
 */
static bool
over_share(const struct backends *bs, const struct pool *p, uint64_t now)
{
	uint32_t i, n = 0, all = 0;
	struct addr a;

	for (i = p->first; i < p->first + p->n; i++) {
		if (!in_service(&bs->list[i]) || !backend_address(bs, i, &a))
			continue;
		all++;
		n += backend_held_off(bs, i, now);
	}
	return all <= 1 || n * 100 > all * p->max_ejected;
}

/* For how long, now; *row* is how often it was in a row. */
static uint64_t
ejection(struct board_backend *b, const struct pool *p, uint64_t now,
    bool answered, uint32_t *row)
{
	uint64_t longest = BACKEND_EJECT_MAX * p->eject_time, ms;

	*row = atomic_load(&b->ejections);
	if (answered && atomic_load(&b->ejected_until) + longest <= now)
		*row = 0;
	ms = p->eject_time << (*row < 5 ? *row : 5);
	return ms < longest ? ms : longest;
}

enum backend_news
backend_failed(const struct backends *bs, uint32_t i, uint64_t now)
{
	struct board_backend *b = shared(bs, i);
	const struct pool *p = backend_pool(bs, i);
	uint64_t was = atomic_load(&b->held_until), until;
	uint32_t row;

	atomic_fetch_add_explicit(&b->failures, 1, memory_order_relaxed);
	if (backend_max_fails(bs, i) == 0 || is_held(bs, i, was, now) ||
	    (!too_many(bs, i, now) && was == 0))
		return NEWS_NONE;
	until = now + ejection(b, p, now, was == 0, &row);
	/* Of those who see it fail at once one ejects it, and once. */
	if (!atomic_compare_exchange_strong(&b->held_until, &was, until))
		return NEWS_NONE;
	/* First eject, then count: so two cannot both be the last that may. */
	if (over_share(bs, p, now)) {
		(void)atomic_compare_exchange_strong(&b->held_until, &until,
		    now);
		return was == 0 ? NEWS_DOUBT : NEWS_NONE;
	}
	atomic_store(&b->ejected_until, until);
	atomic_store(&b->ejections, row + 1);
	return NEWS_EJECTED;
}

const char *
backend_name_in(const struct backend *b, const char *pool)
{
	size_t len = strlen(pool);

	return strncmp(b->name, pool, len) == 0 && b->name[len] == '/' ?
	    b->name + len + 1 : b->name;
}

const char *
backend_short_name(const struct backends *bs, uint32_t i)
{
	return backend_name_in(&bs->list[i], backend_pool(bs, i)->name);
}

void
backend_fields(const struct backends *bs, uint32_t i, const char *state,
    const char *cause, struct log_field f[BACKEND_FIELDS])
{
	f[0] = (struct log_field){ "event", "server" };
	f[1] = (struct log_field){ "pool", backend_pool(bs, i)->name };
	f[2] = (struct log_field){ "server", backend_short_name(bs, i) };
	f[3] = (struct log_field){ "state", state };
	f[4] = (struct log_field){ "cause", cause };
	f[5] = (struct log_field){ NULL, NULL };
}

void
backend_complain(const struct backends *bs, uint32_t i, uint64_t now,
    struct log *log, const char *what, int err)
{
	const char *name = bs->list[i].name;
	struct log_field f[BACKEND_FIELDS];
	char cause[100];
	uint64_t until;

	snprintf(cause, sizeof(cause), "%s: %s", what, strerror(err));
	switch (backend_failed(bs, i, now)) {
	case NEWS_EJECTED:
		until = atomic_load(&shared(bs, i)->ejected_until);
		backend_fields(bs, i, "ejected", cause, f);
		log_event_seldom(log, LOG_WARNING, f, "backend %s: %s: %s; others are "
		    "tried first for %g s", name, what, strerror(err),
		    (double)(until - now) / 1000);
		break;
	case NEWS_DOUBT:
		backend_fields(bs, i, "failing", cause, f);
		log_event_seldom(log, LOG_WARNING, f, "backend %s: %s: %s; too few "
		    "others are left to pass it over", name, what,
		    strerror(err));
		break;
	case NEWS_NONE:
		break;
	}
}

bool
backend_answered(const struct backends *bs, uint32_t i)
{
	struct board_backend *b = shared(bs, i);

	atomic_fetch_add_explicit(&b->served, 1, memory_order_relaxed);
	/* Look before writing: the line is shared by all workers. */
	if (atomic_load_explicit(&b->held_until, memory_order_relaxed) == 0 ||
	    atomic_exchange(&b->held_until, 0) == 0)
		return false;
	atomic_store(&b->recent, 0);
	return true;
}

bool
backend_held_off(const struct backends *bs, uint32_t i, uint64_t now)
{
	return is_held(bs, i, atomic_load_explicit(&shared(bs, i)->held_until,
	    memory_order_relaxed), now);
}

bool
backend_in_doubt(const struct backends *bs, uint32_t i)
{
	return atomic_load_explicit(&shared(bs, i)->held_until,
	    memory_order_relaxed) != 0;
}

uint32_t
backend_downs(const struct backends *bs, uint32_t i)
{
	return atomic_load(&server(bs, i)->downs);
}

bool
backend_went_down(const struct backends *bs, uint32_t i, uint32_t downs)
{
	uint32_t now = backend_downs(bs, i);

	return health(bs, i) == HEALTH_DOWN && now != downs &&
	    (now | BOARD_DOWNS) == (downs | BOARD_DOWNS);
}
