/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log.c: formats the head of each line and keeps the lines that are not written
 * yet. Invariant: the buffer begins and ends with a whole line. A log that
 * cannot be written must not stop the traffic: lines are lost, without errors.
 */
#include "log/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log/log_sink.h"
#include "sys/clock.h"
#include "util/counter.h"
#include "util/text.h"

#define LINE		2048		/* bytes of a line with its end */
#define ROOM		65536		/* bytes of unwritten lines */

/* Interval of reports of lost lines and of retries of kept ones, in ms. */
#define TELL		1000
#define RETRY		100

/* Lines of log_seldom() a second. */
#define SELDOM		10

#define NAME		"shuttled"

struct log {
	char		*name;		/* of the target */
	struct log_sink	 sink;
	int		 level;
	enum log_style	 style;
	pid_t		 pid;
	char		 instance[40];
	char		 ident[24];
	char		 process[88];	/* instance, ident and pid */
	char		 host[80];
	struct stamp	 utc, local;
	struct timespec	 now;		/* time of the current line */
	bool		 stalled;	/* the last flush left lines */
	uint64_t	 lost;		/* lines lost since the last report */
	uint64_t	 tell_at;	/* clock_now_ms() */
	uint64_t	 told, told_at;	/* last report: count, and line */
	_Atomic uint64_t *counter;	/* of lost lines, or NULL */
	uint64_t	 since;		/* start of the current second */
	unsigned	 seldom;	/* log_seldom() calls in it */
	uint64_t	 left_out;	/* of these dropped, unreported */
	char		*errors;	/* collected, or NULL */
	size_t		 errors_size;
	struct text	 line;		/* the current line */
	size_t		 used;
	char		 begun[LINE];
	char		 kept[ROOM];
};

static const char *const level_names[] = {
	"emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"
};

int
log_check(const char *target, const char **why)
{
	struct log_target t;

	return log_target_parse(target, &t, why);
}

/* Copies a name for a head: only characters that RFC 5424 allows. */
static void
name_host(struct log *l)
{
	char *c;

	if (gethostname(l->host, sizeof(l->host) - 1) == -1)
		l->host[0] = '\0';
	for (c = l->host; *c > ' ' && *c < 127; c++)
		continue;
	if (*c != '\0' || c == l->host)
		strlcpy(l->host, "-", sizeof(l->host));
}

struct log *
log_open_at(const char *target, int level, const struct addr *known)
{
	struct log_target t;
	const char *why;
	struct log *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	if ((l->name = strdup(target)) == NULL)
		goto fail;
	errno = EINVAL;
	if (log_target_parse(l->name, &t, &why) == -1 || log_target_find(&t,
	    known) == -1 || log_sink_open(&l->sink, &t) == -1)
		goto fail;
	l->level = level;
	tzset();		/* reads a file, which a worker may not */
	name_host(l);
	log_ident(l, "start");
	return l;
fail:
	free(l->name);
	free(l);
	return NULL;
}

static void
count_lost(struct log *l, uint64_t lines)
{
	l->lost += lines;
	if (l->counter != NULL)
		counter_add(l->counter, lines);
}

/*
 * Counts lines as lost, up to the one with this number. If one of them was a
 * report of losses, the report is repeated.
 */
static void
lose_lines(struct log *l, uint64_t lines, uint64_t last)
{
	if (l->told_at != 0 && l->told_at <= last &&
	    l->told_at + lines > last) {
		l->lost += l->told;
		l->told_at = 0;
		lines--;
	}
	count_lost(l, lines);
}

/* Tries a last time to write the remaining lines. */
static void
flush_last_lines(struct log *l)
{
	static const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int i;

	log_flush(l);
	/* A connection in progress may be established in a moment. */
	for (i = 0; i < 50 && l->used > 0 &&
	    l->sink.target.kind == TARGET_TCP; i++) {
		nanosleep(&pause, NULL);
		log_flush(l);
	}
}

