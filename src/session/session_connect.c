/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_connect.c: finds a backend for a session: picks one, connects, goes on
 * to the next, and at last turns the client away.
 */
#include "session/session_step.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/socket.h"
#include "net/socket_option.h"
#include "upstream/preconnect.h"
#include "upstream/wait_queue.h"

/* The memory of whether clients of a listener speak first: see ask_early(). */
#define EAGER_MAX	32
#define EAGER_ENOUGH	16
#define EAGER_LOSS	8

/* Places lost to others before it waits with them. */
#define RACES		3

static enum session_end
connect_error(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ENOENT:			/* a unix socket that is gone */
		return END_SERVER_REFUSED;
	case ETIMEDOUT:
		return END_CONNECT_TIMEOUT;
	default:
		break;
	}
	switch (socket_lack(err)) {
	case LACK_OF_OURS:
		return END_RESOURCES;
	case LACK_PORT:
		return END_NO_LOCAL_PORT;
	default:
		return END_SERVER_UNREACHABLE;
	}
}

/*
 * With transparent it may be this client that has used up its ports, is of another
 * family, or has an address that leads nowhere from here, as one of loopback: then
 * the server was not even asked.
 */
static bool
is_clients_end(const struct session_table *t, uint32_t i, int err,
    bool at_once)
{
	return t->backends->list[i].outlet.transparent && at_once &&
	    (socket_lack(err) == LACK_PORT || err == EAFNOSUPPORT ||
	    err == EINVAL || err == ENETUNREACH);
}

/*
 * What is lacking towards this server only is no failure of it, and no attempt: it
 * may be tried again when that moment is over.
 */
static bool
is_lack(struct session_table *t, struct session *s, int err)
{
	enum socket_lack lack = socket_lack(err);
	uint32_t i = session_backend(s);

	if ((lack != LACK_PORT && lack != LACK_ROOM) ||
	    is_clients_end(t, i, err, true))
		return false;
	backend_note_lack(t->backends, i, t->now, t->log, err);
	s->lack = lack;
	s->attempts--;
	return true;
}

/* This attempt came to nothing. The want of our own is not the backend's. */
static void
attempt_failed(struct session_table *t, struct session *s, int err,
    bool at_once)
{
	uint32_t i = session_backend(s);
	enum session_end why = connect_error(err);
	struct log_field f[BACKEND_FIELDS];
	char cause[100];

	session_note_end(s, why);
	if (is_clients_end(t, i, err, at_once)) {
		snprintf(cause, sizeof(cause), "transparent: %s",
		    strerror(err));
		backend_fields(t->backends, i, "unreachable", cause, f);
		log_event_seldom(t->log, LOG_NOTICE, f, "backend %s: %s",
		    t->backends->list[i].name, cause);
	} else if (why == END_RESOURCES)
		t->shortage = err;
	else
		backend_complain(t->backends, i, t->now, t->log, "connect",
		    err);
}

static void
attempt_stands(struct session_table *t, struct session *s)
{
	uint32_t i = session_backend(s);
	struct log_field f[BACKEND_FIELDS];

	session_set_state(s, SESSION_RELAY);
	s->end = END_NONE;
	s->connected = s->last = t->now;
	s->watched = !backend_is_watched(t->backends, i);
	session_drop_note(t, s);
	session_settle(t, s, true);
	if (s->early > 0) {
		shuttle_sent(&s->way[UP], &t->kit, s->early);
		session_send_promptly(s);
	}
	if (backend_pool(t->backends, i)->cut)
		s->downs = backend_downs(t->backends, i);
	if (backend_answered(t->backends, i)) {
		backend_fields(t->backends, i, "back", "a session", f);
		log_event_seldom(t->log, LOG_NOTICE, f,
		    "backend %s: answers again", t->backends->list[i].name);
	}
	session_set_timer(t, s);
}

/*
 * Have the client's first bytes come already? Where clients speak first they
 * mostly have, and a wait is saved; where servers do, asking is a wasted call.
 * Each listener remembers which it was.
 */
