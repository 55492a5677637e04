/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_conf.c: what addresses and times are read into, and what is said of the
 * mistakes. No name is looked up for real: "twins" has two addresses, other
 * names have none.
 */
#include "config/conf.h"
#include "config/conf_slots.h"
#include "config/directives.h"
#include "config/log_values.h"

#include <netdb.h>

#include "helpers.h"

/* Such addresses are not of this machine; -1: none are. */
static int	lacking;

int
__wrap_socket_can_bind(const struct addr *a, const char *interface)
{
	(void)interface;
	if (lacking != -1 && a->sa.sa_family != lacking)
		return 0;
	errno = EADDRNOTAVAIL;
	return -1;
}

static int	fail_lookup;		/* the next call gives this */
static struct addrinfo twins[2];
static struct sockaddr_in twin[2];
static struct sockaddr_in6 other = { .sin6_family = AF_INET6,
    .sin6_addr.s6_addr[15] = 5 };

int
__wrap_getaddrinfo(const char *host, const char *port,
    const struct addrinfo *hints, struct addrinfo **list)
{
	struct addrinfo numeric = *hints;
	int i, err = fail_lookup;

	fail_lookup = 0;
	if (err != 0)
		return err;
	numeric.ai_flags |= AI_NUMERICHOST;
	if (strcmp(host, "twins") != 0 && strcmp(host, "both") != 0)
		return __real_getaddrinfo(host, port, &numeric, list);
	for (i = 0; i < 2; i++) {
		twin[i].sin_family = AF_INET;
		twin[i].sin_addr.s_addr = htonl(0x0a000001 + (uint32_t)i);
		twins[i].ai_family = AF_INET;
		twins[i].ai_addr = (struct sockaddr *)&twin[i];
		twins[i].ai_addrlen = sizeof(twin[i]);
		twins[i].ai_next = i == 0 ? &twins[1] : NULL;
	}
	if (strcmp(host, "both") == 0) {
		twins[1].ai_family = AF_INET6;
		twins[1].ai_addr = (struct sockaddr *)&other;
		twins[1].ai_addrlen = sizeof(other);
	}
	*list = twins;
	return 0;
}

void
__wrap_freeaddrinfo(struct addrinfo *list)
{
	if (list != twins)
		__real_freeaddrinfo(list);
}

static struct conf conf;
static struct server like;		/* what all servers are like */
static const char *why;

int
set_up(void)
{
	struct pool pool = { .attempts = 1 };

	memset(&conf, 0xa5, sizeof(conf));
	conf_init(&conf);
	memset(&like, 0, sizeof(like));
	like.weight = 1;
	why = NULL;
	fail_lookup = 0;
	lacking = AF_UNSPEC;
	return conf_add_pool(&conf, &pool, &why);
}

int
tear_down(void)
{
	conf_free(&conf);
	return 0;
}

static int
server(struct conf *c, const char *text, const char **reason)
{
	return conf_add_server(c, &like, text, reason);
}

static int
listener(struct conf *c, const char *text, const char **reason)
{
	static const struct listener plain = { .label = "web", .pool = 3 };

	return conf_add_listener(c, &plain, text, reason);
}

static void
add_server(const char *text)
{
	if (server(&conf, text, &why) != 0)
		fail_msg("%s: %s", text, why);
}

static void
add_named(const char *text, const char *name)
{
	strlcpy(like.name, name, sizeof(like.name));
	add_server(text);
	like.name[0] = '\0';
}

static void
add_listener(const char *text)
{
	if (listener(&conf, text, &why) != 0)
		fail_msg("%s: %s", text, why);
}

/* A mistake: nothing is added, and the text says what is right. */
static void
refuse(int (*add)(struct conf *, const char *, const char **),
    const char *text, const char *reason)
{
	size_t servers = conf.servers, listeners = conf.listeners;
	size_t builtins = conf.builtins;

	why = NULL;
	assert_int_equal(add(&conf, text, &why), -1);
	assert_non_null(why);
	if (strstr(why, reason) == NULL)
		fail_msg("%s: %s", text, why);
	assert_int_equal(conf.servers, servers);
	assert_int_equal(conf.listeners, listeners);
	assert_int_equal(conf.builtins, builtins);
	assert_int_equal(conf.pool->n, servers);
}