void
log_close(struct log *l)
{
	if (l == NULL)
		return;
	flush_last_lines(l);
	log_sink_free(&l->sink);
	free(l->name);
	free(l);
}

void
log_replace(struct log *l, struct log *other)
{
	uint64_t lines;

	flush_last_lines(l);
	lines = log_sink_lines(&l->sink, l->kept, l->used);
	lose_lines(l, lines, l->sink.out + lines);
	log_ident(other, l->ident);
	other->counter = l->counter;
	log_collect(other, l->errors, l->errors_size);
	/* The new target reports what the old one did not get. */
	other->lost = l->lost;
	other->left_out = l->left_out;
	log_sink_free(&l->sink);
	free(l->name);
	*l = *other;
	free(other);
}

void
log_set_style(struct log *l, enum log_style style)
{
	l->style = style;
}

/* Identification in the syslog. */
static void
put_daemon_name(struct log *l)
{
	text_string(&l->line, NAME);
	if (l->instance[0] != '\0') {
		text_bytes(&l->line, "-", 1);
		text_string(&l->line, l->instance);
	}
}

static void
name_process(struct log *l)
{
	snprintf(l->process, sizeof(l->process), "%s%s%s[%d]", l->instance,
	    l->instance[0] == '\0' ? "" : " ", l->ident, (int)l->pid);
}

void
log_set_instance(struct log *l, const char *name)
{
	strlcpy(l->instance, name, sizeof(l->instance));
	name_process(l);
}

void
log_ident(struct log *l, const char *name)
{
	pid_t pid = getpid();

	if (l->pid != 0 && l->pid != pid) {
		l->used = 0;
		l->lost = 0;
		l->told_at = 0;
		l->stalled = false;
		l->errors = NULL;
		log_sink_leave(&l->sink);
	}
	l->pid = pid;
	strlcpy(l->ident, name, sizeof(l->ident));
	name_process(l);
}

void
log_count_lost(struct log *l, _Atomic uint64_t *counter)
{
	l->counter = counter;
}

int
log_reopen(struct log *l)
{
	log_flush(l);
	return log_sink_reopen(&l->sink);
}

int
log_fd(const struct log *l)
{
	return log_sink_hands_over(&l->sink) ? l->sink.fd : -1;
}

void
log_use_fd(struct log *l, int fd)
{
	log_flush(l);
	log_sink_use_fd(&l->sink, fd);
}

void
log_collect(struct log *l, char *buf, size_t size)
{
	l->errors = buf;
	l->errors_size = size;
}

bool
log_wants(const struct log *l, int level)
{
	return level <= l->level;
}

static void
write_kept(struct log *l)
{
	size_t done;

	done = log_sink_write(&l->sink, l->kept, l->used);
	l->used -= done;
	if (l->used > 0 && done > 0)
		memmove(l->kept, l->kept + done, l->used);
	l->stalled = l->used > 0;
	if (l->sink.refused > 0)
		lose_lines(l, l->sink.refused, l->sink.crashed);
	l->sink.refused = 0;
}

/* 2026-11-22T01:44:27.123Z */
static void
put_log_time(struct log *l)
{
	text_time(&l->line, &l->utc, TIME_RFC3339, l->now.tv_sec);
	text_bytes(&l->line, ".", 1);
	text_padded(&l->line, (unsigned)(l->now.tv_nsec / 1000000), 3);
	text_bytes(&l->line, "Z", 1);
}

