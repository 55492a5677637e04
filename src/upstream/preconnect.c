/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * preconnect.c: a place for each preconnected connection. A place is empty,
 * opening or open; a timer says when to fill an empty one, when an opening one
 * times out, and when to check an open one that is not watched. Never moves a
 * byte. Invariant: a place's bit in its row is set exactly while it is open.
 */
#include "upstream/preconnect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/timer.h"
#include "net/socket.h"

/*
 * Time for which a place stays empty after its connection ended unused, in ms.
 */
#define REST		1000

#define NONE		UINT32_MAX

struct place {
	int		 fd;		/* -1: empty */
	uint32_t	 server;
	uint32_t	 next;		/* free list; NONE at the end */
};

/* The places of one server are adjacent. */
struct row {
	uint64_t	 open;		/* bit n: the place first + n */
	uint32_t	 first;
	uint32_t	 version;	/* of the address they lead to */
};
_Static_assert(SERVER_PRECONNECT_MAX <= 64, "a row has too few bits");

struct preconnects {
	struct preconnect_env env;
	struct timers	*timers;	/* one for each place */
	struct row	*row;		/* by server */
	uint32_t	*owner;		/* place + 1, by descriptor */
	uint32_t	 vacant;	/* first of those taken in this turn */
	uint32_t	 changes;	/* on the board, last seen */
	uint32_t	 n;
	struct place	 place[];
};

size_t
preconnect_sum(const struct server *list, size_t n)
{
	size_t sum = 0;

	while (n > 0)
		sum += list[--n].preconnect;
	return sum;
}

static void
lay_out_preconnects(struct preconnects *s)
{
	const struct servers *bs = s->env.servers;
	uint32_t i, k;

	for (i = 0; i < bs->n; i++) {
		s->row[i].first = s->n;
		for (k = 0; k < bs->list[i].preconnect; k++, s->n++) {
			s->place[s->n].fd = -1;
			s->place[s->n].server = i;
			timer_set(s->timers, s->n, *s->env.now);
		}
	}
}

struct preconnects *
preconnect_new(const struct preconnect_env *env)
{
	size_t n = preconnect_sum(env->servers->list, env->servers->n);
	struct preconnects *s;

	if ((s = calloc(1, sizeof(*s) + n * sizeof(s->place[0]))) == NULL)
		return NULL;
	s->env = *env;
	s->vacant = NONE;
	s->timers = timer_new(n, *env->now);
	s->row = calloc(env->servers->n, sizeof(*s->row));
	/* Untouched pages of a large table use no memory. */
	s->owner = calloc(env->descriptors, sizeof(*s->owner));
	if (s->timers == NULL || s->row == NULL || s->owner == NULL) {
		preconnect_free(s);
		errno = ENOMEM;
		return NULL;
	}
	lay_out_preconnects(s);
	return s;
}

void
preconnect_free(struct preconnects *s)
{
	if (s == NULL)
		return;
	preconnect_close(s);
	timer_free(s->timers);
	free(s->row);
	free(s->owner);
	free(s);
}

static uint64_t
place_bit(const struct preconnects *s, uint32_t id)
{
	return UINT64_C(1) << (id - s->row[s->place[id].server].first);
}

static void
rest_place(struct preconnects *s, uint32_t id)
{
	timer_set(s->timers, id, *s->env.now + REST);
}

/* Empties the place. The caller owns the descriptor. */
static int
empty_place(struct preconnects *s, uint32_t id)
{
	struct place *p = &s->place[id];
	int fd = p->fd;

	timer_clear(s->timers, id);
	s->row[p->server].open &= ~place_bit(s, id);
	s->owner[fd] = 0;
	p->fd = -1;
	return fd;
}

static void
drop_connection(struct preconnects *s, uint32_t id)
{
	int fd = empty_place(s, id);

	poller_forget(s->env.poller, fd);
	close(fd);
	rest_place(s, id);
}

static void
drop_row(struct preconnects *s, uint32_t i)
{
	const struct row *r = &s->row[i];

	while (r->open != 0)
		drop_connection(s, r->first +
		    (uint32_t)__builtin_ctzll(r->open));
}

void
preconnect_close(struct preconnects *s)
{
	uint32_t id;

	for (id = 0; id < s->n; id++) {
		if (s->place[id].fd != -1)
			drop_connection(s, id);
		timer_clear(s->timers, id);
	}
	s->vacant = NONE;
}

/*
 * The connection failed. A lack on this machine is not the server's failure,
 * and one that was reset had been established. If the server did fail, open
 * connections may lead to a machine that has restarted; otherwise it has no
 * room for them.
 */
static void
note_attempt_failed(struct preconnects *s, uint32_t id, int err)
{
	const struct preconnect_env *e = &s->env;
	uint32_t i = s->place[id].server;

	rest_place(s, id);
	if (socket_lack(err) == LACK_PORT || socket_lack(err) == LACK_ROOM)
		server_note_lack(e->servers, i, *e->now, e->log, err);
	if (socket_lack(err) != LACK_NOTHING || err == ECONNRESET || err == EPIPE)
		return;
	server_record_failure(e->servers, i, *e->now, e->log, "preconnected "
	    "connection", err);
	drop_row(s, i);
}

