/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log.h: lines of text to standard error, a file or a syslog.
 *
 *	2026-11-22T01:44:27.123Z worker 2[4712] info: session end …
 *
 * Time is UTC as in RFC 3339. Logging never waits. Up to 64 KiB of lines that
 * cannot be written are kept and retried with each flush; further lines are
 * lost, counted, and reported when lines can be written again. Lines over TCP
 * that the other machine has not acknowledged when the connection dies count as
 * lost, too.
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

/* The format of a line around its text. */
enum log_style {
	LOG_STYLE_TEXT,			/* as above */
	LOG_STYLE_JSON,			/* a JSON object */
	LOG_STYLE_HAPROXY,		/* as syslog daemons write files */
	LOG_STYLE_BARE			/* text only; no head for sessions */
};

/*
 * Checks whether *target* is valid (log_target.h), without a lookup. 0, or -1
 * with *why set to a constant text.
 */
int	log_check(const char *target, const char **why);

/*
 * Checks whether *target* can take lines now. Returns NULL, or a constant text
 * that says what is missing. Only the syslog of this machine is examined.
 */
const char *log_missing(const char *target);

/*
 * Opens *target*, which log_check() has accepted. Lines above *level* (LOG_ERR
 * … LOG_DEBUG) are dropped. *known* is the address of a syslog host; with NULL
 * or len 0 the name is resolved, which may block. NULL with errno set on error.
 */
struct log *log_open_at(const char *target, int level,
	    const struct addr *known);

static inline struct log *
log_open(const char *target, int level)
{
	return log_open_at(target, level, NULL);
}

/*
 * Tries once more to write the remaining lines, over TCP for at most half a
 * second.
 */
void	log_close(struct log *);

void	log_set_style(struct log *, enum log_style);

/*
 * A name before that of the process, for logs that instances share; "": none.
 */
void	log_set_instance(struct log *, const char *name);

/*
 * Sets the name at the head of each line, such as "worker 2", and the pid. A
 * child must call it before its first line: buffered lines of the parent are
 * dropped.
 */
void	log_ident(struct log *, const char *name);

/* Also counts lost lines in this counter; NULL: no longer. */
void	log_count_lost(struct log *, _Atomic uint64_t *);

/*
 * Continues as *other*, which is consumed; name and counter stay. Lines that
 * the old target does not take, as in log_close(), are lost, counted and
 * reported to the new one.
 */
void	log_replace(struct log *, struct log *other);

/*
 * Opens the target again; on error the old one stays in use. 0, or -1 with
 * errno.
 */
int	log_reopen(struct log *);

/*
 * The descriptor that other processes must use after log_reopen(), or -1. Owned
 * by the log.
 */
int	log_fd(const struct log *);

/*
 * Writes to *fd* from now on, another descriptor of the same target; the log
 * owns it. For a process that may not open files.
 */
void	log_use_fd(struct log *, int fd);

/*
 * Also copies the texts of errors to *buf*, a line each, as far as they fit;
 * NULL: no longer. Applies to this process only, not to its children.
 */
void	log_collect(struct log *, char *buf, size_t size);

/* True if a line of this level is written. */
bool	log_wants(const struct log *, int level);

/* Writes one line now, after the buffered ones. Keeps errno. */
void	log_line(struct log *, int level, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));

/*
 * The same for lines that any session may cause: up to 10 a second are written,
 * the rest is counted.
 */
void	log_seldom(struct log *, int level, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));

/*
 * A field of a JSON line; value NULL: null. If the name begins with LOG_NUMBER
 * the value is a number and is written without quotes.
 */
#define LOG_NUMBER	"#"
struct log_field {
	const char	*name, *value;
};

/*
 * The same as log_line() with the event as fields; the list ends with a field
 * without a name. LOG_STYLE_JSON writes them before the message, other styles
 * ignore them.
 */
void	log_event(struct log *, int level, const struct log_field *,
	    const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));
/* The same as log_seldom(), with fields. */
void	log_event_seldom(struct log *, int level, const struct log_field *,
	    const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));

/*
 * The line of a session: log_begin() returns the text behind the head,
 * log_end() queues the line for the next flush. With LOG_STYLE_JSON the text is
 * the members of an object, including the closing brace.
 */
struct text *log_begin(struct log *, int level);
void	log_end(struct log *);

/* The wall clock as of log_begin(), in ms since 1970; and the pid in use. */
uint64_t log_time(const struct log *);
pid_t	log_pid(const struct log *);

/* Writes the queued lines. Lines of different processes are never mixed. */
void	log_flush(struct log *);

/* The time to sleep at most, in ms, if lines are left; otherwise *limit*. */
int	log_wait(const struct log *, int limit);

#endif
