/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_directives.c: walks the table. Each directive is put into a file at its least
 * and its most, beyond both, as what it is not, twice, misspelt, in the wrong
 * place and not at all; what is wrong has to be told with file, line and name.
 * And doc/shuttled.yaml.5 has to say the same as the table.
 */
#include "config.h"
#include "config/directives.h"

#include <pwd.h>

#include "upstream/balance.h"
#include "net/cidr.h"
#include "config/conf_file.h"
#include "config/conf_make.h"
#include "helpers.h"

static char directory[100], file[120], other[120];
static struct diagnostics diagnostics;
static struct conf conf;

static unsigned processors = 2;

static unsigned quota;		/* of a container; 0: none */

unsigned
__wrap_cpu_quota(const char *groups, const char *root)
{
	(void)groups;
	(void)root;
	return quota;
}

unsigned
__wrap_processors_count(void)
{
	return processors;
}

/* Where write_conf() puts the text. */
static const int lines[SECTIONS] = {
	[SECTION_TOP] = 1, [SECTION_POOL] = 3, [SECTION_SERVER] = 5,
	[SECTION_LISTEN] = 8, [SECTION_LIMIT] = 10
};

/* A whole configuration, with *text* as a line of this section. */
static void
write_conf(enum section_kind kind, const char *text)
{
	char all[8000];
	const char *end = text[0] == '\0' ? "" : ",";
	bool address = strncmp(text, "address", 7) == 0;
	bool service = strstr(text, ": \"srv\"") != NULL;

#define IN(section)	kind == section ? text : "", kind == section ? end : ""
	snprintf(all, sizeof(all), "{ %s%s\n"
	    "pool: { app: {\n%s%s\n"
	    "server: { a: {\n%s%s\n%s } } } },\n"
	    "listen: { web: {\n%s%s\n%s } }, "
	    "limit: { both: {\n%s%s\n} } }\n",
	    IN(SECTION_TOP), IN(SECTION_POOL), IN(SECTION_SERVER),
	    service ? "address: \"_x._tcp.test\"" :
	    kind == SECTION_SERVER && address ? "" : "address: \"127.0.0.1:1\"",
	    IN(SECTION_LISTEN),
	    kind == SECTION_LISTEN && address ? "" : "address: \":0\"",
	    IN(SECTION_LIMIT));
#undef IN
	write_file(file, all);
}

int
tear_down(void)
{
	conf_free(&conf);
	conf_init(&conf);
	diagnostics_free(&diagnostics);
	return 0;
}

static void
read_conf(void)
{
	tear_down();
	conf.foreground = true;
	assert_non_null(conf.settings = settings_new());
	if (conf_file_read(conf.settings, file, false, &diagnostics) == 0)
		conf_make(&conf, true, &diagnostics);
}

static void
accept_line(enum section_kind kind, const char *text)
{
	write_conf(kind, text);
	read_conf();
	if (diagnostics.all > 0)
		fail_msg("%s: %s", text, diagnostics.line[0]);
}

/* The first diagnostic is of that line, and has these two texts. */
static void
refuse_line(enum section_kind kind, const char *text, const char *one,
    const char *two)
{
	char place[160];

	write_conf(kind, text);
	read_conf();
	if (diagnostics.n == 0)
		fail_msg("%s: is taken", text);
	snprintf(place, sizeof(place), "%s:%d:", file, lines[kind]);
	if (strncmp(diagnostics.line[0], place, strlen(place)) != 0 ||
	    strstr(diagnostics.line[0], one) == NULL ||
	    strstr(diagnostics.line[0], two) == NULL)
		fail_msg("%s: %s", text, diagnostics.line[0]);
	assert_int_equal(diagnostics.of_files, diagnostics.all);
	assert_int_equal(diagnostics.all, 1);
}

/* --- values ---------------------------------------------------------------- */

enum which { BELOW, LEAST, MOST, ABOVE };

