/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * options.c: getopt_long(3) and the effect of each option: most only set the
 * directive of the same name. Then the files, and the whole configuration.
 */
#include "config.h"
#include "config/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/conf_file.h"
#include "config/conf_make.h"
#include "config/instance_name.h"
#include "config/settings.h"
#include "util/nearest.h"

#define DEFAULT_FILE	SYSCONFDIR "/shuttled.yaml"

/* The listener of all -l, and the pool of all -b. */
#define MAIN	"main"

/* A number for each option without a short form, beyond all characters. */
#define LONG	(256 + __LINE__)

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, 'l' },
	{ "server", required_argument, NULL, 's' },
	{ "workers", required_argument, NULL, 'w' },
	{ "foreground", no_argument, NULL, 'F' },
	{ "pidfile", required_argument, NULL, 'p' },
	{ "log", required_argument, NULL, 'L' },
	{ "engine", required_argument, NULL, 'e' },
	{ "user", required_argument, NULL, 'u' },
	{ "test", no_argument, NULL, 't' },
	{ "explain", no_argument, NULL, 'T' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ "instance", required_argument, NULL, LONG },
	{ "ports-file", required_argument, NULL, LONG },
	{ "connect-timeout", required_argument, NULL, LONG },
	{ "retries", required_argument, NULL, LONG },
	{ "balance", required_argument, NULL, LONG },
	{ "check", required_argument, NULL, LONG },
	{ "idle-timeout", required_argument, NULL, LONG },
	{ "fin-timeout", required_argument, NULL, LONG },
	{ "drain-timeout", required_argument, NULL, LONG },
	{ "reload-timeout", required_argument, NULL, LONG },
	{ "grace", required_argument, NULL, LONG },
	{ "buffers", required_argument, NULL, LONG },
	{ "busy-poll", required_argument, NULL, LONG },
	{ "defer-accept", required_argument, NULL, LONG },
	{ "fast-open", optional_argument, NULL, LONG },
	{ "pin-cpus", optional_argument, NULL, LONG },
	{ "chroot", required_argument, NULL, LONG },
	{ "sandbox", required_argument, NULL, LONG },
	{ "max-sessions-per-worker", required_argument, NULL, LONG },
	{ "log-format", required_argument, NULL, LONG },
	{ "log-sessions", required_argument, NULL, LONG },
	{ "log-interval", required_argument, NULL, LONG },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
"usage: shuttled -l ADDR... -s ADDR... [options]\n"
"       shuttled -c FILE... [options]\n"
"A pre-forking TCP load balancer: see shuttled(8).\n"
"\n"
"  -c, --config FILE|DIR    read FILE, or all *.yaml in DIR (repeatable)\n"
"                           (" DEFAULT_FILE " without -c, -l, -s)\n"
"  -l, --listen ADDR        accept connections here (repeatable)\n"
"  -s, --server ADDR[,weight=N][,backup][,preconnect=N][,max_sessions=N]\n"
"                [,state=S][,name=S]\n"
"                           send them there (repeatable)\n"
"  -w, --workers N|auto[:N] worker processes; 0: no fork (auto: processors)\n"
"  -F, --foreground         stay in the foreground\n"
"  -u, --user USER[:GROUP]  of the workers, when started as root\n"
"                           (shuttled if there is one, else nobody)\n"
"  -p, --pidfile FILE       lock FILE and write the master's pid to it\n"
"  -L, --log TARGET         stderr, syslog[:facility], a file, or a host:\n"
"                           syslog+udp://host[:port][/facility], syslog+tcp://\n"
"                           (syslog:daemon; stderr with -F)\n"
"  -e, --engine NAME        how readiness is found: hybrid, select (hybrid)\n"
"  -t, --test               check options and files, and exit\n"
"  -T, --explain            print the effective configuration, and exit\n"
"  -v, --verbose            log the start of sessions, too\n"
"  -q, --quiet              no session lines\n"
"  -V, --version            print the version\n"
"  -h, --help               print this\n"
"      --instance NAME      in titles, log lines and the pidfile (the name of the\n"
"                           file of -c)\n"
"      --ports-file FILE    write the bound addresses, one a line, once ready\n"
"      --connect-timeout T  for one attempt to reach a server (5s)\n"
"      --retries N          other servers to try when one fails (2)\n"
"      --balance NAME       how a server is chosen: roundrobin, leastconn,\n"
"                           random, client, hash, maglev, first (roundrobin)\n"
"      --check KIND         how servers are checked: off, tcp, http, tls … (off)\n"
"      --idle-timeout T     end sessions in which no byte moves (off)\n"
"      --fin-timeout T      the same once one side has ended (1m)\n"
"      --drain-timeout T    end sessions this long after QUIT (10m)\n"
"      --reload-timeout T   the same for old workers after HUP, USR2 (off)\n"
"      --grace T            accept for this long after QUIT (off)\n"
"      --buffers N          blocks of 64 KiB for unsent bytes, each worker (512)\n"
"      --busy-poll N        poll for N microseconds before sleeping (0)\n"
"      --defer-accept T     accept once a client has sent something (off)\n"
"      --fast-open[=BOOL]   send first bytes in the SYN (TCP Fast Open)\n"
"      --pin-cpus[=BOOL]    run each worker on a CPU of its own\n"
"      --chroot DIR         the workers' root directory (none)\n"
"      --sandbox on|off     deny workers files and most system calls (on)\n"
"      --max-sessions-per-worker N\n"
"                           at most (what descriptors allow)\n"
"      --log-format FORMAT  of session lines: text, json, haproxy, or your own\n"
"                           with fields, such as \"%{client} %{server}\" (text)\n"
"      --log-sessions WHICH all, errors, none, or 1/N of them and errors (all)\n"
"      --log-interval T     log lasting sessions at this interval (off)\n"
"\n"
"ADDR is host:port, 1.2.3.4:80, [::1]:80, :80 (all addresses), unix:/path;\n"
"port 0 lets the system choose; -l takes ranges, :8000-8010, and a server without\n"
"a port has that of the listener. A server may be builtin:hello, builtin:echo\n"
"or builtin:discard. Times T: 300ms, 5s, 10m, 1h, off. Options win over files,\n"
"for which see shuttled.yaml(5).\n"
"\n"
"Try it:  shuttled -F -l :8080 -s builtin:hello -s builtin:hello\n";

