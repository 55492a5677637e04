/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_conf_unused.c: what is told to be without effect, and where; and that nothing
 * is told of what has one, or was switched off on purpose.
 */
#include "config.h"
#include "config/conf_unused.h"

#include "config/conf_file.h"
#include "config/conf_make.h"
#include "helpers.h"
#include "config/settings.h"

/* All that goes with one kind of checks or another, a line each. */
#define OF_POOL \
	"hash_key: \"address_port\",\nhash_balance_factor: 125,\n" \
	"slow_start: \"5s\",\ncheck_send: \"a\",\ncheck_expect: \"b\",\n" \
	"check_method: \"HEAD\",\ncheck_uri: \"/x\",\ncheck_host: \"h\",\n" \
	"check_status: \"200\",\ncheck_command: \"/bin/true\",\n" \
	"check_send_proxy: \"v1\",\ninterval: \"1s\",\n" \
	"fast_interval: \"1s\",\ndown_interval: \"1s\",\n" \
	"check_timeout: \"1s\",\ncheck_jitter: 5,\nrise: 1,\nfall: 1,\n" \
	"init_state: \"up\",\non_down: \"close\",\n"
#define OF_SERVER \
	"resolve_max: 2, check_address: \"127.0.0.1:3\", check_port: 3,"

static char directory[100], file[120];
static const char *top = "";		/* what the file begins with */
static const char *in_listener = "";
static const char *listen_on = "\":0\"", *server_at = "127.0.0.1:1";

static void
tell(const char *pool, const char *server, struct diagnostics *cs)
{
	struct conf conf;
	char all[4000];

	snprintf(all, sizeof(all), "{ %slisten: { web: { address: %s, pool: "
	    "\"app\", %s } },\npool: { other: { check: \"tcp\", interval: \"1s\","
	    " server: { a: { address: \"127.0.0.1:1\" } } },\napp: {\n%s"
	    "server: { a: { address: \"%s\", %s } } } } }\n",
	    top, listen_on, in_listener, pool, server_at, server);
	write_file(file, all);
	memset(cs, 0, sizeof(*cs));
	conf_init(&conf);
	conf.foreground = true;
	assert_non_null(conf.settings = settings_new());
	assert_int_equal(conf_file_read(conf.settings, file, false,
	    cs), 0);
	conf_make(&conf, true, cs);
	if (cs->n > 0)
		fail_msg("%s", cs->line[0]);
	conf_unused(&conf, cs);
	conf_free(&conf);
}

/* What comes behind the column. */
static const char *
after_column(const char *text)
{
	text += strspn(text, "0123456789");
	return strncmp(text, ": ", 2) == 0 ? text + 2 : "";
}

/* How many lines; the first is *line* of the file, and begins like this. */
static void
expect(const char *pool, const char *server, size_t n, int line,
    const char *begin)
{
	struct diagnostics cs;
	char want[300];

	tell(pool, server, &cs);
	if (cs.n != n)
		fail_msg("%s: %zu lines: %s", pool, cs.n, cs.n == 0 ? "" :
		    cs.line[0]);
	snprintf(want, sizeof(want), "%s:%d:", file, line);
	if (n > 0 && (strncmp(cs.line[0], want, strlen(want)) != 0 ||
	    strncmp(after_column(cs.line[0] + strlen(want)), begin,
	    strlen(begin)) != 0))
		fail_msg("%s is not %s %s", cs.line[0], want, begin);
	diagnostics_free(&cs);
}

TEST(all)
{
	expect(OF_POOL, OF_SERVER, 23, 4, "hash_key has no effect without "
	    "balance: client, hash or maglev");
	/* The keys, and what is not for this kind. */
	expect("check: \"tcp\"," OF_POOL, OF_SERVER, 10, 4, "hash_key ");
	expect("check: \"http\"," OF_POOL, "", 5, 4, "hash_key ");
	expect("check: \"send_expect\", balance: \"hash\"," OF_POOL, "",
	    5, 9, "check_method has no effect without check: http");
	expect("check: \"exec\", balance: \"maglev\"," OF_POOL, "",
	    7, 5, "hash_balance_factor ");
	expect("check: \"tls\", check_host: \"h\", balance: \"client\", "
	    "hash_key: \"address_port\",", "", 0, 0, "");
	expect("hash_key: \"address\", interval: \"2s\",",
	    "resolve_max: 16, check_port: 0,", 0, 0, "");
}