static void
note_connected(struct preconnects *s, uint32_t id)
{
	struct place *p = &s->place[id];

	timer_clear(s->timers, id);
	s->row[p->server].open |= place_bit(s, id);
	if (server_is_watched(s->env.servers, p->server))
		server_watch(s->env.servers, p->server, p->fd);
	poller_want(s->env.poller, p->fd, POLLER_READ);
}

/* Its name may have a new address: then all lead to the wrong server. */
static void
follow_server_version(struct preconnects *s, uint32_t i)
{
	const struct servers *bs = s->env.servers;
	uint32_t version = server_version(bs, i), k;
	struct row *r = &s->row[i];

	if (version == r->version)
		return;
	r->version = version;
	for (k = 0; k < bs->list[i].preconnect; k++)
		if (s->place[r->first + k].fd != -1)
			drop_connection(s, r->first + k);
}

static void
open_connection(struct preconnects *s, uint32_t id)
{
	const struct preconnect_env *e = &s->env;
	struct place *p = &s->place[id];
	struct connect_request d = { .client = NULL };
	struct addr a;

	follow_server_version(s, p->server);
	if (!server_serves(e->servers, p->server) ||
	    server_on_probation(e->servers, p->server) ||
	    server_lacks(e->servers, p->server, *e->now) ||
	    !server_address(e->servers, p->server, &a)) {
		rest_place(s, id);
		return;
	}
	p->fd = server_connect(e->servers, p->server, &d);
	if (p->fd == -1) {
		note_attempt_failed(s, id, errno);
		return;
	}
	server_note_begun(e->servers, p->server);
	s->owner[p->fd] = id + 1;
	if (!d.pending) {
		note_connected(s, id);
		return;
	}
	poller_want(e->poller, p->fd, POLLER_WRITE);
	timer_set(s->timers, id, *e->now +
	    server_pool(e->servers, p->server)->connect_timeout);
}

/*
 * Checks whether it has ended. Bytes are left for the session that takes it;
 * until then the poller would report them again and again.
 */
static void
look_at_connection(struct preconnects *s, uint32_t id)
{
	int fd = s->place[id].fd;

	if (poller_hung_up(fd)) {
		drop_connection(s, id);
		return;
	}
	poller_want(s->env.poller, fd, 0);
	rest_place(s, id);
}

static bool
is_place_open(const struct preconnects *s, uint32_t id)
{
	return (s->row[s->place[id].server].open & place_bit(s, id)) != 0;
}

/*
 * Connections of a server on probation may be dead without a sign; a new
 * connection finds out, and another server is tried. The lowest place is used
 * most and so holds the youngest connection, because a server's timeout begins
 * when it accepts.
 */
int
preconnect_take(struct preconnects *s, uint32_t i)
{
	struct row *r = &s->row[i];
	uint32_t id;

	follow_server_version(s, i);
	if (r->open != 0 && server_on_probation(s->env.servers, i))
		drop_row(s, i);
	while (r->open != 0) {
		id = r->first + (uint32_t)__builtin_ctzll(r->open);
		if (poller_hung_up(s->place[id].fd)) {
			drop_connection(s, id);
			continue;
		}
		s->place[id].next = s->vacant;
		s->vacant = id;
		return empty_place(s, id);
	}
	return -1;
}

bool
preconnect_event(struct preconnects *s, const struct poller_event *ev)
{
	uint32_t id = s->owner[ev->fd];
	int err;

	if (id == 0)
		return false;
	id--;
	if (is_place_open(s, id)) {
		look_at_connection(s, id);
	} else if (socket_connected(ev->fd) == 0) {
		note_connected(s, id);
	} else {
		err = errno;
		drop_connection(s, id);
		note_attempt_failed(s, id, err);
	}
	return true;
}

static void
place_expired(struct preconnects *s, uint32_t id)
{
	if (s->place[id].fd == -1) {
		open_connection(s, id);
	} else if (is_place_open(s, id)) {
		look_at_connection(s, id);
	} else {
		drop_connection(s, id);
		note_attempt_failed(s, id, ETIMEDOUT);
	}
}

void
preconnect_turn(struct preconnects *s)
{
	const struct servers *bs = s->env.servers;
	uint32_t id, i, changes;

	changes = atomic_load_explicit(&bs->board->head->changes,
	    memory_order_relaxed);
	for (i = 0; changes != s->changes && i < bs->n; i++) {
		follow_server_version(s, i);
		/* When it is up again it may have restarted. */
		if (!server_serves(bs, i))
			drop_row(s, i);
	}
	s->changes = changes;
	while ((id = timer_expired(s->timers, *s->env.now)) != TIMER_NONE)
		place_expired(s, id);
	while ((id = s->vacant) != NONE) {
		s->vacant = s->place[id].next;
		open_connection(s, id);
	}
}

int
preconnect_wait(const struct preconnects *s, int limit)
{
	return timer_wait(s->timers, *s->env.now, limit);
}
