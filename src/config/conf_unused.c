/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_unused.c: a table of what each directive requires to have an effect. For
 * example, `interval` without `check` gives the false impression of checks.
 */
#include "config/conf_unused.h"

#include <string.h>
#include <syslog.h>

#include "config/conf_unused_limits.h"
#include "config/settings.h"
#include "upstream/balance.h"

/* The conditions, as an operator would write them. */
#define NEEDS(X) \
	X(CHECK, "check: tcp or another kind in the pool") \
	X(SEND_EXPECT, "check: send_expect") \
	X(HTTP, "check: http") \
	X(HTTP_OR_TLS, "check: http or tls") \
	X(EXEC, "check: exec") \
	X(WEIGHTS, "a balance other than \"first\"") \
	X(QUEUE, "max_queue of 1 or more") \
	X(FAILS, "max_fails of 1 or more") \
	X(EJECTED, "max_ejected_percent of 1 or more") \
	X(KEY, "balance: client, hash or maglev") \
	X(HASH, "balance: hash") \
	X(RESOLVE, "resolve: on or srv") \
	X(REJECTION, "allow, deny or a limit") \
	X(LIFETIME, "max_lifetime") \
	X(LIMIT, "a limit") \
	X(BACKUP, "backup: true in a server") \
	X(RESOLVED, "resolve: on or srv in a server") \
	X(CHECKED, "a server that is not builtin") \
	X(NETWORK, "an address of IPv4 or IPv6") \
	X(WAITING, "max_sessions in a server, check, resolve or " \
	    "unavailable_timeout") \
	X(NETWORK_SERVER, "a server with an address of IPv4 or IPv6") \
	X(SOURCE_ADDRESS, "source_address") \
	X(ALL_IPV6, "the address :PORT or [::]:PORT") \
	X(ACCEPT_PROXY, "accept_proxy in the listener") \
	X(SESSION_LINES, "lines of sessions: log_sessions other than none, " \
	    "and log_level info or debug") \
	X(SEND_PROXY, "send_proxy: v2 in the pool or a server")

enum need {				/* those of checks come first */
#define X(name, text) NEED_##name,
	NEEDS(X)
#undef X
};