TEST(off)
{
	expect("", "", 0, 0, "");
	expect("rise: 1,", "", 1, 4, "rise has no effect without check");
	expect("check: \"off\", rise: 1, check_send: \"a\",",
	    "check_port: 3,", 0, 0, "");
	top = "check: \"off\", ";
	expect("rise: 1,", "check_port: 3,", 0, 0, "");
	top = "check: \"tcp\", ";
	expect("rise: 1,", "check_port: 3,", 0, 0, "");
	expect("check_uri: \"/x\",", "", 1, 4, "check_uri has no effect");
	top = "";
	expect("", "resolve_max: 2,", 1, 4, "resolve_max has no effect "
	    "without resolve: on or srv");
	expect("", "resolve: \"off\", resolve_max: 2,", 0, 0, "");
}

/* A reason to refuse somebody, in the listener or at the top. */
TEST(refuse)
{
	in_listener = "reject_with: \"drop\",";
	expect("", "", 1, 1, "reject_with has no effect without allow, deny or "
	    "a");
	in_listener = "reject_with: \"close\",";
	expect("", "", 0, 0, "");
	in_listener = "reject_with: \"drop\", allow: \"::1\",";
	expect("", "", 0, 0, "");
	in_listener = "reject_with: \"drop\",";
	top = "deny: \"::1\", ";
	expect("", "", 0, 0, "");
	top = in_listener = "";
}

TEST(jitter)
{
	in_listener = "lifetime_jitter: 5,";
	expect("", "", 1, 1, "lifetime_jitter has no effect without "
	    "max_lifetime");
	top = "max_lifetime: \"1h\", ";
	expect("", "", 0, 0, "");
	top = "";
	in_listener = "lifetime_jitter: 5, max_lifetime: \"off\",";
	expect("", "", 0, 0, "");
	in_listener = "";
}

TEST(proxy)
{
	expect("send_proxy: \"v1\", send_proxy_tlvs: \"crc32c\",", "", 1, 4,
	    "send_proxy_tlvs has no effect without send_proxy: v2");
	expect("send_proxy_tlvs: \"crc32c\",", "send_proxy: \"v2\",", 0, 0,
	    "");
	in_listener = "accept_proxy_untrusted: \"plain\", "
	    "proxy_header_timeout: \"1s\",";
	expect("", "", 2, 1, "accept_proxy_untrusted has no effect without "
	    "accept_proxy in the listener");
	in_listener = "accept_proxy_untrusted: \"plain\", accept_proxy: "
	    "\"all\",";
	expect("", "", 0, 0, "");
	in_listener = "";
}

TEST(builtin)
{
	server_at = "builtin:echo";
	expect("send_proxy: \"v1\",", "", 1, 4, "server a is builtin and "
	    "takes the header for data; add send_proxy: off there");
	expect("", "send_proxy: \"v2\",", 1, 4, "server a is builtin");
	expect("send_proxy: \"v1\",", "send_proxy: \"off\"", 0, 0, "");
	expect("check: \"tcp\",", "check_port: 3,", 2, 4, "check has no "
	    "effect without a server that is not builtin");
	expect("", "check_port: 3,", 1, 4, "check_port has no effect without "
	    "a server that is not builtin");
	expect("check: \"tcp\",", "}, b: { address: \"unix:/tmp/x\",", 0, 0,
	    "");
	server_at = "127.0.0.1:1";
}

TEST(checks)
{
	top = "check: \"tcp\", ";
	expect("", "check_address: \"127.0.0.1:2\", check_port: 3,", 1, 4,
	    "the port of check_address has no effect: check_port is 3");
	expect("", "check_address: \"127.0.0.1:2\", check_port: 2,", 0, 0,
	    "");
	expect("", "check_address: \"unix:/tmp/x\", check_port: 3,", 1, 4,
	    "check_port has no effect: a unix socket has none");
	top = "";
	expect("check: \"send_expect\",", "", 1, 3, "pool app: send_expect "
	    "does no more than tcp without check_send or check_expect");
}

