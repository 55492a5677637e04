/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_record.c: makes the record of a session. Never changes the session.
 */
#include "session/session_record.h"

#include "proto/proxyproto.h"
#include "session/session_env.h"
#include "util/text.h"

static uint64_t
queue_time(const struct session_env *e, const struct session *s)
{
	return s->queued + (s->state == SESSION_QUEUE ? e->now - s->last : 0);
}

/* Until the rejection: what its client sends afterwards is not served. */
static uint64_t
total_time(const struct session_env *e, const struct session *s)
{
	return (s->state == SESSION_LINGER ? s->last : e->now) - s->started;
}

static void
note_servers(struct session_record *r, const struct session_env *e,
    const struct session *s)
{
	const struct servers *bs = e->servers;
	unsigned i;

	r->attempts = s->attempts;
	for (i = 0; i < s->attempts; i++)
		r->tried[i] = bs->list[s->tried[i]].name;
	r->server = NULL;
	if (s->attempts == 0)
		return;
	r->server = server_short_name(bs, session_server(s));
	r->slot = bs->list[session_server(s)].slot;
}

static void
note_times(struct session_record *r, const struct session_env *e,
    const struct session *s)
{
	const struct session_cold *c = session_cold(e, s);

	r->began = c->began;
	r->connected = s->connected != 0;
	r->connect_ms = s->connected - s->started;
	r->answered = c->answered;
	r->first_byte_ms = c->first_byte;
	r->queue_ms = queue_time(e, s);
	r->total_ms = total_time(e, s);
	r->spared = c->spared;
}

static void
note_ids(struct session_record *r, const struct session_env *e,
    const struct session *s)
{
	const unsigned char *id;

	r->seed = e->seed;
	r->started = s->started;
	r->number = s->number;
	r->header_id = NULL;
	if (e->header_ids == NULL)
		return;
	id = e->header_ids + (size_t)session_id(e, s) * (PROXYPROTO_ID + 1);
	r->header_id_len = id[0];
	if (id[0] != 0)
		r->header_id = id + 1;
}

void
session_record_make(struct session_record *r, const struct session_env *e,
    const struct session *s, bool ended)
{
	const struct session_route *route = session_route(e, s);

	r->log = NULL;
	r->client = &s->client;
	r->listener = route->name;
	r->address = route->address;
	r->pool = session_pool(e, s)->name;
	r->bytes_up = s->way[UP].out;
	r->bytes_down = s->way[DOWN].out;
	r->ended = ended;
	r->end = s->end;
	r->client_done = s->done[UP];
	r->worker = e->servers->worker;
	r->board = e->servers->board;
	note_servers(r, e, s);
	note_times(r, e, s);
	note_ids(r, e, s);
}

void
session_unique_id(uint64_t seed, uint64_t started, uint32_t number,
    char id[SESSION_ID])
{
	struct text out = { id, id + SESSION_ID - 1 };

	text_hex(&out, seed, 16);
	text_bytes(&out, "-", 1);
	text_hex(&out, started, 1);
	text_bytes(&out, "-", 1);
	text_hex(&out, number, 1);
	*out.at = '\0';
}
