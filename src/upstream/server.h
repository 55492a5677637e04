/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * server.h: the servers behind the balancer. The list is fixed while a process
 * lives; what changes stands on the board and is the same for all workers. A
 * name that is looked up again has as many places as it may have servers; who
 * they are at the moment stands on the board.
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

/* One that came up a while ago; what server_warmth() is a part of. */
#define SERVER_WARM		1024u

struct balance_algorithm;

/* What the operator wants of a server. */
enum server_state {
	SERVER_READY,
	SERVER_DRAIN,			/* no new sessions; it is checked */
	SERVER_MAINT			/* no new sessions, and not checked */
};

/* When its name is looked up. */
enum server_resolve {
	RESOLVE_OFF,			/* once, by the master */
	RESOLVE_ON,			/* again and again: A and AAAA */
	RESOLVE_SRV			/* the same: SRV (RFC 2782) */
};

struct server {
	char		name[SERVER_NAME];
	uint64_t	hash;		/* board_hash() of the name */
	struct addr	addr;
	bool		client_port;	/* it has none: as clients came to */
	enum server_resolve resolve;
	uint32_t	resolve_max;	/* most servers that a name has */
	uint64_t	lookup;	/* the site answers it; 0: see addr */
	uint64_t	where;		/* hash of address or question */
	uint64_t	asked;		/* the address answered it; or 0 */
	uint16_t	origin;		/* of that, as on the board */
	struct addr	check_addr;	/* where it is checked; len 0: there */
	const char	*check_name;	/* the same as text, to be looked up */
	const char	*check_missing;	/* why that could not be; or NULL */
	unsigned	check_port;	/* 0: the one of the address */
	uint32_t	weight;		/* 0 … SERVER_WEIGHT_MAX; 0: drain */
	enum server_state state;
	uint32_t	max_sessions;	/* of all workers; 0: no limit */
	uint32_t	tier;		/* TIER_PRIMARY or TIER_BACKUP */
	bool		own_fails;	/* max_fails is not that of the pool */
	uint32_t	max_fails;	/* see server_failed() */
	uint64_t	fail_timeout;	/* ms; 0: as its pool has it */
	uint32_t	preconnect;	/* connections ahead, each worker */
	unsigned	send_proxy;	/* version of the header; 0: none */
	uint32_t	pool;		/* whose it is */
	uint32_t	slot;		/* on the board */
	struct egress	egress;		/* how connections to it are made */
};

/*
 * In a header of version 2: what goes along besides what came in, and whether
 * only what is named here is passed on.
 */
#define PROXY_TLV_UNIQUE_ID	0x1	/* the one that came, or ours */
#define PROXY_TLV_AUTHORITY	0x2	/* the one that came */
#define PROXY_TLV_CRC32C	0x4
#define PROXY_TLV_NONE		0x8	/* nothing else is passed on */

/* Servers that serve the same; they stand together in the list. */
struct pool {
	char		name[SERVER_NAME];
	uint32_t	first, n;	/* these of the list */
	uint32_t	slot;		/* on the board */
	uint32_t	attempts; /* 1 … SESSION_ATTEMPTS: servers tried */
	uint64_t	connect_timeout; /* ms, of one attempt; never 0 */
	bool		fast_open;	/* bytes in the request to connect */
	unsigned	sends_proxy;	/* highest version that one is sent */
	unsigned	send_proxy;	/* what they have unless they say */
	unsigned	tlvs;		/* PROXY_TLV_…, of version 2 */
	bool		checked;	/* only those that are up are used */
	struct check_policy check;	/* how */
	/* How one is chosen; NULL: roundrobin. */
	const struct balance_algorithm *balance;
	bool		hash_port;	/* the key is address and port */
	uint32_t	hash_factor;	/* percent of the mean load; 0: off */
	uint64_t	slow_start;	/* ms until one that came up is warm */
	uint32_t	min_primaries;	/* with fewer backups serve beside them */
	bool		close_on_down;	/* sessions end when theirs goes down */
	uint64_t	connect_total_timeout; /* ms, of all attempts; 0: off */
	uint64_t	queue_timeout;	/* ms; never 0 */
	uint64_t	unavailable_timeout; /* ms without a server; 0: off */
	uint32_t	max_queue;	/* sessions that wait; 0: none may */
	/* When a server is ejected: see server_failed(). */
	uint32_t	max_fails;	/* 0: never */
	uint64_t	fail_timeout;	/* ms */
	uint64_t	eject_time;	/* ms */
	uint32_t	max_ejected_percent;	/* percent */
	struct egress	egress;		/* what its servers have by default */
};

struct servers {
	const struct server *list;
	uint32_t	 n;
	const struct pool *pool;
	uint32_t	 pools;
	struct board	*board;
	uint32_t	 worker;	/* our row on the board */
	/* By server, whose turn it is of its sources; NULL: the first's. */
	uint32_t	*turn;
};

/* The pool that server *i* is in. */
static inline const struct pool *
server_pool(const struct servers *bs, uint32_t i)
{
	return &bs->pool[bs->list[i].pool];
}

/*
 * Where it is. False: its name has no server for this place now, or no answer
 * has come yet.
 */
bool	server_address(const struct servers *, uint32_t i, struct addr *);

