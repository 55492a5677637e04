/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * server.h: the servers behind the balancer. The list is fixed while a process
 * lives; state that changes is on the board and shared by all workers. A name
 * that is looked up regularly has as many entries in the list as it may have
 * servers; their current addresses are on the board.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"
#include "log/log.h"
#include "net/addr.h"
#include "net/egress.h"
#include "upstream/check_policy.h"

#define SERVER_NAME		BOARD_NAME
#define SERVER_WEIGHT_MAX	256
#define SERVER_PRECONNECT_MAX	64

/* A fully warm server; server_warmth() is a part of this. */
#define SERVER_WARM		1024u

struct balance_algorithm;

/* State of a server as configured. */
enum server_state {
	SERVER_READY,
	SERVER_DRAIN,			/* no new sessions; checks continue */
	SERVER_MAINT			/* no new sessions and no checks */
};

/* When its name is looked up. */
enum server_resolve {
	RESOLVE_OFF,			/* once, by the master */
	RESOLVE_ON,			/* regularly: A and AAAA */
	RESOLVE_SRV			/* regularly: SRV (RFC 2782) */
};

struct server {
	char		name[SERVER_NAME];
	uint64_t	hash;		/* board_hash() of the name */
	struct addr	addr;
	bool		client_port;	/* it has none: as clients came to */
	enum server_resolve resolve;
	uint32_t	resolve_max;	/* most servers of its name */
	uint64_t	lookup;	/* lookup of the site; 0: fixed addr */
	uint64_t	where;		/* hash of address or lookup */
	uint64_t	asked;		/* lookup that gave addr; or 0 */
	uint16_t	origin;		/* of the lookup, as on the board */
	struct addr	check_addr;	/* address for checks; len 0: addr */
	const char	*check_name;	/* the same as a name to look up */
	const char	*check_missing;	/* why that failed; or NULL */
	unsigned	check_port;	/* 0: that of the address */
	uint32_t	weight;		/* 0 … SERVER_WEIGHT_MAX; 0: drain */
	enum server_state state;
	uint32_t	max_sessions;	/* over all workers; 0: no limit */
	uint32_t	tier;		/* TIER_PRIMARY or TIER_BACKUP */
	bool		own_fails;	/* max_fails differs from the pool's */
	uint32_t	max_fails;	/* see server_failed() */
	uint64_t	fail_timeout;	/* ms; 0: that of the pool */
	uint32_t	preconnect;	/* preconnected, by each worker */
	unsigned	send_proxy;	/* version of the header; 0: none */
	uint32_t	pool;		/* its pool */
	uint32_t	slot;		/* on the board */
	struct egress	egress;		/* how to connect to it */
};

/*
 * TLVs of a version 2 header that are sent besides the received ones, and
 * whether only those named here are passed on.
 */
#define PROXY_TLV_UNIQUE_ID	0x1	/* the received one, or a new one */
#define PROXY_TLV_AUTHORITY	0x2	/* the received one */
#define PROXY_TLV_CRC32C	0x4
#define PROXY_TLV_NONE		0x8	/* pass on no others */

/* Servers of the same service; they are adjacent in the list. */
struct pool {
	char		name[SERVER_NAME];
	uint32_t	first, n;	/* range of the list */
	uint32_t	slot;		/* on the board */
	uint32_t	attempts;	/* servers tried, to SESSION_ATTEMPTS */
	uint64_t	connect_timeout; /* ms, of one attempt; never 0 */
	bool		fast_open;	/* bytes in the SYN */
	unsigned	sends_proxy;	/* highest version sent to a server */
	unsigned	send_proxy;	/* default of its servers */
	unsigned	tlvs;		/* PROXY_TLV_…, of version 2 */
	bool		checked;	/* only servers that are up are used */
	struct check_policy check;	/* how */
	/* The algorithm; NULL: roundrobin. */
	const struct balance_algorithm *balance;
	bool		hash_port;	/* the key is address and port */
	uint32_t	hash_factor;	/* percent of the mean load; 0: off */
	uint64_t	slow_start;	/* ms until a new server is warm */
	uint32_t	min_primaries;	/* with fewer, backups serve as well */
	bool		close_on_down;		/* on_down = "close" */
	uint64_t	connect_total_timeout; /* ms, of all attempts; 0: off */
	uint64_t	queue_timeout;	/* ms; never 0 */
	uint64_t	unavailable_timeout; /* ms without a server; 0: off */
	uint32_t	max_queue;	/* waiting sessions; 0: none */
	/* Ejection: see server_failed(). */
	uint32_t	max_fails;	/* 0: never */
	uint64_t	fail_timeout;	/* ms */
	uint64_t	eject_time;	/* ms */
	uint32_t	max_ejected_percent;	/* percent */
	struct egress	egress;		/* default of its servers */
};

struct servers {
	const struct server *list;
	uint32_t	 n;
	const struct pool *pool;
	uint32_t	 pools;
	struct board	*board;
	uint32_t	 worker;	/* row of this process */
	/* By server, the next source address; NULL: always the first. */
	uint32_t	*turn;
};

/* The pool of server *i*. */
static inline const struct pool *
server_pool(const struct servers *bs, uint32_t i)
{
	return &bs->pool[bs->list[i].pool];
}

/*
 * Its current address. False: its name has no server for this place, or is not
 * resolved yet.
 */
bool	server_address(const struct servers *, uint32_t i, struct addr *);