static bool
worth_asking(struct session_table *t, const struct session *s)
{
	uint8_t *eager = &t->route[s->listener].eager;

	if (*eager >= EAGER_ENOUGH)
		return true;
	/* Once in a while, to see whether that has changed. */
	return ++*eager == EAGER_ENOUGH;
}

/*
 * Read from the client and send before the backend has been heard to answer:
 * on a fast network it has. Bytes that it does not take yet are held, and go
 * to another backend if this one fails.
 */
static enum shuttle_result
ask_early(struct session_table *t, struct session *s)
{
	uint8_t *eager = &t->route[s->listener].eager;
	enum shuttle_result result;

	/* Bytes may be held already, for an attempt before or with this one. */
	if (shuttle_wants_write(&s->way[UP]))
		result = session_move(t, s, UP, shuttle_write);
	else
		result = session_move(t, s, UP, shuttle_read);
	if (result == SHUTTLE_ENDED) {
		/* Not now: it is read again when the session stands. */
		s->way[UP].eof = false;
		result = SHUTTLE_GOING;
	}
	if (s->way[UP].in == 0)
		*eager = *eager > EAGER_LOSS ? *eager - EAGER_LOSS : 0;
	else if (*eager < EAGER_MAX)
		++*eager;
	if (s->way[UP].out > 0)
		session_send_promptly(s);
	return result;
}

/* It is gone already, and the backend may have heard of it. */
static void
client_is_gone(struct session_table *t, struct session *s)
{
	session_note_end(s, END_CLIENT_RESET);
	session_finish(t, s, SERVER);
}

/*
 * With fast open what the client has sent is to go along with the request to
 * connect, behind the header if there is one. It is held until the backend has
 * answered: another one may have to get it. No agreement with this backend:
 * connect as ever. Returns the bytes of the header.
 */
static size_t
send_along(struct session_table *t, const struct session *s,
    struct departure *d)
{
	size_t held = shuttle_held(&s->way[UP]), len = 0, room;
	unsigned char *out = t->kit.scratch;

	if (session_header_due(s))
		len = session_header_make(t, s, out);
	room = bufpool_size(t->kit.pool) - len;
	if (held > room)
		held = room;
	if (held > 0)
		memcpy(out + len, shuttle_bytes(&s->way[UP], &t->kit), held);
	d->bytes = out;
	d->len = len + held;
	return len;
}

/* A connection that was opened ahead, or a new one. */
static int
begin(struct session_table *t, struct session *s, uint32_t i, int *pending,
    bool *spare)
{
	struct departure d = { .client = &s->client };
	size_t len = 0;
	int fd;

	s->early = 0;
	*pending = 0;
	fd = spare_take(t->spares, i);
	*spare = fd != -1;
	if (*spare)
		return fd;
	if (backend_pool(t->backends, i)->fast_open)
		len = send_along(t, s, &d);
	/* Its name may have lost it since it was picked. */
	fd = backend_connect(t->backends, i, &d);
	if (fd != -1 && len > 0)
		session_header_went(s, len, d.went);
	s->early = d.went > len ? d.went - (uint32_t)len : 0;
	*pending = d.pending;
	return fd;
}

/* This attempt is over; the session goes on without it. */
static void
attempt_ends(struct session_table *t, struct session *s, int err)
{
	session_let_go(t, s, false);
	attempt_failed(t, s, err, false);
}

/* It broke before it took a byte: the backend has yet to be asked. */
static void
spare_broke(struct session_table *t, struct session *s)
{
	session_let_go(t, s, false);
	session_set_state(s, SESSION_PICK);
	s->attempts--;
}

/*
 * What can be sent before the backend has been heard to answer: the header, and
 * not a byte before it; it is small, and what follows must not wait for its
 * acknowledgement. Who takes either has answered.
 */
static enum shuttle_result
speak(struct session_table *t, struct session *s, int *pending)
{
	enum shuttle_result result;

	if (t->backends->list[session_backend(s)].send_proxy != 0) {
		socket_set_nodelay(s->fd[SERVER]);
		s->sends = 2;
	}
	if (session_header_due(s)) {
		result = session_header_send(t, s);
		if (result != SHUTTLE_GOING || session_header_due(s))
			return result;
		*pending = 0;
	}
	result = SHUTTLE_GOING;
	if (s->early == 0 && worth_asking(t, s))
		result = ask_early(t, s);
	if (s->way[UP].out > 0)
		*pending = 0;
	return result;
}

