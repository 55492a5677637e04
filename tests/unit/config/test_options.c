/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_options.c: the command line, read again and again as at a reload: the same
 * must come out, and all that is wrong in one go. The test runs in a directory
 * of its own, where ./etc is the /etc of the system.
 */
#include "config/options.h"
#include "config/instance_name.h"

#include <syslog.h>

#include "helpers.h"

static struct diagnostics diagnostics;
static struct conf conf;
static char directory[100];
static char *started_in;		/* handed on by a reload */

static enum options_action
parse(const char *line)
{
	char copy[2000], argv0[] = "shuttled", *words[100] = { argv0 };
	char *rest = copy, *word;
	int n = 1;

	strlcpy(copy, line, sizeof(copy));
	while ((word = strsep(&rest, " ")) != NULL)
		words[n++] = word;
	conf_init(&conf);
	conf.directory = started_in;
	return options_parse(&conf, n, words, &diagnostics);
}

int
tear_down(void)
{
	conf_free(&conf);
	conf_init(&conf);
	diagnostics_free(&diagnostics);
	return 0;
}

/* It is fine; what came out is in conf. */
static void
take(const char *line)
{
	enum options_action action;

	tear_down();
	action = parse(line);
	if (diagnostics.n > 0)
		fail_msg("%s: %s", line, diagnostics.line[0]);
	assert_int_equal(action, OPTIONS_RUN);
}

/* One diagnostic, which has both texts. */
static void
refuse(const char *line, const char *option, const char *why)
{
	tear_down();
	assert_int_equal(parse(line), OPTIONS_ERROR);
	assert_int_equal(diagnostics.n, 1);
	if (strstr(diagnostics.line[0], option) == NULL ||
	    strstr(diagnostics.line[0], why) == NULL)
		fail_msg("%s: %s", line, diagnostics.line[0]);
}

TEST(again)
{
	int i;

	for (i = 0; i < 3; i++) {
		take("-F -l 127.0.0.1:0 -s 127.0.0.1:1 "
		    "-s 127.0.0.1:2,weight=3 -vw 4");
		assert_int_equal(conf.servers, 2);
		assert_int_equal(conf.listeners, 1);
		assert_int_equal(conf.workers, 4);
		tear_down();
		/* Left in the middle of a word. */
		assert_int_equal(parse("-VFv"), OPTIONS_DONE);
	}
}

TEST(all_in_one_go)
{
	static const char *const lines[] = {
		"option -x: there is no such option; try shuttled --help",
		"option --bufers: there is no such option, perhaps --buffers; "
		    "try shuttled --help",
		"extra: this is not an option; try shuttled --help",
		"option -w, --workers: \"many\": should be auto, auto:N or a number "
		    "from 0 to 128",
	};
	size_t i;

	assert_int_equal(parse("-Fx -w many --bufers -v extra more"),
	    OPTIONS_ERROR);
	assert_int_equal(diagnostics.all, COUNT(lines));
	for (i = 0; i < COUNT(lines); i++)
		assert_string_equal(diagnostics.line[i], lines[i]);
}

TEST(very_many)
{
	int i;

	for (i = 0; i < 2 * DIAGNOSTICS_MAX; i++)
		diagnostics_add(&diagnostics, "number %d", i);
	assert_int_equal(diagnostics.n, DIAGNOSTICS_MAX);
	assert_int_equal(diagnostics.all, 2 * DIAGNOSTICS_MAX);
	assert_string_equal(diagnostics.line[99], "number 99");
	diagnostics_free(&diagnostics);
	assert_int_equal(diagnostics.all, 0);
}

