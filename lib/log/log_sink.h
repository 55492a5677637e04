/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log_sink.h: writes lines to their target without waiting. The caller keeps
 * what was not written and offers it again later.
 *
 * Lines end in a newline; over TCP they begin with their length and a blank
 * instead (RFC 6587, section 3.4.1).
 */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/log_target.h"

/* Writes up to this size are atomic among several writers. */
#define SINK_WRITE	PIPE_BUF

struct log_sink {
	struct log_target target;
	int		 fd;		/* -1: TCP, not connected */
	bool		 owned;		/* log_sink_free() closes fd */
	bool		 socket;
	bool		 regular;	/* on a disk, which may be full */
	bool		 waits;		/* blocking, as other users require */
	bool		 torn;		/* the last line may lack its end */
	size_t		 part;		/* written bytes of the next line */
	uint64_t	 out;		/* lines written */
	uint64_t	 refused;	/* lines lost after they were written */
	uint16_t	*flight;	/* TCP: lengths of lines in flight */
	uint32_t	 flights;	/* their number: the latest out */
	uint64_t	 flying;	/* bytes of them */
	uint64_t	 crashed;	/* last line lost with a connection */
	uint64_t	 tried;		/* last connect, clock_now_ms() */
	uint64_t	 delay;		/* ms from then to the next attempt */
};

/* Opens the target. 0, or -1 with errno set; pair with log_sink_free(). */
int	log_sink_open(struct log_sink *, const struct log_target *);
void	log_sink_free(struct log_sink *);

/*
 * Opens it again; on error the old one stays in use. True if the new descriptor
 * must be passed to the other processes that use it: for files and datagrams.
 * log_sink_use_fd() expects the same kind as before and checks nothing.
 */
int	log_sink_reopen(struct log_sink *);
bool	log_sink_hands_over(const struct log_sink *);
void	log_sink_use_fd(struct log_sink *, int fd);

/* After a fork: leaves to the parent what cannot be shared. */
void	log_sink_leave(struct log_sink *);

/*
 * Writes as many lines as possible; returns the bytes of the lines that are
 * out. *text* begins with the line that was left last time, if any. If a
 * connection has died, the unacknowledged lines are added to *refused*: they
 * are the latest of those out.
 */
size_t	log_sink_write(struct log_sink *, const char *text, size_t len);

/* Lines that are out and neither lost nor in flight. */
uint64_t log_sink_arrived(struct log_sink *);

/* The number of these lines; the first may be partly out. */
uint64_t log_sink_lines(const struct log_sink *, const char *text, size_t len);

#endif
