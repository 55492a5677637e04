/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_connect.c: CONNECT. Invariant: there is a descriptor to a server if
 * and only if a place on it is taken.
 */
#include "session/session_connect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "net/socket_option.h"
#include "session/session_proxy.h"
#include "session/session_queue.h"
#include "session/session_relay.h"
#include "session/session_throttle.h"
#include "upstream/preconnect.h"
#include "upstream/wait_queue.h"

/*
 * Weight of a client that did not speak first, in the memory of its listener.
 */
#define EAGER_LOSS	8

void
session_close(struct session_env *e, struct session *s, int side, bool abort)
{
	int fd = s->fd[side];

	if (fd == -1)
		return;
	poller_forget(e->poller, fd);
	table_detach(&e->table, s, side);
	if (abort)
		socket_abort(fd);
	else
		close(fd);
}

static void
release_place(const struct session_env *e, uint32_t i)
{
	const struct server *b = &e->servers->list[i];

	server_drop(e->servers, i);
	if (b->max_sessions != 0)
		wait_queue_call(e->queue, b->pool, e->now);
}

/* Close first: otherwise the server might exceed its limit for a moment. */
void
session_let_go(struct session_env *e, struct session *s, bool abort)
{
	if (s->fd[SERVER] == -1)
		return;
	session_close(e, s, SERVER, abort);
	release_place(e, session_server(s));
}

