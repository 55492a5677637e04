/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_access_log_format.c: the line of a session in every format, to the byte. The session
 * and all that it knows are made by hand, and so is the clock.
 */
#include "session/access_log_format.h"

#include "proto/proxyproto.h"
#include "session/session_env.h"
#include "session/session_record.h"

#include "helpers.h"

#define STAMP	"2026-11-22T01:44:27.123Z"

/* The seed, when it began, and the how manieth it is. */
#define ID	"0000000000000abc-2695-1f"

/* The time above, in the time zone of the tests 07:29:27. */
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	ts->tv_sec = 1795311867;
	ts->tv_nsec = 123456789;
	return 0;
}

static char	dir[64], path[80], text[5000];
static char	why[200];
static struct session_env env;
static struct session session;
static struct session_cold cold;
static struct session_route route;
static struct pool pool;
static struct server servers[3];
static struct servers all_servers;
static struct board *board;

int
set_up(void)
{
	static const unsigned char ip[] = { 192, 0, 2, 7 };
	uint32_t i;

	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	setenv("TZ", "Asia/Kathmandu", 1);
	memset(&env, 0, sizeof(env));
	memset(&session, 0, sizeof(session));
	memset(&cold, 0, sizeof(cold));
	memset(&route, 0, sizeof(route));
	board = board_new(16, NULL);
	assert_non_null(board);
	strlcpy(pool.name, "main", sizeof(pool.name));
	for (i = 0; i < 3; i++) {
		snprintf(servers[i].name, sizeof(servers[i].name), "%c",
		    'a' + (char)i);
		servers[i].slot = i;
	}
	all_servers.list = servers;
	all_servers.n = 3;
	all_servers.pool = &pool;
	all_servers.pools = 1;
	all_servers.board = board;
	all_servers.worker = 1;
	route.name = "front";
	route.address = "192.0.2.1:80";
	env.servers = &all_servers;
	env.route = &route;
	env.now = 10000;
	env.table.session = &session;
	env.table.cold = &cold;
	env.seed = 0xabc;
	cold.began = UINT64_C(1795311867000);
	cold.answered = true;
	cold.first_byte = 5;
	env.log = log_open(path, LOG_INFO);
	assert_non_null(env.log);
	log_ident(env.log, "worker 2");
	session.client.family = AF_INET;
	memcpy(session.client.ip, ip, sizeof(ip));
	session.client.port = 51234;
	session.started = 9877;
	session.number = 31;
	session.connected = 9880;
	session.way[UP].out = 120;
	session.way[DOWN].out = 5300;
	session.tried[0] = 2;
	session.tried[1] = 1;
	session.attempts = 2;
	session.end = END_CLIENT_CLOSE;
	return 0;
}

int
tear_down(void)
{
	log_close(env.log);
	board_free(board);
	remove_dir(dir);
	unsetenv("TZ");
	return 0;
}

/* What has been written since the last time. */
static const char *
slurp(void)
{
	int fd = (int)MUST(open(path, O_RDONLY));

	read_text(fd, text, sizeof(text));
	close(fd);
	MUST(truncate(path, 0));
	return text;
}

/* The line that this format makes of the session. */
static const char *
line(const char *spec, enum log_event event)
{
	struct access_log_format *f = access_log_format_new(spec, why,
	    sizeof(why));
	struct session_record r;

	if (f == NULL)
		fail_msg("%s: %s", spec, why);
	log_set_style(env.log, access_log_format_style(spec));
	session_record_make(&r, &env, &session, event == EVENT_END);
	r.log = env.log;
	access_log_format_put(f, log_begin(env.log, LOG_INFO), &r, event);
	log_end(env.log);
	log_flush(env.log);
	access_log_format_free(f);
	return slurp();
}

/* The same behind the head that a file of this style has. */
static const char *
tail(const char *spec, enum log_event event)
{
	return behind(line(spec, event), "]: ");
}

