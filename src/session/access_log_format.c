/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * access_log_format.c: parses a format into a list of words and fields, and
 * writes it for one session. Knows the contents, not the time (session_log.c)
 * nor the target (log.c).
 */
#include "session/access_log_format.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/proxyproto.h"
#include "session/access_log_haproxy.h"
#include "session/session_record.h"
#include "upstream/server.h"
#include "util/nearest.h"

#define PIECES		64		/* maximum in a format */

/* The source of a field. */
struct matter {
	struct text	*out;
	struct access_log_format *format;
	const struct session_record *record;
	enum log_event	 event;
};

struct piece {
	void		(*put)(const struct matter *);	/* NULL: *words* */
	const char	*words;
	size_t		 len;
};

struct access_log_format {
	enum log_style	 style;		/* BARE: a custom format */
	struct stamp	 second;
	char		*own;		/* the custom format, with its words */
	struct {
		struct piece	piece[PIECES];
		unsigned	pieces;
	} line[EVENTS];
};

/* --- fields --------------------------------------------------------------- */

static bool
is_json(const struct matter *m)
{
	return m->format->style == LOG_STYLE_JSON;
}

static void
put_missing(const struct matter *m)
{
	text_string(m->out, is_json(m) ? "null" : "-");
}

static void
put_word(const struct matter *m, const char *word)
{
	if (is_json(m))
		text_json(m->out, word);
	else
		text_string(m->out, word);
}

static void
put_time_of(const struct matter *m, uint64_t ms)
{
	text_bytes(m->out, "\"", is_json(m));
	text_time(m->out, &m->format->second, TIME_RFC3339,
	    (time_t)(ms / 1000));
	text_bytes(m->out, ".", 1);
	text_padded(m->out, (unsigned)(ms % 1000), 3);
	text_bytes(m->out, "Z\"", is_json(m) ? 2 : 1);
}

static void
put_time(const struct matter *m)
{
	put_time_of(m, log_time(m->record->log));
}

static void
put_start(const struct matter *m)
{
	put_time_of(m, m->record->began);
}

static void
put_event(const struct matter *m)
{
	static const char *const names[] = {
#define X(name, text) text,
		LOG_EVENTS(X)
#undef X
	};

	put_word(m, names[m->event]);
}

static void
put_client(const struct matter *m)
{
	text_bytes(m->out, "\"", is_json(m));
	endpoint_put(m->out, m->record->client);
	text_bytes(m->out, "\"", is_json(m));
}

/* A unix socket does not identify its clients. */
static bool
is_unknown_client(const struct matter *m)
{
	return m->record->client->family == AF_UNIX;
}

static void
put_client_ip(const struct matter *m)
{
	if (is_unknown_client(m)) {
		put_missing(m);
		return;
	}
	text_bytes(m->out, "\"", is_json(m));
	endpoint_put_ip(m->out, m->record->client);
	text_bytes(m->out, "\"", is_json(m));
}

static void
put_client_port(const struct matter *m)
{
	if (is_unknown_client(m))
		put_missing(m);
	else
		text_number(m->out, m->record->client->port);
}

static void
put_listener(const struct matter *m)
{
	put_word(m, m->record->listener);
}

static void
put_address(const struct matter *m)
{
	put_word(m, m->record->address);
}

static void
put_pool(const struct matter *m)
{
	put_word(m, m->record->pool);
}

static void
put_server(const struct matter *m)
{
	if (m->record->server == NULL)
		put_missing(m);
	else
		put_word(m, m->record->server);
}

/* All servers tried, the one that served last. */
static void
put_servers_tried(const struct matter *m)
{
	char names[SESSION_ATTEMPTS * SERVER_NAME] = "";
	unsigned i;

	if (m->record->attempts == 0) {
		put_missing(m);
		return;
	}
	for (i = 0; i < m->record->attempts; i++) {
		if (i > 0)
			strlcat(names, ",", sizeof(names));
		strlcat(names, m->record->tried[i], sizeof(names));
	}
	put_word(m, names);
}

static void
put_attempts(const struct matter *m)
{
	text_number(m->out, m->record->attempts);
}

static void
put_retries(const struct matter *m)
{
	unsigned n = m->record->attempts;

	text_number(m->out, n == 0 ? 0 : n - 1);
}

static void
put_bytes_up(const struct matter *m)
{
	text_number(m->out, m->record->bytes_up);
}

static void
put_bytes_down(const struct matter *m)
{
	text_number(m->out, m->record->bytes_down);
}

static void
put_connect_ms(const struct matter *m)
{
	if (m->record->connected)
		text_number(m->out, m->record->connect_ms);
	else
		put_missing(m);
}

static void
put_first_byte_ms(const struct matter *m)
{
	if (m->record->answered)
		text_number(m->out, m->record->first_byte_ms);
	else
		put_missing(m);
}

static void
put_queue_ms(const struct matter *m)
{
	text_number(m->out, m->record->queue_ms);
}

