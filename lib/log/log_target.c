/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* log_target.c: parses the names of log targets. Opens nothing. */
#include "log/log_target.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define LOCAL		"syslog"
#define LOCAL_SOCKET	"/dev/log"
#define UDP		"syslog+udp://"
#define TCP		"syslog+tcp://"
#define PORT		":514"		/* RFC 5426; in use for TCP as well */

static const struct {
	const char *name;
	int	 code;
} facilities[] = {
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV },
	{ "cron", LOG_CRON }, { "daemon", LOG_DAEMON }, { "ftp", LOG_FTP },
	{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
	{ "mail", LOG_MAIL }, { "news", LOG_NEWS }, { "user", LOG_USER },
};

/* Parses the facility behind *mark*, if one follows. */
static int
read_facility(const char *text, char mark, struct log_target *t,
    const char **why)
{
	size_t i;

	t->facility = LOG_DAEMON;
	if (text[0] == '\0')
		return 0;
	if (text[0] == mark)
		for (i = 0; i < sizeof(facilities) / sizeof(*facilities); i++)
			if (strcmp(text + 1, facilities[i].name) == 0) {
				t->facility = facilities[i].code;
				return 0;
			}
	*why = mark == '/' ?
	    "after the address comes a facility, daemon, user, local0 to "
	    "local7, auth, authpriv, cron, ftp, mail or news: "
	    UDP "10.0.0.1:514/daemon" :
	    "the facility is one of daemon, user, local0 to local7, auth, "
	    "authpriv, cron, ftp, mail, news: syslog:daemon";
	return -1;
}

/* host[:port][/facility] */
static int
read_remote(const char *text, struct log_target *t, const char **why)
{
	char host[300];
	size_t len = strcspn(text, "/");
	int port;
	const char *name = text[0] == '[' ? memchr(text, ']', len) : text;

	if (read_facility(text + len, '/', t, why) == -1)
		return -1;
	if (len >= sizeof(host) - sizeof(PORT)) {
		*why = "the host name is too long";
		return -1;
	}
	snprintf(host, sizeof(host), "%.*s%s", (int)len, text,
	    name == NULL || memchr(name, ':', len - (size_t)(name - text)) !=
	    NULL ? "" : PORT);
	if (strncmp(host, "unix:", 5) == 0)
		return addr_parse(host, ADDR_CONNECT, &t->addr, 1, why) == -1 ?
		    -1 : 0;
	if ((port = addr_split(host, ADDR_CONNECT, t->host, sizeof(t->host),
	    why)) == -1)
		return -1;
	t->port = (uint16_t)port;
	if (t->host[0] != '\0' && strcmp(t->host, "*") != 0 &&
	    !addr_is_ip(t->host))
		return 0;
	t->host[0] = '\0';
	return addr_parse(host, ADDR_CONNECT, &t->addr, 1, why) == -1 ? -1 : 0;
}

int
log_target_parse(const char *text, struct log_target *t, const char **why)
{
	memset(t, 0, sizeof(*t));
	if (strcmp(text, "stderr") == 0) {
		t->kind = TARGET_STDERR;
		return 0;
	}
	if (text[0] == '/') {
		t->kind = TARGET_FILE;
		t->path = text;
		return 0;
	}
	if (strncmp(text, UDP, strlen(UDP)) == 0) {
		t->kind = TARGET_UDP;
		return read_remote(text + strlen(UDP), t, why);
	}
	if (strncmp(text, TCP, strlen(TCP)) == 0) {
		t->kind = TARGET_TCP;
		return read_remote(text + strlen(TCP), t, why);
	}
	if (strncmp(text, LOCAL, strlen(LOCAL)) == 0 &&
	    (text[strlen(LOCAL)] == '\0' || text[strlen(LOCAL)] == ':')) {
		t->kind = TARGET_SYSLOG;
		(void)addr_parse("unix:" LOCAL_SOCKET, ADDR_CONNECT, &t->addr,
		    1, why);
		return read_facility(text + strlen(LOCAL), ':', t, why);
	}
	*why = "stderr, an absolute path, syslog, syslog:FACILITY, "
	    UDP "HOST[:PORT][/FACILITY], or the same with tcp";
	return -1;
}

int
log_target_find(struct log_target *t, const struct addr *known)
{
	struct addr_host h;

	if (t->host[0] == '\0')
		return 0;
	if (known != NULL && known->len > 0) {
		t->addr = *known;
		return 0;
	}
	(void)strlcpy(h.name, t->host, sizeof(h.name));
	addr_look_up(&h, ADDR_CONNECT);
	if (h.n == 0)
		return -1;
	t->addr = h.addr[0];
	addr_set_port(&t->addr, t->port);
	return 0;
}
