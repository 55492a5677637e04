/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_proxy.c: headers of the PROXY protocol, the one that a client's
 * connection begins with and the one that a server's does. Not a byte behind a
 * header is taken from the client here. Invariant: s->note is the block that
 * holds the client's header, or so much of it as has come, or BUFPOOL_NONE.
 */
/* Two functions of <vis.h>, not ours, differ between systems: say which. */
#define LIBBSD_OPENBSD_VIS

#include "session/session_step.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <vis.h>

#include "net/cidr.h"
#include "net/socket.h"
#include "proto/proxyproto.h"

/* s->header, when all of it has gone to the server. */
#define GONE		UINT16_MAX

/* So much of what is no header is shown. */
#define SHOWN		24

static bool
try_later(int err)
{
	return err == EAGAIN || err == EINTR || err == ENOBUFS || err == ENOMEM;
}

void
session_drop_note(struct session_table *t, struct session *s)
{
	if (s->note != BUFPOOL_NONE)
		bufpool_put(t->notes, s->note);
	s->note = BUFPOOL_NONE;
}

/* --- from the client ------------------------------------------------------- */

/* Say who was refused and why; *bytes* are what has come. */
static void
refuse(struct session_table *t, struct session *s, enum session_end end,
    const char *why, const unsigned char *bytes, size_t n)
{
	char peer[ADDR_TEXT], text[4 * SHOWN + 1] = "";

	strvisx(text, (const char *)bytes, n < SHOWN ? n : SHOWN,
	    VIS_CSTYLE | VIS_NL | VIS_TAB | VIS_DQ);
	log_seldom(t->log, LOG_WARNING, "listener %s: PROXY header of %s: "
	    "%s%s%s%s", t->route[s->listener].name,
	    endpoint_format(&s->client, peer, sizeof(peer)), why,
	    n == 0 ? "" : "; it begins \"", text, n == 0 ? "" : "\"");
	session_refuse(t, s, end);
}

static unsigned char *
taken(struct session_table *t, const struct session *s)
{
	return s->note == BUFPOOL_NONE ? t->kit.scratch :
	    bufpool_bytes(t->notes, s->note);
}

/* Now it is known who the client is. */
static void
come_in(struct session_table *t, struct session *s)
{
	s->last = t->now;
	session_log_start(t, s);
	session_admit(t, s);
}

/* The connection ended, or failed; nothing at all was just somebody looking. */
static void
client_ended(struct session_table *t, struct session *s, ssize_t n)
{
	if (n == -1 && try_later(errno)) {
		session_set_interest(t, s);
	} else if (n == 0 && s->header > 0) {
		refuse(t, s, END_BAD_HEADER, "it is cut off",
		    taken(t, s), s->header);
	} else {
		session_note_end(s, n == 0 ? END_CLIENT_CLOSE :
		    END_CLIENT_RESET);
		session_finish(t, s, NOBODY);
	}
}

/* Take these bytes, which have been seen, from the socket. */
static bool
take(struct session_table *t, struct session *s, size_t n)
{
	if (recv(s->fd[CLIENT], taken(t, s) + s->header, n, 0) != (ssize_t)n)
		return false;
	s->header = (uint16_t)(s->header + n);
	return true;
}

/*
 * More of it has to come. What is here has to be taken, or the descriptor would
 * be readable all the time.
 */
static void
wait_for_more(struct session_table *t, struct session *s, size_t n)
{
	if (s->note == BUFPOOL_NONE)
		s->note = bufpool_get(t->notes);
	if (s->note == BUFPOOL_NONE)
		session_refuse(t, s, END_RESOURCES);
	else if (!take(t, s, n))
		client_ended(t, s, -1);
	else
		session_set_interest(t, s);
}

/*
 * Keep what servers are to be told of it. What is in one of LOCAL has to be
 * discarded. False: there is no block.
 */
static bool
keep(struct session_table *t, struct session *s, enum proxyproto_kind kind)
{
	if (kind == PROXYPROTO_LOCAL ||
	    t->backends->pool[t->route[s->listener].pool].sends_proxy == 0)
		session_drop_note(t, s);
	else if (s->note == BUFPOOL_NONE) {
		if ((s->note = bufpool_get(t->notes)) == BUFPOOL_NONE)
			return false;
		memcpy(taken(t, s), t->kit.scratch, s->header);
	}
	return true;
}

static unsigned char *
header_id(const struct session_table *t, const struct session *s)
{
	return t->header_ids + (size_t)table_id(t, s) * (PROXYPROTO_ID + 1);
}

const unsigned char *
session_header_id(const struct session_table *t, const struct session *s,
    size_t *len)
{
	if (t->header_ids == NULL || header_id(t, s)[0] == 0)
		return NULL;
	*len = header_id(t, s)[0];
	return header_id(t, s) + 1;
}

/* The block with the header does not last as long as the session. */
static void
note_id(struct session_table *t, const struct session *s,
    const struct proxyproto_bytes *id)
{
	if (t->header_ids == NULL)
		return;
	header_id(t, s)[0] = (unsigned char)id->n;
	if (id->n > 0)
		memcpy(header_id(t, s) + 1, id->at, id->n);
}