/* Does it begin with a slash? */
static bool
is_path(const struct directive *d)
{
	static const char *const names[] = {
		"log", "chroot", "check_uri", "check_command"
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (strcmp(d->name, names[i]) == 0)
			return true;
	return false;
}

/* Those of a form of their own: too short, shortest, longest, too long. */
static const char *
sample(const struct directive *d, enum which which)
{
	static const struct {
		const char *name;
		const char *text[4];
	} samples[] = {
		{ "log_sessions", { "1/1", "1/2", "1/1000000", "1/1000001" } },
		{ "check_status", { "99", "100", "200-299,999", "200-1000" } },
		{ "send_proxy_tlvs", { "id", "none", "crc32c", "crc" } },
		{ "check_address", { "a", "127.0.0.1:1", "[::1]:65535",
		    "[::1]:65536" } },
	};
	size_t i;

	for (i = 0; i < COUNT(samples); i++)
		if (strcmp(d->name, samples[i].name) == 0)
			return samples[i].text[which];
	return NULL;
}

/* A text of so many bytes that is right but for its length. */
static void
fill(const struct directive *d, long long length, char *buf)
{
	memset(buf, 'x', (size_t)length);
	buf[length] = '\0';
	if (is_path(d) && length > 1)
		buf[0] = '/';
}

static const char *
time_of(long long ms, char *buf, size_t size)
{
	if (ms == 0)
		return "off";
	snprintf(buf, size, "%lldms", ms);
	return buf;
}

/* The value as a file has it; false: there is none of that sort. */
static bool
value_of(const struct directive *d, enum which which, char *buf, size_t size)
{
	char text[2100], *end;
	long long n = which == BELOW ? d->min - 1 : which == LEAST ? d->min :
	    which == MOST ? d->max : d->max + 1;
	bool inside = which == LEAST || which == MOST;

	switch (d->type) {
	case TYPE_NUMBER:
		snprintf(buf, size, "%lld", n);
		return true;
	case TYPE_TIME:
		snprintf(buf, size, "\"%s\"", time_of(n, text, sizeof(text)));
		return true;
	case TYPE_SIZE:
		snprintf(buf, size, "\"%lld\"", n);
		return n != 0;		/* that is off */
	case TYPE_BOOL:
		strlcpy(buf, which == LEAST ? "false" : "true", size);
		return inside;
	case TYPE_WORD:
		strlcpy(text, which == LEAST ? d->words :
		    strrchr(d->words, ' ') == NULL ? d->words :
		    strrchr(d->words, ' ') + 1, sizeof(text));
		if (inside && !CAN_RESOLVE && strcmp(d->name, "resolve") == 0)
			strlcpy(text, "off", sizeof(text));
		if ((end = strchr(text, ',')) != NULL)
			*end = '\0';
		snprintf(buf, size, "\"%s%s\"", text, inside ? "" : "x");
		return true;
	case TYPE_TEXT:
		if (sample(d, which) != NULL)
			strlcpy(text, sample(d, which), sizeof(text));
		else if (inside && strcmp(d->name, "user") == 0)
			strlcpy(text, getpwuid(geteuid())->pw_name,
			    sizeof(text));
		else if (which == LEAST && is_path(d))
			strlcpy(text, "/", sizeof(text));
		else
			fill(d, n, text);
		snprintf(buf, size, "\"%s\"", text);
		return true;
	case TYPE_FORMAT:
		if (which == BELOW || which == LEAST) {
			strlcpy(buf, inside ? "\"json\"" : "\"jsn\"", size);
			return true;
		}
		fill(d, n, text);
		memcpy(text, "%{end}", 6);
		snprintf(buf, size, "\"%s\"", text);
		return true;
	case TYPE_LIMIT:
		strlcpy(buf, inside ? "\"both\"" : "\"bot\"", size);
		return true;
	case TYPE_POOL:
		strlcpy(buf, inside ? "\"app\"" : "\"ap\"", size);
		return true;
	case TYPE_NETWORKS:
		strlcpy(buf, inside ? "\"!10.0.0.0/8\"" : "\"10.0.0.1/8\"",
		    size);
		return true;
	default:
		if (sample(d, which) != NULL) {
			snprintf(buf, size, "\"%s\"", sample(d, which));
			return true;
		}
		strlcpy(buf, inside ? "\"127.0.0.1:0\"" : "\"non:sense\"", size);
		if (inside && (d->type == TYPE_ADDRESS ||
		    d->section == SECTION_TOP))
			strlcpy(buf, "\"127.0.0.1:1\"", size);
		if (inside && strcmp(d->name, "source_address") == 0)
			strlcpy(buf, "\"127.0.0.1\"", size);
		return true;
	}
}

/* The same text in other quotes, or in quotes at all. */
static void
write_otherwise(const struct directive *d, const char *value, char *line,
    size_t size)
{
	if (value[0] == '"')
		snprintf(line, size, "%s: '%.*s'", d->name,
		    (int)strlen(value) - 2, value + 1);
	else
		snprintf(line, size, "%s: \"%s\"", d->name, value);
}

TEST(ranges)
{
	const struct directive *d;
	char value[2200], line[2300];
	enum which which;
	size_t n;

	for (d = directives(&n); n > 0; d++, n--)
		for (which = BELOW; which <= ABOVE; which++) {
			if (!value_of(d, which, value, sizeof(value)))
				continue;
			snprintf(line, sizeof(line), "%s: %s", d->name, value);
			if (which != LEAST && which != MOST) {
				refuse_line(d->section, line, d->name, " \"");
				continue;
			}
			accept_line(d->section, line);
			/* The type is the directive's, not that of quotes. */
			if (strstr(value, "srv") != NULL)
				continue;
			write_otherwise(d, value, line, sizeof(line));
			accept_line(d->section, line);
		}
}

/* What became of it: the same members that the options set. */
TEST(members)
{
	accept_line(SECTION_TOP, "buffers: 32, log_level: \"err\", "
	    "idle_timeout: \"2s\", fast_open: true, retries: 0, "
	    "defer_accept: \"1500ms\", log: \"/x\", engine: \"select\"");
	assert_int_equal(conf.buffers, 32);
	assert_int_equal(conf.log_level, LOG_ERR);
	assert_string_equal(conf.log, "/x");
	assert_string_equal(conf.engine->name, "select");
	assert_int_equal(conf.listener->limits.idle_timeout, 2000);
	assert_int_equal(conf.listener->defer_accept, 2);
	assert_true(conf.listener->fast_open);
	assert_true(conf.pool->fast_open);
	assert_int_equal(conf.pool->attempts, 1);
	accept_line(SECTION_LISTEN, "idle_timeout: \"3s\", fast_open: true, "
	    "fin_timeout: \"off\", defer_accept: \"1s\"");
	assert_int_equal(conf.listener->limits.idle_timeout, 3000);
	assert_int_equal(conf.listener->limits.fin_timeout, 0);
	assert_int_equal(conf.listener->defer_accept, 1);
	assert_true(conf.listener->fast_open);
	assert_false(conf.pool->fast_open);
	assert_string_equal(conf.listener->label, "web");
	accept_line(SECTION_TOP, "max_sessions: 9");
	assert_int_equal(conf.max_sessions, 9);
	assert_int_equal(conf.listener->counts.max_sessions, 0);
	accept_line(SECTION_LISTEN, "max_sessions: 1, session_rate: 2, "
	    "max_sessions_per_client: 3, session_rate_per_client: 4");
	assert_int_equal(conf.listener->counts.max_sessions, 1);
	assert_int_equal(conf.listener->counts.rate, 2);
	assert_int_equal(conf.listener->counts.max_per_client, 3);
	assert_int_equal(conf.listener->counts.rate_per_client, 4);
	accept_line(SECTION_POOL, "connect_timeout: \"4s\", retries: 4, "
	    "fast_open: true");
	assert_int_equal(conf.pool->connect_timeout, 4000);
	assert_int_equal(conf.pool->attempts, 5);
	assert_false(conf.listener->fast_open);
	assert_ptr_equal(conf.pool->balance, balance_algorithm("roundrobin"));
	accept_line(SECTION_TOP, "balance: \"maglev\"");
	assert_ptr_equal(conf.pool->balance, balance_algorithm("maglev"));
	accept_line(SECTION_POOL, "check: { type: \"http\", interval: \"3s\", "
	    "rise: 5, timeout: \"1s\", uri: \"/up\" }");
	assert_int_equal(conf.pool->check.kind, CHECK_HTTP);
	assert_int_equal(conf.pool->check.interval, 3000);
	assert_int_equal(conf.pool->check.rise, 5);
	assert_int_equal(conf.pool->check.timeout, 1000);
	assert_string_equal(conf.pool->check.uri, "/up");
	refuse_line(SECTION_POOL, "check: { type: \"tpc\" }", "\"tpc\"",
	    "should be one of off, tcp");
	refuse_line(SECTION_POOL, "check: { ries: 5 }", "directive ries",
	    ", perhaps rise");
	refuse_line(SECTION_POOL, "check: { retries: 5 }", "retries does not",
	    "but beside it");
	refuse_line(SECTION_POOL, "check: { rise: 2 }, rise: 3", "rise is set at",
	    "already");
	accept_line(SECTION_TOP, "check: \"tls\"");
	assert_true(conf.pool->checked);
	assert_int_equal(conf.pool->check.kind, CHECK_TLS);
	accept_line(SECTION_POOL, "balance: \"first\", slow_start: \"9s\", "
	    "hash_key: \"address_port\", hash_balance_factor: 101");
	assert_ptr_equal(conf.pool->balance, balance_algorithm("first"));
	assert_true(conf.pool->hash_port);
	assert_int_equal(conf.pool->hash_factor, 101);
	assert_int_equal(conf.pool->slow_start, 9000);
	refuse_line(SECTION_POOL, "hash_balance_factor: 100", " \"100\"",
	    "should be 0 or a number from 101 to 1000");
	refuse_line(SECTION_POOL, "check_expect: \"~(a\"", "~(a",
	    "should have an extended regular expression after ~");
	refuse_line(SECTION_POOL, "check_expect: \"x:0\"", "x:0",
	    "should have pairs of hexadecimal digits after x:");
	accept_line(SECTION_SERVER, "weight: 0, state: \"drain\"");
	assert_int_equal(conf.server->weight, 0);
	assert_int_equal(conf.server->state, SERVER_DRAIN);
	accept_line(SECTION_SERVER, "state: \"maint\", max_sessions: 7");
	assert_int_equal(conf.server->state, SERVER_MAINT);
	assert_int_equal(conf.server->max_sessions, 7);
	assert_int_equal(conf.server->send_proxy, 0);
	assert_int_equal(conf.pool->check.proxy, CHECK_PROXY_AS_SENT);
	accept_line(SECTION_POOL, "send_proxy: \"v2\", check_send_proxy: "
	    "\"v1\", send_proxy_tlvs: [ \"crc32c\", \"unique_id\" ]");
	assert_int_equal(conf.server->send_proxy, 2);
	assert_int_equal(conf.pool->sends_proxy, 2);
	assert_int_equal(conf.pool->check.proxy, 1);
	assert_int_equal(conf.pool->tlvs, PROXY_TLV_CRC32C |
	    PROXY_TLV_UNIQUE_ID);
	accept_line(SECTION_SERVER, "send_proxy: \"v1\"");
	assert_int_equal(conf.server->send_proxy, 1);
	assert_int_equal(conf.pool->sends_proxy, 1);
	assert_null(conf.listener->proxies);
	accept_line(SECTION_TOP, "proxy_header_timeout: \"7s\"");
	assert_int_equal(conf.listener->limits.proxy_header_timeout, 7000);
	accept_line(SECTION_LISTEN, "accept_proxy: [ \"10.0.0.0/8\", \"::1\", "
	    "\"unix:\" ], accept_proxy_untrusted: \"plain\", "
	    "proxy_header_timeout: \"1s\"");
	assert_int_equal(cidr_find(conf.listener->proxies,
	    &(struct endpoint){ .family = AF_UNIX }), CIDR_ALLOW);
	assert_int_equal(cidr_find(conf.listener->proxies,
	    &(struct endpoint){ .family = AF_INET }), CIDR_NONE);
	assert_true(conf.listener->untrusted_plain);
	assert_int_equal(conf.listener->limits.proxy_header_timeout, 1000);
	accept_line(SECTION_SERVER, "weight: 3, backup: true, preconnect: 5");
	assert_string_equal(conf.server->name, "app/a");
	assert_int_equal(conf.server->weight, 3);
	assert_int_equal(conf.server->tier, TIER_BACKUP);
	assert_int_equal(conf.server->preconnect, 5);
}

/* Bytes, with the units that nginx has. */
TEST(sizes)
{
	static const struct {
		const char *text;
		uint64_t    bytes;	/* 1: it is refused */
	} sizes[] = {
		{ "\"off\"", 0 }, { "0", 0 }, { "\"0k\"", 0 },
		{ "1024", 1024 }, { "\"1k\"", 1024 }, { "\"500k\"", 512000 },
		{ "\"10m\"", 10485760 }, { "\"1g\"", 1073741824 },
		{ "\"1048576k\"", 1073741824 }, { "1023", 1023 },
		{ "\"65g\"", 1 }, { "\"10M\"", 1 }, { "\"1.5m\"", 1 },
		{ "\"10 m\"", 1 }, { "\"m\"", 1 }, { "\"-1k\"", 1 },
		{ "\"10mb\"", 1 }, { "\"18446744073709551616\"", 1 },
		{ "\"17179869184g\"", 1 }, { "\"\"", 1 },
	};
	char line[100];
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		snprintf(line, sizeof(line), "upload_rate: %s", sizes[i].text);
		if (sizes[i].bytes == 1) {
			refuse_line(SECTION_LISTEN, line, "upload_rate",
			    "should be off or bytes from 1 to 64g, a second, "
			    "such as 10m");
			continue;
		}
		accept_line(SECTION_LISTEN, line);
		assert_int_equal(conf.listener->limits.rate[UP],
		    sizes[i].bytes);
	}
}

