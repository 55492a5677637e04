/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_log_format.c: any text as a format of the log. The first byte chooses
 * the session that is written in it. A format that is refused has a reason; one
 * that is taken writes nothing behind the end of a short buffer, no NUL, and
 * in JSON no control character.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "session/access_log_format.h"
#include "session/session_env.h"
#include "session/session_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MUST(what)	do { if (!(what)) abort(); } while (0)

static struct session_route route = {
	.name = "front\"\n", .address = "127.0.0.1:80"
};
static struct server list[] = {
	{ .name = "app/a" }, { .name = "app/b\t\"" }, { .name = "c" }
};
static struct pool pool = { .name = "app", .n = 3 };
static struct servers servers = {
	.list = list, .n = 3, .pool = &pool, .pools = 1
};
static struct session_env env;

static void
make_table(void)
{
	MUST(table_init(&env.table, 4, 16) == 0);
	MUST((servers.board = board_new(3, NULL)) != NULL);
	atomic_store(&servers.board->ledger->worker_slots, 2);
	MUST((env.log = log_open("/dev/null", LOG_DEBUG)) != NULL);
	env.route = &route;
	env.servers = &servers;
	env.now = 100000;
}

/* One that these bits describe. */
static void
make_session(struct session *s, uint8_t bits)
{
	static const uint16_t families[] = { AF_INET, AF_INET6, AF_UNIX,
	    AF_INET };

	memset(s, 0, sizeof(*s));
	s->fd[CLIENT] = s->fd[SERVER] = -1;
	s->client.family = families[bits & 3];
	memset(s->client.ip, bits & 1 ? 0xff : 0x20, sizeof(s->client.ip));
	s->client.port = bits & 4 ? 65535 : 1;
	s->attempts = bits >> 3 & 3;
	s->tried[0] = 1;
	s->tried[1] = 2;
	s->started = bits & 0x20 ? 1 : env.now;
	s->connected = bits & 0x40 ? env.now : 0;
	s->end = bits % END_REASONS;
	s->state = SESSION_RELAY;
	s->way[UP].out = bits & 0x80 ? UINT64_MAX : 0;
}

/* In a buffer of exactly this size, so that one byte too far is noticed. */
static void
write_line(struct access_log_format *f, const struct session *s, size_t size,
    enum log_event event, bool object)
{
	char *line = malloc(size), *c;
	struct text t = { line, line + size };
	struct session_record r;

	MUST(line != NULL);
	session_record_make(&r, &env, s, event == EVENT_END);
	r.log = env.log;
	access_log_format_put(f, &t, &r, event);
	MUST(t.at >= line && t.at <= t.end);
	for (c = line; c < t.at; c++)
		MUST(*c != '\0' && (!object || (unsigned char)*c >= ' '));
	free(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct access_log_format *f;
	struct session *s;
	enum log_event event;
	char why[200] = "", *text;
	bool object;

	if (size < 1)
		return 0;
	if (env.log == NULL)
		make_table();
	MUST((text = malloc(size)) != NULL);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	s = &env.table.session[1];
	make_session(s, data[0]);
	f = access_log_format_new(text, why, sizeof(why));
	object = access_log_format_style(text) == LOG_STYLE_JSON;
	free(text);
	MUST(f != NULL || why[0] != '\0');
	for (event = 0; f != NULL && event < EVENTS; event++) {
		(void)log_begin(env.log, LOG_INFO);
		write_line(f, s, 2048, event, object);
		write_line(f, s, 1 + data[0] % 64, event, object);
	}
	access_log_format_free(f);
	return 0;
}