/* The name of an instance: asked for, or that of its first file. */
TEST(instance)
{
	static const struct {
		const char *path, *name;
	} files[] = {
		{ "etc/web.yaml", "web" }, { "etc/web-1.yaml", "web-1" },
		{ "etc/shuttled.yaml", "" }, { "etc/plain", "plain" },
		{ "etc/a b.yaml", "" }, { "etc/.yaml", "" },
	};
	char line[64];
	size_t i;

	for (i = 0; i < COUNT(files); i++) {
		conf.name[0] = '\0';
		runtime_files_name_from_file(&conf, files[i].path);
		assert_string_equal(conf.name, files[i].name);
	}
	runtime_files_name_from_file(&conf, "etc/mail.d//");
	assert_string_equal(conf.name, "mail");
	take("-F -l :0 -s 127.0.0.1:1");
	assert_string_equal(conf.name, "");
	take("-F -l :0 -s 127.0.0.1:1 --instance web");
	assert_string_equal(conf.name, "web");
	assert_null(conf.pidfile);
	/* Only a daemon has a default, and only by a name that it was given. */
	take("-l :0 -s 127.0.0.1:1 --instance web");
	assert_string_equal(conf.pidfile, "/run/shuttled/web.pid");
	take("-l :0 -s 127.0.0.1:1 --instance web -p /x");
	assert_string_equal(conf.pidfile, "/x");
	refuse("-l :0 -s 127.0.0.1:1 --instance a/b", "--instance",
	    "letters, digits");
	refuse("-l :0 -s 127.0.0.1:1 --instance .web", "--instance",
	    "letters, digits");
	memset(line, 'x', sizeof(line));
	line[33] = '\0';
	assert_non_null(runtime_files_name_check(line));
	line[32] = '\0';
	assert_null(runtime_files_name_check(line));
}

TEST(defaults)
{
	take("-F -l :0 -s 127.0.0.1:1");
	assert_int_equal(conf.buffers, 512);
	assert_int_equal(conf.defer_accept, 0);
	assert_false(conf.fast_open);
	assert_int_equal(conf.busy_poll, 0);
	assert_false(conf.pin_cpus);
	assert_int_equal(conf.drain_timeout, 600000);
	assert_int_equal(conf.grace, 0);
	assert_int_equal(conf.log_level, LOG_INFO);
	assert_string_equal(conf.engine->name, "hybrid");
	assert_string_equal(conf.log, "stderr");
	assert_null(conf.pidfile);
	assert_null(conf.ports_file);
	assert_true(conf.foreground);
	assert_string_equal(conf.listener->label, "");
	assert_int_equal(conf.listener->limits.idle_timeout, 0);
	assert_int_equal(conf.listener->limits.fin_timeout, 60000);
	assert_int_equal(conf.pools, 1);
	assert_string_equal(conf.pool->name, "main");
	assert_int_equal(conf.pool->attempts, 3);
	assert_int_equal(conf.pool->connect_timeout, 5000);
	assert_int_equal(conf.server->weight, 1);
	assert_int_equal(conf.server->tier, TIER_PRIMARY);
	assert_int_equal(conf.server->preconnect, 0);
	take("-l :0 -s 127.0.0.1:1");
	assert_string_equal(conf.log, "syslog:daemon");
}

/* Each option ends where it is used; of several the last one counts. */
TEST(values)
{
	take("-l :0 -s 127.0.0.1:1 -w 7 -L /log -p /pid --ports-file /ports "
	    "-e select --buffers 9 --buffers 8 --busy-poll 50 --retries 7 "
	    "--connect-timeout 300ms --idle-timeout 1h --fin-timeout off "
	    "--drain-timeout 0 --grace 5s --defer-accept 1500ms --fast-open "
	    "--pin-cpus");
	assert_int_equal(conf.workers, 7);
	assert_string_equal(conf.log, "/log");
	assert_string_equal(conf.pidfile, "/pid");
	assert_string_equal(conf.ports_file, "/ports");
	assert_string_equal(conf.engine->name, "select");
	assert_int_equal(conf.buffers, 8);
	assert_int_equal(conf.busy_poll, 50);
	assert_int_equal(conf.drain_timeout, 0);
	assert_int_equal(conf.grace, 5000);
	assert_true(conf.pin_cpus);
	assert_int_equal(conf.listener->limits.idle_timeout, 3600000);
	assert_int_equal(conf.listener->limits.fin_timeout, 0);
	assert_int_equal(conf.listener->defer_accept, 2);
	assert_true(conf.listener->fast_open);
	assert_true(conf.pool->fast_open);
	assert_int_equal(conf.pool->attempts, 8);
	assert_int_equal(conf.pool->connect_timeout, 300);
	take("-l :0 -s 127.0.0.1:1 --fast-open --fast-open=false -q");
	assert_false(conf.pool->fast_open);
	assert_int_equal(conf.log_level, LOG_NOTICE);
	take("-l :0 -s 127.0.0.1:1 -qv");
	assert_int_equal(conf.log_level, LOG_DEBUG);
}