/* What a session may, at the top and in a listener that says otherwise. */
TEST(session_limits)
{
	const struct session_limits *l;

	accept_line(SECTION_TOP, "download_rate: \"2m\", upload_rate: 5000, "
	    "max_lifetime: \"1h\", lifetime_jitter: 5, "
	    "client_idle_timeout: \"4s\", server_idle_timeout: \"5s\"");
	l = &conf.listener->limits;
	assert_int_equal(l->rate[DOWN], 2 << 20);
	assert_int_equal(l->rate[UP], 5000);
	assert_int_equal(l->max_lifetime, 3600000);
	assert_int_equal(l->lifetime_jitter, 5);
	assert_int_equal(l->side_timeout[CLIENT], 4000);
	assert_int_equal(l->side_timeout[SERVER], 5000);
	accept_line(SECTION_LISTEN, "download_rate: \"2k\", upload_rate: \"3k\", "
	    "max_lifetime: \"6s\", lifetime_jitter: 0, "
	    "client_idle_timeout: \"7s\", server_idle_timeout: \"8s\"");
	l = &conf.listener->limits;
	assert_int_equal(l->rate[DOWN], 2048);
	assert_int_equal(l->rate[UP], 3072);
	assert_int_equal(l->max_lifetime, 6000);
	assert_int_equal(l->lifetime_jitter, 0);
	assert_int_equal(l->side_timeout[CLIENT], 7000);
	assert_int_equal(l->side_timeout[SERVER], 8000);
	accept_line(SECTION_TOP, "");
	l = &conf.listener->limits;
	assert_int_equal(l->rate[DOWN] + l->rate[UP] + l->max_lifetime +
	    l->side_timeout[CLIENT] + l->side_timeout[SERVER], 0);
	assert_int_equal(l->lifetime_jitter, 10);
	refuse_line(SECTION_LISTEN, "proxy_upload_rate: \"1m\"",
	    "proxy_upload_rate", ", perhaps upload_rate");
	refuse_line(SECTION_TOP, "clitimeout: \"1m\"", "clitimeout",
	    ", perhaps client_idle_timeout");
}

