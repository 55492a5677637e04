/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_schedule.c: one timer for each server, until its next check, and one
 * for each of a fixed number of checks in progress, until its timeout.
 * Invariant: a server has either its timer set or one check in progress without
 * a verdict; or its name has no server for its place.
 */
/* Two functions of <vis.h> differ between systems: select OpenBSD's. */
#define LIBBSD_OPENBSD_VIS

#include "prober/check_schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vis.h>

#include "event/timer.h"
#include "prober/check.h"
#include "prober/check_runner.h"
#include "sys/clock.h"
#include "upstream/health.h"
#include "util/text.h"

/* Maximum of checks in progress; further ones wait for their turn. */
#define AT_A_TIME	1000

/* Descriptors for everything else. */
#define SET_ASIDE	32

/* Checks started in one turn at most, or the first would wait for the last. */
#define IN_A_TURN	64

/* Delay of a check without a free slot; in ms, as below. */
#define NO_ROOM		10

/*
 * A unix socket whose queue is full is tried again after half of the time that
 * has passed, within these bounds.
 */
#define ROOM_FIRST	5
#define ROOM_MOST	100

/* Time for a server to close its side after the verdict. */
#define LINGER		500

/* The first check of servers that were known before comes within this time. */
#define FIRST		1000

struct checked_server {
	uint32_t	 id;	/* in the configuration */
	uint32_t	 version;	/* of its address: server_version() */
	bool		 asked;		/* a check is in progress */
	bool		 delayed;	/* the last one was postponed */
	struct health	 health;
};

struct slot {
	struct check	 check;
	uint32_t	 server;
	uint32_t	 next;		/* free list */
	uint64_t	 began;		/* clock_now_us() */
};

struct check_schedule {
	const struct conf *conf;
	struct servers	 all_servers;
	struct board	*board;
	struct log	*log;
	struct poller	*poller;
	struct check_runner	 runner;
	bool		 broken;	/* the runner has ended */
	struct check_exchange	**exchange;	/* by pool */
	struct timers	*timers;	/* by server, then by slot */
	uint32_t	 servers, slots;
	struct checked_server	*server;
	struct slot	*slot;
	uint32_t	 vacant;	/* first free slot; slots: none */
	uint32_t	 begun;		/* checks started in this turn */
	uint32_t	*owner;		/* slot + 1, by descriptor */
};

static const struct server *
server_of(const struct check_schedule *cs, uint32_t server)
{
	return &cs->conf->server[cs->server[server].id];
}

static const struct pool *
pool_of_server(const struct check_schedule *cs, uint32_t server)
{
	return &cs->conf->pool[server_of(cs, server)->pool];
}

/* --- lines ----------------------------------------------------------------- */

/* Number of servers of a pool, and how many are up, or may turn out to be. */
struct strength {
	unsigned all, up, unknown;
};

static struct strength
strength_of(const struct check_schedule *cs, const struct pool *p)
{
	struct strength n = { 0, 0, 0 };
	struct addr a;
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++) {
		n.all += server_address(&cs->all_servers, i, &a);
		n.up += server_serves(&cs->all_servers, i);
		n.unknown += server_unknown(&cs->all_servers, i);
	}
	return n;
}

static void
log_health_change(const struct check_schedule *cs, const struct slot *s,
    bool up, enum server_health before, uint64_t us)
{
	const struct pool *p = pool_of_server(cs, s->server);
	const struct strength n = strength_of(cs, p);
	uint32_t needed = health_needs(&p->check, before);
	char why[4 * CHECK_EXCHANGE_WHY + 1], which[48] = "first check",
	    took[32] = "";
	char serving[16], servers[16];
	struct log_field f[SERVER_FIELDS + 3];

	strvis(why, s->check.why, VIS_CSTYLE | VIS_NL | VIS_TAB);
	if (before != HEALTH_UNKNOWN)
		snprintf(which, sizeof(which), "check %u of %u", needed,
		    needed);
	if (up)
		snprintf(took, sizeof(took), " in %.1f ms", (double)us / 1000);
	snprintf(serving, sizeof(serving), "%u", n.up);
	snprintf(servers, sizeof(servers), "%u", n.all);
	server_fields(&cs->all_servers, cs->server[s->server].id, up ?
	    "up" : "down", why, f);
	f[SERVER_FIELDS - 1] = (struct log_field){ "check", which };
	f[SERVER_FIELDS] = (struct log_field){ LOG_NUMBER "servers_up",
	    serving };
	f[SERVER_FIELDS + 1] = (struct log_field){ LOG_NUMBER "servers",
	    servers };
	f[SERVER_FIELDS + 2].name = NULL;
	/* Without a server the pool serves no session. */
	log_event(cs->log, up ? LOG_NOTICE : n.up + n.unknown > 0 ?
	    LOG_WARNING : LOG_ERR, f, "server %s: %s: %s%s (%s); %u of %u "
	    "server%s of pool %s up", server_of(cs, s->server)->name,
	    up ? "up" : "down", why, took, which, n.up, n.all, text_s(n.all),
	    p->name);
}

