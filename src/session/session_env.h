/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_env.h: what the sessions of one worker work with: servers, balance,
 * queue, buffers, poller, log and clock; and what the configuration says of them.
 * The worker makes it. Sessions themselves stand in the table.
 */
#ifndef SESSION_ENV_H
#define SESSION_ENV_H

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
#include "session/session_table.h"
#include "upstream/balance.h"
#include "upstream/server.h"

struct session_limits {			/* times in ms; 0: no limit */
	uint64_t	idle_timeout;
	uint64_t	side_timeout[2];	/* of CLIENT and SERVER alone */
	uint64_t	fin_timeout;
	uint64_t	max_lifetime;
	unsigned	lifetime_jitter;	/* percent */
	uint64_t	rate[2];	/* bytes a second, UP and DOWN */
	uint64_t	proxy_header_timeout;	/* never 0 */
};

/* How many at once, and within a second; 0: no limit. */
struct session_counts {
	uint32_t	max_sessions, max_per_client;
	uint32_t	rate, rate_per_client;
	bool		dry_run;	/* refuse nobody, but say so */
};

/* What the sessions of several listeners are counted in together. */
struct session_limit {
	char		name[64];
	struct session_counts counts;
	uint32_t	slot;		/* on the board, among listeners */
};

struct access_log_format;
struct wait_queue;
struct preconnects;

/* What those see who may not come in. */
enum session_rejection {
	REJECT_CLOSE,			/* an end of file */
	REJECT_RESET,			/* a reset */
	REJECT_DROP			/* nothing, see socket_vanish() */
};

/*
 * Memory of whether clients speak first: what eager begins with, from where on
 * they are taken to do so, and its most; see session_connect.c.
 */
#define ROUTE_EAGER		24
#define ROUTE_EAGER_ENOUGH	16
#define ROUTE_EAGER_MAX		32

/* What the sessions of one listener have in common. */
struct session_route {
	const char	*name;		/* of the listener, for the log */
	const char	*address;	/* that it listens on, for the log */
	uint16_t	 port;		/* of that, for servers without one */
	struct log	*log;		/* NULL: that of the table */
	bool		 silent;	/* sessions leave no lines */
	uint32_t	 pool;		/* who serves them */
	struct session_limits limits;
	const struct cidr *deny;	/* who may not come in; NULL: nobody */
	const struct cidr *allow;	/* who alone may; NULL: everybody */
	struct session_counts counts;
	uint32_t	 slot;		/* on the board; or BOARD_NO_SLOT */
	const struct session_limit *limit; /* beside it; NULL: none */
	enum session_rejection reject_with;
	/* Peers that begin with a header; NULL: nobody does. */
	const struct cidr *proxies;
	bool		 untrusted_plain; /* serve those who are not in it */
	uint8_t		 eager;		/* see session_connect.c */
};

/* Which of them leave lines in the log. */
struct session_lines {
	struct access_log_format *format;
	bool		 errors;	/* ends that are not in good order */
	uint32_t	 every;		/* one in so many of the others, 0: none */
	uint32_t	 seen;		/* of these until now */
	uint64_t	 interval;	/* ms between those in between, 0: none */
	uint64_t	 due;		/* when to begin with them again */
	uint32_t	 next;		/* the id to go on with; 0: not begun */
};

struct session_env {
	struct session_table table;

	/* Set by the worker before the first session. */
	const struct servers *servers;
	struct balance	*balance;
	struct preconnects	*preconnects;
	struct wait_queue	*queue;
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
	uint32_t	 ending;	/* sessions whose client ended its side */
	uint32_t	 parked;	/* sessions: see session_park.c */
	uint64_t	 before;	/* when the last turn began */
	uint64_t	 called;	/* others for these, the last time */
	uint64_t	 mend_at;	/* when to look over our row again */
	int		 shortage;	/* errno of a descriptor we did not get */
	uint32_t	 changes;	/* of health, as sessions_cut() saw it last */
	uint32_t	 vanished;	/* clients, see session_access.c, since then */
	uint64_t	 vanished_since;
};

/*
 * Free what only sessions use, of what there is: all but servers, poller, board,
 * log and routes. No session may be left.
 */
void	session_env_free(struct session_env *);

static inline const struct session_route *
session_route(const struct session_env *e, const struct session *s)
{
	return &e->route[s->listener];
}

static inline const struct pool *
session_pool(const struct session_env *e, const struct session *s)
{
	return &e->servers->pool[e->route[s->listener].pool];
}

static inline struct session_cold *
session_cold(const struct session_env *e, const struct session *s)
{
	return &e->table.cold[table_id(&e->table, s)];
}

static inline uint32_t
session_id(const struct session_env *e, const struct session *s)
{
	return table_id(&e->table, s);
}

#endif