static void
put_total_ms(const struct matter *m)
{
	text_number(m->out, m->record->total_ms);
}

static void
put_end(const struct matter *m)
{
	if (m->event == EVENT_END)
		put_word(m, session_end_name(m->record->end));
	else
		put_missing(m);
}

/* The limit that would have refused it. */
static void
put_dry_run(const struct matter *m)
{
	enum session_end why = m->record->spared;

	if (why != END_NONE)
		put_word(m, session_end_name(why));
	else
		put_missing(m);
}

static void
put_worker(const struct matter *m)
{
	text_number(m->out, m->record->worker + 1);
}

static void
put_pid(const struct matter *m)
{
	text_number(m->out, (uint64_t)log_pid(m->record->log));
}

static void
put_unique_id(const struct matter *m)
{
	const struct session_record *r = m->record;
	char id[SESSION_ID];

	session_unique_id(r->seed, r->started, r->number, id);
	put_word(m, id);
}

/* Escapes bytes that are not printable as \xNN. */
static void
put_pp_unique_id(const struct matter *m)
{
	char plain[4 * PROXYPROTO_ID + 1];
	struct text t = { plain, plain + sizeof(plain) - 1 };
	const unsigned char *id = m->record->header_id;
	size_t n = m->record->header_id_len;

	if (id == NULL) {
		put_missing(m);
		return;
	}
	for (; n > 0; id++, n--)
		if (*id > ' ' && *id < 127 && *id != '\\') {
			text_bytes(&t, (const char *)id, 1);
		} else {
			text_string(&t, "\\x");
			text_hex(&t, *id, 2);
		}
	*t.at = '\0';
	put_word(m, plain);
}

/* doc/shuttled.8 explains each; a test compares the two. */
#define FIELDS(X)							\
	X(time) X(start) X(event) X(client) X(client_ip) X(client_port)	\
	X(listener) X(address) X(pool) X(server) X(servers_tried)	\
	X(attempts)							\
	X(retries) X(bytes_up) X(bytes_down) X(connect_ms)		\
	X(queue_ms) X(total_ms)						\
	X(end) X(worker) X(pid) X(unique_id) X(first_byte_ms)		\
	X(pp_unique_id) X(dry_run)

static const char *const field_names[] = {
#define X(name) #name,
	FIELDS(X)
#undef X
};

static void (*const field_puts[])(const struct matter *) = {
#define X(name) put_##name,
	FIELDS(X)
#undef X
};

#define COUNT		(sizeof(field_names) / sizeof(*field_names))

/* --- formats -------------------------------------------------------------- */

#define TEXT_START							\
	"session start id=%{unique_id} client=%{client} listener=%{listener}"
#define TEXT_STILL							\
	"session still id=%{unique_id} client=%{client} "		\
	"listener=%{listener} "						\
	"servers_tried=%{servers_tried} bytes_up=%{bytes_up} "		\
	"bytes_down=%{bytes_down} "					\
	"connect_ms=%{connect_ms} first_byte_ms=%{first_byte_ms} "	\
	"total_ms=%{total_ms}"
#define TEXT_END							\
	"session end id=%{unique_id} client=%{client} "			\
	"listener=%{listener} "						\
	"servers_tried=%{servers_tried} bytes_up=%{bytes_up} "		\
	"bytes_down=%{bytes_down} "					\
	"connect_ms=%{connect_ms} first_byte_ms=%{first_byte_ms} "	\
	"total_ms=%{total_ms} end=%{end}"

/* Time, process and pid are in the head. */
#define JSON								\
	"\"event\":%{event},\"unique_id\":%{unique_id},"		\
	"\"pp_unique_id\":%{pp_unique_id},"				\
	"\"start\":%{start},\"client\":%{client},"			\
	"\"client_ip\":%{client_ip},\"client_port\":%{client_port},"	\
	"\"listener\":%{listener},\"address\":%{address},"		\
	"\"pool\":%{pool},\"server\":%{server},"			\
	"\"servers_tried\":%{servers_tried},\"attempts\":%{attempts},"	\
	"\"retries\":%{retries},\"bytes_up\":%{bytes_up},"		\
	"\"bytes_down\":%{bytes_down},"					\
	"\"connect_ms\":%{connect_ms},"				\
	"\"first_byte_ms\":%{first_byte_ms},"				\
	"\"queue_ms\":%{queue_ms},"					\
	"\"total_ms\":%{total_ms},"					\
	"\"end\":%{end},\"worker\":%{worker}}"