void
session_header_event(struct session_table *t, struct session *s)
{
	unsigned char *bytes = taken(t, s);
	struct proxyproto h;
	const char *why;
	size_t seen;
	ssize_t n;
	int len;

	n = recv(s->fd[CLIENT], bytes + s->header, PROXYPROTO_MAX - s->header,
	    MSG_PEEK);
	if (n <= 0) {
		client_ended(t, s, n);
		return;
	}
	seen = s->header + (size_t)n;
	if ((len = proxyproto_decode(bytes, seen, &h, &why)) > 0)
		note_id(t, s, &h.id);
	if (len == -1) {
		refuse(t, s, END_BAD_HEADER, why, bytes, seen);
	} else if (len == 0) {
		wait_for_more(t, s, (size_t)n);
	} else if (!take(t, s, (size_t)len - s->header)) {
		client_ended(t, s, -1);
	} else if (!keep(t, s, h.kind)) {
		session_refuse(t, s, END_RESOURCES);
	} else {
		if (h.kind == PROXYPROTO_STREAM)
			s->client = h.source;
		come_in(t, s);
	}
}

void
session_header_expired(struct session_table *t, struct session *s)
{
	refuse(t, s, END_HEADER_TIMEOUT, "it has not come in time",
	    taken(t, s), s->header);
}

void
session_meet(struct session_table *t, struct session *s)
{
	const struct session_route *r = &t->route[s->listener];

	s->note = BUFPOOL_NONE;
	if (t->header_ids != NULL)
		header_id(t, s)[0] = 0;
	if (r->proxies == NULL) {
		come_in(t, s);
	} else if (cidr_find(r->proxies, &s->client) == CIDR_ALLOW) {
		session_set_state(s, SESSION_HEADER);
		session_set_timer(t, s);
		session_header_event(t, s);
	} else if (r->others_plain) {
		come_in(t, s);
	} else {
		refuse(t, s, END_NOT_TRUSTED, "it is not in accept_proxy",
		    NULL, 0);
	}
}

/* --- to the server --------------------------------------------------------- */

bool
session_header_due(const struct session *s)
{
	return s->header != GONE;
}

void
session_header_begin(const struct session_table *t, struct session *s)
{
	s->header = t->backends->list[session_backend(s)].send_proxy == 0 ?
	    GONE : 0;
}

void
session_header_went(struct session *s, size_t len, size_t n)
{
	s->header = s->header + n >= len ? GONE : (uint16_t)(s->header + n);
}

/*
 * The header's addresses, or else the connection's own. Of a unix socket there
 * is nothing to be said: haproxy ends connections that begin with one, and says
 * LOCAL itself.
 */
static void
choose_addresses(const struct session *s, struct proxyproto *h)
{
	struct addr a;

	if (h->kind != PROXYPROTO_STREAM) {
		h->source = s->client;
		if (socket_local_addr(s->fd[CLIENT], &a) == 0)
			endpoint_set(&h->destination, &a);
	}
	h->kind = h->source.family == AF_UNIX ? PROXYPROTO_LOCAL :
	    PROXYPROTO_STREAM;
}

void
session_unique_id(const struct session_table *t, const struct session *s,
    char id[SESSION_ID])
{
	struct text out = { id, id + SESSION_ID - 1 };

	text_hex(&out, t->seed, 16);
	text_bytes(&out, "-", 1);
	text_hex(&out, s->started, 1);
	text_bytes(&out, "-", 1);
	text_hex(&out, s->number, 1);
	*out.at = '\0';
}

/* Of what came in, what is to be passed on; and what is to be said besides. */
static void
choose_tlvs(const struct session_table *t, const struct session *s,
    unsigned tlvs, struct proxyproto *h, char id[SESSION_ID])
{
	static const struct proxyproto_bytes none;

	if (tlvs & PROXY_TLV_NONE) {
		h->tlvs = none;
		if (!(tlvs & PROXY_TLV_UNIQUE_ID))
			h->id = none;
		if (!(tlvs & PROXY_TLV_AUTHORITY))
			h->authority = none;
	}
	if (tlvs & PROXY_TLV_UNIQUE_ID && h->id.at == NULL) {
		session_unique_id(t, s, id);
		h->id.at = (const unsigned char *)id;
		h->id.n = strlen(id);
	}
	h->crc = (tlvs & PROXY_TLV_CRC32C) != 0;
}

/* The same each time that it is made for an attempt, so it is not kept. */
size_t
session_header_make(const struct session_table *t, const struct session *s,
    unsigned char out[PROXYPROTO_MAX])
{
	const struct backend *b = &t->backends->list[session_backend(s)];
	struct proxyproto h = { .kind = PROXYPROTO_UNKNOWN };
	char id[SESSION_ID];
	const char *why;
	size_t n;

	if (s->note != BUFPOOL_NONE)
		(void)proxyproto_decode(bufpool_bytes(t->notes, s->note),
		    PROXYPROTO_MAX, &h, &why);
	choose_addresses(s, &h);
	h.version = b->send_proxy;
	choose_tlvs(t, s, backend_pool(t->backends, session_backend(s))->tlvs,
	    &h, id);
	n = proxyproto_encode(&h, out, PROXYPROTO_MAX);
	if (n > 0)
		return n;
	/* So much came in that there is no room for what is ours. */
	h.tlvs.at = h.authority.at = NULL;
	return proxyproto_encode(&h, out, PROXYPROTO_MAX);
}

enum shuttle_result
session_header_send(const struct session_table *t, struct session *s)
{
	unsigned char out[PROXYPROTO_MAX];
	size_t len = session_header_make(t, s, out);
	ssize_t n;

	n = send(s->fd[SERVER], out + s->header, len - s->header,
	    MSG_NOSIGNAL);
	if (n == -1)
		return try_later(errno) ? SHUTTLE_GOING : SHUTTLE_TO_FAILED;
	session_header_went(s, len, (size_t)n);
	return SHUTTLE_GOING;
}
