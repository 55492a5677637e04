/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log_sink.h: takes lines to their target, as far as that goes without waiting.
 * What is not taken stays with the caller, who offers it again later.
 *
 * Lines end in a newline; for TCP they begin with their length and a blank
 * instead (RFC 6587, section 3.4.1).
 */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/log_target.h"

/* Lines that others write too are not cut where a write has at most this. */
#define SINK_WRITE	PIPE_BUF

struct log_sink {
	struct log_target target;
	int		 fd;		/* -1: TCP, not connected */
	bool		 owned;		/* fd is ours to close */
	bool		 socket;
	bool		 regular;	/* on a disk, which may be full */
	bool		 waits;		/* and others rely on that */
	bool		 torn;		/* the file's last line may lack its end */
	size_t		 part;		/* bytes of the next line that are out */
	uint64_t	 out;		/* lines that are out */
	uint64_t	 refused;	/* lines that turned out to be lost */
	uint16_t	*flight;	/* TCP: the lengths of lines under way */
	uint32_t	 flights;	/* how many, the latest of those out */
	uint64_t	 flying;	/* bytes of them */
	uint64_t	 crashed;	/* the last line that was lost so */
	uint64_t	 tried;		/* when it was connected, clock_now_ms() */
	uint64_t	 delay;		/* ms from then until it is tried again */
};

/* Open the target. 0, or -1 with errno set; pair with log_sink_free(). */
int	log_sink_open(struct log_sink *, const struct log_target *);
void	log_sink_free(struct log_sink *);

/*
 * Open it once more; an error leaves the old one in use. A new descriptor is to
 * be handed to the other processes that use it: true for files and datagrams.
 * They take it for one of the same kind as before, and ask nothing of it.
 */
int	log_sink_reopen(struct log_sink *);
bool	log_sink_hands_over(const struct log_sink *);
void	log_sink_use_fd(struct log_sink *, int fd);

/* After a fork: what cannot be shared is left to the parent. */
void	log_sink_leave(struct log_sink *);

/*
 * Write as many of the lines as can be now; returns the bytes of those that are
 * out. *text* begins with a line that was offered before, if one was left. When a
 * connection has died, those that the other machine has not confirmed are added
 * to refused: the latest of those out.
 */
size_t	log_sink_write(struct log_sink *, const char *text, size_t len);

/* So many lines that are out are not known to be lost, nor will be. */
uint64_t log_sink_arrived(struct log_sink *);

/* How many lines these are; the first may have begun to go out. */
uint64_t log_sink_lines(const struct log_sink *, const char *text, size_t len);

#endif
