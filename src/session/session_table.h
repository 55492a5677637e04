/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_table.h: all sessions of one worker, and what they work with. Made
 * once at start-up as large as the descriptor limit allows; memory is touched
 * only when a session is the first to use it.
 */
#ifndef SESSION_TABLE_H
#define SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/board.h"
#include "event/poller.h"
#include "event/timer.h"
#include "log/log.h"
#include "net/cidr.h"
#include "relay/shuttle.h"
#include "session/session.h"
#include "upstream/balance.h"
#include "upstream/server.h"

struct session_limits {			/* times in ms; 0: no limit */
	uint64_t	idle_timeout;
	uint64_t	side_timeout[2];	/* of CLIENT and SERVER alone */
	uint64_t	fin_timeout;
	uint64_t	max_lifetime;
	unsigned	lifetime_jitter;	/* percent */
	uint64_t	rate[2];	/* bytes a second, UP and DOWN */
	uint64_t	header_timeout;	/* never 0 */
};

/* How many at once, and within a second; 0: no limit. */
struct session_counts {
	uint32_t	max_sessions, max_per_source;
	uint32_t	rate, rate_per_source;
	bool		dry_run;	/* refuse nobody, but say so */
};

/* What the sessions of several listeners are counted in together. */
struct session_limit {
	char		name[64];
	struct session_counts counts;
	uint32_t	seat;		/* on the board, among listeners */
};

struct log_format;
struct queue;
struct spares;

/* What those see who may not come in. */
enum session_refusal {
	REFUSE_CLOSE,			/* an end of file */
	REFUSE_RESET,			/* a reset */
	REFUSE_DROP			/* nothing, see socket_vanish() */
};

/* What eager begins with: clients are taken to speak first. */
#define ROUTE_EAGER	24

/* What the sessions of one listener have in common. */
struct session_route {
	const char	*name;		/* of the listener, for the log */
	const char	*address;	/* that it listens on, for the log */
	struct log	*log;		/* NULL: that of the table */
	bool		 silent;	/* sessions leave no lines */
	uint32_t	 pool;		/* who serves them */
	struct session_limits limits;
	const struct cidr *deny;	/* who may not come in; NULL: nobody */
	const struct cidr *allow;	/* who alone may; NULL: everybody */
	struct session_counts counts;
	uint32_t	 seat;		/* on the board; or BOARD_NO_SEAT */
	const struct session_limit *limit; /* beside it; NULL: none */
	enum session_refusal refuse;
	/* Peers that begin with a header; NULL: nobody does. */
	const struct cidr *proxies;
	bool		 others_plain;	/* serve those who are not in it */
	uint8_t		 eager;		/* see session_connect.c */
};

/* Which of them leave lines in the log. */
struct session_lines {
	struct log_format *format;
	bool		 errors;	/* ends that are not in good order */
	uint32_t	 every;		/* one in so many of the others, 0: none */
	uint32_t	 seen;		/* of these until now */
	uint64_t	 interval;	/* ms between those in between, 0: none */
	uint64_t	 due;		/* when to begin with them again */
	uint32_t	 next;		/* the id to go on with; 0: not begun */
};

/* What only the log asks of a session, or is needed before it stands, so that the session stays small. */
struct session_record {
	uint64_t	began;		/* when accepted, ms since 1970 */
	uint32_t	first_byte;	/* of the server; ms since it began */
	bool		answered;	/* there was one */
	/* While it looks for a server: see session_queue.c. */
	uint32_t	picked;		/* the first; ms since it began */
	bool		lent;		/* it tries, and keeps its place */
	bool		held;		/* there was no server at all */
	uint32_t	shared;		/* of a limit: see session_limits.c */
	uint8_t		spared;		/* dry_run let it in despite this end */
	/* Refused by a count: see session_park.c. */
	uint8_t		looks;
	uint32_t	asked;		/* at first; ms since it began */
};

struct session_table {
	/* Set by table_init(). */
	struct session	*session;	/* by id */
	struct session_record *record;	/* likewise */
	uint32_t	*owner;		/* id and side, by descriptor */
	uint32_t	*free_id;	/* ids that were used before */
	uint32_t	 free_ids;
	uint32_t	 used;		/* ids from here on were never used */
	uint32_t	 limit;		/* most sessions at once */
	uint32_t	 live;
	uint32_t	 ending;	/* whose client has ended its side */
	size_t		 descriptors;	/* size of owner */