TEST(no_sessions)
{
	expect("", "weight: 0 }, b: { address: \"127.0.0.1:2\", state: "
	    "\"maint\",", 1, 3, "pool app has no usable server");
	expect("", "weight: 0 }, b: { address: \"127.0.0.1:2\",", 0, 0, "");
	expect("balance: \"first\",", "weight: 2,", 1, 4, "weight has no "
	    "effect without a balance other than \"first\"");
	expect("max_queue: 0, queue_timeout: \"1s\",", "", 1, 4,
	    "queue_timeout has no effect without max_queue of 1 or more");
	expect("max_fails: 0, fail_timeout: \"1s\", eject_time: \"1s\", "
	    "max_ejected_percent: 10,", "", 3, 4, "fail_timeout has no effect "
	    "without max_fails of 1 or more");
	expect("max_ejected_percent: 0, eject_time: \"1s\",", "", 1, 4,
	    "eject_time has no effect without max_ejected_percent of 1 or "
	    "more");
}

TEST(said_twice)
{
	in_listener = "allow: [\"::1\", \"!::2\", \"::1\"],";
	expect("", "", 1, 1, "allow has \"::1\" twice; remove one of them");
	in_listener = "allow: [\"::1\", \"::2\"], deny: [\"::2\", \"::3\"],";
	expect("", "", 1, 1, "\"::2\" in allow has no effect: it is in deny, "
	    "too");
	in_listener = "allow: \"none\", deny: \"none\",";
	expect("", "", 0, 0, "");
	in_listener = "";
	expect("source_address: [\"127.0.0.1\", \"127.0.0.1\"],", "", 1, 4,
	    "source_address has \"127.0.0.1\" twice");
}

/* What is said of names and their answers. */
TEST(resolve)
{
	top = "resolvers: \"::1\", ";
	expect("", "", 1, 1, "resolvers has no effect without resolve: on "
	    "or srv in a server");
	expect("", "resolve: \"on\",", 0, 0, "");
	top = "resolve_min_ttl: \"2s\", resolve_max_ttl: \"1s\", ";
	expect("", "resolve: \"on\",", 1, 1, "resolve_min_ttl has no effect: "
	    "resolve_max_ttl is less");
	top = "resolve_min_ttl: \"2h\", ";
	expect("", "resolve: \"on\",", 1, 1, "resolve_min_ttl has no effect");
	/* Below the default of the other, which was not asked for. */
	top = "resolve_max_ttl: \"10ms\", ";
	expect("", "resolve: \"on\",", 0, 0, "");
	top = "";
}

/* What only sockets of a network have. */
#define OF_SOCKET	"keepalive: \"1m\", user_timeout: \"1m\", interface: " \
	"\"lo\", transparent: true, dscp: \"ef\","

TEST(unix_listener)
{
	in_listener = OF_SOCKET "defer_accept: \"1s\", fast_open: true, "
	    "v6only: true, backlog: 5,";
	expect("", "", 0, 0, "");
	listen_on = "\"unix:/tmp/x\"";
	expect("", "", 8, 1, "keepalive has no effect without an address "
	    "of IPv4 or IPv6");
	listen_on = "[\"unix:/tmp/x\", \":0\"]";
	expect("", "", 0, 0, "");
	/* What all have anyway. */
	listen_on = "\"unix:/tmp/x\"";
	in_listener = "keepalive: \"3m\", fast_open: false,";
	top = "keepalive: \"3m\", ";
	expect("", "", 0, 0, "");
	top = in_listener = "";
	listen_on = "\":0\"";
}

TEST(v6only)
{
	in_listener = "v6only: true,";
	listen_on = "[\"127.0.0.1:0\", \"[::1]:0\", \"0.0.0.0:0\"]";
	expect("", "", 1, 1, "v6only has no effect without the address :PORT "
	    "or [::]:PORT");
	listen_on = "[\"127.0.0.1:0\", \"[::]:0\"]";
	expect("", "", 0, 0, "");
	in_listener = "";
	listen_on = "\":0\"";
}

TEST(no_network)
{
	expect(OF_SOCKET, "", 0, 0, "");
	server_at = "unix:/tmp/x";
	expect(OF_SOCKET, "", 5, 4, "keepalive has no effect without a server "
	    "with an address of IPv4 or IPv6");
	expect("source_address: \"127.0.0.1\",", "}, b: { address: "
	    "\"127.0.0.1:2\",", 0, 0, "");
	expect("", "dscp: 1,", 1, 4, "dscp has no effect without an address "
	    "of IPv4 or IPv6");
	server_at = "127.0.0.1:1";
}