/* The parse in progress. */
struct parse {
	struct conf	*conf;
	struct diagnostics *diagnostics;
	struct settings	*settings;
	const char	**file;		/* of -c */
	size_t		 files;
	struct section	*listener;	/* of -l, NULL: none */
	struct section	*pool;		/* of -b, NULL: none */
	bool		 verbose;
	bool		 quiet;
	enum options_action action;
	bool		 whole;		/* all settings were read */
};

static const struct option *
find_option(int code)
{
	const struct option *o;

	for (o = longs; o->name != NULL && o->val != code; o++)
		continue;
	return o;
}

/* The place of an option as the user writes it. */
static struct place
place_of_option(int code)
{
	struct place p = { .option = find_option(code)->name };

	if (code < 256)
		p.letter = (char)code;
	return p;
}

static void
set_from_option(struct parse *p, struct section *s, const struct directive *d,
    const struct place *place, const char *text)
{
	struct value *v;

	if (s == NULL || (v = section_set(s, d, place)) == NULL ||
	    value_add(v, text) == -1)
		diagnostics_add(p->diagnostics, "%s", strerror(errno));
}

/* Sets the directive of the same name; a boolean needs no value. */
static void
set_directive(struct parse *p, int code, const char *text)
{
	const struct directive *d;
	struct place place = place_of_option(code);
	char name[48], *dash;

	strlcpy(name, place.option, sizeof(name));
	while ((dash = strchr(name, '-')) != NULL)
		*dash = '_';
	d = directive_find(SECTION_TOP, name);
	assert(d != NULL);
	set_from_option(p, p->settings->section[SETTINGS_OPTIONS], d, &place,
	    text == NULL ? "true" : text);
}

static void
add_listener(struct parse *p, const char *text)
{
	const struct directive *d = directive_find(SECTION_LISTEN, "address");
	struct place place = place_of_option('l');

	if (p->listener == NULL)
		p->listener = settings_add(p->settings, SECTION_LISTEN, MAIN,
		    &place);
	if (p->listener == NULL || p->listener->values == 0)
		set_from_option(p, p->listener, d, &place, text);
	else if (value_add(p->listener->value, text) == -1)
		diagnostics_add(p->diagnostics, "%s", strerror(errno));
}

