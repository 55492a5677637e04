/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_record.h: a report on a session: names, bytes, times and the end
 * reason. All that reports on sessions reads this, and nothing else of them. A
 * record is made on demand; what it points to must outlive it.
 */
#ifndef SESSION_RECORD_H
#define SESSION_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "session/session.h"
#include "session/session_end.h"

/* Room for an id that is unique among all sessions of all machines. */
#define SESSION_ID	40

struct session_record {
	const struct log *log;		/* its log: clock and pid */
	const struct endpoint *client;
	const char	*listener, *address, *pool;
	const char	*server;	/* name within the pool, or NULL */
	const char	*tried[SESSION_ATTEMPTS];
	unsigned	attempts;	/* used entries; the last served */
	uint64_t	bytes_up, bytes_down;	/* bytes passed on */
	uint64_t	began;		/* ms since 1970 */
	/* In ms since *began*. */
	uint64_t	connect_ms;	/* if connected */
	uint64_t	first_byte_ms;	/* if answered */
	uint64_t	queue_ms, total_ms;
	bool		connected, answered;
	bool		ended;
	bool		client_done;	/* its end of file was passed on */
	enum session_end end;
	enum session_end spared;	/* refusal that dry_run ignored */
	uint64_t	seed, started;	/* of its id */
	uint32_t	number;
	const unsigned char *header_id;	/* of its PROXY header, or NULL */
	size_t		header_id_len;
	uint32_t	worker;		/* the first is 0 */
	const struct board *board;	/* with the total counters … */
	uint32_t	slot;		/* … and of the server */
};

struct session_env;

/* What there is to tell of this session now, or at its end. */
void	session_record_make(struct session_record *,
	    const struct session_env *, const struct session *, bool ended);

void	session_unique_id(uint64_t seed, uint64_t started, uint32_t number,
	    char id[SESSION_ID]);

#endif