/* The head of a syslog line. */
static void
put_syslog_head(struct log *l, int level)
{
	const struct log_target *t = &l->sink.target;

	if (t->facility != 0) {
		text_bytes(&l->line, "<", 1);
		text_number(&l->line, (unsigned)(t->facility | level));
		text_bytes(&l->line, ">", 1);
	}
	if (t->kind == TARGET_UDP || t->kind == TARGET_TCP) {
		/* RFC 5424, section 6 */
		text_string(&l->line, "1 ");
		put_log_time(l);
		text_string(&l->line, " ");
		text_string(&l->line, l->host);
		text_bytes(&l->line, " ", 1);
		put_daemon_name(l);
		text_bytes(&l->line, " ", 1);
		text_number(&l->line, (uint64_t)l->pid);
		text_string(&l->line, " - - ");
		return;
	}
	text_time(&l->line, &l->local, TIME_RFC3164, l->now.tv_sec);
	text_string(&l->line, " ");
	/* The daemon of this machine knows its host. */
	if (t->kind != TARGET_SYSLOG) {
		text_string(&l->line, l->host);
		text_string(&l->line, " ");
	}
	put_daemon_name(l);
	text_bytes(&l->line, "[", 1);
	text_number(&l->line, (uint64_t)l->pid);
	text_string(&l->line, "]: ");
}

static void
put_json_head(struct log *l, int level)
{
	text_string(&l->line, "{\"time\":\"");
	put_log_time(l);
	if (l->instance[0] != '\0') {
		text_string(&l->line, "\",\"instance\":\"");
		text_string(&l->line, l->instance);
	}
	text_string(&l->line, "\",\"process\":");
	text_json(&l->line, l->ident);
	text_string(&l->line, ",\"pid\":");
	text_number(&l->line, (uint64_t)l->pid);
	text_string(&l->line, ",\"level\":\"");
	text_string(&l->line, level_names[level]);
	text_string(&l->line, "\",");
}

static void
begin_line(struct log *l, int level, bool session)
{
	bool syslog = l->sink.target.facility != 0;

	l->line.at = l->begun;
	l->line.end = l->begun + sizeof(l->begun) - 1;
	clock_gettime(CLOCK_REALTIME, &l->now);
	if (syslog || l->style == LOG_STYLE_HAPROXY)
		put_syslog_head(l, level);
	if (l->style == LOG_STYLE_JSON) {
		put_json_head(l, level);
	} else if (session && l->style != LOG_STYLE_TEXT) {
		return;
	} else if (syslog || l->style == LOG_STYLE_HAPROXY) {
		text_string(&l->line, l->ident);
		text_bytes(&l->line, ": ", 2);
	} else {
		put_log_time(l);
		text_bytes(&l->line, " ", 1);
		text_string(&l->line, l->process);
		text_bytes(&l->line, " ", 1);
		text_string(&l->line, level_names[level]);
		text_bytes(&l->line, ": ", 2);
	}
}

struct text *
log_begin(struct log *l, int level)
{
	begin_line(l, level, true);
	return &l->line;
}

uint64_t
log_time(const struct log *l)
{
	return (uint64_t)l->now.tv_sec * 1000 +
	    (uint64_t)l->now.tv_nsec / 1000000;
}

pid_t
log_pid(const struct log *l)
{
	return l->pid;
}

void
log_end(struct log *l)
{
	size_t len = (size_t)(l->line.at - l->begun);
	struct text to;

	if (ROOM - l->used < LINE + 8 && !l->stalled)
		write_kept(l);
	if (ROOM - l->used < LINE + 8) {
		count_lost(l, 1);
		return;
	}
	to.at = l->kept + l->used;
	to.end = l->kept + ROOM;
	if (l->sink.target.kind == TARGET_TCP) {
		/* Octet counting: RFC 6587, section 3.4.1. */
		text_number(&to, len);
		text_bytes(&to, " ", 1);
	} else
		l->begun[len++] = '\n';
	text_bytes(&to, l->begun, len);
	l->used = (size_t)(to.at - l->kept);
}