TEST(listeners)
{
	static const char *const texts[] = {
		"127.0.0.1:0", ":8080", "[::1]:443", "unix:/run/x.sock"
	}, *const names[] = {
		"127.0.0.1:0", "[::]:8080", "[::1]:443", "unix:/run/x.sock"
	};
	size_t i;

	for (i = 0; i < COUNT(texts); i++)
		add_listener(texts[i]);
	assert_int_equal(conf.listeners, COUNT(texts));
	/* In the order given: the ports file relies on it. */
	for (i = 0; i < COUNT(texts); i++) {
		assert_string_equal(conf.listener[i].name, names[i]);
		assert_int_equal(conf.listener[i].fd, -1);
		assert_int_equal(conf.listener[i].builtin, BUILTIN_NONE);
		assert_string_equal(conf.listener[i].label, "web");
		assert_int_equal(conf.listener[i].pool, 3);
	}
	add_listener("twins:81");
	assert_int_equal(conf.listeners, COUNT(texts) + 2);
	assert_string_equal(conf.listener[4].name, "10.0.0.1:81");
	assert_string_equal(conf.listener[5].name, "10.0.0.2:81");
	refuse(listener, "builtin:hello", "is for servers");
	refuse(listener, "1.2.3.4", "host:port");
	refuse(listener, "nowhere:80", "");
	refuse(listener, "*:8080", "has this address");
	refuse(listener, "unix:/run/x.sock", "has this address");
	add_listener("127.0.0.1:0");
}

/* As where IPv6 is switched off, and the name has an address of it all the same. */
TEST(addresses_of_this_machine)
{
	struct listener later = { .how.freebind = true };

	lacking = AF_INET6;
	add_listener("both:80");
	assert_int_equal(conf.listeners, 1);
	assert_string_equal(conf.listener[0].name, "10.0.0.1:80");
	assert_int_equal(conf.absents, 1);
	assert_string_equal(conf.absent[0], "[::5]:80");
	lacking = -1;
	refuse(listener, "both:81", "none of the addresses of this name");
	assert_int_equal(conf.absents, 1);
	/* An address is what was asked for. */
	add_listener("[::5]:82");
	assert_int_equal(conf_add_listener(&conf, &later, "both:83", &why), 0);
	assert_int_equal(conf.listeners, 4);
}

TEST(most_listeners)
{
	int i;

	for (i = 0; i < CONF_LISTENERS - 1; i++)
		add_listener("127.0.0.1:0");
	/* Two at once, where there is room for one. */
	refuse(listener, "twins:80", "more than 4096 listeners");
	add_listener("127.0.0.1:0");
	refuse(listener, "127.0.0.1:0", "more than 4096 listeners");
}

/* A range of ports is that many listeners, of each address of a name. */
TEST(port_ranges)
{
	add_listener("127.0.0.1:8000-8002");
	assert_int_equal(conf.listeners, 3);
	assert_string_equal(conf.listener[0].name, "127.0.0.1:8000");
	assert_string_equal(conf.listener[2].name, "127.0.0.1:8002");
	refuse(listener, "127.0.0.1:7999-8000", "another listener has this");
	refuse(listener, "127.0.0.1:9-8", "LOW-HIGH");
	refuse(listener, "127.0.0.1:1-4095", "more than 4096 listeners");
	refuse(server, "127.0.0.1:80-81", "from 1 to 65535");
}