TEST(servers)
{
	const struct server *b;
	char line[200] = "-l :0 -s 127.0.0.1:85,name=", name[70];

	take("-l :0 -s 127.0.0.1:81 -s 127.0.0.1:82,weight=7 "
	    "-s [::1]:83,backup,name=other -s 127.0.0.1:81 "
	    "-s unix:/run/y,name=local,weight=256,backup,preconnect=64");
	assert_int_equal(conf.servers, 5);
	b = conf.server;
	assert_string_equal(b[0].name, "127.0.0.1:81");
	assert_string_equal(b[1].name, "127.0.0.1:82");
	assert_int_equal(b[1].weight, 7);
	assert_int_equal(b[1].tier, TIER_PRIMARY);
	assert_string_equal(b[2].name, "other");
	assert_int_equal(b[2].weight, 1);
	assert_int_equal(b[2].tier, TIER_BACKUP);
	assert_string_equal(b[3].name, "127.0.0.1:81#2");
	assert_string_equal(b[4].name, "local");
	assert_int_equal(b[4].weight, 256);
	assert_int_equal(b[4].preconnect, 64);
	memset(name, 'n', sizeof(name));
	name[63] = '\0';
	strlcat(line, name, sizeof(line));
	take(line);
	assert_string_equal(conf.server->name, name);
	strlcat(line, "n", sizeof(line));
	refuse(line, "option -s, --server: ", "1 to 63 bytes");
}

static const struct {
	const char *text, *why;
} bad_servers[] = {
	{ "127.0.0.1:", "from 1 to 65535" },
	{ "127.0.0.1,preconnect=1", "preconnected connections have no client" },
	{ "127.0.0.1:80,", "after the address" },
	{ "127.0.0.1:80,,backup", "after the address" },
	{ "127.0.0.1:80,Backup", "after the address" },
	{ "127.0.0.1:80,backup=true", "after the address" },
	{ "127.0.0.1:80,address=127.0.0.1:81", "after the address" },
	{ "127.0.0.1:80,weight", "after the address" },
	{ "127.0.0.1:80,weight=", "from 0 to 256" },
	{ "127.0.0.1:80,weight=257", "from 0 to 256" },
	{ "127.0.0.1:80,weight=-1", "from 0 to 256" },
	{ "127.0.0.1:80,weight=2x", "from 0 to 256" },
	{ "127.0.0.1:80,weight=+2", "from 0 to 256" },
	{ "127.0.0.1:80,weight=4294967297", "from 0 to 256" },
	{ "127.0.0.1:80,preconnect", "preconnect=N" },
	{ "127.0.0.1:80,preconnect=", "from 0 to 64" },
	{ "127.0.0.1:80,preconnect=65", "from 0 to 64" },
	{ "127.0.0.1:80,name=", "1 to 63 bytes" },
	{ "127.0.0.1:80,name=a=b", "no spaces" },
	{ "127.0.0.1:80,name=\"a\"", "no spaces" },
	{ "127.0.0.1:80,name=a -s 127.0.0.1:81,name=a", "has this name" },
	{ "builtin:hello,preconnect=1", "not for builtin" },
};

TEST(bad_servers)
{
	char line[200];
	size_t i;

	for (i = 0; i < COUNT(bad_servers); i++) {
		snprintf(line, sizeof(line), "-l :0 -s %s",
		    bad_servers[i].text);
		refuse(line, "option -s, --server: ", bad_servers[i].why);
	}
}

