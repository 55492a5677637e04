/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * preconnect.c: a place for each spare connection. It is empty, opening or open, and
 * a timer says when an empty one is to be filled, an opening one has taken too
 * long, or an open one that is not watched is to be looked at. Never moves a
 * byte. Invariant: a place's bit in its row is set exactly while it is open.
 */
#include "upstream/preconnect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/timer.h"
#include "net/socket.h"

/* A place whose connection ended unused stays empty for so long, in ms. */
#define REST		1000

#define NONE		UINT32_MAX

struct place {
	int		 fd;		/* -1: empty */
	uint32_t	 backend;
	uint32_t	 next;		/* if it is vacant; NONE at the end */
};

/* The places of one backend lie side by side. */
struct row {
	uint64_t	 open;		/* bit n: the place first + n */
	uint32_t	 first;
	uint32_t	 version;	/* of the address they lead to */
};
_Static_assert(BACKEND_SPARE_MAX <= 64, "a row has too few bits");

struct spares {
	struct spares_env env;
	struct timers	*timers;	/* one for each place */
	struct row	*row;		/* by backend */
	uint32_t	*owner;		/* place plus one, by descriptor */
	uint32_t	 vacant;	/* first of those taken in this turn */
	uint32_t	 changes;	/* on the board, when last looked at */
	uint32_t	 n;
	struct place	 place[];
};

size_t
spares_sum(const struct backend *list, size_t n)
{
	size_t sum = 0;

	while (n > 0)
		sum += list[--n].spare;
	return sum;
}

static void
lay_out(struct spares *s)
{
	const struct backends *bs = s->env.backends;
	uint32_t i, k;

	for (i = 0; i < bs->n; i++) {
		s->row[i].first = s->n;
		for (k = 0; k < bs->list[i].spare; k++, s->n++) {
			s->place[s->n].fd = -1;
			s->place[s->n].backend = i;
			timers_set(s->timers, s->n, *s->env.now);
		}
	}
}

struct spares *
spares_new(const struct spares_env *env)
{
	size_t n = spares_sum(env->backends->list, env->backends->n);
	struct spares *s;

	if ((s = calloc(1, sizeof(*s) + n * sizeof(s->place[0]))) == NULL)
		return NULL;
	s->env = *env;
	s->vacant = NONE;
	s->timers = timers_new(n, *env->now);
	s->row = calloc(env->backends->n, sizeof(*s->row));
	/* Untouched pages of a large table cost no memory. */
	s->owner = calloc(env->descriptors, sizeof(*s->owner));
	if (s->timers == NULL || s->row == NULL || s->owner == NULL) {
		spares_free(s);
		errno = ENOMEM;
		return NULL;
	}
	lay_out(s);
	return s;
}

void
spares_free(struct spares *s)
{
	if (s == NULL)
		return;
	spares_close(s);
	timers_free(s->timers);
	free(s->row);
	free(s->owner);
	free(s);
}

static uint64_t
bit(const struct spares *s, uint32_t id)
{
	return UINT64_C(1) << (id - s->row[s->place[id].backend].first);
}

static void
rest(struct spares *s, uint32_t id)
{
	timers_set(s->timers, id, *s->env.now + REST);
}

/* Empty the place. The descriptor is the caller's. */
static int
let_go(struct spares *s, uint32_t id)
{
	struct place *p = &s->place[id];
	int fd = p->fd;

	timers_clear(s->timers, id);
	s->row[p->backend].open &= ~bit(s, id);
	s->owner[fd] = 0;
	p->fd = -1;
	return fd;
}

static void
drop(struct spares *s, uint32_t id)
{
	int fd = let_go(s, id);

	poller_forget(s->env.poller, fd);
	close(fd);
	rest(s, id);
}

static void
drop_row(struct spares *s, uint32_t i)
{
	const struct row *r = &s->row[i];

	while (r->open != 0)
		drop(s, r->first + (uint32_t)__builtin_ctzll(r->open));
}

void
spares_close(struct spares *s)
{
	uint32_t id;

	for (id = 0; id < s->n; id++) {
		if (s->place[id].fd != -1)
			drop(s, id);
		timers_clear(s->timers, id);
	}
	s->vacant = NONE;
}

/*
 * No connection came of it. Our own want is not the backend's, and one that was
 * reset had stood. If the backend did fail, those that are open may lead to a
 * machine that has started anew; or else it has none to spare.
 */
static void
failed(struct spares *s, uint32_t id, int err)
{
	const struct spares_env *e = &s->env;
	uint32_t i = s->place[id].backend;

	rest(s, id);
	if (socket_lack(err) == LACK_PORT || socket_lack(err) == LACK_ROOM)
		backend_note_lack(e->backends, i, *e->now, e->log, err);
	if (socket_lack(err) != LACK_NOTHING || err == ECONNRESET || err == EPIPE)
		return;
	backend_complain(e->backends, i, *e->now, e->log, "spare connection",
	    err);
	drop_row(s, i);
}