static const struct rule {
	enum section_kind section;
	const char	*name;
	enum need	 need;
} rules[] = {
	{ SECTION_TOP, "resolvers", NEED_RESOLVED },
	{ SECTION_TOP, "resolve_timeout", NEED_RESOLVED },
	{ SECTION_TOP, "resolve_retries", NEED_RESOLVED },
	{ SECTION_TOP, "resolve_min_ttl", NEED_RESOLVED },
	{ SECTION_TOP, "resolve_max_ttl", NEED_RESOLVED },
	{ SECTION_TOP, "resolve_hold", NEED_RESOLVED },
	{ SECTION_POOL, "hash_key", NEED_KEY },
	{ SECTION_POOL, "hash_balance_factor", NEED_HASH },
	{ SECTION_POOL, "slow_start", NEED_CHECK },
	{ SECTION_POOL, "check", NEED_CHECKED },
	{ SECTION_POOL, "check_send", NEED_SEND_EXPECT },
	{ SECTION_POOL, "check_expect", NEED_SEND_EXPECT },
	{ SECTION_POOL, "check_method", NEED_HTTP },
	{ SECTION_POOL, "check_uri", NEED_HTTP },
	{ SECTION_POOL, "check_host", NEED_HTTP_OR_TLS },
	{ SECTION_POOL, "check_status", NEED_HTTP },
	{ SECTION_POOL, "check_command", NEED_EXEC },
	{ SECTION_POOL, "check_send_proxy", NEED_CHECK },
	{ SECTION_POOL, "interval", NEED_CHECK },
	{ SECTION_POOL, "fast_interval", NEED_CHECK },
	{ SECTION_POOL, "down_interval", NEED_CHECK },
	{ SECTION_POOL, "check_timeout", NEED_CHECK },
	{ SECTION_POOL, "check_jitter", NEED_CHECK },
	{ SECTION_POOL, "rise", NEED_CHECK },
	{ SECTION_POOL, "fall", NEED_CHECK },
	{ SECTION_POOL, "init_state", NEED_CHECK },
	{ SECTION_POOL, "on_down", NEED_CHECK },
	{ SECTION_POOL, "queue_timeout", NEED_QUEUE },
	{ SECTION_POOL, "queue_timeout", NEED_WAITING },
	{ SECTION_POOL, "unavailable_timeout", NEED_QUEUE },
	{ SECTION_POOL, "max_queue", NEED_WAITING },
	{ SECTION_POOL, "fail_timeout", NEED_FAILS },
	{ SECTION_POOL, "eject_time", NEED_FAILS },
	{ SECTION_POOL, "eject_time", NEED_EJECTED },
	{ SECTION_POOL, "max_ejected_percent", NEED_FAILS },
	{ SECTION_POOL, "min_primaries", NEED_BACKUP },
	{ SECTION_POOL, "send_proxy_tlvs", NEED_SEND_PROXY },
	{ SECTION_TOP, "dry_run", NEED_LIMIT },
	{ SECTION_LISTEN, "dry_run", NEED_LIMIT },
	{ SECTION_LIMIT, "dry_run", NEED_LIMIT },
	{ SECTION_LISTEN, "proxy_header_timeout", NEED_ACCEPT_PROXY },
	{ SECTION_LISTEN, "accept_proxy_untrusted", NEED_ACCEPT_PROXY },
	{ SECTION_LISTEN, "log", NEED_SESSION_LINES },
	{ SECTION_SERVER, "resolve_max", NEED_RESOLVE },
	{ SECTION_SERVER, "weight", NEED_WEIGHTS },
	{ SECTION_SERVER, "fail_timeout", NEED_FAILS },
	{ SECTION_SERVER, "check_address", NEED_CHECKED },
	{ SECTION_SERVER, "check_address", NEED_CHECK },
	{ SECTION_SERVER, "check_port", NEED_CHECKED },
	{ SECTION_SERVER, "check_port", NEED_CHECK },
	{ SECTION_LISTEN, "lifetime_jitter", NEED_LIFETIME },
	{ SECTION_LISTEN, "reject_with", NEED_REJECTION },
	{ SECTION_LISTEN, "defer_accept", NEED_NETWORK },
	{ SECTION_LISTEN, "fast_open", NEED_NETWORK },
	{ SECTION_LISTEN, "keepalive", NEED_NETWORK },
	{ SECTION_LISTEN, "user_timeout", NEED_NETWORK },
	{ SECTION_LISTEN, "v6only", NEED_ALL_IPV6 },
	{ SECTION_LISTEN, "interface", NEED_NETWORK },
	{ SECTION_LISTEN, "transparent", NEED_NETWORK },
	{ SECTION_LISTEN, "freebind", NEED_NETWORK },
	{ SECTION_LISTEN, "dscp", NEED_NETWORK },
	{ SECTION_POOL, "keepalive", NEED_NETWORK_SERVER },
	{ SECTION_POOL, "user_timeout", NEED_NETWORK_SERVER },
	{ SECTION_POOL, "source_address", NEED_NETWORK_SERVER },
	{ SECTION_POOL, "transparent", NEED_NETWORK_SERVER },
	{ SECTION_POOL, "freebind", NEED_SOURCE_ADDRESS },
	{ SECTION_POOL, "interface", NEED_NETWORK_SERVER },
	{ SECTION_POOL, "dscp", NEED_NETWORK_SERVER },
	{ SECTION_SERVER, "source_address", NEED_NETWORK },
	{ SECTION_SERVER, "transparent", NEED_NETWORK },
	{ SECTION_SERVER, "freebind", NEED_SOURCE_ADDRESS },
	{ SECTION_SERVER, "interface", NEED_NETWORK },
	{ SECTION_SERVER, "dscp", NEED_NETWORK },
};

/* Longer lists are not compared item by item. */
#define BY_HAND		1000

static bool
is_by_key(const struct pool *p)
{
	return p->balance == balance_algorithm("client") ||
	    p->balance == balance_algorithm("hash") ||
	    p->balance == balance_algorithm("maglev");
}

/* True if it is set in the section, even to off. */
static bool
is_said(const struct section *s, const char *name)
{
	return section_get(s, directive_find(s->kind, name)) != NULL;
}

/* True if it is set here, or at the top, or by an option. */
static bool
is_said_for(const struct settings *st, const struct section *s,
    const char *name)
{
	return is_said(s, name) || is_said(st->section[SETTINGS_FILES], name) ||
	    is_said(st->section[SETTINGS_OPTIONS], name);
}

/* True if this listener may refuse a client. */
static bool
may_reject(const struct settings *st, const struct section *s)
{
	static const char *const reasons[] = { "allow", "deny",
	    "accept_proxy", "max_sessions", "max_sessions_per_client",
	    "session_rate", "session_rate_per_client", "limit" };
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (is_said_for(st, s, reasons[i]))
			return true;
	return false;
}