/* Begin to connect to backend *i*, on which it has a place. False: it failed. */
static bool
attempt(struct session_table *t, struct session *s, uint32_t i)
{
	enum shuttle_result result;
	int fd, pending, err;
	bool spare;

	if (s->attempts == 0)
		session_record(t, s)->picked = (uint32_t)(t->now - s->started);
	s->tried[s->attempts++] = (uint16_t)i;
	session_header_begin(t, s);
	fd = begin(t, s, i, &pending, &spare);
	if (fd == -1) {
		err = errno;
		session_give_place(t, i);
		if (!is_lack(t, s, err))
			attempt_failed(t, s, err, true);
		return false;
	}
	if (!spare)
		backend_note_begun(t->backends, i);
	s->lack = LACK_NOTHING;
	table_attach(t, s, SERVER, fd);
	session_set_state(s, SESSION_CONNECT);
	s->last = t->now;
	s->sends = 0;
	s->in_line = false;
	s->way[DOWN].vain = 0;
	result = speak(t, s, &pending);
	err = errno;
	if (result == SHUTTLE_TO_FAILED && spare) {
		spare_broke(t, s);
		return false;
	}
	if (result == SHUTTLE_TO_FAILED && !session_had_stood(err)) {
		attempt_ends(t, s, err);
		session_set_state(s, SESSION_PICK);
		return false;
	}
	if (result == SHUTTLE_FROM_FAILED) {
		client_is_gone(t, s);
		return true;
	}
	if ((!pending && !session_header_due(s)) || result == SHUTTLE_TO_FAILED)
		attempt_stands(t, s);
	else
		session_set_timer(t, s);
	if (result == SHUTTLE_TO_FAILED)
		session_side_failed(t, s, SERVER, err);
	session_set_interest(t, s);
	return true;
}

/*
 * Nobody can serve this client. It reads end of file at once; closing now would
 * turn that into a reset if it has sent anything, or is about to. When slots
 * are getting scarce they are worth more than that.
 */
void
session_turn_away(struct session_table *t, struct session *s,
    enum session_end why)
{
	session_note_end(s, why);
	session_drop_note(t, s);
	/* While it lingers another one may have its place. */
	session_leave(t, s);
	if (t->live > t->limit / 2) {
		session_finish(t, s, NOBODY);
		return;
	}
	(void)socket_shut_write(s->fd[CLIENT]);
	session_set_state(s, SESSION_LINGER);
	s->last = t->now;
	session_set_timer(t, s);
	session_set_interest(t, s);
}

uint64_t
session_total_at(const struct session_table *t, const struct session *s)
{
	uint64_t total =
	    t->backends->pool[t->route[s->listener].pool].connect_total_timeout;

	const struct session_record *r = session_record(t, s);

	if (total == 0 || s->attempts == 0 ||
	    (r->held && s->state == SESSION_QUEUE))
		return 0;
	return s->started + r->picked + total;
}

/* Is the time for all attempts over? */
static bool
is_over(const struct session_table *t, const struct session *s)
{
	uint64_t at = session_total_at(t, s);

	return at != 0 && at <= t->now;
}

int
session_choose(struct session_table *t, struct session *s)
{
	uint32_t pool = t->route[s->listener].pool;
	int i, lost;

	errno = EHOSTDOWN;
	if (s->attempts >= t->backends->pool[pool].attempts ||
	    is_over(t, s))
		return -1;
	for (lost = 0; lost < RACES; lost++) {
		i = balance_pick(t->balance, &(struct balance_ask){
		    .pool = pool, .client = &s->client, .tried = s->tried,
		    .n = s->attempts, .now = t->now });
		if (i == -1 || backend_take(t->backends, (uint32_t)i))
			return i;
	}
	errno = EAGAIN;
	return -1;
}