/* Clients bring the port of a server that has none. */
TEST(without_a_port)
{
	add_server("127.0.0.1");
	add_server("[::1]");
	add_server("127.0.0.1");
	add_server("twins");
	add_server("127.0.0.1:80");
	assert_int_equal(conf.servers, 6);
	assert_string_equal(conf.server[0].name, "127.0.0.1");
	assert_string_equal(conf.server[1].name, "[::1]");
	assert_string_equal(conf.server[2].name, "127.0.0.1#2");
	assert_true(conf.server[0].client_port);
	assert_true(conf.server[1].client_port);
	assert_true(conf.server[4].client_port);
	assert_false(conf.server[5].client_port);
	assert_int_equal(addr_port(&conf.server[4].addr), 0);
	conf.workers = 1;
	like.resolve_max = 1;
	like.resolve = RESOLVE_ON;
	add_named("moves.test", "r");
	assert_true(conf.server[conf.servers - 1].client_port);
	like.resolve = RESOLVE_SRV;
	add_named("_x._tcp.test", "s");
	assert_false(conf.server[conf.servers - 1].client_port);
}

TEST(servers)
{
	struct server *b;
	char text[ADDR_TEXT];

	add_server("127.0.0.1:81");
	like.weight = 7;
	like.tier = TIER_BACKUP;
	like.preconnect = 3;
	add_named("[::1]:83", "spare");
	add_server("twins:84");
	assert_int_equal(conf.servers, 4);
	assert_int_equal(conf.pool->n, 4);
	assert_int_equal(conf.builtins, 0);
	b = conf.server;
	assert_string_equal(b[0].name, "127.0.0.1:81");
	assert_string_equal(addr_format(&b[0].addr, text, sizeof(text)),
	    "127.0.0.1:81");
	assert_int_equal(b[0].weight, 1);
	assert_int_equal(b[0].tier, TIER_PRIMARY);
	assert_string_equal(b[1].name, "spare");
	assert_string_equal(addr_format(&b[1].addr, text, sizeof(text)),
	    "[::1]:83");
	assert_int_equal(b[1].weight, 7);
	assert_int_equal(b[3].weight, 7);
	assert_int_equal(b[3].tier, TIER_BACKUP);
	assert_int_equal(b[3].preconnect, 3);
}

/* A name is its servers that there is a source for, as one of IPv4 here. */
TEST(sources)
{
	assert_true(endpoint_read(&like.egress.source[0], "10.0.0.9"));
	like.egress.sources = 1;
	add_server("both:80");
	assert_int_equal(conf.servers, 1);
	assert_int_equal(conf.server->addr.sa.sa_family, AF_INET);
	refuse(server, "[::1]:80", "this is IPv6, and no source is");
}

/* Each pool has those that were added after it. */
TEST(pools)
{
	struct pool second = { .name = "second", .attempts = 3 };
	int i;

	add_server("127.0.0.1:81");
	assert_int_equal(conf_add_pool(&conf, &second, &why), 0);
	add_server("127.0.0.1:81");
	add_server("builtin:echo");
	assert_int_equal(conf.pools, 2);
	assert_int_equal(conf.pool[0].n, 1);
	assert_int_equal(conf.pool[1].first, 1);
	assert_int_equal(conf.pool[1].n, 2);
	assert_int_equal(conf.pool[1].attempts, 3);
	assert_int_equal(conf.server[0].pool, 0);
	assert_int_equal(conf.server[2].pool, 1);
	for (i = 2; i < CONF_POOLS; i++)
		assert_int_equal(conf_add_pool(&conf, &second, &why), 0);
	assert_int_equal(conf_add_pool(&conf, &second, &why), -1);
	assert_non_null(strstr(why, "4096 pools"));
}

/* Names in the log must tell servers apart. */
TEST(names)
{
	add_server("127.0.0.1:81");
	add_server("127.0.0.1:81");
	add_server("127.0.0.1:81");
	add_named("twins:82", "app/t");
	add_server("twins:83");
	assert_int_equal(conf.servers, 7);
	assert_string_equal(conf.server[1].name, "127.0.0.1:81#2");
	assert_string_equal(conf.server[2].name, "127.0.0.1:81#3");
	assert_string_equal(conf.server[3].name, "app/t");
	assert_string_equal(conf.server[4].name, "app/t#2");
	assert_string_equal(conf.server[5].name, "10.0.0.1:83");
	assert_string_equal(conf.server[6].name, "10.0.0.2:83");
}