/* How connections leave and arrive: a server's own, its pool's, the top's. */
TEST(outlets)
{
	const struct egress *o;

	accept_line(SECTION_TOP, "keepalive: \"1500ms\", user_timeout: \"7s\"");
	o = &conf.server->egress;
	assert_int_equal(o->watch.keepalive, 2);
	assert_int_equal(o->watch.user_timeout, 7000);
	assert_int_equal(conf.listener->watch.keepalive, 2);
	assert_int_equal(conf.listener->watch.user_timeout, 7000);
	accept_line(SECTION_LISTEN, "keepalive: \"off\", v6only: true, "
	    "dscp: \"af41\", backlog: 9, transparent: true, interface: \"lo\"");
	assert_int_equal(conf.listener->watch.keepalive, 0);
	assert_int_equal(conf.listener->watch.user_timeout, 300000);
	assert_true(conf.listener->how.v6only);
	assert_true(conf.listener->how.transparent);
	assert_string_equal(conf.listener->how.interface, "lo");
	assert_string_equal(conf.listener->wanted, "[::]:0 v6only lo");
	assert_int_equal(conf.listener->dscp, 34);
	assert_int_equal(conf.listener->backlog, 9);
	assert_int_equal(conf.server->egress.watch.keepalive, 120);
	assert_true(conf_wants_transparent(&conf));
	assert_false(conf_binds(&conf));
	accept_line(SECTION_POOL, "source_address: [\"10.0.0.1\", \"::1\"], "
	    "dscp: \"va\", interface: \"eth0\", user_timeout: \"off\"");
	o = &conf.server->egress;
	assert_int_equal(o->sources, 2);
	assert_int_equal(o->dscp, 44);
	assert_string_equal(o->interface, "eth0");
	assert_int_equal(o->watch.user_timeout, 0);
	assert_true(conf_binds(&conf));
	assert_false(conf_leaves_as_client(&conf));
	accept_line(SECTION_POOL, "transparent: true");
	assert_true(conf_leaves_as_client(&conf));
	assert_false(conf_binds(&conf));
	accept_line(SECTION_SERVER,
	    "address: \"unix:/tmp/s\", transparent: true");
	assert_false(conf_leaves_as_client(&conf));
	accept_line(SECTION_SERVER, "source_address: \"127.0.0.2\", dscp: "
	    "\"cs6\"");
	assert_int_equal(conf.server->egress.sources, 1);
	assert_int_equal(conf.server->egress.dscp, 48);
	accept_line(SECTION_SERVER, "source_address: \"::ffff:127.0.0.2\"");
	assert_int_equal(conf.server->egress.source->family, AF_INET);
	accept_line(SECTION_SERVER, "dscp: \"le\", transparent: true");
	assert_int_equal(conf.server->egress.dscp, 1);
	assert_true(conf.server->egress.transparent);
	refuse_line(SECTION_POOL, "proxy_bind: 1", "directive proxy_bind",
	    ", perhaps source_address");
	refuse_line(SECTION_LISTEN, "tcp-ut: 1", "directive tcp-ut",
	    ", perhaps user_timeout");
}