/* Leaves out a field that does not fit: half of one would break the object. */
static void
put_fields(struct text *t, const struct log_field *f)
{
	char *begin;
	bool number;

	for (; f != NULL && f->name != NULL; f++) {
		begin = t->at;
		number = f->name[0] == LOG_NUMBER[0];
		text_json(t, f->name + number);
		text_bytes(t, ":", 1);
		if (f->value == NULL || number)
			text_string(t, f->value == NULL ? "null" : f->value);
		else
			text_json(t, f->value);
		text_bytes(t, ",", 1);
		if (t->at == t->end)
			t->at = begin;
	}
}

static void __attribute__((__format__(__printf__, 4, 0)))
compose(struct log *l, int level, const struct log_field *fields,
    const char *fmt, va_list ap)
{
	char text[LINE];

	begin_line(l, level, false);
	vsnprintf(text, sizeof(text), fmt, ap);
	if (l->errors != NULL && level <= LOG_ERR) {
		strlcat(l->errors, text, l->errors_size);
		strlcat(l->errors, "\n", l->errors_size);
	}
	if (l->style != LOG_STYLE_JSON) {
		text_string(&l->line, text);
	} else {
		l->line.end -= sizeof(",\"message\":\"\"}");
		put_fields(&l->line, fields);
		l->line.end += sizeof(",\"message\":\"\"");
		text_string(&l->line, "\"message\":");
		text_json(&l->line, text);
		l->line.end++;
		text_bytes(&l->line, "}", 1);
	}
	log_end(l);
}

static void __attribute__((__format__(__printf__, 3, 4)))
say(struct log *l, int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	compose(l, level, NULL, fmt, ap);
	va_end(ap);
}

/* Reports the losses once lines can be written again. */
static void
report_lost_lines(struct log *l)
{
	uint64_t lines = l->lost, now = clock_now_ms();

	if (now < l->tell_at || log_sink_arrived(&l->sink) < l->told_at)
		return;
	l->tell_at = now + TELL;
	l->lost = 0;
	l->told = lines;
	l->told_at = l->sink.out + 1;
	say(l, LOG_WARNING, "log: %llu line%s lost", (unsigned long long)lines,
	    text_s(lines));
	write_kept(l);
}

void
log_flush(struct log *l)
{
	int err = errno;

	if (l->used > 0) {
		write_kept(l);
		if (l->lost > 0 && l->used == 0)
			report_lost_lines(l);
	}
	errno = err;
}

int
log_wait(const struct log *l, int limit)
{
	if (l->used == 0)
		return limit;
	return limit == -1 || limit > RETRY ? RETRY : limit;
}

static void __attribute__((__format__(__printf__, 4, 0)))
write_now(struct log *l, int level, const struct log_field *fields,
    const char *fmt, va_list ap)
{
	int err = errno;

	if (!log_wants(l, level))
		return;
	compose(l, level, fields, fmt, ap);
	log_flush(l);
	errno = err;
}

static void __attribute__((__format__(__printf__, 4, 0)))
write_seldom(struct log *l, int level, const struct log_field *fields,
    const char *fmt, va_list ap)
{
	uint64_t now = clock_now_ms(), left_out = l->left_out;
	int err = errno;

	if (!log_wants(l, level))
		return;
	if (now - l->since >= 1000) {
		l->since = now;
		l->seldom = 0;
	}
	if (l->seldom++ >= SELDOM) {
		l->left_out++;
		return;
	}
	l->left_out = 0;
	if (left_out > 0)
		say(l, level, "%llu similar line%s left out before this",
		    (unsigned long long)left_out, text_s(left_out));
	errno = err;
	write_now(l, level, fields, fmt, ap);
}

void
log_line(struct log *l, int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_now(l, level, NULL, fmt, ap);
	va_end(ap);
}

void
log_seldom(struct log *l, int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_seldom(l, level, NULL, fmt, ap);
	va_end(ap);
}

void
log_event(struct log *l, int level, const struct log_field *fields,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_now(l, level, fields, fmt, ap);
	va_end(ap);
}

void
log_event_seldom(struct log *l, int level, const struct log_field *fields,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_seldom(l, level, fields, fmt, ap);
	va_end(ap);
}
