/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf.h: the configuration. conf_make() builds it from files and options; then
 * it is read-only except for the listeners, which the master opens.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/listener.h"
#include "event/poller.h"
#include "sandbox/privileges.h"
#include "session/session_env.h"
#include "upstream/server.h"

/* Maxima. */
#define CONF_LISTENERS	4096
#define CONF_POOLS	4096
#define CONF_LIMITS	4096

#define CONF_RESOLVERS	8
/* Maxima of servers that a name can have, and of places for them. */
#define CONF_RESOLVE	128
#define CONF_PLACES	(CONF_RESOLVE + CONF_RESOLVE / 2)

/* Maximum of different logs of listeners, beside the main log. */
#define CONF_LOGS	24

/* Bytes of the name of an instance, with the NUL. */
#define CONF_INSTANCE	33

struct networks;
struct settings;
struct value;

/*
 * A name that the prober looks up, and the range of places for its servers. A
 * name that must be looked up only *once* is here if that has failed: until a
 * lookup succeeds.
 */
struct dns_name {
	char		 host[ADDR_HOST];
	uint16_t	 port;		/* with SRV it is in the answers */
	bool		 srv;
	bool		 once;
	const char	*why;		/* reason if *once* failed */
	uint32_t	 max;		/* servers at a time */
	uint32_t	 first, n;	/* of the places; more than servers */
};

/* Host names that are resolved once, sorted: see conf_hosts.h. */
struct hosts {
	struct addr_host *host;
	size_t		 n;
};

/* A log of one or more listeners: see logs.h. */
struct own_log {
	const char	*target;
	const struct value *said;	/* the directive */
	struct addr	 addr;		/* of its host; len 0: not needed */
	struct log	*log;		/* NULL: not open */
	uint32_t	 slot;		/* its number in messages, from 1 */
	uint32_t	 since;		/* first generation with this slot */
};

struct conf {
	int		 argc;		/* arguments it was made from */
	char		**argv;

	struct listener	*listener;	/* in the order given */
	size_t		 listeners;
	struct listener	*builtin;	/* one for each builtin server */
	size_t		 builtins;
	struct session_limit *limit;	/* listeners refer to them by number */
	size_t		 limits_shared;
	struct pool	*pool;
	size_t		 pools;
	struct server	*server;	/* pool by pool */
	size_t		 servers;
	struct dns_name	*dns_name;
	size_t		 dns_names;
	/* Results known beforehand; without any, hosts are resolved. */
	struct hosts	 hosts;
	bool		 looked_up_once;	/* no prober to look up again */

	/* Lookups; times in ms. */
	const char	*resolver[CONF_RESOLVERS]; /* IP or IP:port */
	size_t		 resolvers;	/* 0: those of the system */
	uint64_t	 system_resolvers; /* hash of their file; 0: not used */
	uint64_t	 resolve_timeout;	/* of the first try */
	unsigned	 resolve_retries;
	uint64_t	 resolve_min_ttl, resolve_max_ttl;
	uint64_t	 resolve_hold;	/* of servers of a vanished name */

	unsigned	 workers;	/* 0: no fork */
	uint32_t	 buffers;	/* blocks for each worker */
	uint64_t	 drain_timeout;	/* of the final drain, ms, 0: none */
	uint32_t	 max_generations; /* of workers; 0: any number */
	uint64_t	 reload_timeout; /* for replaced workers */
	uint64_t	 grace;		/* ms from QUIT to the drain */
	const struct poller_engine *engine;
	/* Defaults of listeners and pools. */
	struct session_limits limits;
	uint64_t	 connect_timeout; /* ms, never 0 */
	uint64_t	 connect_total_timeout; /* ms, 0: off */
	unsigned	 retries;	/* 0 … SESSION_ATTEMPTS - 1 */
	unsigned	 defer_accept;	/* s, 0: off */
	bool		 fast_open;	/* on both sides */
	struct peer_watch watch;	/* for both sides */
	const struct balance_algorithm *balance;
	enum check_kind	 check;
	enum session_rejection reject_with;
	unsigned	 busy_poll;	/* µs, 0: off */
	bool		 pin_cpus;	/* each worker to one */
	uint32_t	 sessions;	/* per worker; 0: what it carries */
	uint32_t	 max_sessions;	/* of all workers; 0: no limit */
	bool		 dry_run;	/* max_sessions; default of others */

	const char	*log;		/* target, see log_target.h */
	struct addr	 log_addr;	/* as of own_log */
	struct own_log	 own_log[CONF_LOGS];
	size_t		 own_logs;
	int		 log_level;	/* LOG_NOTICE, LOG_INFO, LOG_DEBUG */
	const char	*log_format;	/* see access_log_format.h */
	bool		 log_errors;	/* ends that are not orderly */
	unsigned	 log_every;	/* one in this many others, 0: none */
	uint64_t	 log_interval;	/* ms between lines of one, 0: off */
	char		(*absent)[ADDR_TEXT]; /* addresses not served */
	size_t		 absents;
	const char	*no_user;	/* why not changed; NULL: changed */
	const char	*instance;	/* as configured, or NULL */
	char		 name[CONF_INSTANCE]; /* of the instance; "": none */
	const char	*pidfile;	/* NULL: none */
	char		*own_pidfile;	/* the default of an instance; or NULL */
	const char	*ports_file;	/* NULL: none */
	struct identity	 user;		/* of workers, if started as root */
	const char	*chroot;	/* of workers; NULL: none */
	bool		 sandbox;	/* confines workers and prober */
	bool		 foreground;

	struct networks	*networks;	/* the lists of listeners, see networks.h */
	size_t		 lists;

	/* The origin of all values; it owns the texts above. */
	struct settings	*settings;
	/* Relative file names begin here; NULL: the working directory. */
	char		*directory;
};

/* Initialises an empty configuration. Pair with conf_free(). */
void	conf_init(struct conf *);
void	conf_free(struct conf *);

/*
 * Add: a listener for each address that *text* means, as a copy of *like*; a
 * pool; and a server of the last pool for each address, named as *like*, whose
 * name must be unique, or by its address. A name that is looked up regularly
 * gets as many places as it may have servers. Return 0, or -1 with *why set to
 * a constant text that says what would be right.
 */
int	conf_add_listener(struct conf *, const struct listener *like,
	    const char *address, const char **why);
int	conf_add_pool(struct conf *, const struct pool *, const char **why);
int	conf_add_server(struct conf *, const struct server *like,
	    const char *address, const char **why);

/* True if workers or the prober connect to abstract unix sockets. */
bool	conf_leaves_abstract(const struct conf *);

/* True if workers connect from addresses of clients. */
bool	conf_leaves_as_client(const struct conf *);

/* True if they, or the prober, connect from configured source addresses. */
bool	conf_binds(const struct conf *);

/* True if any listener accepts PROXY headers. */
bool	conf_accepts_proxy(const struct conf *);

/* True if any part needs addresses that do not belong to this machine. */
bool	conf_wants_transparent(const struct conf *);

#endif