/* What is no text, and no list where there is one. */
TEST(types)
{
	static const char *const kinds[] = {
		"[\"x:1\", \"y:1\"]", "{ a: 1 }", "{ a: {} }", "[[1]]", "[ ]",
		"[{ a: 1 }]",
	};
	const struct directive *d;
	char line[200];
	size_t i, n;

	for (d = directives(&n); n > 0; d++, n--)
		for (i = 0; i < COUNT(kinds); i++) {
			/* There is a map of this name as well. */
			if (kinds[i][0] == '{' && d->section == SECTION_POOL &&
			    strcmp(d->name, "check") == 0)
				continue;
			if (i == 0 && (d->type == TYPE_ADDRESSES ||
			    d->type == TYPE_NETWORKS))
				continue;
			snprintf(line, sizeof(line), "%s: %s", d->name,
			    kinds[i]);
			refuse_line(d->section, line, d->name, ": should be ");
		}
}

/* Nothing is turned into a number, a truth or nothing before it is read. */
TEST(texts)
{
	static const char *const numbers[] = { "0x10", "1e1", "1_0", "010:0",
	    "+5", "-5", "5.0", ".5", ".inf", "~", "null", "yes", "''", " " };
	static const char *const truths[] = { "yes", "no", "on", "off", "True",
	    "TRUE", "y", "1", "~" };
	char line[100];
	size_t i;

	for (i = 0; i < COUNT(numbers); i++) {
		snprintf(line, sizeof(line), "buffers: %s", numbers[i]);
		refuse_line(SECTION_TOP, line, "buffers \"",
		    ": should be a number from 1 to");
	}
	for (i = 0; i < COUNT(truths); i++) {
		snprintf(line, sizeof(line), "fast_open: %s", truths[i]);
		refuse_line(SECTION_TOP, line, "fast_open \"",
		    ": should be true or false");
	}
	accept_line(SECTION_TOP, "sandbox: on, idle_timeout: off, check: off");
	accept_line(SECTION_POOL, "check_host: ~, check: http");
	assert_string_equal(conf.pool->check.host, "~");
	accept_line(SECTION_POOL, "check_host: 0x10, check: http");
	assert_string_equal(conf.pool->check.host, "0x10");
}

/* Twice in one place, and at the top of two files. */
TEST(duplicates)
{
	const struct directive *d;
	char value[2200], line[4600], first[400];
	size_t n;

	for (d = directives(&n); n > 0; d++, n--) {
		assert_true(value_of(d, LEAST, value, sizeof(value)));
		snprintf(line, sizeof(line), "%s: %s, %s: %s", d->name,
		    value, d->name, value);
		refuse_line(d->section, line, "already", "remove one");
		if (d->section != SECTION_TOP)
			continue;
		snprintf(line, sizeof(line), "%s: %s", d->name, value);
		write_file(other, line);
		write_conf(SECTION_TOP, line);
		tear_down();
		assert_non_null(conf.settings = settings_new());
		conf_file_read(conf.settings, other, false, &diagnostics);
		conf_file_read(conf.settings, file, false, &diagnostics);
		assert_int_equal(diagnostics.n, 1);
		snprintf(first, sizeof(first), "%s:1:3: %s is set at %s:1 "
		    "already", file, d->name, other);
		assert_memory_equal(diagnostics.line[0], first, strlen(first));
	}
}

