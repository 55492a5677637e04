/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * access_log_haproxy.c: the fields of HAProxy's configuration manual, section
 * 8.2.2, and the codes of section 8.5.
 */
#include "session/access_log_haproxy.h"

#include "board/board.h"
#include "session/session_record.h"

/* The side that ended the session. doc/shuttled.8 has this as a table. */
static char
termination_cause(const struct session_record *r)
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
		[END_NO_SERVER] = 'S',
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
		[END_CLIENT_FULL] = 'P',
		[END_SESSION_RATE] = 'P',
		[END_CLIENT_RATE] = 'P',
		[END_CLIENT_IDLE] = 'c',
		[END_SERVER_IDLE] = 's',
		[END_MAX_LIFETIME] = 'K',
		[END_RESOURCES] = 'R',
		[END_DRAIN] = 'K',
		[END_STOP] = 'K',
		[END_NO_LOCAL_PORT] = 'R',
		[END_STALLED] = 'I',
	};

	/* The side that has not ended is the one that timed out. */
	if (r->end == END_FIN_TIMEOUT && r->client_done)
		return 's';
	return codes[r->end];
}

/* The phase of the end: in the queue, while connecting, or with data. */
static char
termination_phase(const struct session_record *r)
{
	if (termination_cause(r) == '-')
		return '-';
	if (r->end == END_QUEUE_TIMEOUT || r->end == END_QUEUE_FULL ||
	    r->end == END_UNAVAILABLE)
		return 'Q';
	return r->connected ? 'D' : 'C';
}

static void
put_date(struct stamp *second, struct text *out,
    const struct session_record *r)
{
	text_bytes(out, " [", 2);
	text_time(out, second, TIME_HAPROXY, (time_t)(r->began / 1000));
	text_bytes(out, ".", 1);
	text_padded(out, (unsigned)(r->began % 1000), 3);
	text_bytes(out, "] ", 2);
}

static void
put_haproxy_server(struct text *out, const struct session_record *r)
{
	text_string(out, r->pool);
	text_bytes(out, "/", 1);
	text_string(out, r->server == NULL ? "<NOSRV>" : r->server);
}

/* Tw/Tc/Tt: in the queue, then until connected, and in total. */
static void
put_times(struct text *out, const struct session_record *r)
{
	text_bytes(out, " ", 1);
	if (r->attempts == 0 && r->queue_ms == 0)
		text_string(out, "-1");
	else
		text_number(out, r->queue_ms);
	text_bytes(out, "/", 1);
	if (r->connected)
		text_number(out, r->connect_ms - r->queue_ms);
	else
		text_string(out, "-1");
	text_bytes(out, "/+", r->ended ? 1 : 2);
	text_number(out, r->total_ms);
	text_bytes(out, " +", r->ended ? 1 : 2);
	text_number(out, r->bytes_down);
}

/*
 * actconn/feconn/beconn/srv_conn/retries, this session included. Sessions are
 * not counted by listener and pool for this: the total stands for these.
 */
static void
put_session_counts(struct text *out, const struct session_record *r)
{
	const struct board *b = r->board;
	uint32_t i, all = r->ended, here = r->ended && r->connected;

	for (i = 0; i < board_worker_slots(b) || i <= r->worker; i++) {
		all += b->worker[i].live;
		if (r->attempts > 0)
			here += *board_live(b, i, r->slot);
	}
	for (i = 0; i < 3; i++) {
		text_number(out, all);
		text_bytes(out, "/", 1);
	}
	text_number(out, here);
	/* A + means that another server was tried. */
	text_bytes(out, "/+", r->attempts > 1 ? 2 : 1);
	text_number(out, r->attempts > 1 ? r->attempts - 1 : 0);
}

void
access_log_haproxy_put(struct stamp *second, struct text *out,
    const struct session_record *r)
{
	const char codes[] = { ' ', r->ended ? termination_cause(r) : '-',
	    r->ended ? termination_phase(r) : '-', ' ' };

	endpoint_put_ip(out, r->client);
	text_bytes(out, ":", 1);
	text_number(out, r->client->port);
	put_date(second, out, r);
	text_string(out, r->listener);
	text_bytes(out, " ", 1);
	put_haproxy_server(out, r);
	put_times(out, r);
	text_bytes(out, codes, sizeof(codes));
	put_session_counts(out, r);
	text_string(out, " 0/0");
}