TEST(text)
{
	char want[300];

	snprintf(want, sizeof(want), STAMP " worker 2[%d] info: session end id="
	    ID " client=192.0.2.7:51234 listener=front servers_tried=c,b "
	    "bytes_up=120 bytes_down=5300 connect_ms=3 first_byte_ms=5 "
	    "total_ms=123 end=client.close\n", (int)getpid());
	assert_string_equal(line("text", EVENT_END), want);
	line("text", EVENT_START);
	assert_non_null(strstr(text, " info: session start id=" ID " "
	    "client=192.0.2.7:51234 listener=front\n"));
	line("text", EVENT_STILL);
	assert_non_null(strstr(text, " info: session still id="
	    ID " client=192.0.2.7:51234 listener=front servers_tried=c,b "
	    "bytes_up=120 bytes_down=5300 connect_ms=3 first_byte_ms=5 "
	    "total_ms=123\n"));
	session.attempts = 0;
	session.connected = 0;
	cold.answered = false;
	session.end = END_NO_SERVER;
	line("text", EVENT_END);
	assert_non_null(strstr(text, " servers_tried=- bytes_up=120 "
	    "bytes_down=5300 connect_ms=- first_byte_ms=- total_ms=123 "
	    "end=proxy.no_server\n"));
}

TEST(json)
{
	char want[800];

	strlcpy(servers[1].name, "b\"\\\n", sizeof(servers[1].name));
	snprintf(want, sizeof(want), "{\"time\":\""
	    STAMP "\",\"process\":\"worker "
	    "2\",\"pid\":%d,\"level\":\"info\",\"event\":\"end\","
	    "\"unique_id\":\"" ID "\",\"pp_unique_id\":null,"
	    "\"start\":\"2026-11-22T01:44:27.000Z\","
	    "\"client\":\"192.0.2.7:51234\",\"client_ip\":\"192.0.2.7\","
	    "\"client_port\":51234,\"listener\":\"front\","
	    "\"address\":\"192.0.2.1:80\",\"pool\":\"main\","
	    "\"server\":\"b\\\"\\\\\\u000a\",\"servers_tried\":\"c,"
	    "b\\\"\\\\\\u000a\",\"attempts\":2,\"retries\":1,\"bytes_up\":120,"
	    "\"bytes_down\":5300,\"connect_ms\":3,\"first_byte_ms\":5,"
	    "\"queue_ms\":0,\"total_ms\":123,\"end\":\"client.close\","
	    "\"worker\":2}\n", (int)getpid());
	assert_string_equal(line("json", EVENT_END), want);
	session.attempts = 0;
	session.connected = 0;
	line("json", EVENT_START);
	assert_non_null(strstr(text, "\"event\":\"start\","));
	assert_non_null(strstr(text, "\"server\":null,\"servers_tried\":null,"
	    "\"attempts\":0,\"retries\":0,\"bytes_up\":120,\"bytes_down\":5300,"
	    "\"connect_ms\":null,\"first_byte_ms\":5,\"queue_ms\":0,"
	    "\"total_ms\":123,\"end\":null,\"worker\":2}\n"));
	line("json", EVENT_STILL);
	assert_non_null(strstr(text, "\"event\":\"still\","));
}

/*
 * HAProxy's manual, section 8.2.2: client_ip:client_port [accept_date] frontend
 * pool/server Tw/Tc/Tt bytes state conns queues.
 */
TEST(haproxy)
{
	/* Two workers, with this session counted no more. */
	board->ledger->worker_slots = 2;
	board->worker[0].live = 4;
	board->worker[1].live = 2;
	*board_live(board, 0, 1) = 2;
	*board_live(board, 1, 2) = 7;
	assert_string_equal(tail("haproxy", EVENT_END), "192.0.2.7:51234 "
	    "[22/Nov/2026:07:29:27.000] front main/b 0/3/123 5300 -- "
	    "7/7/7/3/+1 0/0\n");
	assert_memory_equal(text, "Nov 22 07:29:27 ", 16);
	assert_string_equal(tail("haproxy", EVENT_STILL), "192.0.2.7:51234 "
	    "[22/Nov/2026:07:29:27.000] front main/b 0/3/+123 +5300 -- "
	    "6/6/6/2/+1 0/0\n");
	assert_string_equal(tail("haproxy", EVENT_START), "session start id=" ID " "
	    "client=192.0.2.7:51234 listener=front\n");
	session.queued = 2;
	assert_non_null(strstr(tail("haproxy", EVENT_END), " main/b 2/1/123 "));
	session.queued = 0;
	session.attempts = 1;
	session.connected = 0;
	session.end = END_SERVER_REFUSED;
	assert_non_null(strstr(tail("haproxy", EVENT_END),
	    " main/c 0/-1/123 5300 SC 7/7/7/7/0 0/0\n"));
	session.attempts = 0;
	session.end = END_NO_SERVER;
	assert_non_null(strstr(tail("haproxy", EVENT_END),
	    " main/<NOSRV> -1/-1/123 5300 SC 7/7/7/0/0 0/0\n"));
}