/* The same for one that has not waited: it comes after those who do. */
static int
choose_in_turn(struct session_table *t, struct session *s)
{
	uint32_t pool = t->route[s->listener].pool;
	const struct pool *p = &t->backends->pool[pool];

	if (p->max_queue == 0 || !queue_busy(t->queue, pool) ||
	    session_record(t, s)->lent || s->attempts >= p->attempts || s->attempts >= p->n)
		return session_choose(t, s);
	errno = EAGAIN;
	return -1;
}

/* No server is left for it. */
static void
no_server(struct session_table *t, struct session *s)
{
	bool over = is_over(t, s);

	if (session_await_server(t, s))
		return;
	if (over)
		s->end = END_NONE;
	session_turn_away(t, s, over ? END_CONNECT_TOTAL : END_NO_BACKEND);
}

void
session_try(struct session_table *t, struct session *s, int i)
{
	for (; i != -1; i = choose_in_turn(t, s)) {
		if (s->attempts > 0)
			counter_add(&t->board->retries, 1);
		if (attempt(t, s, (uint32_t)i))
			return;
	}
	if (errno == EAGAIN)
		session_queue(t, s);
	else
		no_server(t, s);
}

static enum shuttle_result
fetch(struct shuttle *s, const struct shuttle_kit *k, int from, int to)
{
	(void)to;
	return shuttle_fetch(s, k, from);
}

/* Try backends until one is being connected to; end the session if none is. */
void
session_pick(struct session_table *t, struct session *s)
{
	const struct session_route *r = &t->route[s->listener];
	const struct pool *pool = &t->backends->pool[r->pool];

	session_set_state(s, SESSION_PICK);
	if (pool->fast_open && r->eager >= EAGER_ENOUGH &&
	    session_move(t, s, UP, fetch) == SHUTTLE_FROM_FAILED) {
		client_is_gone(t, s);
		return;
	}
	session_try(t, s, choose_in_turn(t, s));
}

/* The connection to the backend failed or took too long: the next one. */
void
session_connect_failed(struct session_table *t, struct session *s, int err)
{
	attempt_ends(t, s, err);
	session_pick(t, s);
}

/*
 * The time for all attempts is over. A server that had all of it counts as one
 * that failed; of others nothing is known.
 */
void
session_total_expired(struct session_table *t, struct session *s)
{
	if (s->state == SESSION_QUEUE) {
		session_leave_queue(t, s);
	} else if (s->attempts == 1) {
		attempt_ends(t, s, ETIMEDOUT);
		session_set_state(s, SESSION_PICK);
	} else {
		session_let_go(t, s, false);
		session_set_state(s, SESSION_PICK);
	}
	no_server(t, s);
}

/*
 * A socket that is only writable is connected. One that is readable too has
 * bytes for us or an error: only then is it worth asking. Asking takes the error
 * away; one of a connection that had stood is dealt with as any later one,
 * since bytes may have come before it.
 */
void
session_connect_event(struct session_table *t, struct session *s,
    unsigned ready)
{
	int err = 0;

	if ((ready & POLLER_READ && socket_connected(s->fd[SERVER]) == -1) ||
	    (session_header_due(s) &&
	    session_header_send(t, s) == SHUTTLE_TO_FAILED))
		err = errno;
	if (err != 0 && !session_had_stood(err)) {
		session_connect_failed(t, s, err);
		return;
	}
	if (err == 0 && session_header_due(s)) {
		session_set_interest(t, s);
		return;
	}
	attempt_stands(t, s);
	if (err != 0)
		session_side_failed(t, s, SERVER, err);
	session_relay_event(t, s, SERVER, ready);
}

uint64_t
session_lasted(const struct session_table *t, const struct session *s)
{
	return (s->state == SESSION_LINGER ? s->last : t->now) - s->started;
}

void
session_linger_event(struct session_table *t, struct session *s)
{
	enum shuttle_result result;

	result = shuttle_discard(&s->way[UP], &t->kit, s->fd[CLIENT]);
	if (result != SHUTTLE_GOING)
		session_finish(t, s, NOBODY);
}
