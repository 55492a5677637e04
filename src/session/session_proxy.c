/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_proxy.c: PROXY_HEADER, and the header to the server. No byte behind a
 * header is taken from the client here. Invariant: s->note is the block with
 * the client's header, or its part up to now, or BUFPOOL_NONE.
 */
/* Two functions of <vis.h> differ between systems: select OpenBSD's. */
#define LIBBSD_OPENBSD_VIS

#include "session/session_proxy.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <vis.h>

#include "net/cidr.h"
#include "net/socket.h"
#include "session/session_access.h"
#include "session/session_log.h"
#include "session/session_record.h"

/* s->header when all of it was sent to the server. */
#define GONE		UINT16_MAX

/* Bytes of an invalid header that a message shows. */
#define SHOWN		24

static bool
is_header_retry(int err)
{
	return err == EAGAIN || err == EINTR || err == ENOBUFS || err == ENOMEM;
}

void
session_drop_note(struct session_env *e, struct session *s)
{
	if (s->note != BUFPOOL_NONE)
		bufpool_put(e->notes, s->note);
	s->note = BUFPOOL_NONE;
}

/* --- from the client ------------------------------------------------------- */

/* Logs a refusal and its cause; *bytes* are what has arrived. */
static void
log_refusal(const struct session_env *e, const struct session *s,
    const char *why, const unsigned char *bytes, size_t n)
{
	char peer[ADDR_TEXT], text[4 * SHOWN + 1] = "";

	strvisx(text, (const char *)bytes, n < SHOWN ? n : SHOWN,
	    VIS_CSTYLE | VIS_NL | VIS_TAB | VIS_DQ);
	log_seldom(e->log, LOG_WARNING, "listener %s: PROXY header of %s: "
	    "%s%s%s%s", session_route(e, s)->name,
	    endpoint_format(&s->client, peer, sizeof(peer)), why,
	    n == 0 ? "" : "; it begins \"", text, n == 0 ? "" : "\"");
}

static unsigned char *
header_bytes(struct session_env *e, const struct session *s)
{
	return s->note == BUFPOOL_NONE ? e->kit.scratch :
	    bufpool_bytes(e->notes, s->note);
}

/* The client is known now. */
static enum session_step
come_in(struct session_env *e, struct session *s, struct session_drive *d)
{
	s->last = e->now;
	session_log_start(e, s);
	return step_to(d, SESSION_ADMIT);
}

/* The connection ended or failed; one without a byte is a mere probe. */
static enum session_step
client_ended(struct session_env *e, struct session *s,
    struct session_drive *d, ssize_t n)
{
	if (n == -1 && is_header_retry(errno))
		return STEP_WAIT;
	if (n == 0 && s->header > 0) {
		log_refusal(e, s, "incomplete", header_bytes(e, s), s->header);
		return session_reject_as_set(e, s, d, END_BAD_HEADER);
	}
	return step_end(s, d, n == 0 ? END_CLIENT_CLOSE : END_CLIENT_RESET,
	    NO_SIDE);
}

/* Removes these bytes, which were peeked, from the socket. */
static bool
take_header_bytes(struct session_env *e, struct session *s, size_t n)
{
	if (recv(s->fd[CLIENT], header_bytes(e, s) + s->header, n, 0) !=
	    (ssize_t)n)
		return false;
	s->header = (uint16_t)(s->header + n);
	return true;
}

/*
 * The header is incomplete. Its bytes must be taken from the socket, which
 * would be readable all the time otherwise.
 */
static enum session_step
wait_for_more(struct session_env *e, struct session *s,
    struct session_drive *d, size_t n)
{
	if (s->note == BUFPOOL_NONE)
		s->note = bufpool_get(e->notes);
	if (s->note == BUFPOOL_NONE)
		return session_reject_as_set(e, s, d, END_RESOURCES);
	return take_header_bytes(e, s, n) ? STEP_WAIT :
	    client_ended(e, s, d, -1);
}

/*
 * Keeps what servers shall receive of it. The contents of LOCAL must be
 * discarded. False: there is no block.
 */
static bool
keep_header(struct session_env *e, struct session *s, enum proxyproto_kind kind)
{
	if (kind == PROXYPROTO_LOCAL ||
	    session_pool(e, s)->sends_proxy == 0)
		session_drop_note(e, s);
	else if (s->note == BUFPOOL_NONE) {
		if ((s->note = bufpool_get(e->notes)) == BUFPOOL_NONE)
			return false;
		memcpy(header_bytes(e, s), e->kit.scratch, s->header);
	}
	return true;
}

static unsigned char *
header_id(const struct session_env *e, const struct session *s)
{
	return e->header_ids + (size_t)session_id(e, s) * (PROXYPROTO_ID + 1);
}

/* The block with the header does not last as long as the session. */
static void
note_id(struct session_env *e, const struct session *s,
    const struct proxyproto_bytes *id)
{
	if (e->header_ids == NULL)
		return;
	header_id(e, s)[0] = (unsigned char)id->n;
	if (id->n > 0)
		memcpy(header_id(e, s) + 1, id->at, id->n);
}

