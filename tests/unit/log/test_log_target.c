/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* log_target.c: what may stand after -L, and what may not. */
#include "log/log_target.h"

#include <syslog.h>

#include "helpers.h"

TEST(good)
{
	static const struct {
		const char	*text;
		enum target_kind kind;
		int		 facility;
		const char	*addr;	/* NULL: has none */
	} good[] = {
		{ "stderr", TARGET_STDERR, 0, NULL },
		{ "/", TARGET_FILE, 0, NULL },
		{ "/var/log/x", TARGET_FILE, 0, NULL },
		{ "syslog", TARGET_SYSLOG, LOG_DAEMON, "unix:/dev/log" },
		{ "syslog:daemon", TARGET_SYSLOG, LOG_DAEMON,
		    "unix:/dev/log" },
		{ "syslog:user", TARGET_SYSLOG, LOG_USER, "unix:/dev/log" },
		{ "syslog:local0", TARGET_SYSLOG, LOG_LOCAL0,
		    "unix:/dev/log" },
		{ "syslog:local7", TARGET_SYSLOG, LOG_LOCAL7,
		    "unix:/dev/log" },
		{ "syslog:auth", TARGET_SYSLOG, LOG_AUTH, "unix:/dev/log" },
		{ "syslog:authpriv", TARGET_SYSLOG, LOG_AUTHPRIV,
		    "unix:/dev/log" },
		{ "syslog:cron", TARGET_SYSLOG, LOG_CRON, "unix:/dev/log" },
		{ "syslog:ftp", TARGET_SYSLOG, LOG_FTP, "unix:/dev/log" },
		{ "syslog:mail", TARGET_SYSLOG, LOG_MAIL, "unix:/dev/log" },
		{ "syslog:news", TARGET_SYSLOG, LOG_NEWS, "unix:/dev/log" },
		{ "syslog+udp://192.0.2.1", TARGET_UDP, LOG_DAEMON,
		    "192.0.2.1:514" },
		{ "syslog+udp://192.0.2.1/user", TARGET_UDP, LOG_USER,
		    "192.0.2.1:514" },
		{ "syslog+udp://192.0.2.1:1514", TARGET_UDP, LOG_DAEMON,
		    "192.0.2.1:1514" },
		{ "syslog+tcp://192.0.2.1:601/local2", TARGET_TCP, LOG_LOCAL2,
		    "192.0.2.1:601" },
		{ "syslog+tcp://[2001:db8::1]", TARGET_TCP, LOG_DAEMON,
		    "[2001:db8::1]:514" },
		{ "syslog+udp://[::1]:9/mail", TARGET_UDP, LOG_MAIL,
		    "[::1]:9" },
		{ "syslog+udp://x.test/mail", TARGET_UDP, LOG_MAIL, NULL },
	};
	struct log_target t;
	char name[ADDR_TEXT];
	const char *why;
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		if (log_target_parse(good[i].text, &t, &why) == -1)
			fail_msg("%s: %s", good[i].text, why);
		assert_int_equal(t.kind, good[i].kind);
		assert_int_equal(t.facility, good[i].facility);
		if (good[i].addr != NULL)
			assert_string_equal(addr_format(&t.addr, name,
			    sizeof(name)), good[i].addr);
		assert_string_equal(t.host, strstr(good[i].text, "x.test") ==
		    NULL ? "" : "x.test");
		if (t.host[0] != '\0')
			assert_true(t.addr.len == 0 && t.port == 514);
		if (t.kind == TARGET_FILE)
			assert_string_equal(t.path, good[i].text);
	}
}

TEST(bad)
{
	static const struct {
		const char *text, *why;		/* a word of it */
	} bad[] = {
		{ "", "absolute path" }, { "x", "absolute path" },
		{ "stderr2", "stderr" }, { "stdout", "stderr" },
		{ "./x", "absolute path" }, { "x/y", "absolute path" },
		{ "syslogx", "syslog:FACILITY" },
		{ "syslog:", "local0 to local7" },
		{ "syslog:local8", "local0 to local7" },
		{ "syslog:kern", "local0 to local7" },
		{ "syslog:LOCAL0", "local0 to local7" },
		{ "udp://192.0.2.1", "syslog+udp://HOST" },
		{ "@192.0.2.1", "syslog+udp://HOST" },
		{ "syslog://192.0.2.1", "local0" },
		{ "syslog+tls://192.0.2.1", "with tcp" },
		{ "syslog+udp:192.0.2.1", "syslog+udp://HOST" },
		{ "syslog+udp://", "host is missing" },
		{ "syslog+udp:///user", "host is missing" },
		{ "syslog+udp://192.0.2.1/", "10.0.0.1:514/daemon" },
		{ "syslog+udp://192.0.2.1/kern", "10.0.0.1:514/daemon" },
		{ "syslog+udp://192.0.2.1:0", "1 to 65535" },
		{ "syslog+udp://192.0.2.1:x/user", "a port is a number" },
		{ "syslog+tcp://[::1", "[::1]:80" },
		{ "syslog+tcp://::1", "brackets" },
		{ "syslog+udp://unix:/dev/log", "local0" },
		{ "syslog+udp://unix:", "unix" },
	};
	char text[1000] = "syslog+udp://";
	struct log_target t;
	const char *why;
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		why = NULL;
		assert_int_equal(log_target_parse(bad[i].text, &t, &why), -1);
		assert_non_null(why);
		if (strstr(why, bad[i].why) == NULL)
			fail_msg("\"%s\": \"%s\" is not in: %s", bad[i].text,
			    bad[i].why, why);
	}
	memset(text + strlen(text), 'x', 900);
	assert_int_equal(log_target_parse(text, &t, &why), -1);
	assert_string_equal(why, "the host name is too long");
}