TEST(unknown)
{
	const struct directive *d;
	char line[200], near[200];
	int kind;
	size_t n;

	for (d = directives(&n); n > 0; d++, n--) {
		/* An address that is misspelt is also lacking. */
		if (strcmp(d->name, "address") == 0)
			continue;
		snprintf(line, sizeof(line), "%sx: 1", d->name);
		snprintf(near, sizeof(near), ", perhaps %s", d->name);
		refuse_line(d->section, line, "there is no directive ", near);
		snprintf(line, sizeof(line), "%s: 1", d->name);
		for (kind = SECTION_TOP; kind < SECTIONS; kind++)
			if (directive_find((enum section_kind)kind,
			    d->name) == NULL && strcmp(d->name, "pool") != 0 &&
			    strcmp(d->name, "limit") != 0)
				refuse_line((enum section_kind)kind, line,
				    d->name, " does not belong here, but ");
	}
	refuse_line(SECTION_TOP, "whatever: 1", "whatever", "shuttled.yaml(5)");
	refuse_line(SECTION_TOP, "lisen: { }", "lisen", ", perhaps listen");
	refuse_line(SECTION_POOL, "servers: { }", "servers", ", perhaps server");
	/* What others call it, but only where we have it. */
	refuse_line(SECTION_SERVER, "maxconn: 5", "directive maxconn",
	    ", perhaps max_sessions");
	refuse_line(SECTION_POOL, "inter: 5", "directive inter",
	    ", perhaps interval");
	refuse_line(SECTION_LISTEN, "limit_conn: 5", "directive limit_conn",
	    ", perhaps max_sessions_per_client");
	refuse_line(SECTION_LISTEN, "proxy_protocol: true", "proxy_protocol",
	    ", perhaps accept_proxy");
	refuse_line(SECTION_POOL, "proxy_protocol: true", "proxy_protocol",
	    ", perhaps send_proxy");
	refuse_line(SECTION_LISTEN, "inter: 5", "directive inter",
	    "; see shuttled.yaml(5)");
	refuse_line(SECTION_SERVER, "server: { }", "server", "does not belong");
}

static enum cidr_verdict
verdict(const struct cidr *list, unsigned char last)
{
	struct endpoint e = { .family = AF_INET, .ip = { 10, 0, 0, last } };

	return list == NULL ? CIDR_NONE : cidr_find(list, &e);
}

/* Exceptions win wherever they stand; a list of the top is read once. */
TEST(networks)
{
	char text[200], long_name[1200];

	accept_line(SECTION_LISTEN, "allow: [\"10.0.0.0/8\", \"!10.0.0.1\"], "
	    "deny: [\"!10.0.0.2\", \"10.0.0.0/30\"]");
	assert_int_equal(verdict(conf.listener->allow, 1), CIDR_DENY);
	assert_int_equal(verdict(conf.listener->allow, 2), CIDR_ALLOW);
	assert_int_equal(verdict(conf.listener->deny, 1), CIDR_DENY);
	assert_int_equal(verdict(conf.listener->deny, 2), CIDR_ALLOW);
	assert_int_equal(verdict(conf.listener->deny, 9), CIDR_NONE);
	write_file(other, "# comment\n10.0.0.9\n");
	accept_line(SECTION_TOP, "deny: [\"file:other.yaml\", \"none\"]");
	assert_null(conf.listener->allow);
	assert_int_equal(verdict(conf.listener->deny, 9), CIDR_DENY);
	assert_int_equal(conf.lists, 1);
	write_file(other, "10.0.0.9\n10.0.0.9/x\n");
	snprintf(text, sizeof(text), "%s:2: the prefix is a number", other);
	refuse_line(SECTION_TOP, "allow: \"file:other.yaml\"", "allow \"",
	    text);
	refuse_line(SECTION_LISTEN, "allow: \"/etc/x\"", "allow \"",
	    "file:NAME");
	refuse_line(SECTION_LISTEN, "allow: \"example.org\"", "allow \"",
	    "a network is written 10.0.0.0/8");
	snprintf(long_name, sizeof(long_name), "allow: \"!file:%01000d\"", 0);
	refuse_line(SECTION_LISTEN, long_name, "allow \"", "");
	refuse_line(SECTION_LISTEN, "acl: 1", "acl", ", perhaps allow");
}