static const struct {
	const char *text, *why;
} bad_servers[] = {
	{ "", "host:port" },
	{ "127.0.0.1:", "from 1 to 65535" },
	{ "::1", "needs brackets" },
	{ ":80", "the host is missing" },
	{ "127.0.0.1:0", "from 1 to 65535" },
	{ "builtin:", "builtin:hello" },
	{ "builtin:chargen", "builtin:hello" },
	{ "builtin:none", "builtin:hello" },
};

TEST(bad_servers)
{
	size_t i;

	for (i = 0; i < COUNT(bad_servers); i++)
		refuse(server, bad_servers[i].text, bad_servers[i].why);
	like.preconnect = 1;
	refuse(server, "builtin:hello", "not for builtin");
}

/* An address that is no name because of its length needs one. */
TEST(long_addresses)
{
	char text[200] = "unix:/";

	/* The longest path that there can be is a name too, and so is its #2. */
	memset(text + 6, 'p', sizeof(conf.server->addr.un.sun_path) - 2);
	add_server(text);
	assert_string_equal(conf.server[0].name, text);
	add_server(text);
	strcat(text, "#2");
	assert_string_equal(conf.server[1].name, text);
}

TEST(builtins)
{
	const struct listener *l;
	char text[ADDR_TEXT];
	size_t i;

	add_server("127.0.0.1:81");
	add_server("builtin:hello");
	add_named("builtin:echo", "e");
	add_server("builtin:discard");
	add_server("builtin:hello");
	assert_int_equal(conf.servers, 5);
	assert_int_equal(conf.builtins, 4);
	assert_int_equal(conf.listeners, 0);
	assert_string_equal(conf.server[1].name, "builtin:hello");
	assert_string_equal(conf.server[2].name, "e");
	assert_string_equal(conf.server[4].name, "builtin:hello#2");
	for (i = 0; i < 4; i++) {
		l = &conf.builtin[i];
		/* Whose port the server's address will be. */
		assert_int_equal(l->server, i + 1);
		assert_int_equal(l->fd, -1);
		assert_string_equal(addr_format(&l->addr, text, sizeof(text)),
		    "127.0.0.1:0");
	}
	assert_int_equal(conf.builtin[0].builtin, BUILTIN_HELLO);
	assert_int_equal(conf.builtin[1].builtin, BUILTIN_ECHO);
	assert_int_equal(conf.builtin[2].builtin, BUILTIN_DISCARD);
	assert_int_equal(conf.builtin[3].builtin, BUILTIN_HELLO);
}

TEST(most_servers)
{
	char text[40];
	int i;

	for (i = 0; i < BOARD_SERVERS; i++) {
		snprintf(text, sizeof(text), "10.0.%d.%d:80", i / 256,
		    i % 256);
		add_server(text);
	}
	refuse(server, "10.1.1.1:80", "more than 32768 servers");
	refuse(server, "builtin:echo", "more than 32768 servers");
}

static const struct {
	const char *text;
	uint64_t    ms;
} times[] = {
	{ "0", 0 }, { "off", 0 }, { "0ms", 0 }, { "0h", 0 },
	{ "1ms", 1 }, { "300ms", 300 }, { "5s", 5000 }, { "010s", 10000 },
	{ "1m", 60000 }, { "90m", 5400000 }, { "1h", 3600000 },
	/* The most is a year. */
	{ "8784h", UINT64_C(8784) * 3600000 },
	{ "31622400000ms", UINT64_C(31622400000) },
};

static const char *const bad_times[] = {
	"", "5", "s", "ms", "-1s", "+1s", " 1s", "1 s", "1s ", "1.5s", "1S",
	"1d", "1sec", "1h30m", "0x1s", "Off", "8785h", "31622400001ms",
	"18446744073709551615ms", "18446744073709551616s",
	"99999999999999999999999h", "5124095576030432h",
};

TEST(times)
{
	uint64_t ms;
	size_t i;

	for (i = 0; i < COUNT(times); i++) {
		ms = 77;
		assert_int_equal(directive_time(times[i].text, &ms, &why), 0);
		assert_int_equal(ms, times[i].ms);
	}
	for (i = 0; i < COUNT(bad_times); i++) {
		why = NULL;
		assert_int_equal(directive_time(bad_times[i], &ms, &why), -1);
		assert_non_null(why);
		assert_non_null(strstr(why, "300ms"));
	}
}