static const char *
set_name(struct section *s, const char *name)
{
	if (name[0] != '\0' && strpbrk(name, " \t\"=") == NULL &&
	    strlcpy(s->name, name, sizeof(s->name)) < sizeof(s->name))
		return NULL;
	return "a name has 1 to 63 bytes, no spaces, quotes or '='";
}

/* One of the words after the address: a directive of a server, or its name. */
static void
add_word(struct parse *p, struct section *s, char *word)
{
	const struct directive *d;
	const char *why = NULL;
	char *value = word;

	word = strsep(&value, "=");
	d = directive_find(SECTION_SERVER, word);
	if (value != NULL && strcmp(word, "name") == 0)
		why = set_name(s, value);
	else if (d == NULL || d->type == TYPE_ADDRESS ||
	    (value == NULL) != (d->type == TYPE_BOOL))
		why = "after the address come weight=N, backup, preconnect=N, "
		    "max_sessions=N, state=S or name=S";
	else
		set_from_option(p, s, d, &s->place, value == NULL ? "true" :
		    value);
	if (why != NULL)
		diagnostics_add_at(p->diagnostics, &s->place, "\"%s%s%s\": %s",
		    word, value == NULL ? "" : "=", value == NULL ? "" : value,
		    why);
}

static void
add_server_option(struct parse *p, const char *text)
{
	struct place place = place_of_option('s');
	char *copy, *rest, *word;
	struct section *s;

	if (p->pool == NULL)
		p->pool = settings_add(p->settings, SECTION_POOL, MAIN, &place);
	s = settings_add(p->settings, SECTION_SERVER, "", &place);
	if (p->pool == NULL || s == NULL || (copy = strdup(text)) == NULL) {
		diagnostics_add(p->diagnostics, "%s", strerror(errno));
		return;
	}
	s->pool = p->pool;
	rest = copy;
	set_from_option(p, s, directive_find(SECTION_SERVER, "address"), &place,
	    strsep(&rest, ","));
	while ((word = strsep(&rest, ",")) != NULL)
		add_word(p, s, word);
	free(copy);
}

static void
read_option(struct parse *p, int code, const char *value)
{
	switch (code) {
	case 'c':
		p->file[p->files++] = value;
		break;
	case 'l':
		add_listener(p, value);
		break;
	case 's':
		add_server_option(p, value);
		break;
	case 'F':
		p->conf->foreground = true;
		break;
	case 't':
		p->action = OPTIONS_TEST;
		break;
	case 'T':
		p->action = OPTIONS_EXPLAIN;
		break;
	case 'v':
		p->verbose = true;
		break;
	case 'q':
		p->quiet = true;
		break;
	default:
		set_directive(p, code, value);
		break;
	}
}

/* The command line is wrong: *what* about *word*. */
static void
report_misuse(struct parse *p, const char *word, const char *what)
{
	diagnostics_add(p->diagnostics, "%s: %s; try shuttled --help", word,
	    what);
	p->whole = false;
}

/* The long option that was probably meant, or NULL. */
static const char *
meant_option(const char *text)
{
	const char *names[sizeof(longs) / sizeof(*longs)];
	char name[48];
	size_t n;

	if (strlcpy(name, text, sizeof(name)) >= sizeof(name))
		return NULL;
	name[strcspn(name, "=")] = '\0';
	for (n = 0; longs[n].name != NULL; n++)
		names[n] = longs[n].name;
	return nearest_find(name, names, n);
}

/* Reports *arg*, which getopt_long() did not accept. */
static void
unknown_option(struct parse *p, bool missing, const char *arg)
{
	const char *name;
	bool is_long = strncmp(arg, "--", 2) == 0;
	char word[80], what[80];

	if (optopt != 0 && !is_long)
		snprintf(word, sizeof(word), "option -%c", optopt);
	else
		snprintf(word, sizeof(word), "option %.60s", arg);
	if (missing)
		report_misuse(p, word, "its value is missing");
	else if (is_long && optopt != 0)
		report_misuse(p, word, "it takes no value");
	else if (is_long && (name = meant_option(arg + 2)) != NULL) {
		snprintf(what, sizeof(what),
		    "there is no such option, perhaps --%s", name);
		report_misuse(p, word, what);
	} else
		report_misuse(p, word, "there is no such option");
}

static void
print_version(void)
{
	puts(PACKAGE_NAME " " PACKAGE_VERSION);
}

