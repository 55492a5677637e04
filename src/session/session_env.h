/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_env.h: the environment of the sessions of one worker: servers,
 * balance, queue, buffers, poller, log and clock; and their configuration. The
 * worker creates it. The sessions themselves are in the table.
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

/* Limits of concurrent sessions and of sessions a second; 0: no limit. */
struct session_counts {
	uint32_t	max_sessions, max_per_client;
	uint32_t	rate, rate_per_client;
	bool		dry_run;	/* log instead of refusing */
};

/* A limit shared by several listeners. */
struct session_limit {
	char		name[64];
	struct session_counts counts;
	uint32_t	slot;		/* on the board, among listeners */
};

struct access_log_format;
struct wait_queue;
struct preconnects;

/* What a refused client sees. */
enum session_rejection {
	REJECT_CLOSE,			/* an end of file */
	REJECT_RESET,			/* a reset */
	REJECT_DROP			/* nothing, see socket_vanish() */
};

/*
 * The memory of whether clients speak first: the initial value of eager, the
 * threshold, and the maximum; see session_connect.c.
 */
#define ROUTE_EAGER		24
#define ROUTE_EAGER_ENOUGH	16
#define ROUTE_EAGER_MAX		32

/* The common properties of the sessions of one listener. */
struct session_route {
	const char	*name;		/* of the listener, for the log */
	const char	*address;	/* its address, for the log */
	uint16_t	 port;		/* its port, for servers without one */
	struct log	*log;		/* NULL: the main log */
	bool		 silent;	/* sessions are not logged */
	uint32_t	 pool;		/* of its servers */
	struct session_limits limits;
	const struct cidr *deny;	/* refused clients; NULL: none */
	const struct cidr *allow;	/* only these clients; NULL: all */
	struct session_counts counts;
	uint32_t	 slot;		/* on the board; or BOARD_NO_SLOT */
	const struct session_limit *limit; /* shared limit; NULL: none */
	enum session_rejection reject_with;
	/* Peers that send a PROXY header; NULL: none. */
	const struct cidr *proxies;
	bool		 untrusted_plain; /* serve other peers without one */
	uint8_t		 eager;		/* see session_connect.c */
};

/* Selects the sessions that are logged. */
struct session_lines {
	struct access_log_format *format;
	bool		 errors;	/* ends that are not orderly */
	uint32_t	 every;		/* one in *every* others, 0: none */
	uint32_t	 seen;		/* others up to now */
	uint64_t	 interval;	/* ms between "still" lines, 0: none */
	uint64_t	 due;		/* next scan for these */
	uint32_t	 next;		/* next id to scan; 0: idle */
};

struct session_env {
	struct session_table table;

	/* Set by the worker before the first session. */
	const struct servers *servers;
	struct balance	*balance;
	struct preconnects	*preconnects;
	struct wait_queue	*queue;
	struct shuttle_kit kit;
	struct bufpool	*notes;		/* blocks of PROXYPROTO_MAX */
	struct poller	*poller;
	struct timers	*timers;	/* one for each id */
	struct board_worker *board;
	struct log	*log;
	struct session_lines lines;
	/*
	 * Unique ids of clients' PROXY headers, by session: a byte with the
	 * length, then PROXYPROTO_ID bytes. NULL: not logged.
	 */
	unsigned char	*header_ids;
	struct session_route *route;	/* by listener */
	uint32_t	 max_sessions;	/* over all workers; 0: no limit */
	bool		 dry_run;	/* for max_sessions */
	uint64_t	 seed;		/* differs for each worker */

	uint64_t	 now;		/* clock_now_ms(), set each turn */
	uint64_t	 talked;	/* last action of a non-stream */
	uint32_t	 ending;	/* client ended, server has not */
	uint32_t	 parked;	/* sessions: see session_park.c */
	uint64_t	 before;	/* start of the last turn */
	uint64_t	 called;	/* last wakeup of others for these */
	uint64_t	 mend_at;	/* next check of the row on the board */
	int		 shortage;	/* errno of a descriptor shortage */
	uint32_t	 changes;	/* of health, seen by sessions_cut() */
	uint32_t	 vanished;	/* clients, since vanished_since */
	uint64_t	 vanished_since;
};

/*
 * Frees what only sessions use, as far as it exists: all but servers, poller,
 * board, log and routes. No session may be left.
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
