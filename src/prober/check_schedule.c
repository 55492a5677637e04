/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_schedule.c: one timer for each server, which says when it is due, and one for
 * each of a fixed number of checks under way, which says when it is late.
 * Invariant: a server has either its timer set or one check under way that has
 * no verdict yet; but not while its name has no server for it.
 */
/* Two functions of <vis.h>, not ours, differ between systems: say which. */
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

/* So many checks at a time at most; the others wait for their turn. */
#define AT_A_TIME	1000

/* Descriptors for everything else. */
#define SET_ASIDE	32

/* So many begin in one turn at most, or the first would wait for the last. */
#define IN_A_TURN	64

/* Without room a check begins so much later; in ms, as below. */
#define NO_ROOM		10

/*
 * A unix socket whose queue is full is asked again after half of the time that
 * has passed, but not sooner and not later than this.
 */
#define ROOM_FIRST	5
#define ROOM_MOST	100

/* How long a server may take to end its side when the verdict is known. */
#define LINGER		500

/* What stood already is checked again within so long. */
#define FIRST		1000

struct server {
	uint32_t	 backend;	/* of the configuration */
	uint32_t	 version;	/* of where it is: see backend_version() */
	bool		 asked;		/* a check is under way */
	bool		 delayed;	/* the last one was put off */
	struct health	 health;
};

struct slot {
	struct check	 check;
	uint32_t	 server;
	uint32_t	 next;		/* if it is vacant */
	uint64_t	 began;		/* clock_now_us() */
};

struct checks {
	const struct conf *conf;
	struct backends	 backends;
	struct board	*board;
	struct log	*log;
	struct poller	*poller;
	struct runner	 runner;
	bool		 broken;	/* the runner has ended */
	struct dialog	**dialog;	/* by pool */
	struct timers	*timers;	/* by server, then by slot */
	uint32_t	 servers, slots;
	struct server	*server;
	struct slot	*slot;
	uint32_t	 vacant;	/* the first; slots: none */
	uint32_t	 begun;		/* in this turn */
	uint32_t	*owner;		/* slot plus one, by descriptor */
};

static const struct backend *
backend_of(const struct checks *cs, uint32_t server)
{
	return &cs->conf->backend[cs->server[server].backend];
}

static const struct pool *
pool_of(const struct checks *cs, uint32_t server)
{
	return &cs->conf->pool[backend_of(cs, server)->pool];
}

/* --- lines ----------------------------------------------------------------- */

/* Servers that there are; how many of them serve, or may turn out to. */
struct strength {
	unsigned all, up, unknown;
};

static struct strength
strength_of(const struct checks *cs, const struct pool *p)
{
	struct strength n = { 0, 0, 0 };
	struct addr a;
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++) {
		n.all += backend_address(&cs->backends, i, &a);
		n.up += backend_serves(&cs->backends, i);
		n.unknown += backend_unknown(&cs->backends, i);
	}
	return n;
}

static void
tell(const struct checks *cs, const struct slot *s, bool up,
    enum backend_health before, uint64_t us)
{
	const struct pool *p = pool_of(cs, s->server);
	const struct strength n = strength_of(cs, p);
	uint32_t needed = health_needs(&p->check, before);
	char why[4 * DIALOG_WHY + 1], which[48] = "first check", took[32] = "";
	char serving[16], servers[16];
	struct log_field f[BACKEND_FIELDS + 3];

	strvis(why, s->check.why, VIS_CSTYLE | VIS_NL | VIS_TAB);
	if (before != HEALTH_UNKNOWN)
		snprintf(which, sizeof(which), "check %u of %u", needed,
		    needed);
	if (up)
		snprintf(took, sizeof(took), " in %.1f ms", (double)us / 1000);
	snprintf(serving, sizeof(serving), "%u", n.up);
	snprintf(servers, sizeof(servers), "%u", n.all);
	backend_fields(&cs->backends, cs->server[s->server].backend, up ?
	    "up" : "down", why, f);
	f[BACKEND_FIELDS - 1] = (struct log_field){ "check", which };
	f[BACKEND_FIELDS] = (struct log_field){ LOG_NUMBER "servers_up",
	    serving };
	f[BACKEND_FIELDS + 1] = (struct log_field){ LOG_NUMBER "servers",
	    servers };
	f[BACKEND_FIELDS + 2].name = NULL;
	/* Without any the pool serves no session. */
	log_event(cs->log, up ? LOG_NOTICE : n.up + n.unknown > 0 ?
	    LOG_WARNING : LOG_ERR, f, "backend %s: %s: %s%s (%s); %u of %u "
	    "server%s of pool %s up", backend_of(cs, s->server)->name,
	    up ? "up" : "down", why, took, which, n.up, n.all, text_s(n.all),
	    p->name);
}

