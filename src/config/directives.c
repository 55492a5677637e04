/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * directives.c: the table, and the readers of directives whose type is not
 * enough. Does not know files or options: all values are texts.
 */
#include "config.h"
#include "config/directives.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "config/check_values.h"
#include "config/conf.h"
#include "config/egress_values.h"
#include "config/instance_name.h"
#include "config/log_values.h"
#include "config/proxy_values.h"
#include "sandbox/sandbox.h"
#include "sys/cpu_quota.h"
#include "sys/processors.h"
#include "upstream/balance.h"

/* The columns of a line: type, range, words and description; reader. */
#define NUMBER(min, max, what)	TYPE_NUMBER, min, max, NULL, what
#define TIME(min, max)		TYPE_TIME, min, max, NULL, NULL
#define RATE			TYPE_SIZE, 1, 64LL << 30, NULL, "a second"
#define BOOL			TYPE_BOOL, 0, 0, NULL, NULL
#define WORD(words)		TYPE_WORD, 0, 0, words, NULL
#define TEXT(max, what)		TYPE_TEXT, 1, max, NULL, what
#define MEMBER(s, m)		NULL, offsetof(struct s, m)
#define BY(read)		read, 0
#define NETWORKS		TYPE_NETWORKS, 0, 0, NULL, "networks, all, none, " \
				"unix: or file:NAME, ! before exceptions"

#define INTERFACE	TEXT(15, "the name of an interface")
#define SOURCES		TYPE_ADDRESSES, 0, 0, NULL, "an IP address without a " \
			"port"
#define OF_ALL(max)	NUMBER(0, max, "of all workers; 0: no limit")
#define A_SECOND	NUMBER(0, 1000000, "within a second; 0: no limit")
#define DSCP		TYPE_NUMBER, 0, 63, DSCP_WORDS, NULL

#define DAY	(24 * 3600 * 1000LL)		/* ms */
#define KEEPALIVE	(9 * 3600 * 1000LL)	/* the kernel takes no more */
#define MONTH	(30 * DAY)
#define YEAR	(366 * DAY)
#define PATH	1023				/* bytes of a name of a file */
#define WORKERS	(BOARD_WORKERS / 8)		/* eight generations of them */

#define AUTO	"auto"

#define ALGORITHMS	"roundrobin, leastconn, random, client, hash, " \
			"maglev, first"
#define REJECTIONS	"close, reset, drop"

/* The processors that exist, or the share of a container. */
static unsigned
count_processors(void)
{
	unsigned n = processors_count();
	unsigned quota = cpu_quota(CPU_QUOTA_GROUPS, CPU_QUOTA_ROOT);

	return quota != 0 && quota < n ? quota : n;
}

static const char *
read_workers(const char *text, void *to)
{
	struct conf *c = to;
	unsigned most = WORKERS;

	if (strncmp(text, AUTO, strlen(AUTO)) != 0)
		return directive_number(text, 0, WORKERS, &c->workers) == 0 ?
		    NULL : "should be a number";
	if (text[strlen(AUTO)] != '\0' && directive_number(text +
	    strlen(AUTO ":"), 1, WORKERS, &most) == -1)
		return "should be auto:N, with N workers at most";
	c->workers = count_processors();
	if (c->workers > most)
		c->workers = most;
	return NULL;
}

static const char *
read_user(const char *text, void *to)
{
	struct conf *c = to;
	const char *why;

	if (privileges_look_up(text, &c->user, &why) == -1)
		return why;
	/* Without a group, the user keeps the group of the start. */
	if (strchr(text, ':') == NULL && geteuid() != 0 &&
	    c->user.uid == geteuid())
		c->user.gid = getegid();
	return privileges_obstacle(&c->user);
}

static const char *
read_chroot(const char *text, void *to)
{
	struct conf *c = to;

	c->chroot = text;
	return text[0] == '/' ? NULL :
	    "should be the absolute name of a directory";
}

static const char *
read_sandbox(const char *text, void *to)
{
	struct conf *c = to;

	c->sandbox = strcmp(text, "on") == 0;
	return NULL;
}

static const char *
read_engine(const char *text, void *to)
{
	struct conf *c = to;

	c->engine = poller_engine(text);
	return NULL;
}

static const char *
read_defer_accept(const char *text, void *to)
{
	struct conf *c = to;

	c->defer_accept = directive_seconds(text);
	return NULL;
}

static const char *
read_listener_defer_accept(const char *text, void *to)
{
	struct listener *l = to;

	l->defer_accept = directive_seconds(text);
	return NULL;
}