/* Parses the name of a field and its brace; returns what follows, or NULL. */
static const char *
read_field(struct piece *p, const char *text, char *why, size_t size)
{
	char name[24];
	size_t i, len = strcspn(text, "}");
	const char *near;

	if (text[len] == '\0' || len >= sizeof(name)) {
		snprintf(why, size, "a field is written %%{client}, a percent "
		    "sign %%%%");
		return NULL;
	}
	memcpy(name, text, len);
	name[len] = '\0';
	for (i = 0; i < COUNT; i++)
		if (strcmp(name, field_names[i]) == 0) {
			p->put = field_puts[i];
			return text + len + 1;
		}
	near = nearest_find(name, field_names, COUNT);
	snprintf(why, size, "there is no field %s%s%s", name,
	    near == NULL ? "; shuttled(8) lists them" : ", perhaps ",
	    near == NULL ? "" : near);
	return NULL;
}

static int
compile_format(struct access_log_format *f, enum log_event event,
    const char *text, char *why, size_t size)
{
	unsigned *n = &f->line[event].pieces;
	struct piece *p;

	while (*text != '\0') {
		if (*n == PIECES) {
			snprintf(why, size, "the format is too long");
			return -1;
		}
		p = &f->line[event].piece[(*n)++];
		if (strncmp(text, "%{", 2) == 0) {
			text = read_field(p, text + 2, why, size);
			if (text == NULL)
				return -1;
			continue;
		}
		/* Of two percent signs the second is literal. */
		if (*text == '%' && *++text != '%') {
			snprintf(why, size, "behind a percent sign comes the "
			    "name of a field, %%{client}, or another one");
			return -1;
		}
		p->words = text;
		p->len = *text == '%' ? 1 : strcspn(text, "%");
		text += p->len;
	}
	return 0;
}

static const char *const styles[] = {
	[LOG_STYLE_TEXT] = "text",
	[LOG_STYLE_JSON] = "json",
	[LOG_STYLE_HAPROXY] = "haproxy",
};

static void
no_format(const char *name, char *why, size_t size)
{
	const char *near = nearest_find(name, styles, LOG_STYLE_BARE);

	snprintf(why, size, "text, json, haproxy, or words and fields such as "
	    "\"%%{client} %%{server}\"%s%s", near == NULL ? "" : "; perhaps ",
	    near == NULL ? "" : near);
}

static int
compile_own(struct access_log_format *f, const char *text, char *why,
    size_t size)
{
	const char *c;
	int event;

	if (strchr(text, '%') == NULL) {
		no_format(text, why, size);
		return -1;
	}
	for (c = text; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c) && *c != '\t') {
			snprintf(why, size, "a line has no control characters");
			return -1;
		}
	if ((f->own = strdup(text)) == NULL) {
		snprintf(why, size, "%s", strerror(errno));
		return -1;
	}
	for (event = 0; event < EVENTS; event++)
		if (compile_format(f, event, f->own, why, size) == -1)
			return -1;
	return 0;
}

static void
compile_named(struct access_log_format *f)
{
	bool object = f->style == LOG_STYLE_JSON;

	(void)compile_format(f, EVENT_START, object ? JSON : TEXT_START, NULL,
	    0);
	(void)compile_format(f, EVENT_STILL, object ? JSON : TEXT_STILL, NULL,
	    0);
	(void)compile_format(f, EVENT_END, object ? JSON : TEXT_END, NULL, 0);
}

enum log_style
access_log_format_style(const char *spec)
{
	enum log_style i;

	for (i = 0; i < LOG_STYLE_BARE; i++)
		if (strcmp(spec, styles[i]) == 0)
			break;
	return i;
}

struct access_log_format *
access_log_format_new(const char *spec, char *why, size_t size)
{
	struct access_log_format *f;

	if ((f = calloc(1, sizeof(*f))) == NULL) {
		snprintf(why, size, "%s", strerror(errno));
		return NULL;
	}
	f->style = access_log_format_style(spec);
	if (f->style != LOG_STYLE_BARE) {
		compile_named(f);
	} else if (compile_own(f, spec, why, size) == -1) {
		access_log_format_free(f);
		return NULL;
	}
	return f;
}

void
access_log_format_free(struct access_log_format *f)
{
	if (f != NULL)
		free(f->own);
	free(f);
}

bool
access_log_format_has(const struct access_log_format *f, const char *field)
{
	size_t i, k;
	int event;

	for (i = 0; i < COUNT && strcmp(field, field_names[i]) != 0; i++)
		continue;
	for (event = 0; i < COUNT && event < EVENTS; event++)
		for (k = 0; k < f->line[event].pieces; k++)
			if (f->line[event].piece[k].put == field_puts[i])
				return true;
	return false;
}

void
access_log_format_put(struct access_log_format *f, struct text *out,
    const struct session_record *r, enum log_event event)
{
	const struct matter m = { out, f, r, event };
	const struct piece *p = f->line[event].piece;
	const struct piece *end = p + f->line[event].pieces;

	if (f->style == LOG_STYLE_HAPROXY && event != EVENT_START) {
		access_log_haproxy_put(&f->second, out, r);
		return;
	}
	for (; p < end; p++)
		if (p->put != NULL)
			p->put(&m);
		else
			text_bytes(out, p->words, p->len);
}