TEST(log_sessions)
{
	static const struct {
		const char *text;
		unsigned    every;
		bool	    errors;
	} good[] = {
		{ "all", 1, true }, { "errors", 0, true },
		{ "none", 0, false }, { "1/2", 2, true },
		{ "1/1000000", 1000000, true },
	};
	static const char *const bad[] = {
		"", "al", "none ", "ALL", "1/", "1/1", "1/0", "1/-2", "1/ 2",
		"1/1000001", "2/3", "1/2/3", "10", "5%",
	};
	struct conf c;
	size_t i;

	conf_init(&c);
	for (i = 0; i < COUNT(good); i++) {
		assert_null(log_values_log_sessions(good[i].text, &c));
		assert_int_equal(c.log_every, good[i].every);
		assert_int_equal(c.log_errors, good[i].errors);
	}
	for (i = 0; i < COUNT(bad); i++)
		assert_non_null(log_values_log_sessions(bad[i], &c));
	conf_free(&c);
}

static int
add_resolved(const char *name, const char *text, enum server_resolve how)
{
	struct server b = { .weight = 1, .resolve = how, .resolve_max = 3 };

	strlcpy(b.name, name, sizeof(b.name));
	return conf_add_server(&conf, &b, text, &why);
}

/* Nothing is looked up here, and there is room for what will be found. */
TEST(resolved)
{
	uint64_t lookup, where;
	uint32_t n;

	fail_lookup = EAI_FAIL;
	conf.workers = 1;
	/* Three at a time, and room for those that went and have sessions. */
	assert_int_equal(add_resolved("s", "a.test:80", RESOLVE_ON), 0);
	assert_int_equal(conf.dns_name->max, 3);
	n = conf.dns_name->n;
	assert_true(n > 3);
	assert_int_equal(conf.servers, n);
	assert_string_equal(conf.server[0].name, "s#1");
	assert_string_equal(conf.server[2].name, "s#3");
	assert_string_equal(conf.dns_name->host, "a.test");
	assert_int_equal(conf.dns_name->port, 80);
	lookup = conf.server[0].lookup;
	where = conf.server[0].where;
	assert_true(lookup != 0 && conf.server[n - 1].lookup == lookup);
	assert_int_equal(add_resolved("", "_x._tcp.test", RESOLVE_SRV), 0);
	assert_string_equal(conf.server[n].name, "_x._tcp.test#1");
	assert_true(conf.dns_name[1].srv && conf.dns_name[1].first == n);
	/* The same for the same; at another port it is at another address. */
	assert_int_equal(add_resolved("t", "a.test:80", RESOLVE_ON), 0);
	assert_true(conf.server[2 * n].lookup == lookup);
	assert_true(conf.server[2 * n].where == where);
	assert_int_equal(add_resolved("u", "a.test:81", RESOLVE_ON), 0);
	assert_true(conf.server[3 * n].lookup == lookup);
	assert_true(conf.server[3 * n].where != where);
	assert_int_equal(add_resolved("w", "b.test:80", RESOLVE_ON), 0);
	assert_true(conf.server[4 * n].lookup != lookup);
	fail_lookup = 0;
	/* What is an address has no name to look up. */
	assert_int_equal(add_resolved("v", "[::1]:80", RESOLVE_ON), 0);
	assert_int_equal(conf.servers, 5 * n + 1);
	assert_string_equal(conf.server[5 * n].name, "v");
	assert_int_equal(conf.server[5 * n].lookup, 0);
	assert_int_equal(conf.dns_names, 5);
}

/* As another generation of the same configuration. */
static uint32_t
sit_down(struct board *b, uint32_t generation, const char *text,
    enum server_resolve how)
{
	uint32_t slot;

	conf_free(&conf);
	conf_init(&conf);
	conf.workers = 1;
	assert_int_equal(conf_add_pool(&conf, &(struct pool){ .name = "p" },
	    &why), 0);
	assert_int_equal(add_resolved("s", text, how), 0);
	assert_null(conf_assign_slots(&conf, b, generation, 1));
	slot = conf.server[0].slot;
	return slot;
}