/* --- slots ----------------------------------------------------------------- */

static void
vacate_slot(struct check_schedule *cs, uint32_t i)
{
	struct slot *s = &cs->slot[i];

	timer_clear(cs->timers, cs->servers + i);
	if (s->check.fd != -1) {
		poller_forget(cs->poller, s->check.fd);
		cs->owner[s->check.fd] = 0;
	}
	check_abandon(&s->check);
	s->next = cs->vacant;
	cs->vacant = i;
}

static void
conclude_check(struct check_schedule *cs, uint32_t i, bool passed)
{
	struct slot *s = &cs->slot[i];
	struct checked_server *server = &cs->server[s->server];
	const struct check_policy *plan = &pool_of_server(cs, s->server)->check;
	uint32_t slot = server_of(cs, s->server)->slot;
	uint64_t us = clock_now_us() - s->began, now = clock_now_ms();
	enum server_health before;

	server->asked = false;
	/* The answer was not from the server that has its place now. */
	if (server_version(&cs->all_servers, server->id) !=
	    server->version) {
		vacate_slot(cs, i);
		timer_set(cs->timers, (uint32_t)(server - cs->server), now);
		return;
	}
	before = board_health(&cs->board->book[slot]);
	if (health_note(&server->health, cs->board, slot, plan, passed,
	    us / 1000, now))
		log_health_change(cs, s, passed, before, us);
	timer_set(cs->timers, s->server, now + health_wait(&server->health,
	    cs->board, slot, plan, arc4random()));
	if (!check_end(&s->check)) {
		vacate_slot(cs, i);
		return;
	}
	poller_want(cs->poller, s->check.fd, check_interest(&s->check));
	timer_set(cs->timers, cs->servers + i, now + LINGER);
}

/*
 * A lack of resources here says nothing about the server. Only the first
 * postponement is logged.
 */
static void
put_off(struct check_schedule *cs, uint32_t server, const char *why)
{
	const struct check_policy *plan = &pool_of_server(cs, server)->check;
	struct log_field f[SERVER_FIELDS];

	timer_set(cs->timers, server, clock_now_ms() + plan->interval);
	if (cs->server[server].delayed)
		return;
	cs->server[server].delayed = true;
	server_fields(&cs->all_servers, cs->server[server].id,
	    "check_delayed", why, f);
	log_event_seldom(cs->log, LOG_WARNING, f, "server %s: check put off: "
	    "%s", server_of(cs, server)->name, why);
}

static uint64_t
timeout_of(const struct check_policy *plan)
{
	return plan->timeout != 0 ? plan->timeout : plan->interval;
}

/* The time when the check in this slot times out. */
static uint64_t
end_of(const struct check_schedule *cs, const struct slot *s)
{
	return s->began / 1000 + timeout_of(&pool_of_server(cs,
	    s->server)->check);
}

static void
wait_for_room(struct check_schedule *cs, uint32_t i)
{
	const struct slot *s = &cs->slot[i];
	uint64_t now = clock_now_ms(), ms = (now - s->began / 1000) / 2;
	uint64_t end = end_of(cs, s);

	if (ms < ROOM_FIRST)
		ms = ROOM_FIRST;
	else if (ms > ROOM_MOST)
		ms = ROOM_MOST;
	timer_set(cs->timers, cs->servers + i, now + ms < end ? now + ms :
	    end);
}

static void
follow_verdict(struct check_schedule *cs, uint32_t i, enum verdict v)
{
	struct slot *s = &cs->slot[i];

	if (v == VERDICT_NONE) {
		cs->server[s->server].asked = false;
		vacate_slot(cs, i);
		put_off(cs, s->server, "the program could not be run");
	} else if (v != VERDICT_OPEN)
		conclude_check(cs, i, v == VERDICT_PASSED);
	else if (s->check.state == CHECK_WAITING)
		wait_for_room(cs, i);
	else
		poller_want(cs->poller, s->check.fd,
		    check_interest(&s->check));
}

/* --- servers --------------------------------------------------------------- */

