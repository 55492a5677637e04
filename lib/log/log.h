/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log.h: lines of text to standard error, a file or a syslog.
 *
 *	2026-11-22T01:44:27.123Z worker 2[4712] info: session end …
 *
 * Time is UTC as in RFC 3339. Nobody waits for a log: what cannot be written now
 * is kept, 64 KiB of it, and tried again with each flush; what comes then is
 * lost, counted, and told of when lines go out again. So is what the system of
 * another machine has not confirmed when its TCP connection dies.
 */
#ifndef LOG_H
#define LOG_H

#include <sys/types.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#include "util/text.h"

struct addr;
struct log;

/* What a line looks like around its text. */
enum log_style {
	LOG_STYLE_TEXT,			/* as above */
	LOG_STYLE_JSON,			/* an object */
	LOG_STYLE_HAPROXY,		/* as a syslog daemon writes to files */
	LOG_STYLE_BARE			/* text; sessions have nothing around */
};

/*
 * Is *target* a target (log_target.h)? Looks nothing up. Returns 0, or -1 with
 * *why set to a constant text.
 */
int	log_check(const char *target, const char **why);

/*
 * Is nobody there yet who takes what goes to *target*? Returns a constant text
 * that says so, or NULL. Only the syslog of this machine is asked.
 */
const char *log_missing(const char *target);

/*
 * Open *target*, checked before. Lines above *level* (LOG_ERR … LOG_DEBUG) are
 * left out. *known* is where the host of a syslog is; with NULL or len 0 a name is
 * looked up, which may block. NULL with errno set on error.
 */
struct log *log_open_at(const char *target, int level,
	    const struct addr *known);

static inline struct log *
log_open(const char *target, int level)
{
	return log_open_at(target, level, NULL);
}

/* What is left is tried once more, over TCP for half a second at most. */
void	log_close(struct log *);

void	log_set_style(struct log *, enum log_style);

/* A name before that of the process, where several share a log; "": none. */
void	log_set_instance(struct log *, const char *name);

/*
 * The name at the head of each line, such as "worker 2", and the pid. After a
 * fork it is to be called first: the parent's lines are left to it.
 */
void	log_ident(struct log *, const char *name);

/* Count lines that are lost there as well; NULL: no longer. */
void	log_count_lost(struct log *, _Atomic uint64_t *);

/*
 * Go on as *other*, which is no more; name and counter stay. Lines that the old
 * target does not take, as in log_close(), are lost, counted, and told of to the
 * new one.
 */
void	log_replace(struct log *, struct log *other);

/* Open the target again; an error leaves the old one in use. 0 or -1. */
int	log_reopen(struct log *);

/*
 * The descriptor that other processes are to use after log_reopen(), -1: none.
 * Owned by the log.
 */
int	log_fd(const struct log *);

/*
 * Write to *fd* from now on, another one of the same target; the log owns it.
 * For a process that may not open.
 */
void	log_use_fd(struct log *, int fd);

/*
 * Also put the texts of errors into *buf*, a line each, as many as there is room
 * for; NULL: no longer. For this process, not for those forked from it.
 */
void	log_collect(struct log *, char *buf, size_t size);

/* Would a line of this level be written? */
bool	log_wants(const struct log *, int level);

/* Write one line now, after what was gathered. Keeps errno. */
void	log_line(struct log *, int level, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));

/*
 * The same for lines that any session may be the cause of: up to 10 of them in a
 * second, then they are only counted.
 */
void	log_seldom(struct log *, int level, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));

/*
 * A field of a line that is an object; value NULL: null. A name that begins with
 * LOG_NUMBER has a number for its value, which is written without quotes.
 */
#define LOG_NUMBER	"#"
struct log_field {
	const char	*name, *value;
};

/*
 * The same as log_line(), with what happened as fields besides: up to the first
 * without a name. They stand before the message, with LOG_STYLE_JSON only.
 */
void	log_event(struct log *, int level, const struct log_field *,
	    const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));
/* The same as log_seldom(). */
void	log_event_seldom(struct log *, int level, const struct log_field *,
	    const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));

/*
 * The line of a session: text is put together in what log_begin() returns, after
 * its head, and put aside by log_end() for the next flush. With LOG_STYLE_JSON
 * it is the members of an object, up to and with the closing brace.
 */
struct text *log_begin(struct log *, int level);
void	log_end(struct log *);

/* The wall clock as of log_begin(), in ms since 1970; and the pid in use. */
uint64_t log_time(const struct log *);
pid_t	log_pid(const struct log *);

/* Write what was put aside. Lines are never mixed with those of others. */
void	log_flush(struct log *);

/* How long to sleep at most, in ms, when lines are left; or else *limit*. */
int	log_wait(const struct log *, int limit);

#endif