/* A server at another address has another slot, with its own sessions. */
TEST(slots_by_address)
{
	struct board *b = board_new(100, NULL);
	uint32_t first;

	first = sit_down(b, 1, "127.0.0.1:80", RESOLVE_OFF);
	assert_int_not_equal(sit_down(b, 2, "127.0.0.2:80", RESOLVE_OFF), first);
	assert_int_not_equal(sit_down(b, 3, "127.0.0.1:81", RESOLVE_OFF), first);
	assert_int_equal(sit_down(b, 4, "127.0.0.1:80", RESOLVE_OFF), first);
	board_free(b);
}

/* Where the first server of the latest generation is; "": nothing is known. */
static const char *
where_is(const struct board *b, uint32_t i)
{
	static char text[ADDR_TEXT];
	struct resolved_addr resolved;
	struct addr a;

	resolved_addr_read(&b->book[conf.server[i].slot].resolved, &resolved);
	if (resolved.lookup != conf.server[i].lookup)
		return "";
	if (!resolved_addr_serves(&resolved))
		return "down";
	resolved_addr_to_addr(&resolved, &a);
	return addr_format(&a, text, sizeof(text));
}

/*
 * What a name was found to mean goes along to another port, and to another name of
 * the server, from the last that knew it; but not to another host.
 */
TEST(addresses_go_along)
{
	struct board *b = board_new(16, NULL);
	struct resolved_addr resolved = { .family = AF_INET, .ip =
	    { 127, 0, 0, 5 },
	    .port = 80, .weight = 1 };
	uint32_t slot = sit_down(b, 1, "a.test:80", RESOLVE_ON);

	assert_string_equal(where_is(b, 0), "");
	resolved.lookup = conf.server[0].lookup;
	resolved_addr_write(&b->book[slot].resolved, &resolved);
	assert_int_not_equal(sit_down(b, 2, "a.test:81", RESOLVE_ON), slot);
	assert_string_equal(where_is(b, 0), "127.0.0.5:81");
	assert_string_equal(where_is(b, 1), "down");
	resolved.ip[3] = 6;
	resolved_addr_write(&b->book[conf.server[0].slot].resolved, &resolved);
	fail_lookup = EAI_AGAIN;
	sit_down(b, 3, "a.test:82", RESOLVE_OFF);
	assert_string_equal(conf.server[0].name, "s");
	assert_string_equal(where_is(b, 0), "127.0.0.6:82");
	sit_down(b, 4, "b.test:81", RESOLVE_ON);
	assert_string_equal(where_is(b, 0), "");
	board_free(b);
}

/* A name that fails is no error: it is looked up again until it succeeds. */
TEST(name_fails)
{
	uint32_t i;

	conf.workers = 1;
	fail_lookup = EAI_AGAIN;
	assert_int_equal(add_resolved("s", "twins:80", RESOLVE_OFF), 0);
	assert_true(conf.dns_names == 1 && conf.dns_name->once);
	assert_string_equal(conf.dns_name->why, gai_strerror(EAI_AGAIN));
	assert_int_equal(conf.servers, ADDR_OF_HOST);
	assert_string_equal(conf.server[0].name, "s");
	assert_string_equal(conf.server[1].name, "s#2");
	for (i = 0; i < ADDR_OF_HOST; i++)
		assert_true(conf.server[i].lookup != 0);
	/* An error of our own is one, and so is what is no address at all. */
	fail_lookup = EAI_MEMORY;
	assert_int_equal(add_resolved("t", "twins:80", RESOLVE_OFF), -1);
	assert_int_equal(add_resolved("u", "twins:", RESOLVE_OFF), -1);
	assert_int_equal(conf.dns_names, 1);
}