/* A file's names have two parts, of which the pool is said once. */
TEST(names_of_two_parts)
{
	strlcpy(servers[1].name, "main/b#2", sizeof(servers[1].name));
	strlcpy(servers[2].name, "mains", sizeof(servers[2].name));
	assert_non_null(strstr(tail("haproxy", EVENT_END), " main/b#2 0/3/"));
	assert_string_equal(line("%{pool} %{server} %{servers_tried}",
	    EVENT_END), "main b#2 mains,main/b#2\n");
	session.attempts = 1;
	assert_string_equal(line("%{server} %{servers_tried}", EVENT_END),
	    "mains mains\n");
}

/* The table of the manual page. */
TEST(haproxy_codes)
{
	static const struct {
		enum session_end end;
		bool	    stood;
		const char *want;
	} codes[] = {
		{ END_CLIENT_CLOSE, true, " -- " },
		{ END_SERVER_CLOSE, true, " -- " },
		{ END_CLIENT_RESET, true, " CD " },
		{ END_CLIENT_RESET, false, " CC " },
		{ END_CLIENT_LOST, true, " CD " },
		{ END_SERVER_RESET, true, " SD " },
		{ END_SERVER_LOST, true, " SD " },
		{ END_SERVER_REFUSED, false, " SC " },
		{ END_SERVER_UNREACHABLE, false, " SC " },
		{ END_CONNECT_TIMEOUT, false, " sC " },
		{ END_IDLE_TIMEOUT, true, " cD " },
		{ END_FIN_TIMEOUT, true, " cD " },
		{ END_NO_SERVER, false, " SC " },
		{ END_QUEUE_TIMEOUT, false, " sQ " },
		{ END_QUEUE_FULL, false, " SQ " },
		{ END_SERVER_DOWN, true, " DD " },
		{ END_RESOURCES, false, " RC " },
		{ END_DRAIN, true, " KD " },
		{ END_STOP, true, " KD " },
		{ END_STOP, false, " KC " },
	};
	size_t i;
	int end;

	for (i = 0; i < COUNT(codes); i++) {
		session.end = (uint8_t)codes[i].end;
		session.connected = codes[i].stood ? 9880 : 0;
		tail("haproxy", EVENT_END);
		if (strstr(text, codes[i].want) == NULL)
			fail_msg("%s: no \"%s\" in: %s",
			    session_end_name(codes[i].end), codes[i].want,
			    text);
	}
	/* The client has ended: the server was waited for. */
	session.done[UP] = true;
	session.connected = 9880;
	session.end = END_FIN_TIMEOUT;
	assert_non_null(strstr(tail("haproxy", EVENT_END), " sD "));
	/* None was forgotten. */
	for (end = 0; end < END_REASONS; end++) {
		session.end = (uint8_t)end;
		assert_int_equal(strlen(line("haproxy", EVENT_END)),
		    behind(text, "\n") - text);
	}
}

TEST(fields)
{
	static const struct {
		const char *spec, *want;
	} fields[] = {
		{ "%{time}", STAMP "\n" },
		{ "%{start}", "2026-11-22T01:44:27.000Z\n" },
		{ "%{event}", "end\n" },
		{ "%{client}", "192.0.2.7:51234\n" },
		{ "%{client_ip}", "192.0.2.7\n" },
		{ "%{client_port}", "51234\n" },
		{ "%{listener}", "front\n" },
		{ "%{address}", "192.0.2.1:80\n" },
		{ "%{pool}", "main\n" },
		{ "%{server}", "b\n" },
		{ "%{servers_tried}", "c,b\n" },
		{ "%{attempts}", "2\n" },
		{ "%{retries}", "1\n" },
		{ "%{bytes_up}", "120\n" },
		{ "%{bytes_down}", "5300\n" },
		{ "%{connect_ms}", "3\n" },
		{ "%{queue_ms}", "0\n" },
		{ "%{first_byte_ms}", "5\n" },
		{ "%{unique_id}", ID "\n" },
		{ "%{pp_unique_id}", "-\n" },
		{ "%{total_ms}", "123\n" },
		{ "%{end}", "client.close\n" },
		{ "%{worker}", "2\n" },
		{ "%%", "%\n" },
		{ "%%%%{bytes_up}", "%%{bytes_up}\n" },
		{ "100%%: %{bytes_up}/%{bytes_down}.", "100%: 120/5300.\n" },
		{ "a\t%{bytes_up}%{bytes_up}", "a\t120120\n" },
	};
	char want[20];
	size_t i;

	for (i = 0; i < COUNT(fields); i++)
		assert_string_equal(line(fields[i].spec, EVENT_END),
		    fields[i].want);
	snprintf(want, sizeof(want), "%d\n", (int)getpid());
	assert_string_equal(line("%{pid}", EVENT_END), want);
	assert_string_equal(line("%{event} %{end}", EVENT_START), "start -\n");
	assert_string_equal(line("%{event} %{end}", EVENT_STILL), "still -\n");
	session.attempts = 0;
	session.connected = 0;
	assert_string_equal(line("%{server} %{servers_tried} %{attempts} "
	    "%{retries} %{connect_ms}", EVENT_END), "- - 0 0 -\n");
}