static bool
is_builtin_address(const char *address)
{
	return strncmp(address, "builtin:", 8) == 0;
}

static bool
is_network(const char *address)
{
	return strncmp(address, "unix:", 5) != 0 &&
	    !is_builtin_address(address);
}

static bool
is_no_builtin(const char *address)
{
	return !is_builtin_address(address);
}

/* True if one of its addresses is of this kind, or is missing. */
static bool
has_address(const struct section *s, bool (*like)(const char *))
{
	const struct value *v = section_get(s, directive_find(s->kind,
	    "address"));
	size_t i;

	for (i = 0; v != NULL && i < v->n; i++)
		if (like(v->text[i]))
			return true;
	return v == NULL || v->n == 0;
}

/* True if the server, or one of the pool, has it. */
static bool
has_server(const struct settings *st, const struct section *s,
    bool (*like)(const char *))
{
	size_t i;

	if (s->kind != SECTION_POOL)
		return has_address(s, like);
	for (i = 0; i < st->sections; i++)
		if (st->section[i]->pool == s &&
		    has_address(st->section[i], like))
			return true;
	return false;
}

/* True if sessions may wait: for room, a first check, or a lookup. */
static bool
may_wait(const struct conf *c, const struct pool *p)
{
	const struct server *b;
	bool may = p->checked || p->unavailable_timeout != 0;
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++) {
		b = &c->server[i];
		may |= b->max_sessions != 0 || b->lookup != 0;
	}
	return may;
}

/* True if a server is a backup, or answers of a service may make it one. */
static bool
has_backup(const struct conf *c, const struct pool *p)
{
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++)
		if (c->server[i].tier == TIER_BACKUP ||
		    c->server[i].resolve == RESOLVE_SRV)
			return true;
	return false;
}

/* True if failures eject this server, or one of the pool. */
static bool
may_eject(const struct conf *c, const struct pool *p, const struct section *s)
{
	bool server = s->kind == SECTION_SERVER;
	size_t i = server ? s->first : p->first;
	size_t end = i + (server ? s->servers : p->n);

	for (; i < end; i++)
		if (c->server[i].own_fails ? c->server[i].max_fails > 0 :
		    p->max_fails > 0)
			return true;
	return false;
}

/* True for a server of this pool, or of any (NULL). */
static bool
is_said_by_server(const struct settings *st, const struct section *pool,
    const char *name)
{
	size_t i;

	for (i = 0; i < st->sections; i++)
		if (st->section[i]->kind == SECTION_SERVER &&
		    (pool == NULL || st->section[i]->pool == pool) &&
		    is_said(st->section[i], name))
			return true;
	return false;
}

/* It is set only for listeners that it applies to. */
static bool
is_v6only(const struct conf *c, const char *label)
{
	size_t i;

	for (i = 0; i < c->listeners; i++)
		if (strcmp(c->listener[i].label, label) == 0 &&
		    c->listener[i].how.v6only)
			return true;
	return false;
}

/* Only session lines go to the log of a listener. */
static bool
has_session_lines(const struct conf *c)
{
	return c->log_level >= LOG_DEBUG || (c->log_level >= LOG_INFO &&
	    (c->log_errors || c->log_every > 0 || c->log_interval > 0));
}

static bool
holds_need(enum need need, const struct conf *c, const struct pool *p,
    const struct section *s)
{
	const struct settings *st = c->settings;

	switch (need) {
	case NEED_CHECK:
		return p->check.kind != CHECK_OFF;
	case NEED_SEND_EXPECT:
		return p->check.kind == CHECK_SEND_EXPECT;
	case NEED_HTTP:
		return p->check.kind == CHECK_HTTP;
	case NEED_HTTP_OR_TLS:
		return p->check.kind == CHECK_HTTP || p->check.kind == CHECK_TLS;
	case NEED_EXEC:
		return p->check.kind == CHECK_EXEC;
	case NEED_WEIGHTS:
		return p->balance != balance_algorithm("first") ||
		    s->servers == 0 || c->server[s->first].weight == 0;
	case NEED_QUEUE:
		return p->max_queue > 0;
	case NEED_FAILS:
		return may_eject(c, p, s);
	case NEED_EJECTED:
		return p->max_ejected_percent > 0;
	case NEED_KEY:
		return is_by_key(p);
	case NEED_HASH:
		return p->balance == balance_algorithm("hash");
	case NEED_RESOLVE:
		return is_said(s, "resolve");
	case NEED_REJECTION:
		return may_reject(st, s);
	case NEED_LIFETIME:
		return is_said_for(st, s, "max_lifetime");
	case NEED_LIMIT:
		return conf_has_limit(st, s);
	case NEED_BACKUP:
		return has_backup(c, p);
	case NEED_RESOLVED:
		return is_said_by_server(st, NULL, "resolve");
	case NEED_CHECKED:
		return has_server(st, s, is_no_builtin);
	case NEED_WAITING:
		return p->max_queue == 0 || may_wait(c, p);
	case NEED_NETWORK:
	case NEED_NETWORK_SERVER:
		return has_server(st, s, is_network);
	case NEED_SOURCE_ADDRESS:
		return is_said(s, "source_address") || is_said_by_server(st, s,
		    "source_address") || (s->pool != NULL && is_said(s->pool,
		    "source_address"));
	case NEED_ALL_IPV6:
		return is_v6only(c, s->name);
	case NEED_ACCEPT_PROXY:
		return is_said(s, "accept_proxy");
	case NEED_SESSION_LINES:
		return has_session_lines(c);
	case NEED_SEND_PROXY:
		return p->sends_proxy == 2;
	}
	return true;
}

