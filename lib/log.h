/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log.h: lines of text to standard error, a file or syslog(3).
 *
 *	2026-11-22T01:44:27.123Z worker 2[4712] info: session end …
 *
 * Time is UTC as in RFC 3339. Lines for syslog go without time and pid, which
 * it adds itself.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <syslog.h>

struct log;

/*
 * Is *target* `stderr`, `syslog`, `syslog:FACILITY` or an absolute path?
 * Returns 0, or -1 with *why set to a constant text.
 */
int	log_check(const char *target, const char **why);

/*
 * Open *target*, checked before. Lines above *level* (LOG_ERR … LOG_DEBUG) are
 * left out. NULL with errno set on error.
 */
struct log *log_open(const char *target, int level);
void	log_close(struct log *);

/* The name at the head of each line, such as "worker 2", and the pid. */
void	log_ident(struct log *, const char *name);

/*
 * Go on as log_open() would begin; the name stays. An error leaves everything
 * as it was. 0, or -1 with errno set.
 */
int	log_replace(struct log *, const char *target, int level);

/* Open the file again; an error leaves the old one in use. 0 or -1. */
int	log_reopen(struct log *);

/* The descriptor that lines go to, -1 for syslog. Owned by the log. */
int	log_fd(const struct log *);

/* Write to *fd* from now on; the log owns it. For a process that may not open. */
void	log_use_fd(struct log *, int fd);

/* Would a line of this level be written? */
bool	log_wants(const struct log *, int level);

/* Write one line now, after what was gathered. Keeps errno. */
void	log_line(struct log *, int level, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));

/*
 * Put a line aside; log_flush() writes all of them in one call. What does not
 * fit is written earlier. Lines are never mixed with those of other processes.
 */
void	log_gather(struct log *, int level, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));
void	log_flush(struct log *);

#endif
