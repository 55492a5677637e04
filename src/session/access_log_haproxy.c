/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * access_log_haproxy.c: each field as HAProxy's configuration manual, section 8.2.2,
 * has it, and the codes of section 8.5.
 */
#include "session/access_log_haproxy.h"

#include "log/log.h"
#include "session/access_log_format.h"
#include "session/session_table.h"

/* Who ended it. doc/shuttled.8 has this as a table. */
static char
cause(const struct session *s)
{
	static const char codes[END_REASONS] = {
		[END_NONE] = '-',
		[END_CLIENT_CLOSE] = '-',
		[END_SERVER_CLOSE] = '-',
		[END_CLIENT_RESET] = 'C',
		[END_SERVER_RESET] = 'S',
		[END_CLIENT_LOST] = 'C',
		[END_SERVER_LOST] = 'S',
		[END_SERVER_REFUSED] = 'S',
		[END_SERVER_UNREACHABLE] = 'S',
		[END_CONNECT_TIMEOUT] = 's',
		[END_IDLE_TIMEOUT] = 'c',
		[END_FIN_TIMEOUT] = 'c',
		[END_NO_BACKEND] = 'S',
		[END_QUEUE_TIMEOUT] = 's',
		[END_QUEUE_FULL] = 'S',
		[END_UNAVAILABLE] = 's',
		[END_CONNECT_TOTAL] = 's',
		[END_SERVER_DOWN] = 'D',
		[END_NOT_TRUSTED] = 'P',
		[END_BAD_HEADER] = 'P',
		[END_HEADER_TIMEOUT] = 'c',
		[END_DENIED] = 'P',
		[END_MAX_SESSIONS] = 'P',
		[END_LISTENER_FULL] = 'P',
		[END_LIMIT_FULL] = 'P',
		[END_SOURCE_FULL] = 'P',
		[END_SESSION_RATE] = 'P',
		[END_SOURCE_RATE] = 'P',
		[END_CLIENT_IDLE] = 'c',
		[END_SERVER_IDLE] = 's',
		[END_MAX_LIFETIME] = 'K',
		[END_RESOURCES] = 'R',
		[END_DRAIN] = 'K',
		[END_STOP] = 'K',
		[END_NO_LOCAL_PORT] = 'R',
		[END_STALLED] = 'I',
	};

	/* The side that has not ended is the one that was waited for. */
	if (s->end == END_FIN_TIMEOUT && s->done[UP])
		return 's';
	return codes[s->end];
}

/* And in which phase: in the queue, while connecting, or with data. */
static char
phase(const struct session *s)
{
	if (cause(s) == '-')
		return '-';
	if (s->end == END_QUEUE_TIMEOUT || s->end == END_QUEUE_FULL ||
	    s->end == END_UNAVAILABLE)
		return 'Q';
	return s->connected == 0 ? 'C' : 'D';
}

static void
put_date(struct stamp *second, struct text *out,
    const struct session_table *t, const struct session *s)
{
	uint64_t ms = session_record(t, s)->began;

	text_bytes(out, " [", 2);
	text_time(out, second, TIME_HAPROXY, (time_t)(ms / 1000));
	text_bytes(out, ".", 1);
	text_padded(out, (unsigned)(ms % 1000), 3);
	text_bytes(out, "] ", 2);
}

static void
put_server(struct text *out, const struct session_table *t,
    const struct session *s)
{
	uint32_t pool = t->route[s->listener].pool;

	text_string(out, t->backends->pool[pool].name);
	text_bytes(out, "/", 1);
	text_string(out, s->attempts == 0 ? "<NOSRV>" :
	    backend_short_name(t->backends, s->tried[s->attempts - 1]));
}

/* Tw/Tc/Tt: in the queue, then until connected, and in all. */
static void
put_times(struct text *out, const struct session_table *t,
    const struct session *s, bool ended)
{
	uint64_t queued = session_queued(t, s);

	text_bytes(out, " ", 1);
	if (s->attempts == 0 && queued == 0)
		text_string(out, "-1");
	else
		text_number(out, queued);
	text_bytes(out, "/", 1);
	if (s->connected == 0)
		text_string(out, "-1");
	else
		text_number(out, s->connected - s->started - queued);
	text_bytes(out, "/+", ended ? 1 : 2);
	text_number(out, session_lasted(t, s));
	text_bytes(out, " +", ended ? 1 : 2);
	text_number(out, s->way[DOWN].out);
}

/*
 * actconn/feconn/beconn/srv_conn/retries, this session included. We do not count
 * by listener and pool: these are given as all.
 */
static void
put_counts(struct text *out, const struct session_table *t,
    const struct session *s, bool ended)
{
	struct board *b = t->backends->board;
	uint32_t i, seat = 0, all = ended, here = ended && s->connected != 0;

	if (s->attempts > 0)
		seat = t->backends->list[s->tried[s->attempts - 1]].seat;
	for (i = 0; i < board_slots(b) || i <= t->backends->worker; i++) {
		all += b->worker[i].live;
		if (s->attempts > 0)
			here += *board_live(b, i, seat);
	}
	for (i = 0; i < 3; i++) {
		text_number(out, all);
		text_bytes(out, "/", 1);
	}
	text_number(out, here);
	/* A + says that another server was tried. */
	text_bytes(out, "/+", s->attempts > 1 ? 2 : 1);
	text_number(out, s->attempts > 1 ? s->attempts - 1u : 0);
}

void
log_haproxy_put(struct stamp *second, struct text *out,
    const struct session_table *t, const struct session *s, bool ended)
{
	const char codes[] = { ' ', ended ? cause(s) : '-',
	    ended ? phase(s) : '-', ' ' };

	endpoint_put_ip(out, &s->client);
	text_bytes(out, ":", 1);
	text_number(out, s->client.port);
	put_date(second, out, t, s);
	text_string(out, t->route[s->listener].name);
	text_bytes(out, " ", 1);
	put_server(out, t, s);
	put_times(out, t, s, ended);
	text_bytes(out, codes, sizeof(codes));
	put_counts(out, t, s, ended);
	text_string(out, " 0/0");
}
