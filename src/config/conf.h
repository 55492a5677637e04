/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf.h: what is to be run. Made of files and options by conf_make(), then
 * read-only but for the listeners, which the master opens.
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

/* The most there can be. */
#define CONF_LISTENERS	4096
#define CONF_POOLS	4096
#define CONF_LIMITS	4096

#define CONF_RESOLVERS	8
/* The most servers that a name can have, and the most places for them. */
#define CONF_RESOLVE	128
#define CONF_PLACES	(CONF_RESOLVE + CONF_RESOLVE / 2)

/* The most different logs of listeners, beside that of the whole. */
#define CONF_LOGS	24

/* Bytes of the name of an instance, with the NUL. */
#define CONF_INSTANCE	33

struct networks;
struct settings;
struct value;

/*
 * A name that the prober looks up, and the places that its servers take. One
 * that is to be looked up *once* is here if that has failed: until it succeeds.
 */
struct dns_name {
	char		 host[ADDR_HOST];
	uint16_t	 port;		/* with SRV the answers have it */
	bool		 srv;
	bool		 once;
	const char	*why;		/* that failed */
	uint32_t	 max;		/* servers at a time */
	uint32_t	 first, n;	/* of the places; more than servers */
};

/* Host names that are looked up once, by name: see conf_hosts.h. */
struct hosts {
	struct addr_host *host;
	size_t		 n;
};

/* A log of one or more listeners: see logs.h. */
struct own_log {
	const char	*target;
	const struct value *said;	/* where it is asked for */
	struct addr	 addr;		/* of its host; len 0: it needs none */
	struct log	*log;		/* NULL: not open */
	uint32_t	 slot;		/* what a channel calls it, from 1 */
	uint32_t	 since;		/* the first generation that does */
};

struct conf {
	int		 argc;		/* what it was made from */
	char		**argv;

	struct listener	*listener;	/* in the order given */
	size_t		 listeners;
	struct listener	*builtin;	/* one for each builtin server */
	size_t		 builtins;
	struct session_limit *limit;	/* listeners know them by number */
	size_t		 limits_shared;
	struct pool	*pool;
	size_t		 pools;
	struct server	*server;	/* pool by pool */
	size_t		 servers;
	struct dns_name	*dns_name;
	size_t		 dns_names;
	/* What is known of them when it is made; none: they are looked up. */
	struct hosts	 hosts;
	bool		 looked_up_once;	/* there is nobody to do it again */

	/* How names are looked up; times in ms. */
	const char	*resolver[CONF_RESOLVERS]; /* IP or IP:port */
	size_t		 resolvers;	/* 0: those of the system */
	uint64_t	 system_resolvers; /* hash of their file; 0: not used */
	uint64_t	 resolve_timeout;	/* of the first try */
	unsigned	 resolve_retries;
	uint64_t	 resolve_min_ttl, resolve_max_ttl;
	uint64_t	 resolve_hold;	/* of servers whose name is gone */

	unsigned	 workers;	/* 0: no fork */
	uint32_t	 buffers;	/* blocks for each worker */
	uint64_t	 drain_timeout;	/* of the end, in ms, 0: none */
	uint32_t	 max_generations; /* of workers; 0: any number */
	uint64_t	 reload_timeout; /* of a worker that others replace */
	uint64_t	 grace;		/* ms from QUIT to the drain */
	const struct poller_engine *engine;
	/* What listeners and pools have unless they say otherwise. */
	struct session_limits limits;
	uint64_t	 connect_timeout; /* ms, never 0 */
	uint64_t	 connect_total_timeout; /* ms, 0: off */
	unsigned	 retries;	/* 0 … SESSION_ATTEMPTS - 1 */
	unsigned	 defer_accept;	/* s, 0: off */
	bool		 fast_open;	/* on both sides */
	struct peer_watch watch;	/* the same */
	const struct balance_algorithm *balance;
	enum check_kind	 check;
	enum session_rejection reject_with;
	unsigned	 busy_poll;	/* µs, 0: off */
	bool		 pin_cpus;	/* each worker to one */
	uint32_t	 sessions;	/* in each worker; 0: what it carries */
	uint32_t	 max_sessions;	/* in all; 0: no limit */
	bool		 dry_run;	/* that one, and by default all limits */

	const char	*log;		/* target, see log_target.h */
	struct addr	 log_addr;	/* as of own_log */
	struct own_log	 own_log[CONF_LOGS];
	size_t		 own_logs;
	int		 log_level;	/* LOG_NOTICE, LOG_INFO, LOG_DEBUG */
	const char	*log_format;	/* see access_log_format.h */
	bool		 log_errors;	/* sessions that did not end well */
	unsigned	 log_every;	/* of the others one in so many, 0: none */
	uint64_t	 log_interval;	/* ms between lines of one, 0: off */
	char		(*absent)[ADDR_TEXT]; /* of names, not served */
	size_t		 absents;
	const char	*no_user;	/* why it stays this one; NULL: it changes */
	const char	*instance;	/* as asked for; NULL: it was not */
	char		 name[CONF_INSTANCE]; /* of the instance; "": none */
	const char	*pidfile;	/* NULL: none */
	char		*own_pidfile;	/* the default of an instance; or NULL */
	const char	*ports_file;	/* NULL: none */
	struct identity	 user;		/* of workers, when root starts us */
	const char	*chroot;	/* of workers; NULL: none */
	bool		 sandbox;	/* shuts workers in */
	bool		 foreground;

	struct networks	*networks;	/* the lists of listeners, see networks.h */
	size_t		 lists;

	/* Where all this comes from; it owns the texts above. */
	struct settings	*settings;
	/* Names of configuration files begin here; NULL: where we are. */
	char		*directory;
};

/* Empty. Pair with conf_free(). */
void	conf_init(struct conf *);
void	conf_free(struct conf *);

/*
 * Add all listeners that an address means, each a copy of *like*; a pool; all
 * servers of the last pool that an address means, called as *like* is, which
 * nobody else is, or by their addresses when it has no name. What is to be
 * looked up again becomes as many places as it may have servers. Return 0, or
 * -1 with *why set to a constant text that says what would be right.
 */
int	conf_add_listener(struct conf *, const struct listener *like,
	    const char *address, const char **why);
int	conf_add_pool(struct conf *, const struct pool *, const char **why);
int	conf_add_server(struct conf *, const struct server *like,
	    const char *address, const char **why);

/* Do workers or the prober connect to abstract unix sockets? */
bool	conf_leaves_abstract(const struct conf *);

/* Do workers connect from addresses of clients? */
bool	conf_leaves_as_client(const struct conf *);

/* Do they, and the prober, from some that are listed? */
bool	conf_binds(const struct conf *);

/* Is there a listener that headers of the PROXY protocol come to? */
bool	conf_accepts_proxy(const struct conf *);

/* Does anybody need addresses that are not of this machine? */
bool	conf_wants_transparent(const struct conf *);

#endif