	/* Set by the worker before the first session. */
	const struct backends *backends;
	struct balance	*balance;
	struct spares	*spares;
	struct queue	*queue;
	struct shuttle_kit kit;
	struct bufpool	*notes;		/* of PROXYPROTO_MAX, for headers */
	struct poller	*poller;
	struct timers	*timers;	/* one for each id */
	struct board_worker *board;
	struct log	*log;
	struct session_lines lines;
	/*
	 * Unique ids of clients' PROXY headers, by session: a byte that says how
	 * long it is, then PROXYPROTO_ID bytes. NULL: the log does not ask.
	 */
	unsigned char	*header_ids;
	struct session_route *route;	/* by listener */
	uint32_t	 max_sessions;	/* of all workers; 0: no limit */
	bool		 dry_run;	/* the same for that one */
	uint64_t	 seed;		/* no other worker has it */

	uint64_t	 now;		/* clock_now_ms(), set each turn */
	uint64_t	 talked;	/* when a session that is no stream acted */
	uint32_t	 parked;	/* sessions: see session_park.c */
	uint64_t	 before;	/* when the last turn began */
	uint64_t	 called;	/* others for these, the last time */
	uint64_t	 mend_at;	/* when to look over our row again */
	int		 shortage;	/* errno of a descriptor we did not get */
	uint32_t	 changes;	/* of health, as table_cut() saw it last */
	uint32_t	 vanished;	/* clients, see session_access.c, since then */
	uint64_t	 vanished_since;
};

/*
 * Make the table for *limit* sessions over descriptors below *descriptors*,
 * with everything else zero. 0, or -1 with ENOMEM; pair with table_free().
 */
int	table_init(struct session_table *, uint32_t limit, size_t descriptors);
void	table_free(struct session_table *);

/* A turn of the loop begins, at the time clock_now_ms(). */
void	table_turn(struct session_table *, uint64_t now);

bool	table_full(const struct session_table *);

/* Act on an event. False: the descriptor is not of a session. */
bool	table_event(struct session_table *, const struct poller_event *);

/* Act on all timers that have come. */
void	table_expire(struct session_table *);

/*
 * Let those go on that wait for a backend and whose turn has come. To be called
 * once a turn, when the others have had theirs.
 */
void	table_serve_queue(struct session_table *);

/* How long it has waited for a backend, until now if it still does; in ms. */
uint64_t session_queued(const struct session_table *, const struct session *);

/*
 * How long it has lasted, in ms: from when it was accepted until now, or until it
 * was turned away. What it sends afterwards is nobody's.
 */
uint64_t session_lasted(const struct session_table *, const struct session *);

/* A name for it that no other session has, wherever it is. */
#define SESSION_ID	40
void	session_unique_id(const struct session_table *,
	    const struct session *, char id[SESSION_ID]);

struct session_record *session_record(const struct session_table *,
	    const struct session *);

/* The id of the header that its client sent, NULL: there is none. */
const unsigned char *session_header_id(const struct session_table *,
	    const struct session *, size_t *len);

/* End sessions whose backend went down, where the pool wants it so. */
void	table_cut(struct session_table *);

/*
 * Say once more on the board how many there are, and twice a second what else
 * others count by: they can write there as well. To be called once a turn.
 */
void	table_mend(struct session_table *);

/*
 * The turn is over: say that all is known that had happened when the turn before
 * it began, since the wait for events began later.
 */
void	table_saw(struct session_table *);

/* session_shut() and session_kill() for all sessions. */
void	table_shut(struct session_table *, enum session_end);
void	table_kill(struct session_table *, enum session_end, bool abort);

/* The age of the oldest session in ms; 0 without sessions. */
uint64_t table_oldest(const struct session_table *);

/* For session.c: take and give back a slot, tie descriptors to it. */
struct session *table_take(struct session_table *);
void	table_give(struct session_table *, struct session *);
void	table_attach(struct session_table *, struct session *, int side,
	    int fd);
/* Forget and close, or abort; harmless when there is none. */
void	table_detach(struct session_table *, struct session *, int side,
	    bool abort);
uint32_t table_id(const struct session_table *, const struct session *);

#endif