/*
 * Begin to connect to it as its outlet says, from the next of its sources, to
 * the port of the request if it has none: see egress_connect(). EHOSTUNREACH: it
 * has no address now.
 */
int	server_connect(const struct servers *, uint32_t i,
	    struct connect_request *);

/* Whether and how dead peers of its connections are detected (keepalive). */
bool	server_is_watched(const struct servers *, uint32_t i);
void	server_watch(const struct servers *, uint32_t i, int fd);

/* The address for its checks; otherwise as server_address(). */
bool	server_check_address(const struct servers *, uint32_t i,
	    struct addr *);

/* Changes with each change of its address; 0 if the address is fixed. */
uint32_t server_version(const struct servers *, uint32_t i);

/*
 * Its weight, 0 … SERVER_WEIGHT_MAX, and TIER_PRIMARY or TIER_BACKUP. They
 * change only together with the version of its pool on the board, so an order
 * computed from them stays valid until then.
 */
uint32_t server_weight(const struct servers *, uint32_t i);
uint32_t server_tier(const struct servers *, uint32_t i);

/*
 * The hash that keys are compared with: of its name, or of its address if the
 * name is looked up. Machines with the same answers, in any order, have the
 * same. It changes as the weight does.
 */
uint64_t server_hash(const struct servers *, uint32_t i);

/*
 * Counts one session more. False: *max_sessions* are reached; they are never
 * exceeded, with any number of concurrent callers. Preconnected connections are
 * not sessions. Pair with server_drop() when the connection is closed.
 */
bool	server_take(const struct servers *, uint32_t i);
void	server_drop(const struct servers *, uint32_t i);

/* Its sessions, over all workers and generations. */
uint32_t server_load(const struct servers *, uint32_t i);

/*
 * server_serves(): it may get new sessions, with regard to operator, lookup
 * and checks. server_pending(): it may soon, because its first lookup or check
 * is in progress. server_unknown(): as pending, or the first lookup has failed
 * and none has succeeded since.
 */
bool	server_serves(const struct servers *, uint32_t i);
/* It may get new sessions with regard to the operator only. */
bool	server_is_wanted(const struct servers *, uint32_t i);
bool	server_pending(const struct servers *, uint32_t i);
bool	server_unknown(const struct servers *, uint32_t i);

/* True if *max_sessions* are reached. */
bool	server_full(const struct servers *, uint32_t i);

/*
 * The part of its weight that a server gets after it came up: grows linearly up
 * to SERVER_WARM in *slow_start* of its pool.
 */
uint32_t server_warmth(const struct servers *, uint32_t i, uint64_t now);

/*
 * Records that no connection could be started: no local port is free for it, or
 * the queue of its unix socket is full. This is not a failure of the server,
 * but no worker connects for a moment, which doubles up to SERVER_LACK_MOST,
 * until server_note_begun(). The first of an episode is logged once for all
 * workers.
 */
#define SERVER_LACK_MOST	64	/* ms */
void	server_note_lack(const struct servers *, uint32_t i, uint64_t now,
	    struct log *, int err);
void	server_note_begun(const struct servers *, uint32_t i);

/* True during such a moment. */
bool	server_lacks(const struct servers *, uint32_t i, uint64_t now);

/* The consequence of a failure. */
enum server_news {
	NEWS_NONE,
	NEWS_PROBATION,			/* not ejected: too few others */
	NEWS_EJECTED			/* ejected for a time */
};

/*
 * Records that an attempt to connect failed. After *max_fails* in
 * *fail_timeout* the server is ejected for *eject_time*. One more failure
 * before it answers ejects it again for twice as long, up to SERVER_EJECT_MAX
 * times the first. At most *max_ejected_percent* percent of the pool are
 * ejected, and never the only server. Once it has answered and was not ejected
 * for the longest of these times, it starts anew. Checks that find it up end
 * its ejection.
 */
#define SERVER_EJECT_MAX	30
uint32_t server_max_fails(const struct servers *, uint32_t i);
enum server_news server_failed(const struct servers *, uint32_t i,
	    uint64_t now);

/* The name within its pool; files name it POOL/SERVER. */
const char *server_short_name(const struct servers *, uint32_t i);
const char *server_name_in(const struct server *, const char *pool);

/*
 * The fields of an event for log_event(): event is "server", then its pool, its
 * name, its state and the cause. The last field has no name.
 */
#define SERVER_FIELDS	6
void	server_fields(const struct servers *, uint32_t i, const char *state,
	    const char *cause, struct log_field[SERVER_FIELDS]);

/* Calls server_failed() and logs the consequence: *what* failed with *err*. */
void	server_record_failure(const struct servers *, uint32_t i, uint64_t now,
	    struct log *, const char *what, int err);

/* Records that it answered. True if it had failed before. */
bool	server_answered(const struct servers *, uint32_t i);

bool	server_is_ejected(const struct servers *, uint32_t i, uint64_t now);

/* True if it was ejected or reached max_fails, and has not answered since. */
bool	server_on_probation(const struct servers *, uint32_t i);

/*
 * The number of times it went down; and whether it is down now and went down
 * more often than that. False if another server of its name has taken its
 * place, because sessions of the former one are not affected.
 */
uint32_t server_downs(const struct servers *, uint32_t i);
bool	server_went_down(const struct servers *, uint32_t i, uint32_t downs);

#endif