/* Whatever a header has in it, a line stays a line. */
TEST(header_id)
{
	static unsigned char ids[PROXYPROTO_ID + 1] = "\005a \\\n\377";
	struct access_log_format *f;

	env.header_ids = ids;
	assert_string_equal(line("%{pp_unique_id}", EVENT_END),
	    "a\\x20\\x5c\\x0a\\xff\n");
	assert_non_null(strstr(line("json", EVENT_END),
	    "\"pp_unique_id\":\"a\\\\x20\\\\x5c\\\\x0a\\\\xff\","));
	ids[0] = 0;
	assert_string_equal(line("%{pp_unique_id}", EVENT_END), "-\n");
	env.header_ids = NULL;
	f = access_log_format_new("json", why, sizeof(why));
	assert_true(access_log_format_has(f, "pp_unique_id"));
	assert_false(access_log_format_has(f, "time"));
	access_log_format_free(f);
	f = access_log_format_new("text", why, sizeof(why));
	assert_false(access_log_format_has(f, "pp_unique_id"));
	access_log_format_free(f);
}

/* The clock may be put forward or back between two lines. */
TEST(start_is_the_same)
{
	env.now += 12345;
	assert_string_equal(line("%{start}", EVENT_START),
	    "2026-11-22T01:44:27.000Z\n");
	env.now += 12345;
	assert_string_equal(line("%{start}", EVENT_END),
	    "2026-11-22T01:44:27.000Z\n");
	assert_non_null(strstr(tail("haproxy", EVENT_STILL),
	    "[22/Nov/2026:07:29:27.000]"));
}

TEST(clients)
{
	struct addr a;
	const char *no;

	assert_int_equal(addr_parse("[2001:db8::7]:80", ADDR_LISTEN, &a, 1,
	    &no), 1);
	endpoint_set(&session.client, &a);
	assert_string_equal(line("%{client} %{client_ip} %{client_port}",
	    EVENT_END), "[2001:db8::7]:80 2001:db8::7 80\n");
	assert_memory_equal(tail("haproxy", EVENT_END), "2001:db8::7:80 [",
	    16);
	memset(&session.client, 0, sizeof(session.client));
	session.client.family = AF_UNIX;
	assert_string_equal(line("%{client} %{client_ip} %{client_port}",
	    EVENT_END), "unix: - -\n");
	assert_non_null(strstr(line("json", EVENT_END), "\"client\":\"unix:\","
	    "\"client_ip\":null,\"client_port\":null,"));
}

TEST(errors)
{
	static const struct {
		const char *spec, *why;		/* a part of it */
	} bad[] = {
		{ "", "text, json, haproxy" },
		{ "jsno", "; perhaps json" },
		{ "JSON", "text, json, haproxy" },
		{ "ha-proxy", "; perhaps haproxy" },
		{ "nothing", "\"%{client} %{server}\"" },
		{ "%", "behind a percent sign" },
		{ "up %d", "behind a percent sign" },
		{ "%{bytes_up} 100%", "behind a percent sign" },
		{ "%{up", "%{client}" },
		{ "%{}", "no field " },
		{ "%{clinet}", "no field clinet, perhaps client" },
		{ "%{totalms}", "no field totalms, perhaps total_ms" },
		{ "%{bytes}", "no field bytes; shuttled(8)" },
		{ "%{a name that is much too long}", "%{client}" },
		{ "%{bytes_up}\n", "control characters" },
	};
	char spec[400] = "";
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		if (access_log_format_new(bad[i].spec, why, sizeof(why)) !=
		    NULL)
			fail_msg("this is no format: %s", bad[i].spec);
		if (strstr(why, bad[i].why) == NULL)
			fail_msg("\"%s\": \"%s\" is not in: %s", bad[i].spec,
			    bad[i].why, why);
	}
	for (i = 0; i < 65; i++)
		strlcat(spec, "%{end}", sizeof(spec));
	assert_null(access_log_format_new(spec, why, sizeof(why)));
	assert_string_equal(why, "the format is too long");
	spec[64 * 6] = '\0';
	line(spec, EVENT_END);
}