/* "Off" may be temporary, and is not an oversight. */
static bool
is_off(const struct settings *st, const struct section *pool)
{
	return is_said_for(st, pool, "check");
}

/* True if it equals the default. -T writes all values. */
static bool
is_default(const struct settings *st, const struct value *v)
{
	const struct directive *top = directive_inherits(v->directive);
	const char *fallback = top != NULL ? top->fallback :
	    v->directive->fallback;
	const struct value *of_all = top == NULL ? NULL :
	    section_get(st->section[SETTINGS_FILES], top);

	if (of_all != NULL && of_all->n > 0)
		fallback = of_all->text[0];
	return fallback != NULL && v->n > 0 &&
	    strcmp(v->text[0], fallback) == 0;
}

/* *quiet*: no diagnostics about checks. */
static void
check_section(const struct conf *c, const struct section *s,
    const struct pool *p, bool quiet, struct diagnostics *cs)
{
	static const char *const texts[] = {
#define X(name, text) text,
		NEEDS(X)
#undef X
	};
	const struct rule *r;
	const struct value *v, *told = NULL;

	for (r = rules; r < rules + sizeof(rules) / sizeof(*rules); r++) {
		if (r->section != s->kind ||
		    (v = section_get(s, directive_find(s->kind, r->name))) ==
		    NULL || v == told || is_default(c->settings, v) ||
		    holds_need(r->need, c, p, s) ||
		    (quiet && r->need <= NEED_EXEC))
			continue;
		told = v;
		diagnostics_add_at(cs, &v->place, "%s has no effect without %s",
		    r->name, texts[r->need]);
	}
}

/*
 * Builtin servers read no header: echo returns it, the others take it as data.
 */
static void
check_builtin(const struct conf *c, const struct section *s,
    struct diagnostics *cs)
{
	const struct value *v = section_get(s, directive_find(SECTION_SERVER,
	    "send_proxy"));

	if (s->servers == 0 || c->server[s->first].send_proxy == 0 ||
	    has_address(s, is_no_builtin))
		return;
	if (v == NULL)
		v = section_get(s->pool, directive_find(SECTION_POOL,
		    "send_proxy"));
	diagnostics_add_at(cs, &v->place, "server %s is builtin and takes the "
	    "header for data; add send_proxy: off there", s->name);
}

/* The maximum wins: set alone it is meant, unlike the default minimum. */
static void
check_ttls(const struct conf *c, const struct section *s,
    struct diagnostics *cs)
{
	const struct value *v = section_get(s, directive_find(SECTION_TOP,
	    "resolve_min_ttl"));

	if (v != NULL && c->resolve_min_ttl > c->resolve_max_ttl)
		diagnostics_add_at(cs, &v->place, "resolve_min_ttl has no "
		    "effect: resolve_max_ttl is less; lower one, or raise the "
		    "other");
}

/* The port of a check can be set in two ways. */
static void
check_port(const struct conf *c, const struct section *s,
    struct diagnostics *cs)
{
	const struct value *v = section_get(s, directive_find(SECTION_SERVER,
	    "check_port"));
	const struct server *b;
	const struct addr *a;