/*
 * Begin to connect to it as its outlet says, from the next of its sources, to
 * the port of the request if it has none: see egress_connect(). EHOSTUNREACH: it
 * has no address now.
 */
int	server_connect(const struct servers *, uint32_t i,
	    struct connect_request *);

/* A connection to it is to be watched; false: nobody wants that. */
bool	server_is_watched(const struct servers *, uint32_t i);
void	server_watch(const struct servers *, uint32_t i, int fd);

/* The same of the address at which it is checked. */
bool	server_check_address(const struct servers *, uint32_t i,
	    struct addr *);

/* Moves with each change of where it is; always 0 when that is fixed. */
uint32_t server_version(const struct servers *, uint32_t i);

/*
 * Its share, 0 … SERVER_WEIGHT_MAX, and TIER_PRIMARY or TIER_BACKUP. These are
 * for who works out an order: they change only when the version of the pool on
 * the board does.
 */
uint32_t server_weight(const struct servers *, uint32_t i);
uint32_t server_tier(const struct servers *, uint32_t i);

/*
 * What keys go by: the hash of its name, or, where that is looked up, of where it
 * is. All machines with the same answers have the same, in whatever order they
 * came. It changes as the weight does.
 */
uint64_t server_hash(const struct servers *, uint32_t i);

/*
 * Count one session more. False: it has as many as it may have; never does it
 * get more, whoever asks at the same time. Preconnected connections are no
 * sessions. Pair with server_drop(), once the connection is closed.
 */
bool	server_take(const struct servers *, uint32_t i);
void	server_drop(const struct servers *, uint32_t i);

/* Sessions on it, of all workers and generations. */
uint32_t server_load(const struct servers *, uint32_t i);

/*
 * May it have new sessions, as far as operator, names and checks are concerned?
 * While its name is looked up for the first time, or its first check is under
 * way, it may not, but soon may: it is pending. It is unknown also when that
 * look-up has failed, until one succeeds.
 */
bool	server_serves(const struct servers *, uint32_t i);
/* The same as far as the operator alone is concerned. */
bool	server_is_wanted(const struct servers *, uint32_t i);
bool	server_pending(const struct servers *, uint32_t i);
bool	server_unknown(const struct servers *, uint32_t i);

/* Has it as many sessions as it may have? */
bool	server_full(const struct servers *, uint32_t i);

/*
 * How much of its weight it is to have, having come up just now: from little on
 * steadily to SERVER_WARM when *slow_start* of the pool has passed.
 */
uint32_t server_warmth(const struct servers *, uint32_t i, uint64_t now);

/*
 * A connection to it could not even be begun, since no local port leads there or
 * the queue of its unix socket is full. That is no failure of it; but nobody is to
 * try for a moment, for longer each time in a row, up to SERVER_LACK_MOST,
 * until one has begun. The first of an episode is told in the log, for all
 * workers.
 */
#define SERVER_LACK_MOST	64	/* ms */
void	server_note_lack(const struct servers *, uint32_t i, uint64_t now,
	    struct log *, int err);
void	server_note_begun(const struct servers *, uint32_t i);

/* Is such a moment not over yet? */
bool	server_lacks(const struct servers *, uint32_t i, uint64_t now);

/* What a failure has changed. */
enum server_news {
	NEWS_NONE,
	NEWS_PROBATION,	/* not ejected: too few others are left */
	NEWS_EJECTED			/* others are tried first, for a time */
};

/*
 * An attempt to connect failed. As many as *max_fails* in *fail_timeout*, of
 * the server or else of its pool, eject the server for *eject_time*; one more
 * after that, before it has answered, does so again and for twice as long, up
 * to SERVER_EJECT_MAX times the first. Never are more than
 * *max_ejected_percent* percent ejected, nor the only one. When it has
 * answered, and was not ejected for the longest of these times, it begins anew.
 * Checks that find it up again end its ejection.
 */
#define SERVER_EJECT_MAX	30
uint32_t server_max_fails(const struct servers *, uint32_t i);
enum server_news server_failed(const struct servers *, uint32_t i,
	    uint64_t now);

/* Within its pool: files give it a name of two parts, POOL/SERVER. */
const char *server_short_name(const struct servers *, uint32_t i);
const char *server_name_in(const struct server *, const char *pool);

/*
 * What happened to it, for log_event(): event is "server", then its pool, its
 * name, the state that it is in now, and why. The last field has no name.
 */
#define SERVER_FIELDS	6
void	server_fields(const struct servers *, uint32_t i, const char *state,
	    const char *cause, struct log_field[SERVER_FIELDS]);

/* The same, and say so in the log: it failed to *what*. */
void	server_record_failure(const struct servers *, uint32_t i, uint64_t now,
	    struct log *, const char *what, int err);

/* It answered. True when it had failed before. */
bool	server_answered(const struct servers *, uint32_t i);

bool	server_is_ejected(const struct servers *, uint32_t i, uint64_t now);

/* Has it failed so often, and not answered since? */
bool	server_on_probation(const struct servers *, uint32_t i);

/*
 * How often it went down; and is it down now, more often than that? Not when
 * another server of its name has its place since then: sessions of the one
 * before know nothing of that.
 */
uint32_t server_downs(const struct servers *, uint32_t i);
bool	server_went_down(const struct servers *, uint32_t i, uint32_t downs);

#endif