static enum session_end
connect_error(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ENOENT:			/* a removed unix socket */
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
 * With transparent, this client may have used up its ports, be of another
 * family, or have an unroutable address, such as one of loopback: then the
 * server was not even contacted.
 */
static bool
is_clients_end(const struct session_env *e, uint32_t i, int err,
    bool at_once)
{
	return e->servers->list[i].egress.transparent && at_once &&
	    (socket_lack(err) == LACK_PORT || err == EAFNOSUPPORT ||
	    err == EINVAL || err == ENETUNREACH);
}

/*
 * A lack of ports or queue room for this server is neither a failure of it nor
 * an attempt: it may be tried again after that moment.
 */
static bool
is_lack(struct session_env *e, struct session *s, int err)
{
	enum socket_lack lack = socket_lack(err);
	uint32_t i = session_server(s);

	if ((lack != LACK_PORT && lack != LACK_ROOM) ||
	    is_clients_end(e, i, err, true))
		return false;
	server_note_lack(e->servers, i, e->now, e->log, err);
	s->lack = lack;
	s->attempts--;
	return true;
}

/*
 * Records a failed attempt. A lack on this machine is not the server's failure.
 */
static void
attempt_failed(struct session_env *e, struct session *s, int err,
    bool at_once)
{
	uint32_t i = session_server(s);
	enum session_end why = connect_error(err);
	struct log_field f[SERVER_FIELDS];
	char cause[100];

	session_note_end(s, why);
	if (is_clients_end(e, i, err, at_once)) {
		snprintf(cause, sizeof(cause), "transparent: %s",
		    strerror(err));
		server_fields(e->servers, i, "unreachable", cause, f);
		log_event_seldom(e->log, LOG_NOTICE, f, "server %s: %s",
		    e->servers->list[i].name, cause);
	} else if (why == END_RESOURCES)
		e->shortage = err;
	else
		server_record_failure(e->servers, i, e->now, e->log, "connect",
		    err);
}

/* *err* is or was an error of a connection that had been established. */
static enum session_step
attempt_stands(struct session_env *e, struct session *s,
    struct session_drive *d, int err)
{
	uint32_t i = session_server(s);
	struct log_field f[SERVER_FIELDS];

	s->end = END_NONE;
	s->connected = s->last = e->now;
	s->watched = !server_is_watched(e->servers, i);
	session_drop_note(e, s);
	session_settle(e, s, true);
	if (s->early > 0) {
		shuttle_sent(&s->way[UP], &e->kit, s->early);
		session_send_promptly(s);
	}
	if (server_pool(e->servers, i)->close_on_down)
		s->downs = server_downs(e->servers, i);
	if (server_answered(e->servers, i)) {
		server_fields(e->servers, i, "back", "a session", f);
		log_event_seldom(e->log, LOG_NOTICE, f,
		    "server %s: answers again", e->servers->list[i].name);
	}
	if (err != 0)
		session_side_failed(e, s, SERVER, err);
	return step_to(d, SESSION_RELAY);
}

/*
 * Checks whether the client's first bytes have arrived. Where clients speak
 * first they mostly have, and a wait is saved; where servers do, the check is a
 * wasted call. Each listener remembers which one it was.
 */
static bool
worth_asking(struct session_env *e, const struct session *s)
{
	uint8_t *eager = &e->route[s->listener].eager;

	if (*eager >= ROUTE_EAGER_ENOUGH)
		return true;
	/* Try once in a while, to see whether that has changed. */
	return ++*eager == ROUTE_EAGER_ENOUGH;
}

/*
 * Reads from the client and sends before the answer of the server: on a fast
 * network it has come. Bytes that are not accepted yet are held, and go to
 * another server if this one fails.
 */
static enum shuttle_result
ask_early(struct session_env *e, struct session *s)
{
	uint8_t *eager = &e->route[s->listener].eager;
	enum shuttle_result result;

	/*
	 * Bytes may be held already, for an earlier attempt or with this one.
	 */
	if (shuttle_wants_write(&s->way[UP]))
		result = session_move(e, s, UP, shuttle_write);
	else
		result = session_move(e, s, UP, shuttle_read);
	if (result == SHUTTLE_ENDED) {
		/*
		 * Not now: end of file is read again when the session is
		 * established.
		 */
		s->way[UP].eof = false;
		result = SHUTTLE_GOING;
	}
	if (s->way[UP].in == 0)
		*eager = *eager > EAGER_LOSS ? *eager - EAGER_LOSS : 0;
	else if (*eager < ROUTE_EAGER_MAX)
		++*eager;
	if (s->way[UP].out > 0)
		session_send_promptly(s);
	return result;
}

/*
 * With fast open the bytes of the client go in the SYN, behind the header if
 * there is one. They are held until the server has answered, because another
 * server may have to get them. Without a cookie of this server: connect as
 * usual. Returns the bytes of the header.
 */
static size_t
send_along(struct session_env *e, const struct session *s,
    struct connect_request *d)
{
	size_t held = shuttle_held(&s->way[UP]), len = 0, room;
	unsigned char *out = e->kit.scratch;

	if (session_proxy_due(s))
		len = session_proxy_make(e, s, out);
	room = bufpool_size(e->kit.pool) - len;
	if (held > room)
		held = room;
	if (held > 0)
		memcpy(out + len, shuttle_bytes(&s->way[UP], &e->kit), held);
	d->bytes = out;
	d->len = len + held;
	return len;
}

/* Takes a preconnected connection, or starts a new one. */
static int
begin_connect_stage(struct session_env *e, struct session *s, uint32_t i,
    int *pending, bool *preconnect)
{
	struct connect_request d = { .client = &s->client,
	    .port = e->route[s->listener].port };
	size_t len = 0;
	int fd;

	s->early = 0;
	*pending = 0;
	fd = preconnect_take(e->preconnects, i);
	*preconnect = fd != -1;
	if (*preconnect)
		return fd;
	if (server_pool(e->servers, i)->fast_open)
		len = send_along(e, s, &d);
	/* Its name may have lost it since the choice. */
	fd = server_connect(e->servers, i, &d);
	if (fd != -1 && len > 0)
		session_proxy_went(s, len, d.went);
	s->early = d.went > len ? d.went - (uint32_t)len : 0;
	*pending = d.pending;
	return fd;
}

/* Ends this attempt; the session continues without it. */
static void
attempt_ends(struct session_env *e, struct session *s, int err)
{
	session_let_go(e, s, false);
	attempt_failed(e, s, err, false);
}

/*
 * There is no connection: tries another server, or waits for what is lacking.
 */
static enum session_step
no_connection(struct session_env *e, struct session *s,
    struct session_drive *d, int err)
{
	release_place(e, session_server(s));
	if (!is_lack(e, s, err))
		attempt_failed(e, s, err, true);
	d->retry = true;
	return step_to(d, SESSION_PICK);
}

/*
 * Sends what can go before the server has answered: the header, and no byte
 * before it. The header is small, and what follows must not wait for its
 * acknowledgement. A server that accepts either has answered.
 */
static enum shuttle_result
send_first_bytes(struct session_env *e, struct session *s, int *pending)
{
	enum shuttle_result result;

	if (e->servers->list[session_server(s)].send_proxy != 0) {
		socket_set_nodelay(s->fd[SERVER]);
		s->sends = 2;
	}
	if (session_proxy_due(s)) {
		result = session_proxy_send(e, s);
		if (result != SHUTTLE_GOING || session_proxy_due(s))
			return result;
		*pending = 0;
	}
	result = SHUTTLE_GOING;
	if (s->early == 0 && worth_asking(e, s))
		result = ask_early(e, s);
	if (s->way[UP].out > 0)
		*pending = 0;
	return result;
}

/* Handles the result of the first send. */
static enum session_step
attempt_result(struct session_env *e, struct session *s, struct session_drive *d,
    enum shuttle_result result, int pending, bool preconnect)
{
	int err = result == SHUTTLE_TO_FAILED ? errno : 0;

	/* The client is gone already; the server may have got its bytes. */
	if (result == SHUTTLE_FROM_FAILED)
		return step_end(s, d, END_CLIENT_RESET, SERVER);
	if (err == 0 && (pending || session_proxy_due(s)))
		return STEP_WAIT;
	if (err == 0 || (session_had_stood(err) && !preconnect))
		return attempt_stands(e, s, d, err);
	if (preconnect) {
		/* It broke before accepting a byte: check the server itself. */
		session_let_go(e, s, false);
		s->attempts--;
	} else {
		attempt_ends(e, s, err);
	}
	d->retry = true;
	return step_to(d, SESSION_PICK);
}

/* Starts to connect to a server on which the session has a place. */
static enum session_step
begin_attempt(struct session_env *e, struct session *s, struct session_drive *d)
{
	uint32_t i = d->server;
	enum shuttle_result result;
	int fd, pending;
	bool preconnect;

	d->ready = 0;
	if (s->attempts == 0)
		session_cold(e, s)->picked = (uint32_t)(e->now - s->started);
	else
		counter_add(&e->board->retries, 1);
	s->tried[s->attempts++] = (uint16_t)i;
	session_proxy_begin(e, s);
	if ((fd = begin_connect_stage(e, s, i, &pending, &preconnect)) == -1)
		return no_connection(e, s, d, errno);
	if (!preconnect)
		server_note_begun(e->servers, i);
	s->lack = LACK_NOTHING;
	table_attach(&e->table, s, SERVER, fd);
	s->muted &= (uint8_t)~(1u << SERVER);
	s->last = e->now;
	s->sends = 0;
	s->in_line = false;
	s->way[DOWN].vain = 0;
	result = send_first_bytes(e, s, &pending);
	return attempt_result(e, s, d, result, pending, preconnect);
}

/*
 * A socket that is only writable is connected. One that is readable as well has
 * bytes or an error: only then query the error, which clears it. An error of an
 * established connection is handled as a later one, because bytes may have come
 * before it.
 */
enum session_step
session_connect_stage(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	int err = 0;

	if (d->entered)
		return begin_attempt(e, s, d);
	if ((d->ready & POLLER_READ && socket_connected(s->fd[SERVER]) == -1) ||
	    (session_proxy_due(s) &&
	    session_proxy_send(e, s) == SHUTTLE_TO_FAILED))
		err = errno;
	if (err != 0 && !session_had_stood(err)) {
		attempt_ends(e, s, err);
		return step_to(d, SESSION_PICK);
	}
	if (err == 0 && session_proxy_due(s))
		return STEP_WAIT;
	d->side = SERVER;
	return attempt_stands(e, s, d, err);
}

enum session_step
session_connect_came(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	attempt_ends(e, s, ETIMEDOUT);
	return step_to(d, SESSION_PICK);
}

/*
 * The time for all attempts is over. A server that had all of it counts as
 * failed; about others nothing is known.
 */
enum session_step
session_total_came(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	if (s->state == SESSION_QUEUE)
		session_leave_queue(e, s);
	else if (s->attempts == 1)
		attempt_ends(e, s, ETIMEDOUT);
	else
		session_let_go(e, s, false);
	d->none = ETIMEDOUT;
	return step_to(d, SESSION_QUEUE);
}
