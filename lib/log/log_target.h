/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log_target.h: the destination of a log as an operator writes it.
 *
 *	stderr  /var/log/x  syslog  syslog:local3
 *	syslog+udp://host[:port][/facility]  syslog+tcp://…
 */
#ifndef LOG_TARGET_H
#define LOG_TARGET_H

#include "net/addr.h"

enum target_kind {
	TARGET_STDERR,
	TARGET_FILE,
	TARGET_SYSLOG,			/* of this machine, RFC 3164 */
	TARGET_UDP,			/* of another, RFC 5424 over RFC 5426 */
	TARGET_TCP			/* the same over RFC 6587, 3.4.1 */
};

struct log_target {
	enum target_kind kind;
	const char	*path;		/* of a file: the text itself */
	struct addr	 addr;		/* of a syslog; len 0: only a name */
	char		 host[ADDR_HOST]; /* a name to look up; "": none */
	uint16_t	 port;		/* of that */
	int		 facility;	/* LOG_DAEMON … */
};

/*
 * Parses *text* without a lookup. 0, or -1 with *why set to a constant text
 * that says what would be right.
 */
int	log_target_parse(const char *text, struct log_target *,
	    const char **why);

/*
 * Finds the address of a host that has only a name. *known* is a known address;
 * with NULL or len 0 the name is resolved, which may block. 0, or -1: it has no
 * address.
 */
int	log_target_find(struct log_target *, const struct addr *known);

#endif