static void
stands(struct spares *s, uint32_t id)
{
	struct place *p = &s->place[id];

	timers_clear(s->timers, id);
	s->row[p->backend].open |= bit(s, id);
	if (backend_is_watched(s->env.backends, p->backend))
		backend_watch(s->env.backends, p->backend, p->fd);
	poller_want(s->env.poller, p->fd, POLLER_READ);
}

/* Its name may mean another server by now: then all lead to a wrong one. */
static void
follow(struct spares *s, uint32_t i)
{
	const struct backends *bs = s->env.backends;
	uint32_t version = backend_version(bs, i), k;
	struct row *r = &s->row[i];

	if (version == r->version)
		return;
	r->version = version;
	for (k = 0; k < bs->list[i].spare; k++)
		if (s->place[r->first + k].fd != -1)
			drop(s, r->first + k);
}

static void
fill(struct spares *s, uint32_t id)
{
	const struct spares_env *e = &s->env;
	struct place *p = &s->place[id];
	struct departure d = { .client = NULL };
	struct addr a;

	follow(s, p->backend);
	if (!backend_serves(e->backends, p->backend) ||
	    backend_in_doubt(e->backends, p->backend) ||
	    backend_lacks(e->backends, p->backend, *e->now) ||
	    !backend_address(e->backends, p->backend, &a)) {
		rest(s, id);
		return;
	}
	p->fd = backend_connect(e->backends, p->backend, &d);
	if (p->fd == -1) {
		failed(s, id, errno);
		return;
	}
	backend_note_begun(e->backends, p->backend);
	s->owner[p->fd] = id + 1;
	if (!d.pending) {
		stands(s, id);
		return;
	}
	poller_want(e->poller, p->fd, POLLER_WRITE);
	timers_set(s->timers, id, *e->now +
	    backend_pool(e->backends, p->backend)->connect_timeout);
}

/*
 * Has it ended? Bytes are for the session that will take it; until then the
 * poller would only tell of them again and again.
 */
static void
look(struct spares *s, uint32_t id)
{
	int fd = s->place[id].fd;

	if (poller_hung_up(fd)) {
		drop(s, id);
		return;
	}
	poller_want(s->env.poller, fd, 0);
	rest(s, id);
}

static bool
is_open(const struct spares *s, uint32_t id)
{
	return (s->row[s->place[id].backend].open & bit(s, id)) != 0;
}

/*
 * Those of a backend in doubt may be dead without a sign; connecting finds out,
 * and another backend is tried. The lowest place is taken most and so holds the
 * youngest: a server's patience begins when it accepts.
 */
int
spare_take(struct spares *s, uint32_t i)
{
	struct row *r = &s->row[i];
	uint32_t id;

	follow(s, i);
	if (r->open != 0 && backend_in_doubt(s->env.backends, i))
		drop_row(s, i);
	while (r->open != 0) {
		id = r->first + (uint32_t)__builtin_ctzll(r->open);
		if (poller_hung_up(s->place[id].fd)) {
			drop(s, id);
			continue;
		}
		s->place[id].next = s->vacant;
		s->vacant = id;
		return let_go(s, id);
	}
	return -1;
}

bool
spares_event(struct spares *s, const struct poller_event *ev)
{
	uint32_t id = s->owner[ev->fd];
	int err;

	if (id == 0)
		return false;
	id--;
	if (is_open(s, id)) {
		look(s, id);
	} else if (socket_connected(ev->fd) == 0) {
		stands(s, id);
	} else {
		err = errno;
		drop(s, id);
		failed(s, id, err);
	}
	return true;
}

static void
expired(struct spares *s, uint32_t id)
{
	if (s->place[id].fd == -1) {
		fill(s, id);
	} else if (is_open(s, id)) {
		look(s, id);
	} else {
		drop(s, id);
		failed(s, id, ETIMEDOUT);
	}
}

void
spares_turn(struct spares *s)
{
	const struct backends *bs = s->env.backends;
	uint32_t id, i, changes;

	changes = atomic_load_explicit(&bs->board->head->changes,
	    memory_order_relaxed);
	for (i = 0; changes != s->changes && i < bs->n; i++) {
		follow(s, i);
		/* When it is up again it may have started anew. */
		if (!backend_serves(bs, i))
			drop_row(s, i);
	}
	s->changes = changes;
	while ((id = timers_expired(s->timers, *s->env.now)) != TIMER_NONE)
		expired(s, id);
	while ((id = s->vacant) != NONE) {
		s->vacant = s->place[id].next;
		fill(s, id);
	}
}

int
spares_wait(const struct spares *s, int limit)
{
	return timers_wait(s->timers, *s->env.now, limit);
}