/* The longest line that names can make is cut, and still one line. */
TEST(long_line)
{
	char spec[1000];
	size_t i;

	memset(servers[1].name, 'n', sizeof(servers[1].name) - 1);
	for (i = 0; i < SESSION_ATTEMPTS; i++)
		session.tried[i] = 1;
	session.attempts = SESSION_ATTEMPTS;
	snprintf(spec, sizeof(spec), "%s%s%s", "%{servers_tried}",
	    "%{servers_tried}", "%{servers_tried}");
	line(spec, EVENT_END);
	assert_int_equal(strlen(text), 2048);
	assert_ptr_equal(strchr(text, '\n'), text + 2047);
	line("json", EVENT_END);
	assert_string_equal(text + strlen(text) - 33,
	    "\"end\":\"client.close\",\"worker\":2}\n");
}

/* Lines that are not of a session are objects as well, even if cut. */
TEST(other_lines_in_json)
{
	static char much[3000];
	char want[200];

	log_set_style(env.log, LOG_STYLE_JSON);
	log_line(env.log, LOG_NOTICE, "a \"b\" \\ %c", 7);
	snprintf(want, sizeof(want), "{\"time\":\"" STAMP "\","
	    "\"process\":\"worker 2\",\"pid\":%d,\"level\":\"notice\","
	    "\"message\":\"a \\\"b\\\" \\\\ \\u0007\"}\n", (int)getpid());
	assert_string_equal(slurp(), want);
	memset(much, '"', sizeof(much) - 1);
	log_line(env.log, LOG_INFO, "%s", much);
	slurp();
	assert_string_equal(text + strlen(text) - 5, "\\\"\"}\n");
}

/* What happened stands in fields as well, as far as there is room. */
TEST(events)
{
	static char much[3000];
	const struct log_field fields[] = { { "event", "server" },
	    { "cause", "a \"b\"" }, { LOG_NUMBER "servers", "16" },
	    { "none", NULL }, { NULL, NULL } };
	const struct log_field long_ones[] = { { "event", "server" },
	    { "cause", much }, { "state", "up" }, { NULL, NULL } };

	log_event(env.log, LOG_INFO, fields, "%d is up", 5);
	assert_non_null(strstr(slurp(), "info: 5 is up\n"));
	log_set_style(env.log, LOG_STYLE_JSON);
	log_event(env.log, LOG_INFO, fields, "%d is up", 5);
	assert_non_null(strstr(slurp(), "\"level\":\"info\",\"event\":\"server\","
	    "\"cause\":\"a \\\"b\\\"\",\"servers\":16,\"none\":null,"
	    "\"message\":\"5 is up\"}\n"));
	memset(much, 'x', sizeof(much) - 1);
	log_event_seldom(env.log, LOG_INFO, long_ones, "%s", much);
	assert_non_null(strstr(slurp(), ",\"event\":\"server\",\"state\":\"up\","
	    "\"message\":\"xxx"));
	assert_string_equal(text + strlen(text) - 4, "x\"}\n");
}

/* With haproxy as a syslog daemon writes them, or else as ever. */
TEST(other_lines)
{
	char want[400], host[65];

	MUST(gethostname(host, sizeof(host)));
	log_set_style(env.log, LOG_STYLE_HAPROXY);
	log_line(env.log, LOG_INFO, "ready");
	log_set_style(env.log, LOG_STYLE_BARE);
	log_line(env.log, LOG_INFO, "steady");
	snprintf(want, sizeof(want),
	    "Nov 22 07:29:27 %s shuttled[%d]: worker 2: ready\n"
	    STAMP " worker 2[%d] info: steady\n", host, (int)getpid(),
	    (int)getpid());
	assert_string_equal(slurp(), want);
}

TEST(out_of_memory)
{
	struct access_log_format *f;
	int n;

	alloc_needed();
	for (n = 0; ; n++) {
		alloc_fail(n);
		f = access_log_format_new("%{bytes_up}", why, sizeof(why));
		if (!alloc_failed())
			break;
		assert_null(f);
		assert_string_equal(why, strerror(ENOMEM));
	}
	assert_int_equal(n, 2);
	access_log_format_free(f);
	access_log_format_free(NULL);
}