static int
ask_server(const struct check_schedule *cs, struct slot *s,
    const struct addr *to, enum verdict *v)
{
	const struct server *b = server_of(cs, s->server);
	const struct check_policy *plan = &cs->conf->pool[b->pool].check;
	unsigned proxy = plan->proxy;

	if (proxy == CHECK_PROXY_AS_SENT)
		proxy = b->check_addr.len == 0 && b->check_port == 0 ?
		    b->send_proxy : 0;
	return check_connect(&s->check, cs->exchange[b->pool],
	    plan->kind == CHECK_TLS, proxy, &b->egress, to, v);
}

static int
ask_program(struct check_schedule *cs, struct slot *s, enum verdict *v)
{
	int fd = check_runner_ask(&cs->runner, cs->server[s->server].id);

	if (fd == -1 && (errno == EPIPE || errno == ECONNRESET))
		cs->broken = true;
	if (fd == -1)
		return -1;
	*v = VERDICT_OPEN;
	check_run(&s->check, fd);
	return 0;
}

/* The check has begun, or waits for room. */
static void
watch_slot(struct check_schedule *cs, uint32_t i, enum verdict v)
{
	struct slot *s = &cs->slot[i];

	cs->server[s->server].delayed = false;
	if (s->check.fd != -1)
		cs->owner[s->check.fd] = i + 1;
	timer_set(cs->timers, cs->servers + i, end_of(cs, s));
	follow_verdict(cs, i, v);
}

static void
start_check(struct check_schedule *cs, uint32_t server)
{
	const struct check_policy *plan = &pool_of_server(cs, server)->check;
	uint64_t now = clock_now_ms();
	uint32_t i = cs->vacant;
	struct checked_server *target = &cs->server[server];
	struct slot *s = &cs->slot[i];
	struct addr to;
	enum verdict v;

	target->version = server_version(&cs->all_servers, target->id);
	if (!server_check_address(&cs->all_servers, target->id, &to))
		return;
	if (i == cs->slots || ++cs->begun > IN_A_TURN) {
		timer_set(cs->timers, server, now + NO_ROOM);
		return;
	}
	s->server = server;
	s->began = clock_now_us();
	if ((plan->kind == CHECK_EXEC ? ask_program(cs, s, &v) :
	    ask_server(cs, s, &to, &v)) == -1) {
		put_off(cs, server, cs->broken ? "the runner has ended" :
		    strerror(errno));
		return;
	}
	target->asked = true;
	cs->vacant = s->next;
	watch_slot(cs, i, v);
}

/* Tries again to connect, as the queue may have room by now. */
static void
begin_again(struct check_schedule *cs, uint32_t i)
{
	struct slot *s = &cs->slot[i];
	struct checked_server *who = &cs->server[s->server];
	struct addr to;
	enum verdict v;

	if (!server_check_address(&cs->all_servers, who->id, &to)) {
		who->asked = false;
		vacate_slot(cs, i);
	} else if (ask_server(cs, s, &to, &v) == -1) {
		who->asked = false;
		put_off(cs, s->server, strerror(errno));
		vacate_slot(cs, i);
	} else
		watch_slot(cs, i, v);
}

static void
end_late_check(struct check_schedule *cs, uint32_t i)
{
	struct slot *s = &cs->slot[i];

	if (s->check.state == CHECK_CLOSING) {
		vacate_slot(cs, i);
		return;
	}
	if (s->check.state == CHECK_WAITING && clock_now_ms() < end_of(cs, s)) {
		begin_again(cs, i);
		return;
	}
	check_late(&s->check, timeout_of(&pool_of_server(cs,
	    s->server)->check));
	conclude_check(cs, i, false);
}

bool
check_schedule_event(struct check_schedule *cs, const struct poller_event *ev)
{
	uint32_t i = cs->owner[ev->fd];
	struct check *c;

	if (i-- == 0)
		return false;
	c = &cs->slot[i].check;
	if (c->state != CHECK_CLOSING)
		follow_verdict(cs, i, check_act(c));
	else if (!check_close(c))
		vacate_slot(cs, i);
	return true;
}

int
check_schedule_turn(struct check_schedule *cs)
{
	uint64_t now = clock_now_ms();
	uint32_t id;

	cs->begun = 0;
	while ((id = timer_expired(cs->timers, now)) != TIMER_NONE)
		if (id < cs->servers)
			start_check(cs, id);
		else
			end_late_check(cs, id - cs->servers);
	errno = EPIPE;
	return cs->broken ? -1 : 0;
}

int
check_schedule_wait(const struct check_schedule *cs, int limit)
{
	return timer_wait(cs->timers, clock_now_ms(), limit);
}

void
check_schedule_follow(struct check_schedule *cs)
{
	struct checked_server *target;
	uint32_t i;

	for (i = 0; i < cs->servers; i++) {
		target = &cs->server[i];
		if (server_version(&cs->all_servers, target->id) ==
		    target->version)
			continue;
		memset(&target->health, 0, sizeof(target->health));
		if (!target->asked)
			timer_set(cs->timers, i, clock_now_ms());
	}
}