/* The file of the system is for those who say nothing else. */
TEST(default_file)
{
	refuse("-F", "nothing to do", "etc/shuttled.yaml");
	write_file("etc/shuttled.yaml", "workers: 3\n"
	    "listen:\n  web:\n    address: :0\n"
	    "pool: { app: { server: { a: { address: 127.0.0.1:1 } } } }");
	take("-F");
	assert_int_equal(conf.workers, 3);
	assert_string_equal(conf.listener->label, "web");
	assert_string_equal(conf.server->name, "app/a");
	take("-l :0 -s 127.0.0.1:1");
	assert_string_equal(conf.listener->label, "");
	refuse("-l :0", "option -s, --server", "nothing to balance to");
}

/* A relative name leads to the same file wherever the process is then. */
TEST(directory)
{
	char *first;

	write_file("etc/x.yaml", "workers: 5");
	take("-c etc/x.yaml -l :0 -s 127.0.0.1:1");
	assert_non_null(first = strdup(conf.directory));
	tear_down();
	MUST(chdir("/"));
	started_in = first;
	assert_int_equal(parse("-c etc/x.yaml -l :0 -s 127.0.0.1:1"),
	    OPTIONS_RUN);
	started_in = NULL;
	assert_int_equal(conf.workers, 5);
	MUST(chdir(conf.directory));
}

/* What listeners and pools have of their own gives way, too. */
TEST(options_win)
{
	write_file("etc/z.yaml", "idle_timeout: 1h\nlisten: { web: { "
	    "address: \":0\", idle_timeout: 3h, fast_open: false } }\n"
	    "pool: { app: { retries: 1, connect_timeout: 9s,\n"
	    "server: { a: { address: builtin:echo } } } }");
	tear_down();
	assert_int_equal(parse("-c etc/z.yaml"), OPTIONS_RUN);
	assert_int_equal(conf.listener->limits.idle_timeout, 3 * 3600 * 1000);
	assert_int_equal(conf.pool->attempts, 2);
	tear_down();
	assert_int_equal(parse("-c etc/z.yaml --idle-timeout 2h --retries 5 "
	    "--fast-open"), OPTIONS_RUN);
	assert_int_equal(conf.limits.idle_timeout, 2 * 3600 * 1000);
	assert_int_equal(conf.listener->limits.idle_timeout, 2 * 3600 * 1000);
	assert_true(conf.listener->fast_open);
	assert_int_equal(conf.pool->attempts, 6);
	assert_true(conf.pool->fast_open);
	/* Nobody spoke of this one. */
	assert_int_equal(conf.pool->connect_timeout, 9000);
}

/* A reload that finds no memory must leave the process as it is. */
TEST(out_of_memory)
{
	enum options_action action;
	int i;

	alloc_needed();
	write_file("etc/y.yaml", "workers: &n 3\nlisten: { web: { address: "
	    "[ \":0\", \"127.0.0.1:0\" ], pool: app } }\n"
	    "pool: { app: { server: { a: { address: builtin:echo },\n"
	    "b: { address: 127.0.0.1:1, weight: *n } } } }");
	for (i = 0;; i++) {
		tear_down();
		alloc_fail(i);
		action = parse("-c etc/y.yaml -l :0 -l :0 -s 127.0.0.1:1 "
		    "-s 127.0.0.1:2,weight=3,name=b -q");
		if (!alloc_failed())
			break;
		assert_int_not_equal(action, OPTIONS_RUN);
		assert_true(diagnostics.n > 0);
	}
	assert_int_equal(action, OPTIONS_RUN);
	assert_true(i > 20);
}

int
set_up_all(void)
{
	make_dir(directory, sizeof(directory));
	return chdir(directory) == -1 || mkdir("etc", 0755) == -1 ? -1 : 0;
}

int
tear_down_all(void)
{
	remove_dir(directory);
	return 0;
}