/* Reads the command line. False: nothing is left to do. */
static bool
read_command_line(struct parse *p, int argc, char **argv)
{
	int code, at = 1;

	p->conf->argc = argc;
	p->conf->argv = argv;
	opterr = 0;
	/* 0: restart, whatever was parsed before (a GNU extension). */
	optind = 0;
	/* "+": no permutation, so that argv[at] is the current argument. */
	while ((code = getopt_long(argc, argv, "+:c:l:s:w:Fp:L:e:u:tTvqVh",
	    longs, NULL)) != -1) {
		switch (code) {
		case 'h':
			fputs(usage, stdout);
			return false;
		case 'V':
			print_version();
			return false;
		case ':':
		case '?':
			unknown_option(p, code == ':', argv[at]);
			break;
		default:
			read_option(p, code, optarg);
			break;
		}
		at = optind;
	}
	if (optind < argc)
		report_misuse(p, argv[optind], "this is not an option");
	return true;
}

/* Session lines are the default: -v adds more, -q removes them. */
static void
set_log_level(struct parse *p)
{
	struct place place = place_of_option(p->verbose ? 'v' : 'q');

	if (p->verbose || p->quiet)
		set_from_option(p, p->settings->section[SETTINGS_OPTIONS],
		    directive_find(SECTION_TOP, "log_level"), &place,
		    p->verbose ? "debug" : "notice");
}

static void
read_conf_file(struct parse *p, const char *name)
{
	char *path;

	if (name[0] != '/' && p->conf->directory == NULL &&
	    (p->conf->directory = getcwd(NULL, 0)) == NULL)
		diagnostics_add(p->diagnostics, "option -c, --config: \"%s\": "
		    "the working directory: %s", name, strerror(errno));
	else if (asprintf(&path, "%s%s%s", name[0] == '/' ? "" :
	    p->conf->directory, name[0] == '/' ? "" : "/", name) == -1)
		diagnostics_add(p->diagnostics, "%s", strerror(errno));
	else {
		if (conf_file_read(p->settings, path, p->action != OPTIONS_RUN,
		    p->diagnostics) == -1)
			p->whole = false;
		free(path);
	}
}

/* Sessions of -l go to the servers of -b, whatever pools files have. */
static void
join_listener_pool(struct parse *p)
{
	struct place place = place_of_option('l');

	if (p->listener != NULL && p->pool != NULL)
		set_from_option(p, p->listener,
		    directive_find(SECTION_LISTEN, "pool"), &place, MAIN);
}

/* The maximum wins: set alone it is meant, unlike the default minimum. */
static void
read_files(struct parse *p)
{
	size_t i;

	for (i = 0; i < p->files; i++)
		read_conf_file(p, p->file[i]);
	if (p->files > 0 || p->listener != NULL || p->pool != NULL ||
	    !p->whole)
		return;
	if (access(DEFAULT_FILE, F_OK) == 0)
		read_conf_file(p, DEFAULT_FILE);
	else
		report_misuse(p, "nothing to do", "give -c, --config, or -l, "
		    "--listen and -s, --server, or write " DEFAULT_FILE);
}

enum options_action
options_read(struct conf *conf, int argc, char **argv, struct diagnostics *cs)
{
	struct parse p = { .conf = conf, .diagnostics = cs, .whole = true };
	bool go_on;

	if ((p.settings = conf->settings = settings_new()) == NULL ||
	    (p.file = calloc((size_t)argc, sizeof(*p.file))) == NULL) {
		diagnostics_add(cs, "%s", strerror(errno));
		return OPTIONS_ERROR;
	}
	if ((go_on = read_command_line(&p, argc, argv))) {
		set_log_level(&p);
		join_listener_pool(&p);
		if (p.files > 0)
			runtime_files_name_from_file(conf, p.file[0]);
		read_files(&p);
	}
	p.settings->whole = p.whole;
	free(p.file);
	return go_on ? p.action : OPTIONS_DONE;
}

enum options_action
options_make(struct conf *conf, enum options_action action,
    struct diagnostics *cs)
{
	if (action == OPTIONS_DONE || action == OPTIONS_ERROR)
		return action;
	conf_make(conf, conf->settings->whole, cs);
	if (cs->all > 0)
		return cs->of_files > 0 ? OPTIONS_BAD_FILE : OPTIONS_ERROR;
	return action;
}

enum options_action
options_parse(struct conf *conf, int argc, char **argv, struct diagnostics *cs)
{
	return options_make(conf, options_read(conf, argc, argv, cs), cs);
}
