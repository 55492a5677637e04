/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_logs.c: which listeners share a log, and by what slot the processes of several
 * generations know it.
 */
#include "process/logs.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include "config/conf_file.h"
#include "config/conf_make.h"
#include "helpers.h"
#include "config/settings.h"

static unsigned	asked;			/* for a name */

static char directory[100], file[120];
static struct conf conf, next;
static struct diagnostics diagnostics;

/* All that begins with "no" is unknown, other names are here. */
int
__wrap_getaddrinfo(const char *name, const char *port,
    const struct addrinfo *hints, struct addrinfo **list)
{
	static struct sockaddr_in here;
	static struct addrinfo only = { .ai_family = AF_INET,
	    .ai_addr = (struct sockaddr *)&here, .ai_addrlen = sizeof(here) };

	(void)port;
	(void)hints;
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*list = &only;
	if (inet_pton(AF_INET, name, &here.sin_addr) == 1)
		return 0;
	asked++;
	return strncmp(name, "no", 2) == 0 ? EAI_NONAME : 0;
}

void
__wrap_freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

int
set_up(void)
{
	asked = 0;
	make_dir(directory, sizeof(directory));
	snprintf(file, sizeof(file), "%s/conf", directory);
	memset(&diagnostics, 0, sizeof(diagnostics));
	conf_init(&conf);
	conf_init(&next);
	conf.foreground = next.foreground = true;
	return 0;
}

int
tear_down(void)
{
	logs_close(&conf);
	logs_close(&next);
	diagnostics_free(&diagnostics);
	conf_free(&conf);
	conf_free(&next);
	remove_dir(directory);
	return 0;
}

/* A listener for each word: a file here if it begins with a dot. */
static void
make(struct conf *c, const char *words)
{
	char all[8000], *at = all, *end = all + sizeof(all);
	unsigned i;
	int len;

	at += snprintf(at, (size_t)(end - at), "log: \"%s/main\"\npool: { p: "
	    "{ server: { s: { address: \"builtin:echo\" } } } }\nlisten: {\n",
	    directory);
	for (i = 0; *words != '\0'; i++) {
		len = (int)strcspn(words, " ");
		at += snprintf(at, (size_t)(end - at), "l%u: { address: "
		    "\"127.0.0.1:%u\", log: \"%s%.*s\" },\n", i, 1000 + i,
		    *words == '.' ? directory : "", len - (*words == '.'),
		    words + (*words == '.'));
		words += len + (words[len] == ' ');
	}
	snprintf(at, (size_t)(end - at), "}\n");
	write_file(file, all);
	assert_non_null(c->settings = settings_new());
	assert_int_equal(conf_file_read(c->settings, file, false,
	    &diagnostics), 0);
	conf_make(c, true, &diagnostics);
}

static void
reports_of(unsigned line, const char *what)
{
	char place[140];

	assert_int_equal(diagnostics.n, 1);
	snprintf(place, sizeof(place), "%s:%u:", file, line);
	if (strncmp(diagnostics.line[0], place, strlen(place)) != 0 ||
	    strstr(diagnostics.line[0], ": log ") == NULL ||
	    strstr(diagnostics.line[0], what) == NULL)
		fail_msg("%s", diagnostics.line[0]);
}

TEST(shared)
{
	make(&conf, "./a ./b ./a ./main global off");
	assert_int_equal(diagnostics.n, 0);
	assert_int_equal(conf.own_logs, 2);
	assert_int_equal(conf.listener[0].own_log, 1);
	assert_int_equal(conf.listener[1].own_log, 2);
	assert_int_equal(conf.listener[2].own_log, 1);
	assert_int_equal(conf.listener[3].own_log, 0);
	assert_int_equal(conf.listener[4].own_log, 0);
	assert_true(conf.listener[5].silent && conf.listener[5].own_log == 0);
	assert_false(conf.listener[4].silent);
}

/* What stays keeps its slot, and what comes takes one that is free. */
TEST(slots)
{
	make(&conf, "./a ./b");
	assert_int_equal(logs_open(&conf, NULL, 5, &diagnostics), 0);
	assert_true(conf.own_log[0].slot == 1 && conf.own_log[0].since == 5);
	assert_true(conf.own_log[1].slot == 2 && conf.own_log[1].since == 5);
	assert_ptr_equal(logs_at(NULL, &conf, 2), conf.own_log[1].log);
	assert_null(logs_at(NULL, &conf, 3));
	make(&next, "./c ./b");
	assert_int_equal(logs_open(&next, &conf, 6, &diagnostics), 0);
	assert_true(next.own_log[0].slot == 1 && next.own_log[0].since == 6);
	assert_true(next.own_log[1].slot == 2 && next.own_log[1].since == 5);
	assert_ptr_not_equal(next.own_log[1].log, conf.own_log[1].log);
}

/* A name is looked up once, for all logs and before any is opened. */
TEST(names)
{
	make(&conf, "syslog+udp://logger/user syslog+udp://logger:9/mail "
	    "syslog+tcp://other syslog+udp://127.0.0.1:7");
	assert_int_equal(diagnostics.n, 0);
	assert_int_equal(asked, 2);
	assert_int_equal(logs_open(&conf, NULL, 5, &diagnostics), 0);
	assert_int_equal(asked, 2);
	assert_int_equal(addr_port(&conf.own_log[0].addr), 514);
	assert_int_equal(addr_port(&conf.own_log[1].addr), 9);
	assert_int_equal(conf.own_log[3].addr.len, 0);
	make(&next, "./a syslog+udp://nobody");
	reports_of(5, "nobody\": ");
	assert_int_equal(asked, 3);
}

TEST(too_many)
{
	char words[30 * 6] = "", *at = words;
	unsigned i;

	for (i = 0; i <= CONF_LOGS; i++)
		at += snprintf(at, 7, "%s./%u", i > 0 ? " " : "", i);
	make(&conf, words);
	assert_int_equal(conf.own_logs, CONF_LOGS);
	reports_of(4 + CONF_LOGS, "more than 24");
}

TEST(cannot_be_opened)
{
	make(&conf, "./a ./none/b");
	assert_int_equal(diagnostics.n, 0);
	assert_int_equal(logs_open(&conf, NULL, 1, &diagnostics), -1);
	reports_of(5, strerror(ENOENT));
	assert_null(conf.own_log[0].log);
}

TEST(daemon_without_stderr)
{
	conf.foreground = false;
	make(&conf, "./a stderr");
	reports_of(5, "a daemon has no stderr");
}