static const char *
read_pool_retries(const char *text, void *to)
{
	struct pool *p = to;

	p->attempts = 1 + (uint32_t)strtoul(text, NULL, 10);
	return NULL;
}

static const char *
read_balance(const char *text, void *to)
{
	struct conf *c = to;

	c->balance = balance_algorithm(text);
	return NULL;
}

static const char *
read_pool_balance(const char *text, void *to)
{
	struct pool *p = to;

	p->balance = balance_algorithm(text);
	return NULL;
}

static const char *
read_hash_key(const char *text, void *to)
{
	struct pool *p = to;

	p->hash_port = strcmp(text, "address_port") == 0;
	return NULL;
}

/* A bound below the mean cannot hold for all. */
static const char *
read_hash_factor(const char *text, void *to)
{
	struct pool *p = to;

	p->hash_factor = (uint32_t)strtoul(text, NULL, 10);
	return p->hash_factor == 0 || p->hash_factor > 100 ? NULL :
	    "should be 0 or a number from 101 to 1000, percent of the mean";
}

static const char *
read_state(const char *text, void *to)
{
	struct server *b = to;

	b->state = strcmp(text, "ready") == 0 ? SERVER_READY :
	    strcmp(text, "drain") == 0 ? SERVER_DRAIN : SERVER_MAINT;
	return NULL;
}

static const char *
read_on_down(const char *text, void *to)
{
	struct pool *p = to;

	p->close_on_down = strcmp(text, "close") == 0;
	return NULL;
}

static const char *
read_check_kind(const char *text, void *to)
{
	struct conf *c = to;

	c->check = check_values_kind(text);
	return NULL;
}

static const char *
read_pool_check(const char *text, void *to)
{
	struct pool *p = to;

	p->check.kind = check_values_kind(text);
	return NULL;
}

static enum session_rejection
rejection_kind(const char *text)
{
	return strcmp(text, "close") == 0 ? REJECT_CLOSE :
	    strcmp(text, "reset") == 0 ? REJECT_RESET : REJECT_DROP;
}

static const char *
read_reject_with(const char *text, void *to)
{
	struct conf *c = to;

	c->reject_with = rejection_kind(text);
	return NULL;
}

static const char *
read_listener_reject_with(const char *text, void *to)
{
	struct listener *l = to;

	l->reject_with = rejection_kind(text);
	return NULL;
}

static const char *
read_backup(const char *text, void *to)
{
	struct server *b = to;

	b->tier = strcmp(text, "true") == 0 ? TIER_BACKUP : TIER_PRIMARY;
	return NULL;
}

static const char *
read_server_max_fails(const char *text, void *to)
{
	struct server *b = to;

	b->own_fails = true;
	b->max_fails = (uint32_t)strtoul(text, NULL, 10);
	return NULL;
}

static const char *
read_resolve(const char *text, void *to)
{
	struct server *b = to;

	b->resolve = strcmp(text, "on") == 0 ? RESOLVE_ON :
	    strcmp(text, "srv") == 0 ? RESOLVE_SRV : RESOLVE_OFF;
	return b->resolve == RESOLVE_OFF || CAN_RESOLVE ? NULL :
	    "this shuttled is built without c-ares, it can only be off";
}

/* IP, IPv4:port or [IPv6]:port. */
static bool
is_resolver_address(const char *text)
{
	char host[ADDR_HOST];
	const char *why;

	return addr_is_ip(text) || (addr_split(text, ADDR_CONNECT, host,
	    sizeof(host), &why) != -1 && addr_is_ip(host));
}

static const char *
read_resolver_list(const char *text, void *to)
{
	struct conf *c = to;

	if (!is_resolver_address(text))
		return "should be an IP address, with a port if it is not 53: "
		    "10.0.0.53, 127.0.0.1:5353 or [::1]:5353";
	if (c->resolvers == CONF_RESOLVERS)
		return "there are more than 8 resolvers";
	c->resolver[c->resolvers++] = text;
	return NULL;
}