/* --- beginning and end ----------------------------------------------------- */

static bool
is_builtin_server(const struct conf *c, size_t id)
{
	size_t i;

	for (i = 0; i < c->builtins; i++)
		if (c->builtin[i].server == id)
			return true;
	return false;
}

/*
 * A builtin server always answers, but only once a worker serves. A server
 * whose check address is unknown is down.
 */
static bool
is_server_checked(const struct check_schedule *cs, size_t id)
{
	const struct server *b = &cs->conf->server[id];

	if (!cs->conf->pool[b->pool].checked || b->state == SERVER_MAINT)
		return false;
	if (b->check_missing == NULL && !is_builtin_server(cs->conf, id))
		return true;
	atomic_store(&cs->board->book[b->slot].health,
	    b->check_missing != NULL ? HEALTH_DOWN : HEALTH_UP);
	return false;
}

static void
add_server(struct check_schedule *cs, uint32_t id, uint64_t now)
{
	const struct server *b = &cs->conf->server[id];
	const struct check_policy *plan = &cs->conf->pool[b->pool].check;
	uint64_t within = plan->interval < FIRST ? plan->interval : FIRST;

	cs->server[cs->servers].id = id;
	if (board_health(&cs->board->book[b->slot]) != HEALTH_UNKNOWN)
		now += arc4random_uniform((uint32_t)within);
	timer_set(cs->timers, cs->servers++, now);
}

static int
make_exchanges(struct check_schedule *cs)
{
	const struct conf *c = cs->conf;
	bool programs = false;
	size_t i;

	if ((cs->exchange = calloc(c->pools, sizeof(*cs->exchange))) == NULL)
		return -1;
	for (i = 0; i < c->pools; i++) {
		programs |= c->pool[i].check.kind == CHECK_EXEC;
		if ((cs->exchange[i] = check_exchange_new(&c->pool[i].check)) ==
		    NULL)
			return -1;
	}
	return programs ? check_runner_start(&cs->runner, c, &cs->all_servers) :
	    0;
}

/* Unused pages of slots take no memory. */
static int
make_slots(struct check_schedule *cs, size_t descriptors)
{
	uint32_t i;

	cs->slots = AT_A_TIME;
	if (descriptors < AT_A_TIME + SET_ASIDE)
		cs->slots = descriptors > SET_ASIDE ?
		    (uint32_t)descriptors - SET_ASIDE : 1;
	cs->slot = calloc(cs->slots, sizeof(*cs->slot));
	cs->owner = calloc(descriptors, sizeof(*cs->owner));
	cs->server = calloc(cs->conf->servers, sizeof(*cs->server));
	cs->timers = timer_new(cs->conf->servers + cs->slots, clock_now_ms());
	if (cs->slot == NULL || cs->owner == NULL || cs->server == NULL ||
	    cs->timers == NULL)
		return -1;
	for (i = 0; i < cs->slots; i++) {
		cs->slot[i].check.fd = -1;
		cs->slot[i].next = i + 1;
	}
	return 0;
}

struct check_schedule *
check_schedule_new(const struct conf *conf, struct board *board,
    struct log *log, struct poller *poller, size_t descriptors)
{
	struct check_schedule *cs;
	uint64_t now = clock_now_ms();
	uint32_t i;

	if ((cs = calloc(1, sizeof(*cs))) == NULL)
		return NULL;
	cs->conf = conf;
	cs->all_servers = (struct servers){ .list = conf->server,
	    .n = (uint32_t)conf->servers, .pool = conf->pool,
	    .pools = (uint32_t)conf->pools, .board = board };
	cs->board = board;
	cs->log = log;
	cs->poller = poller;
	cs->runner.fd = -1;
	if (make_exchanges(cs) == -1 || make_slots(cs, descriptors) == -1) {
		check_schedule_free(cs);
		return NULL;
	}
	for (i = 0; i < conf->servers; i++)
		if (is_server_checked(cs, i))
			add_server(cs, i, now);
	return cs;
}

void
check_schedule_free(struct check_schedule *cs)
{
	uint32_t i;

	if (cs == NULL)
		return;
	for (i = 0; cs->slot != NULL && i < cs->slots; i++)
		check_abandon(&cs->slot[i].check);
	for (i = 0; cs->exchange != NULL && i < cs->conf->pools; i++)
		check_exchange_free(cs->exchange[i]);
	if (cs->runner.fd != -1)
		close(cs->runner.fd);
	timer_free(cs->timers);
	free(cs->exchange);
	free(cs->slot);
	free(cs->owner);
	free(cs->server);
	free(cs);
}