/* --- slots ----------------------------------------------------------------- */

static void
vacate(struct checks *cs, uint32_t i)
{
	struct slot *s = &cs->slot[i];

	timers_clear(cs->timers, cs->servers + i);
	if (s->check.fd != -1) {
		poller_forget(cs->poller, s->check.fd);
		cs->owner[s->check.fd] = 0;
	}
	check_abandon(&s->check);
	s->next = cs->vacant;
	cs->vacant = i;
}

static void
conclude(struct checks *cs, uint32_t i, bool passed)
{
	struct slot *s = &cs->slot[i];
	struct server *server = &cs->server[s->server];
	const struct check_plan *plan = &pool_of(cs, s->server)->check;
	uint32_t seat = backend_of(cs, s->server)->seat;
	uint64_t us = clock_now_us() - s->began, now = clock_now_ms();
	enum backend_health before;

	server->asked = false;
	/* The server that has its place by now did not answer. */
	if (backend_version(&cs->backends, server->backend) !=
	    server->version) {
		vacate(cs, i);
		timers_set(cs->timers, (uint32_t)(server - cs->server), now);
		return;
	}
	before = board_health(&cs->board->server[seat]);
	if (health_note(&server->health, cs->board, seat, plan, passed,
	    us / 1000, now))
		tell(cs, s, passed, before, us);
	timers_set(cs->timers, s->server, now + health_wait(&server->health,
	    cs->board, seat, plan, arc4random()));
	if (!check_end(&s->check)) {
		vacate(cs, i);
		return;
	}
	poller_want(cs->poller, s->check.fd, check_interest(&s->check));
	timers_set(cs->timers, cs->servers + i, now + LINGER);
}

/* A want of our own says nothing of the server. Only the first is told. */
static void
put_off(struct checks *cs, uint32_t server, const char *why)
{
	const struct check_plan *plan = &pool_of(cs, server)->check;
	struct log_field f[BACKEND_FIELDS];

	timers_set(cs->timers, server, clock_now_ms() + plan->interval);
	if (cs->server[server].delayed)
		return;
	cs->server[server].delayed = true;
	backend_fields(&cs->backends, cs->server[server].backend,
	    "check_delayed", why, f);
	log_event_seldom(cs->log, LOG_WARNING, f, "backend %s: the check is put off: "
	    "%s", backend_of(cs, server)->name, why);
}

static uint64_t
timeout_of(const struct check_plan *plan)
{
	return plan->timeout != 0 ? plan->timeout : plan->interval;
}

/* When the check in this slot is late. */
static uint64_t
end_of(const struct checks *cs, const struct slot *s)
{
	return s->began / 1000 + timeout_of(&pool_of(cs, s->server)->check);
}

static void
wait_for_room(struct checks *cs, uint32_t i)
{
	const struct slot *s = &cs->slot[i];
	uint64_t now = clock_now_ms(), ms = (now - s->began / 1000) / 2;
	uint64_t end = end_of(cs, s);

	if (ms < ROOM_FIRST)
		ms = ROOM_FIRST;
	else if (ms > ROOM_MOST)
		ms = ROOM_MOST;
	timers_set(cs->timers, cs->servers + i, now + ms < end ? now + ms :
	    end);
}

static void
follow(struct checks *cs, uint32_t i, enum verdict v)
{
	struct slot *s = &cs->slot[i];

	if (v == VERDICT_NONE) {
		cs->server[s->server].asked = false;
		vacate(cs, i);
		put_off(cs, s->server, "the program could not be run");
	} else if (v != VERDICT_OPEN)
		conclude(cs, i, v == VERDICT_PASSED);
	else if (s->check.state == CHECK_WAITING)
		wait_for_room(cs, i);
	else
		poller_want(cs->poller, s->check.fd,
		    check_interest(&s->check));
}

/* --- servers --------------------------------------------------------------- */

static int
ask_server(const struct checks *cs, struct slot *s, const struct addr *to,
    enum verdict *v)
{
	const struct backend *b = backend_of(cs, s->server);
	const struct check_plan *plan = &cs->conf->pool[b->pool].check;
	unsigned proxy = plan->proxy;