/* Sections without what they need, and what must be a section. */
static const struct {
	const char *text, *why;
} incomplete[] = {
	{ "", ": nothing to listen on; add listen" },
	{ "", ": nothing to balance to; add pool" },
	{ "listen: { a: { } }", ":1:11: listener a has no address; add address" },
	{ "listen:\n  a:\n", ":2:3: listener a has no address; add address" },
	{ "pool: { a: { } }", ":1:9: pool a has no server; add server" },
	{ "pool: { a: { server: { } } }", ":1:9: pool a has no server" },
	{ "pool: { a: { server: } }", ":1:9: pool a has no server" },
	{ "pool: { a: { server: { s: { } } } }",
	    ":1:24: server s has no address; add address" },
	{ "pool: { a: { server: { s: { address: h:1 } } },\n"
	    "b: { server: { s: { address: h:1 } } } }\n"
	    "listen: { l: { address: \":0\" } }",
	    ":3:11: listener l has no pool, and there are 2; add pool: a" },
	{ "pool: { app: { server: { s: { address: h:1 } } } }\n"
	    "listen:\n  l:\n    address: :0\n    pool: aps\n",
	    ":5:11: pool \"aps\": there is no such pool, perhaps app" },
	{ "listen: 3", ":1:9: listen: should be a map of names" },
	{ "listen: ~", ":1:9: listen: should be a map of names" },
	{ "listen: [ { address: \":1\" } ]", ":1:9: listen: should be a map" },
	{ "listen: { address: \":1\" }",
	    ":1:11: address: should stand below a name, listen: {" },
	{ "pool: { a: { server: { x: 1 } } }",
	    ":1:24: x: should stand below a name" },
	{ "listen: { l23456789012345678901234567890123456789012345678901234567"
	    "8901: { } }", ":1:11: listen l2345678901234567890123456789012345678"
	    "9012345678901234567" "8901: a name has 1 to 60 letters" },
	{ "listen: { a/b: { } }", ":1:11: listen a/b: a name has 1 to 60" },
	{ "listen: { '': { } }", ":1:11: the name before the colon is missing" },
	{ "listen: { l: { address: \":0\"", ":2:1: a , or a } should be here" },
	{ "workers: auto:", ":1:14: this colon makes a second NAME: VALUE" },
	{ "workers: 'auto:'", ":1:10: workers \"auto:\": should be auto, auto:N" },
	{ "workers: auto:0", ": should be auto, auto:N or a number" },
	{ "workers: auto:129", ": should be auto, auto:N or a number" },
	{ "workers: auto:N", ": should be auto:N, with N" },
	{ "workers: auto:4x", ": should be auto, auto:N" },
	{ "workers: auto4", ": should be auto, auto:N" },
	{ "workers:", ":1:9: workers \"\": should be auto, auto:N" },
	{ "workers: 1\n\nx y", ":3:1: no colon follows this" },
	{ "workers: \"1", ":1:10: the text that begins here has no end" },
	{ "include: file.yaml", ":1:10: include file.yaml: this file includes "
	    "itself here" },
	{ "include:\n - none.yaml", ":2:4: include none.yaml: No such file" },
	{ "include: /", ":1:10: include /: this is a directory" },
	{ "include:", ":1:9: include: should be the name of a file" },
	{ "include: []", ":1:10: include: should be the name of a file" },
	{ "include: {a: b}", ":1:10: include: should be the name of a file" },
	{ "include: [[a]]", ":1:11: include: should be the name of a file" },
	{ "include: /dev/zero", ":1:10: include /dev/zero: this is a pipe" },
	{ "pool: { a: { include: x } }", ":1:14: include does not belong here, "
	    "but outside of all sections" },
};

TEST(incomplete)
{
	size_t i, k;

	for (i = 0; i < COUNT(incomplete); i++) {
		write_file(file, incomplete[i].text);
		read_conf();
		for (k = 0; k < diagnostics.n; k++)
			if (strncmp(diagnostics.line[k], file,
			    strlen(file)) == 0 && strstr(diagnostics.line[k],
			    incomplete[i].why) != NULL)
				break;
		if (k == diagnostics.n)
			fail_msg("%s: %s", incomplete[i].text, k == 0 ?
			    "is taken" : diagnostics.line[0]);
	}
}

/* However many there are, the board has room for eight generations. */
TEST(processors)
{
	processors = 3 * BOARD_WORKERS;
	write_file(file, "");
	read_conf();
	assert_int_equal(conf.workers, BOARD_WORKERS / 8);
	processors = 3;
	read_conf();
	assert_int_equal(conf.workers, 3);
	processors = 16;
	write_file(file, "workers: auto:5");
	read_conf();
	assert_int_equal(conf.workers, 5);
	quota = 4;
	read_conf();
	assert_int_equal(conf.workers, 4);
	quota = 64;
	write_file(file, "workers: auto");
	read_conf();
	assert_int_equal(conf.workers, 16);
	quota = 0;
	processors = 2;
}

/* A directory is for its files; one in it is not. */
TEST(directory)
{
	char path[140];

	snprintf(path, sizeof(path), "%s/d.yaml", directory);
	MUST(mkdir(path, 0755));
	assert_non_null(conf.settings = settings_new());
	conf_file_read(conf.settings, path, false, &diagnostics);
	assert_int_equal(diagnostics.n, 1);
	assert_non_null(strstr(diagnostics.line[0], "there is no *.yaml"));
	diagnostics_free(&diagnostics);
	write_file(file, "");
	write_file(other, "");
	conf_file_read(conf.settings, directory, false, &diagnostics);
	assert_int_equal(diagnostics.n, 1);
	assert_non_null(strstr(diagnostics.line[0],
	    "/d.yaml: this is a directory"));
}