/* Where it was the last time it still is; where it never was nothing is. */
TEST(name_fails_at_a_reload)
{
	struct board *b = board_new(16, NULL);

	sit_down(b, 1, "twins:80", RESOLVE_OFF);
	assert_int_equal(conf.servers, 2);
	fail_lookup = EAI_AGAIN;
	sit_down(b, 2, "twins:81", RESOLVE_OFF);
	assert_int_equal(conf.servers, ADDR_OF_HOST);
	assert_string_equal(where_is(b, 0), "10.0.0.1:81");
	assert_string_equal(where_is(b, 1), "10.0.0.2:81");
	assert_string_equal(where_is(b, 2), "down");
	/* Another name says nothing of it: that is down, and not pending. */
	fail_lookup = EAI_NONAME;
	sit_down(b, 3, "others:81", RESOLVE_OFF);
	assert_string_equal(where_is(b, 0), "down");
	board_free(b);
}

TEST(badly_resolved)
{
	static const struct {
		const char *text;
		enum server_resolve how;
		const char *why;
	} bad[] = {
		{ "a.test:", RESOLVE_ON, "1 to 65535" },
		{ ":80", RESOLVE_ON, "host is missing" },
		{ "a.test:0", RESOLVE_ON, "1 to 65535" },
		{ "builtin:echo", RESOLVE_ON, "no name to resolve" },
		{ "unix:/run/x", RESOLVE_ON, "no name to resolve" },
		{ "a.test:80", RESOLVE_SRV, "such as _http._tcp" },
		{ "", RESOLVE_SRV, "such as _http._tcp" },
	};
	size_t i;

	conf.workers = 1;
	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(add_resolved("s", bad[i].text, bad[i].how),
		    -1);
		assert_non_null(strstr(why, bad[i].why));
	}
	assert_int_equal(conf.servers, 0);
	/* There is nobody who would do it again. */
	conf.workers = 0;
	assert_int_equal(add_resolved("s", "_x._tcp.test", RESOLVE_SRV), -1);
	assert_int_equal(add_resolved("s", "127.0.0.1:80", RESOLVE_ON), 0);
	assert_false(conf.dns_names > 0 || conf.server->lookup != 0);
}

TEST(resolvers)
{
	static const char *const good[] = { "10.0.0.1", "10.0.0.1:53", "::1",
	    "[::1]:5353" };
	static const char *const bad[] = { "", "a.test", "a.test:53",
	    "10.0.0.1:0", "[::1]", "10.0.0:53" };
	const struct directive *d = directive_find(SECTION_TOP, "resolvers");
	char wrong[DIRECTIVE_WHY];
	size_t i;

	for (i = 0; i < COUNT(good); i++)
		assert_int_equal(directive_read(d, good[i], &conf, wrong), 0);
	assert_int_equal(conf.resolvers, COUNT(good));
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(directive_read(d, bad[i], &conf, wrong), -1);
	assert_int_equal(conf.resolvers, COUNT(good));
}

TEST(out_of_memory)
{
	add_listener("127.0.0.1:80");
	add_server("127.0.0.1:80");
	alloc_fail(0);
	refuse(listener, "127.0.0.1:81", strerror(ENOMEM));
	assert_true(alloc_failed());
	alloc_fail(0);
	refuse(server, "127.0.0.1:81", strerror(ENOMEM));
	assert_true(alloc_failed());
	/* And it goes on as if nothing had been. */
	add_listener("127.0.0.1:81");
	add_server("127.0.0.1:81");
	assert_string_equal(conf.server[0].name, "127.0.0.1:80");
	assert_string_equal(conf.server[1].name, "127.0.0.1:81");
	assert_string_equal(conf.listener[1].name, "127.0.0.1:81");
}

TEST(builtin_without_memory)
{
	add_server("builtin:echo");
	/* The list of servers, then that of their listeners. */
	alloc_fail(0);
	refuse(server, "builtin:echo", strerror(ENOMEM));
	alloc_fail(1);
	refuse(server, "builtin:echo", strerror(ENOMEM));
	assert_true(alloc_failed());
	fail_lookup = EAI_MEMORY;
	refuse(server, "builtin:echo", gai_strerror(EAI_MEMORY));
	add_server("builtin:echo");
	assert_int_equal(conf.builtin[1].server, 1);
}