/* A limit that another one reaches first; not one that is the same. */
TEST(limits)
{
	top = "max_sessions: 9, ";
	in_listener = "max_sessions: 10,";
	expect("", "", 1, 1, "max_sessions has no effect: max_sessions at the "
	    "top is 9");
	in_listener = "max_sessions: 9, max_sessions_per_client: 9,";
	expect("", "", 0, 0, "");
	top = "";
	in_listener = "max_sessions: 9, max_sessions_per_client: 10, "
	    "session_rate: 5, session_rate_per_client: 6,";
	expect("", "", 2, 1, "max_sessions_per_client has no effect: "
	    "max_sessions is 9");
	in_listener = "session_rate: 5, session_rate_per_client: 6,";
	expect("", "", 1, 1, "session_rate_per_client has no effect: "
	    "session_rate is 5");
	in_listener = "max_sessions_per_client: 10, session_rate_per_client: "
	    "6,";
	expect("", "", 0, 0, "");
	in_listener = "";
}

/* Exceptions alone are nobody, here and at the top. */
TEST(exceptions)
{
	in_listener = "allow: [\"!::1\", \"!127.0.0.1\"],";
	expect("", "", 1, 1, "allow is an empty list: there are only "
	    "exceptions; add \"all\"");
	in_listener = "allow: [\"!::1\", \"all\"], deny: \"none\",";
	expect("", "", 0, 0, "");
	in_listener = "";
	top = "deny: \"!::1\", ";
	expect("", "", 1, 1, "deny is an empty list");
	top = "";
}

TEST(ejection)
{
	expect("max_fails: 0,\nfail_timeout: \"1s\", eject_time: \"1s\", "
	    "max_ejected_percent: 5,", "", 3, 5, "fail_timeout has no effect "
	    "without max_fails of 1 or more");
	expect("eject_time: \"1s\", max_fails: 2,", "", 0, 0, "");
	expect("max_fails: 0, eject_time: \"1s\",", "max_fails: 1,", 0, 0,
	    "");
	expect("", "max_fails: 0, fail_timeout: \"1s\",", 1, 4,
	    "fail_timeout has no effect without max_fails of 1 or more");
	expect("max_fails: 0,", "fail_timeout: \"1s\",", 1, 4,
	    "fail_timeout has no effect without max_fails of 1 or more");
	expect("min_primaries: 2,", "", 1, 4, "min_primaries has no effect "
	    "without backup: true in a server");
	expect("min_primaries: 2,", "backup: true,", 0, 0, "");
}

/* Limits of listeners refuse: nobody waits for them. */
TEST(waiting)
{
	in_listener = "max_sessions: 5,";
	expect("queue_timeout: \"1s\", max_queue: 3,", "", 2, 4,
	    "queue_timeout has no effect without max_sessions in a server, "
	    "check");
	in_listener = "";
	expect("queue_timeout: \"1s\",", "max_sessions: 5,", 0, 0, "");
	expect("queue_timeout: \"1s\", check: \"tcp\",", "", 0, 0, "");
}

/* A limit that is shared by nobody, limits nothing, or is only to be tried. */
TEST(limits_that_are_shared)
{
	top = "limit: { both: { max_sessions: 1 } },\n";
	expect("", "", 1, 1, "limit both has no effect: no listener has");
	in_listener = "limit: \"both\", reject_with: \"reset\",";
	expect("", "", 0, 0, "");
	top = "limit: { both: { } },\n";
	expect("", "", 1, 1, "limit both has no effect: it limits nothing");
	top = "limit: { both: { dry_run: true, session_rate: 1 } },\n";
	in_listener = "limit: \"both\", dry_run: true,";
	expect("", "", 1, 2, "dry_run has no effect without a limit");
	in_listener = "limit: \"both\",";
	top = "dry_run: true, limit: { both: { session_rate: 1 } },\n";
	expect("", "", 0, 0, "");
	in_listener = "";
	top = "dry_run: true,\n";
	expect("", "", 1, 1, "dry_run has no effect without a limit");
	top = "";
}

TEST(service)
{
	static const char says[] = "pool app has no usable server: all "
	    "are in drain or maint, or have weight 0";

	expect("", "weight: 0,", 1, 3, says);
	expect("", "state: \"drain\",", 1, 3, says);
	expect("", "state: \"maint\", backup: true,", 1, 3, says);
	expect("", "weight: 0 }, b: { address: \"127.0.0.1:2\", backup: "
	    "true,", 0, 0, "");
}

int
set_up_all(void)
{
	make_dir(directory, sizeof(directory));
	snprintf(file, sizeof(file), "%s/file.yaml", directory);
	return 0;
}

int
tear_down_all(void)
{
	remove_dir(directory);
	return 0;
}