static const struct directive table[] = {
#define X	SECTION_TOP
{ X, "workers",	AUTO, TYPE_NUMBER, 0, WORKERS, AUTO ", " AUTO ":N", NULL,
				BY(read_workers) },
{ X, "instance", NULL, TEXT(CONF_INSTANCE - 1, "a name of letters, digits, "
				"dots, '-' and '_'"),
				BY(runtime_files_name_read) },
{ X, "user",	NULL, TEXT(63, "USER or USER:GROUP"), BY(read_user) },
{ X, "chroot", NULL, TEXT(PATH, "the absolute name of a directory"),
				BY(read_chroot) },
{ X, "sandbox", SANDBOX_DEFAULT ? "on" : "off", WORD("on, off"),
				BY(read_sandbox) },
{ X, "log",	NULL, TEXT(PATH, "stderr, syslog, syslog:FACILITY or the "
				"absolute name of a file"), BY(log_values_log) },
{ X, "log_level", "info", WORD(LEVELS), BY(log_values_log_level) },
{ X, "log_format", "text", TYPE_FORMAT, 1, 2000, NULL,
				"text, json, haproxy or words with %{fields}",
				MEMBER(conf, log_format) },
{ X, "log_sessions", "all", TEXT(PATH, LOG_SESSIONS), BY(log_values_log_sessions) },
{ X, "log_interval", "off", TIME(0, YEAR), MEMBER(conf, log_interval) },
{ X, "pidfile",	NULL, TEXT(PATH, "the name of a file"), MEMBER(conf, pidfile) },
{ X, "ports_file", NULL, TEXT(PATH, "the name of a file"),
				MEMBER(conf, ports_file) },
{ X, "engine",	"hybrid", WORD("hybrid, select"), BY(read_engine) },
{ X, "buffers",	"512", NUMBER(1, 1 << 20, "blocks of 64 KiB"),
				MEMBER(conf, buffers) },
{ X, "drain_timeout", "10m", TIME(0, YEAR), MEMBER(conf, drain_timeout) },
{ X, "reload_timeout", "off", TIME(0, YEAR), MEMBER(conf, reload_timeout) },
{ X, "max_generations", "0", NUMBER(0, 1000, "of workers at a time"),
				MEMBER(conf, max_generations) },
{ X, "grace",	"off", TIME(0, YEAR), MEMBER(conf, grace) },
{ X, "max_sessions_per_worker", NULL, NUMBER(1, 300000, "in each worker"),
				MEMBER(conf, sessions) },
{ X, "max_sessions", "0", OF_ALL(100000000),
				MEMBER(conf, max_sessions) },
{ X, "dry_run", "false", BOOL, MEMBER(conf, dry_run) },
{ X, "busy_poll", "0", NUMBER(0, 1000000, "microseconds"),
				MEMBER(conf, busy_poll) },
{ X, "pin_cpus", "false", BOOL, MEMBER(conf, pin_cpus) },
{ X, "resolvers", NULL, TYPE_ADDRESSES, 0, 0, NULL,
				"an IP address, with a port if it is not 53",
				BY(read_resolver_list) },
{ X, "resolve_timeout", "1s", TIME(1, 60 * 1000), MEMBER(conf, resolve_timeout) },
{ X, "resolve_retries", "3", NUMBER(0, 10, NULL), MEMBER(conf, resolve_retries) },
{ X, "resolve_min_ttl", "1s", TIME(10, YEAR), MEMBER(conf, resolve_min_ttl) },
{ X, "resolve_max_ttl", "1h", TIME(10, YEAR), MEMBER(conf, resolve_max_ttl) },
{ X, "resolve_hold", "30s", TIME(0, YEAR), MEMBER(conf, resolve_hold) },
/* The defaults of listeners and pools. */
{ X, "connect_timeout", "5s", TIME(1, YEAR), MEMBER(conf, connect_timeout) },
{ X, "connect_total_timeout", "off", TIME(0, YEAR),
				MEMBER(conf, connect_total_timeout) },
{ X, "retries",	"2", NUMBER(0, SESSION_ATTEMPTS - 1, NULL),
				MEMBER(conf, retries) },
{ X, "idle_timeout", "off", TIME(0, YEAR), MEMBER(conf, limits.idle_timeout) },
{ X, "client_idle_timeout", "off", TIME(0, MONTH),
				MEMBER(conf, limits.side_timeout[CLIENT]) },
{ X, "server_idle_timeout", "off", TIME(0, MONTH),
				MEMBER(conf, limits.side_timeout[SERVER]) },
{ X, "fin_timeout", "1m", TIME(0, YEAR), MEMBER(conf, limits.fin_timeout) },
{ X, "max_lifetime", "off", TIME(0, YEAR), MEMBER(conf, limits.max_lifetime) },
{ X, "lifetime_jitter", "10", NUMBER(0, 50, "percent"),
				MEMBER(conf, limits.lifetime_jitter) },
{ X, "download_rate", "off", RATE, MEMBER(conf, limits.rate[DOWN]) },
{ X, "upload_rate", "off", RATE, MEMBER(conf, limits.rate[UP]) },
{ X, "proxy_header_timeout", "5s", TIME(1, YEAR),
				MEMBER(conf, limits.proxy_header_timeout) },
{ X, "defer_accept", "off", TIME(0, 60 * 1000), BY(read_defer_accept) },
{ X, "fast_open", "false", BOOL, MEMBER(conf, fast_open) },
{ X, "keepalive", "2m", TIME(0, KEEPALIVE), BY(egress_values_top_keepalive) },
{ X, "user_timeout", "5m", TIME(0, DAY), BY(egress_values_top_user_timeout) },
{ X, "balance",	"roundrobin", WORD(ALGORITHMS), BY(read_balance) },
{ X, "check",	"off", WORD(CHECK_WORDS), BY(read_check_kind) },
{ X, "allow",	NULL, NETWORKS, BY(NULL) },
{ X, "deny",	NULL, NETWORKS, BY(NULL) },
{ X, "reject_with",	"close", WORD(REJECTIONS), BY(read_reject_with) },
#undef X
#define X	SECTION_LISTEN
{ X, "address",	NULL, TYPE_ADDRESSES, 0, 0, NULL,
				"host:port, :port or unix:/path; a port may be "
				"LOW-HIGH", BY(NULL) },
{ X, "pool",	NULL, TYPE_POOL, 1, PATH, NULL, "the name of a pool", BY(NULL) },
{ X, "idle_timeout", NULL, TIME(0, YEAR),
				MEMBER(listener, limits.idle_timeout) },
{ X, "client_idle_timeout", NULL, TIME(0, MONTH),
				MEMBER(listener, limits.side_timeout[CLIENT]) },
{ X, "server_idle_timeout", NULL, TIME(0, MONTH),
				MEMBER(listener, limits.side_timeout[SERVER]) },
{ X, "fin_timeout", NULL, TIME(0, YEAR), MEMBER(listener, limits.fin_timeout) },
{ X, "max_lifetime", NULL, TIME(0, YEAR),
				MEMBER(listener, limits.max_lifetime) },
{ X, "lifetime_jitter", NULL, NUMBER(0, 50, "percent"),
				MEMBER(listener, limits.lifetime_jitter) },
{ X, "download_rate", NULL, RATE, MEMBER(listener, limits.rate[DOWN]) },
{ X, "upload_rate", NULL, RATE, MEMBER(listener, limits.rate[UP]) },
{ X, "accept_proxy", NULL, NETWORKS, BY(NULL) },
{ X, "accept_proxy_untrusted", "reject", WORD(PROXY_UNTRUSTED),
				BY(proxy_values_others) },
{ X, "proxy_header_timeout", NULL, TIME(1, YEAR),
				MEMBER(listener, limits.proxy_header_timeout) },
{ X, "defer_accept", NULL, TIME(0, 60 * 1000), BY(read_listener_defer_accept) },
{ X, "fast_open", NULL, BOOL, MEMBER(listener, fast_open) },
{ X, "allow",	NULL, NETWORKS, BY(NULL) },
{ X, "deny",	NULL, NETWORKS, BY(NULL) },
{ X, "reject_with",	NULL, WORD(REJECTIONS), BY(read_listener_reject_with) },
{ X, "max_sessions", "0", OF_ALL(100000000),
				MEMBER(listener, counts.max_sessions) },
{ X, "max_sessions_per_client", "0", OF_ALL(1000000),
				MEMBER(listener, counts.max_per_client) },
{ X, "session_rate", "0", A_SECOND,
				MEMBER(listener, counts.rate) },
{ X, "session_rate_per_client", "0", A_SECOND,
				MEMBER(listener, counts.rate_per_client) },
{ X, "limit", NULL, TYPE_LIMIT, 1, PATH, NULL, "the name of a limit", BY(NULL) },
{ X, "dry_run",	NULL, BOOL, MEMBER(listener, counts.dry_run) },
{ X, "keepalive", NULL, TIME(0, KEEPALIVE),
				BY(egress_values_listen_keepalive) },
{ X, "user_timeout", NULL, TIME(0, DAY),
				BY(egress_values_listen_user_timeout) },
{ X, "v6only",	"false", BOOL, MEMBER(listener, how.v6only) },
{ X, "interface", NULL, INTERFACE, MEMBER(listener, how.interface) },
{ X, "transparent", "false", BOOL, MEMBER(listener, how.transparent) },
{ X, "freebind", "false", BOOL, MEMBER(listener, how.freebind) },
{ X, "backlog",	NULL, NUMBER(1, 1 << 30, "connections"),
				MEMBER(listener, backlog) },
{ X, "dscp",	"0", DSCP, BY(egress_values_listen_dscp) },
{ X, "log",	"global", TEXT(PATH, "global, off, stderr, syslog, "
				"syslog:FACILITY or the absolute name of a file"),
				BY(log_values_listener) },
#undef X
#define X	SECTION_POOL
{ X, "balance",	NULL, WORD(ALGORITHMS), BY(read_pool_balance) },
{ X, "hash_key", "address", WORD("address, address_port"), BY(read_hash_key) },
{ X, "hash_balance_factor", "0", NUMBER(0, 1000, "percent of the mean load"),
				BY(read_hash_factor) },
{ X, "slow_start", "off", TIME(0, YEAR), MEMBER(pool, slow_start) },
{ X, "check",	NULL, WORD(CHECK_WORDS), BY(read_pool_check) },
{ X, "check_send", NULL, TEXT(PATH, "a text, or x: and hexadecimal digits"),
				BY(check_values_send) },
{ X, "check_expect", NULL, TEXT(PATH, "a text, x: and hexadecimal digits, or "
				"~ and a regular expression"),
				BY(check_values_expect) },
{ X, "check_method", "GET", WORD("GET, HEAD"), BY(check_values_method) },
{ X, "check_uri", "/", TEXT(PATH, "a path"), BY(check_values_uri) },
{ X, "check_host", NULL, TEXT(253, "the name of a host"),
				BY(check_values_host) },
{ X, "check_status", "200-399", TEXT(PATH, "statuses and ranges"),
				BY(check_values_status) },
{ X, "check_command", NULL, TEXT(PATH, "a program and its arguments"),
				BY(check_values_command) },
{ X, "check_send_proxy", NULL, WORD(PROXY_VERSIONS), BY(check_values_proxy) },
{ X, "interval", "2s", TIME(10, DAY), MEMBER(pool, check.interval) },
{ X, "fast_interval", NULL, TIME(10, DAY), MEMBER(pool, check.fast_interval) },
{ X, "down_interval", NULL, TIME(10, DAY), MEMBER(pool, check.down_interval) },
{ X, "check_timeout", NULL, TIME(10, DAY), MEMBER(pool, check.timeout) },
{ X, "check_jitter", "10", NUMBER(0, 50, "percent"),
				MEMBER(pool, check.jitter) },
{ X, "rise",	"2", NUMBER(1, 1000, "checks"), MEMBER(pool, check.rise) },
{ X, "fall",	"3", NUMBER(1, 1000, "checks"), MEMBER(pool, check.fall) },
{ X, "init_state", "unknown", WORD(CHECK_STATES), BY(check_values_init_state) },
{ X, "connect_timeout", NULL, TIME(1, YEAR), MEMBER(pool, connect_timeout) },
{ X, "connect_total_timeout", NULL, TIME(0, YEAR),
				MEMBER(pool, connect_total_timeout) },
{ X, "retries",	NULL, NUMBER(0, SESSION_ATTEMPTS - 1, NULL),
				BY(read_pool_retries) },
{ X, "fast_open", NULL, BOOL, MEMBER(pool, fast_open) },
{ X, "keepalive", NULL, TIME(0, KEEPALIVE), BY(egress_values_keepalive) },
{ X, "user_timeout", NULL, TIME(0, DAY), BY(egress_values_user_timeout) },
{ X, "source_address",	NULL, SOURCES, BY(egress_values_source) },
{ X, "transparent", "false", BOOL, MEMBER(pool, egress.transparent) },
{ X, "freebind", "false", BOOL, MEMBER(pool, egress.freebind) },
{ X, "interface", NULL, INTERFACE, MEMBER(pool, egress.interface) },
{ X, "dscp",	"0", DSCP, BY(egress_values_dscp) },
{ X, "queue_timeout", NULL, TIME(1, YEAR), MEMBER(pool, queue_timeout) },
{ X, "unavailable_timeout", "off", TIME(0, YEAR),
				MEMBER(pool, unavailable_timeout) },
{ X, "max_queue", "10000", NUMBER(0, 1000000, "sessions of all workers"),
				MEMBER(pool, max_queue) },
{ X, "max_fails", "1", NUMBER(0, 1000, "attempts"), MEMBER(pool, max_fails) },
{ X, "fail_timeout", "10s", TIME(1, YEAR), MEMBER(pool, fail_timeout) },
{ X, "eject_time", "2s", TIME(1, YEAR), MEMBER(pool, eject_time) },
{ X, "max_ejected_percent", "50", NUMBER(0, 100, "percent of the servers"),
				MEMBER(pool, max_ejected_percent) },
{ X, "min_primaries", "1", NUMBER(1, 1000, "servers"),
				MEMBER(pool, min_primaries) },
{ X, "on_down",	"keep", WORD("keep, close"), BY(read_on_down) },
{ X, "send_proxy", "off", WORD(PROXY_VERSIONS), BY(proxy_values_send) },
{ X, "send_proxy_tlvs", NULL, TYPE_ADDRESSES, 0, 0, NULL,
				"one or more of " PROXY_TLVS,
				BY(proxy_values_tlvs) },
#undef X
#define X	SECTION_SERVER
{ X, "address",	NULL, TYPE_ADDRESS, 0, 0, NULL,
				"host:port, host, unix:/path or builtin:NAME", BY(NULL) },
{ X, "resolve",	"off", WORD("off, on, srv"), BY(read_resolve) },
{ X, "resolve_max", "16", NUMBER(1, CONF_RESOLVE, "servers"),
				MEMBER(server, resolve_max) },
{ X, "weight",	"1", NUMBER(0, SERVER_WEIGHT_MAX, NULL),
				MEMBER(server, weight) },
{ X, "state",	"ready", WORD("ready, drain, maint"), BY(read_state) },
{ X, "backup",	"false", BOOL, BY(read_backup) },
{ X, "max_sessions", "0", OF_ALL(1000000),
				MEMBER(server, max_sessions) },
{ X, "max_fails", NULL, NUMBER(0, 1000, "attempts"),
				BY(read_server_max_fails) },
{ X, "fail_timeout", NULL, TIME(1, YEAR), MEMBER(server, fail_timeout) },
{ X, "check_address", NULL, TEXT(PATH, "host:port or unix:/path"),
				BY(check_values_address) },
{ X, "check_port", "0", NUMBER(0, 65535, "0 is that of the address"),
				MEMBER(server, check_port) },
{ X, "preconnect",	"0", NUMBER(0, SERVER_PRECONNECT_MAX, "connections"),
				MEMBER(server, preconnect) },
{ X, "source_address",	NULL, SOURCES, BY(egress_values_server_source) },
{ X, "transparent", NULL, BOOL, MEMBER(server, egress.transparent) },
{ X, "freebind", NULL, BOOL, MEMBER(server, egress.freebind) },
{ X, "interface", NULL, INTERFACE, MEMBER(server, egress.interface) },
{ X, "dscp",	NULL, DSCP, BY(egress_values_server_dscp) },
{ X, "send_proxy", NULL, WORD(PROXY_VERSIONS), BY(proxy_values_server_send) },
#undef X
#define X	SECTION_LIMIT
{ X, "max_sessions", "0", OF_ALL(100000000),
				MEMBER(session_limit, counts.max_sessions) },
{ X, "max_sessions_per_client", "0", OF_ALL(1000000),
				MEMBER(session_limit, counts.max_per_client) },
{ X, "session_rate", "0", A_SECOND,
				MEMBER(session_limit, counts.rate) },
{ X, "session_rate_per_client", "0", A_SECOND,
				MEMBER(session_limit, counts.rate_per_client) },
{ X, "dry_run",	NULL, BOOL, MEMBER(session_limit, counts.dry_run) },
#undef X
};

const struct directive *
directives(size_t *n)
{
	*n = sizeof(table) / sizeof(*table);
	return table;
}

const struct directive *
directive_find(enum section_kind section, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].section == section &&
		    strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

const struct directive *
directive_inherits(const struct directive *d)
{
	if (d->section == SECTION_TOP || d->fallback != NULL)
		return NULL;
	return directive_find(SECTION_TOP, d->name);
}

/* Defaults are valid: not checked, and nothing can fail. */
void
directives_default(enum section_kind section, void *to)
{
	char why[DIRECTIVE_WHY];
	const struct directive *d;
	size_t n;

	for (d = directives(&n); n > 0; d++, n--)
		if (d->section == section && d->fallback != NULL)
			(void)directive_take(d, d->fallback, to, why);
}

const char *
section_word(enum section_kind kind)
{
	static const char *const words[SECTIONS] = {
		"", "listen", "pool", "server", "limit"
	};

	return words[kind];
}