	if (v == NULL || s->servers == 0)
		return;
	b = &c->server[s->first];
	a = b->check_addr.len > 0 ? &b->check_addr : &b->addr;
	if (b->check_port != 0 && addr_is_unix(a))
		diagnostics_add_at(cs, &v->place, "check_port has no effect: a "
		    "unix socket has none");
	else if (b->check_port != 0 && a == &b->check_addr &&
	    addr_port(a) != b->check_port)
		diagnostics_add_at(cs, &v->place, "the port of check_address "
		    "has no effect: check_port is %u; remove one of them",
		    b->check_port);
}

/* Items that are listed twice. */
static void
check_twice(const struct value *v, struct diagnostics *cs)
{
	size_t i, k;

	if (v->n > BY_HAND)
		return;
	for (i = 1; i < v->n; i++)
		for (k = 0; k < i; k++)
			if (strcmp(v->text[i], v->text[k]) == 0)
				diagnostics_add_at(cs, &v->place,
				    "%s has \"%s\" twice; remove one of them",
				    v->directive->name, v->text[i]);
}

/* A client in both lists, in the same words, is refused. */
static void
check_both(const struct section *s, struct diagnostics *cs)
{
	const struct value *a, *d;
	size_t i, k;

	a = section_get(s, directive_find(s->kind, "allow"));
	d = section_get(s, directive_find(s->kind, "deny"));
	if (a == NULL || d == NULL || a->n > BY_HAND || d->n > BY_HAND)
		return;
	for (i = 0; i < a->n; i++)
		for (k = 0; k < d->n; k++)
			if (a->text[i][0] != '!' &&
			    strcmp(a->text[i], "none") != 0 &&
			    strcmp(a->text[i], d->text[k]) == 0)
				diagnostics_add_at(cs, &a->place,
				    "\"%s\" in allow has no effect: it is in "
				    "deny, too", a->text[i]);
}

/*
 * A list of exceptions only. allow: "!192.0.2.7" is meant as all others, but
 * means none.
 */
static void
check_lists(const struct section *s, struct diagnostics *cs)
{
	const struct value *v;
	size_t i, k;

	if (s->kind == SECTION_TOP || s->kind == SECTION_LISTEN)
		check_both(s, cs);
	for (k = 0; k < s->values; k++) {
		v = &s->value[k];
		check_twice(v, cs);
		for (i = 0; i < v->n && v->text[i][0] == '!'; i++)
			;
		if (v->directive->type == TYPE_NETWORKS && i == v->n)
			diagnostics_add_at(cs, &v->place, "%s is an empty "
			    "list: there are only exceptions; add \"all\", or "
			    "what they are exceptions of", v->directive->name);
	}
}

/*
 * The pool needs a usable server, and send_expect something to send or expect.
 */
static void
check_pool_is_useful(const struct conf *c, const struct section *s,
    const struct pool *p, struct diagnostics *cs)
{
	uint32_t i = p->first, end = p->first + p->n;

	if (p->check.kind == CHECK_SEND_EXPECT && p->check.send == NULL &&
	    p->check.expect == NULL)
		diagnostics_add_at(cs, &s->place, "pool %s: send_expect does "
		    "no more than tcp without check_send or check_expect",
		    s->name);
	while (i < end && (c->server[i].state != SERVER_READY ||
	    c->server[i].weight == 0))
		i++;
	/* Perhaps on purpose, but every client would be rejected. */
	if (i == end)
		diagnostics_add_at(cs, &s->place, "pool %s has no usable "
		    "server: all are in drain or maint, or have weight 0",
		    s->name);
}

void
conf_unused(const struct conf *c, struct diagnostics *cs)
{
	const struct settings *st = c->settings;
	const struct pool *p = NULL;
	const struct section *s;
	bool quiet = false;
	size_t i, pools = 0;

	/* Pools are numbered in the order of their sections. */
	for (i = 0; i < st->sections; i++) {
		s = st->section[i];
		if (s->kind == SECTION_POOL) {
			p = &c->pool[pools++];
			quiet = p->check.kind == CHECK_OFF && is_off(st, s);
		}
		check_section(c, s, p, quiet, cs);
		if (s->kind == SECTION_TOP)
			check_ttls(c, s, cs);
		if (s->kind == SECTION_POOL)
			check_pool_is_useful(c, s, p, cs);
		if (s->kind == SECTION_LISTEN)
			conf_unused_limits(c, s, cs);
		if (s->kind == SECTION_LIMIT)
			conf_unused_limit(c, s, cs);
		if (s->kind == SECTION_SERVER) {
			check_builtin(c, s, cs);
			check_port(c, s, cs);
		}
		check_lists(s, cs);
	}
}