/* What an included file says has its own places. */
TEST(include)
{
	char text[300];

	write_file(other, "\nweight: 3\n");
	write_file(file, "include: ['*other.yaml', 'no*.yaml']\nweight: 1\n");
	read_conf();
	assert_int_equal(diagnostics.n, 2);
	snprintf(text, sizeof(text), "%s:2:1: weight does not belong here, but "
	    "in a server of a pool", other);
	assert_string_equal(diagnostics.line[1], text);
	write_file(other, "pool:\n app:\n  server:\n   b: { address: :1, "
	    "weight: 999 }\n");
	write_file(file, "include: other.yaml\n"
	    "listen: { web: { address: \":0\" } }\n");
	read_conf();
	assert_int_equal(diagnostics.n, 1);
	snprintf(text, sizeof(text), "%s:4:18: within [ ] and { } a text that "
	    "begins with a colon", other);
	assert_memory_equal(diagnostics.line[0], text, strlen(text));
	write_file(other, "pool:\n app:\n  server:\n   b:\n    address: 127.0.0.1:1\n"
	    "    weight: 999\n");
	read_conf();
	assert_int_equal(diagnostics.n, 1);
	snprintf(text, sizeof(text), "%s:6:13: weight \"999\": should be a "
	    "number from 0 to 256", other);
	assert_string_equal(diagnostics.line[0], text);
}

/* One anchor for many; what they repeat is bounded. */
TEST(aliases)
{
	char all[40000], *at = all;
	size_t i;

	write_file(file, "limit: { none: &none {} }\n"
	    "listen: { web: { address: &here \":0\", allow: &l [all, '!::1'] },"
	    " more: { address: *here, allow: *l, pool: p1 } }\n"
	    "pool: { p0: &p { server: &s { a: &a { address: builtin:echo },"
	    " b: *a } }, p1: *p, p2: { server: *s } }\n");
	read_conf();
	assert_int_equal(diagnostics.n, 1);
	assert_non_null(strstr(diagnostics.line[0], "listener web has no "
	    "pool"));
	assert_int_equal(conf.pools, 3);
	assert_int_equal(conf.servers, 6);
	assert_string_equal(conf.server[5].name, "p2/b");
	at += sprintf(at, "pool:\n p: &p\n  server:\n");
	for (i = 0; i < 1000; i++)
		at += sprintf(at, "   s%zu: {}\n", i);
	for (i = 0; i < 1500; i++)
		at += sprintf(at, " p%zu: *p\n", i);
	write_file(file, all);
	read_conf();
	for (i = 0; i < diagnostics.n; i++)
		if (strstr(diagnostics.line[i], ": there are more than 32768 "
		    "servers, counting what aliases repeat") != NULL)
			break;
	assert_true(i < diagnostics.n);
}

/* --- the table and its page ------------------------------------------------- */

TEST(defaults)
{
	const struct directive *d;
	char why[DIRECTIVE_WHY];
	union {
		struct conf	conf;
		struct listener	listener;
		struct pool	pool;
		struct server	server;
	} scratch;
	size_t n;

	for (d = directives(&n); n > 0; d++, n--) {
		memset(&scratch, 0, sizeof(scratch));
		if (d->fallback != NULL &&
		    directive_read(d, d->fallback, &scratch, why) == -1)
			fail_msg("%s: %s", d->name, why);
		assert_ptr_equal(directive_find(d->section, d->name), d);
		if (strcmp(d->name, "engine") == 0)
			assert_string_equal(d->words, poller_engines());
		if (strcmp(d->name, "balance") == 0)
			assert_string_equal(d->words, balance_algorithms());
	}
}

static void
page_line(const struct directive *d, char *buf, size_t size)
{
	const char *fallback = d->fallback != NULL ? d->fallback : "";
	char takes[200];

	/* A build with instruments has another one; the page says that, too. */
	if (strcmp(d->name, "sandbox") == 0)
		fallback = "on";
	snprintf(buf, size, ".Pq %s; %s%s\n", directive_takes(d, takes,
	    sizeof(takes)), d->fallback != NULL ? "default " :
	    directive_inherits(d) != NULL ? "default: as at the top" :
	    "no default", fallback);
}

/* Under .Sh SECTION each .Ic NAME is followed by what the table says. */
TEST(page)
{
	static const char *const titles[SECTIONS] = {
		".Sh TOP LEVEL\n", ".Sh LISTEN\n", ".Sh POOL\n", ".Sh SERVER\n",
		".Sh LIMIT\n"
	};
	const struct directive *d = NULL;
	char path[1000], line[1000], want[1000];
	const char *srcdir = getenv("srcdir");
	int kind, in = -1;
	size_t n, all;
	FILE *f;

	snprintf(path, sizeof(path), "%s/doc/shuttled.yaml.5",
	    srcdir == NULL ? ".." : srcdir);
	if ((f = fopen(path, "r")) == NULL)
		skip();
	(void)directives(&all);
	for (n = 0; fgets(line, sizeof(line), f) != NULL;) {
		if (d != NULL) {
			page_line(d, want, sizeof(want));
			assert_string_equal(line, want);
			d = NULL;
			n++;
		}
		if (strncmp(line, ".Sh ", 4) == 0)
			in = -1;
		for (kind = 0; kind < SECTIONS; kind++)
			if (strcmp(line, titles[kind]) == 0)
				in = kind;
		if (in == -1 || strncmp(line, ".It Ic ", 7) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		d = directive_find((enum section_kind)in, line + 7);
		if (d == NULL)
			fail_msg("no directive: %s", line);
	}
	fclose(f);
	/* Each is there; that none is there twice is for the reader to see. */
	assert_int_equal(n, all);
}

int
set_up_all(void)
{
	make_dir(directory, sizeof(directory));
	snprintf(file, sizeof(file), "%s/file.yaml", directory);
	snprintf(other, sizeof(other), "%s/other.yaml", directory);
	return 0;
}

int
tear_down_all(void)
{
	remove_dir(directory);
	return 0;
}