static enum session_step
read_header(struct session_env *e, struct session *s, struct session_drive *d)
{
	unsigned char *bytes = header_bytes(e, s);
	struct proxyproto h;
	const char *why;
	size_t seen;
	ssize_t n;
	int len;

	n = recv(s->fd[CLIENT], bytes + s->header, PROXYPROTO_MAX - s->header,
	    MSG_PEEK);
	if (n <= 0)
		return client_ended(e, s, d, n);
	seen = s->header + (size_t)n;
	if ((len = proxyproto_decode(bytes, seen, &h, &why)) > 0)
		note_id(e, s, &h.id);
	if (len == -1) {
		log_refusal(e, s, why, bytes, seen);
		return session_reject_as_set(e, s, d, END_BAD_HEADER);
	}
	if (len == 0)
		return wait_for_more(e, s, d, (size_t)n);
	if (!take_header_bytes(e, s, (size_t)len - s->header))
		return client_ended(e, s, d, -1);
	if (!keep_header(e, s, h.kind))
		return session_reject_as_set(e, s, d, END_RESOURCES);
	if (h.kind == PROXYPROTO_STREAM)
		s->client = h.source;
	return come_in(e, s, d);
}

enum session_step
session_header_stage(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	const struct session_route *r = session_route(e, s);

	if (d->entered && e->header_ids != NULL)
		header_id(e, s)[0] = 0;
	if (r->proxies == NULL)
		return come_in(e, s, d);
	if (!d->entered || cidr_find(r->proxies, &s->client) == CIDR_ALLOW)
		return read_header(e, s, d);
	if (r->untrusted_plain)
		return come_in(e, s, d);
	log_refusal(e, s, "the peer is not in accept_proxy", NULL, 0);
	return session_reject_as_set(e, s, d, END_NOT_TRUSTED);
}

uint64_t
session_header_at(const struct session_env *e, const struct session *s)
{
	return s->started + session_route(e, s)->limits.proxy_header_timeout;
}

enum session_step
session_header_came(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	log_refusal(e, s, "timed out", header_bytes(e, s), s->header);
	return session_reject_as_set(e, s, d, END_HEADER_TIMEOUT);
}

/* --- to the server --------------------------------------------------------- */

bool
session_proxy_due(const struct session *s)
{
	return s->header != GONE;
}

void
session_proxy_begin(const struct session_env *e, struct session *s)
{
	s->header = e->servers->list[session_server(s)].send_proxy == 0 ?
	    GONE : 0;
}

void
session_proxy_went(struct session *s, size_t len, size_t n)
{
	s->header = s->header + n >= len ? GONE : (uint16_t)(s->header + n);
}

/*
 * The addresses of the header, or else of the connection. A unix socket has
 * none: haproxy closes connections whose header says AF_UNIX, and sends LOCAL
 * itself.
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

/* Selects the TLVs to pass on, and adds those to be sent. */
static void
choose_tlvs(const struct session_env *e, const struct session *s,
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
		session_unique_id(e->seed, s->started, s->number, id);
		h->id.at = (const unsigned char *)id;
		h->id.n = strlen(id);
	}
	h->crc = (tlvs & PROXY_TLV_CRC32C) != 0;
}

/* Computed for each attempt with equal results, so it is not stored. */
size_t
session_proxy_make(const struct session_env *e, const struct session *s,
    unsigned char out[PROXYPROTO_MAX])
{
	const struct server *b = &e->servers->list[session_server(s)];
	struct proxyproto h = { .kind = PROXYPROTO_UNKNOWN };
	char id[SESSION_ID];
	const char *why;
	size_t n;

	if (s->note != BUFPOOL_NONE)
		(void)proxyproto_decode(bufpool_bytes(e->notes, s->note),
		    PROXYPROTO_MAX, &h, &why);
	choose_addresses(s, &h);
	h.version = b->send_proxy;
	choose_tlvs(e, s, server_pool(e->servers, session_server(s))->tlvs,
	    &h, id);
	n = proxyproto_encode(&h, out, PROXYPROTO_MAX);
	if (n > 0)
		return n;
	/* The received TLVs leave no room for added ones. */
	h.tlvs.at = h.authority.at = NULL;
	return proxyproto_encode(&h, out, PROXYPROTO_MAX);
}

enum shuttle_result
session_proxy_send(const struct session_env *e, struct session *s)
{
	unsigned char out[PROXYPROTO_MAX];
	size_t len = session_proxy_make(e, s, out);
	ssize_t n;

	n = send(s->fd[SERVER], out + s->header, len - s->header,
	    MSG_NOSIGNAL);
	if (n == -1)
		return is_header_retry(errno) ? SHUTTLE_GOING :
		    SHUTTLE_TO_FAILED;
	session_proxy_went(s, len, (size_t)n);
	return SHUTTLE_GOING;
}