	if (proxy == CHECK_PROXY_AS_SENT)
		proxy = b->check_addr.len == 0 && b->check_port == 0 ?
		    b->send_proxy : 0;
	return check_connect(&s->check, cs->dialog[b->pool],
	    plan->kind == CHECK_TLS, proxy, &b->outlet, to, v);
}

static int
ask_program(struct checks *cs, struct slot *s, enum verdict *v)
{
	int fd = runner_ask(&cs->runner, cs->server[s->server].backend);

	if (fd == -1 && (errno == EPIPE || errno == ECONNRESET))
		cs->broken = true;
	if (fd == -1)
		return -1;
	*v = VERDICT_OPEN;
	check_run(&s->check, fd);
	return 0;
}

/* It has begun, or waits for room. */
static void
watch_slot(struct checks *cs, uint32_t i, enum verdict v)
{
	struct slot *s = &cs->slot[i];

	cs->server[s->server].delayed = false;
	if (s->check.fd != -1)
		cs->owner[s->check.fd] = i + 1;
	timers_set(cs->timers, cs->servers + i, end_of(cs, s));
	follow(cs, i, v);
}

static void
start(struct checks *cs, uint32_t server)
{
	const struct check_plan *plan = &pool_of(cs, server)->check;
	uint64_t now = clock_now_ms();
	uint32_t i = cs->vacant;
	struct server *target = &cs->server[server];
	struct slot *s = &cs->slot[i];
	struct addr to;
	enum verdict v;

	target->version = backend_version(&cs->backends, target->backend);
	if (!backend_check_address(&cs->backends, target->backend, &to))
		return;
	if (i == cs->slots || ++cs->begun > IN_A_TURN) {
		timers_set(cs->timers, server, now + NO_ROOM);
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

/* There may be room in its queue by now. */
static void
begin_again(struct checks *cs, uint32_t i)
{
	struct slot *s = &cs->slot[i];
	struct server *who = &cs->server[s->server];
	struct addr to;
	enum verdict v;

	if (!backend_check_address(&cs->backends, who->backend, &to)) {
		who->asked = false;
		vacate(cs, i);
	} else if (ask_server(cs, s, &to, &v) == -1) {
		who->asked = false;
		put_off(cs, s->server, strerror(errno));
		vacate(cs, i);
	} else
		watch_slot(cs, i, v);
}

static void
late(struct checks *cs, uint32_t i)
{
	struct slot *s = &cs->slot[i];

	if (s->check.state == CHECK_CLOSING) {
		vacate(cs, i);
		return;
	}
	if (s->check.state == CHECK_WAITING && clock_now_ms() < end_of(cs, s)) {
		begin_again(cs, i);
		return;
	}
	check_late(&s->check, timeout_of(&pool_of(cs, s->server)->check));
	conclude(cs, i, false);
}

bool
checks_event(struct checks *cs, const struct poller_event *ev)
{
	uint32_t i = cs->owner[ev->fd];
	struct check *c;

	if (i-- == 0)
		return false;
	c = &cs->slot[i].check;
	if (c->state != CHECK_CLOSING)
		follow(cs, i, check_act(c));
	else if (!check_close(c))
		vacate(cs, i);
	return true;
}

int
checks_turn(struct checks *cs)
{
	uint64_t now = clock_now_ms();
	uint32_t id;

	cs->begun = 0;
	while ((id = timers_expired(cs->timers, now)) != TIMER_NONE)
		if (id < cs->servers)
			start(cs, id);
		else
			late(cs, id - cs->servers);
	errno = EPIPE;
	return cs->broken ? -1 : 0;
}

int
checks_wait(const struct checks *cs, int limit)
{
	return timers_wait(cs->timers, clock_now_ms(), limit);
}

void
checks_follow(struct checks *cs)
{
	struct server *target;
	uint32_t i;

	for (i = 0; i < cs->servers; i++) {
		target = &cs->server[i];
		if (backend_version(&cs->backends, target->backend) ==
		    target->version)
			continue;
		memset(&target->health, 0, sizeof(target->health));
		if (!target->asked)
			timers_set(cs->timers, i, clock_now_ms());
	}
}

/* --- beginning and end ----------------------------------------------------- */

static bool
is_builtin(const struct conf *c, size_t backend)
{
	size_t i;

	for (i = 0; i < c->builtins; i++)
		if (c->builtin[i].backend == backend)
			return true;
	return false;
}

/*
 * Ours always answer, and are no server until a worker serves. One whose place to
 * be checked is unknown is down.
 */
static bool
is_checked(const struct checks *cs, size_t backend)
{
	const struct backend *b = &cs->conf->backend[backend];

	if (!cs->conf->pool[b->pool].checked || b->state == BACKEND_MAINT)
		return false;
	if (b->check_missing == NULL && !is_builtin(cs->conf, backend))
		return true;
	atomic_store(&cs->board->server[b->seat].health,
	    b->check_missing != NULL ? HEALTH_DOWN : HEALTH_UP);
	return false;
}

static void
add_server(struct checks *cs, uint32_t backend, uint64_t now)
{
	const struct backend *b = &cs->conf->backend[backend];
	const struct check_plan *plan = &cs->conf->pool[b->pool].check;
	uint64_t within = plan->interval < FIRST ? plan->interval : FIRST;

	cs->server[cs->servers].backend = backend;
	if (board_health(&cs->board->server[b->seat]) != HEALTH_UNKNOWN)
		now += arc4random_uniform((uint32_t)within);
	timers_set(cs->timers, cs->servers++, now);
}

static int
make_dialogs(struct checks *cs)
{
	const struct conf *c = cs->conf;
	bool programs = false;
	size_t i;

	if ((cs->dialog = calloc(c->pools, sizeof(*cs->dialog))) == NULL)
		return -1;
	for (i = 0; i < c->pools; i++) {
		programs |= c->pool[i].check.kind == CHECK_EXEC;
		if ((cs->dialog[i] = dialog_new(&c->pool[i].check)) == NULL)
			return -1;
	}
	return programs ? runner_start(&cs->runner, c, &cs->backends) : 0;
}

/* Pages of slots that are never used cost nothing. */
static int
make_slots(struct checks *cs, size_t descriptors)
{
	uint32_t i;

	cs->slots = AT_A_TIME;
	if (descriptors < AT_A_TIME + SET_ASIDE)
		cs->slots = descriptors > SET_ASIDE ?
		    (uint32_t)descriptors - SET_ASIDE : 1;
	cs->slot = calloc(cs->slots, sizeof(*cs->slot));
	cs->owner = calloc(descriptors, sizeof(*cs->owner));
	cs->server = calloc(cs->conf->backends, sizeof(*cs->server));
	cs->timers = timers_new(cs->conf->backends + cs->slots, clock_now_ms());
	if (cs->slot == NULL || cs->owner == NULL || cs->server == NULL ||
	    cs->timers == NULL)
		return -1;
	for (i = 0; i < cs->slots; i++) {
		cs->slot[i].check.fd = -1;
		cs->slot[i].next = i + 1;
	}
	return 0;
}

struct checks *
checks_new(const struct conf *conf, struct board *board, struct log *log,
    struct poller *poller, size_t descriptors)
{
	struct checks *cs;
	uint64_t now = clock_now_ms();
	uint32_t i;

	if ((cs = calloc(1, sizeof(*cs))) == NULL)
		return NULL;
	cs->conf = conf;
	cs->backends = (struct backends){ .list = conf->backend,
	    .n = (uint32_t)conf->backends, .pool = conf->pool,
	    .pools = (uint32_t)conf->pools, .board = board };
	cs->board = board;
	cs->log = log;
	cs->poller = poller;
	cs->runner.fd = -1;
	if (make_dialogs(cs) == -1 || make_slots(cs, descriptors) == -1) {
		checks_free(cs);
		return NULL;
	}
	for (i = 0; i < conf->backends; i++)
		if (is_checked(cs, i))
			add_server(cs, i, now);
	return cs;
}

void
checks_free(struct checks *cs)
{
	uint32_t i;

	if (cs == NULL)
		return;
	for (i = 0; cs->slot != NULL && i < cs->slots; i++)
		check_abandon(&cs->slot[i].check);
	for (i = 0; cs->dialog != NULL && i < cs->conf->pools; i++)
		dialog_free(cs->dialog[i]);
	if (cs->runner.fd != -1)
		close(cs->runner.fd);
	timers_free(cs->timers);
	free(cs->dialog);
	free(cs->slot);
	free(cs->owner);
	free(cs->server);
	free(cs);
}
