/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * options.c: getopt_long(3) and what each option does. Every mistake is one
 * line that names the option, the value and what would be right.
 */
#include "config.h"
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"
#include "nearest.h"
#include "sys.h"

enum {				/* options without a short form */
	OPT_PORTS_FILE = 256,
	OPT_CONNECT_TIMEOUT,
	OPT_IDLE_TIMEOUT,
	OPT_FIN_TIMEOUT,
	OPT_DRAIN_TIMEOUT,
	OPT_BUFFERS,
	OPT_DEFER_ACCEPT,
	OPT_FAST_OPEN,
	OPT_BUSY_POLL,
	OPT_PIN_CPUS,
};

/* Clients would have given up long before, in seconds. */
#define DEFER_ACCEPT_MAX	60

static const struct option longs[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "backend", required_argument, NULL, 'b' },
	{ "workers", required_argument, NULL, 'w' },
	{ "foreground", no_argument, NULL, 'F' },
	{ "pidfile", required_argument, NULL, 'p' },
	{ "log", required_argument, NULL, 'L' },
	{ "engine", required_argument, NULL, 'e' },
	{ "user", required_argument, NULL, 'u' },
	{ "test", no_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ "ports-file", required_argument, NULL, OPT_PORTS_FILE },
	{ "connect-timeout", required_argument, NULL, OPT_CONNECT_TIMEOUT },
	{ "idle-timeout", required_argument, NULL, OPT_IDLE_TIMEOUT },
	{ "fin-timeout", required_argument, NULL, OPT_FIN_TIMEOUT },
	{ "drain-timeout", required_argument, NULL, OPT_DRAIN_TIMEOUT },
	{ "buffers", required_argument, NULL, OPT_BUFFERS },
	{ "busy-poll", required_argument, NULL, OPT_BUSY_POLL },
	{ "defer-accept", required_argument, NULL, OPT_DEFER_ACCEPT },
	{ "fast-open", no_argument, NULL, OPT_FAST_OPEN },
	{ "pin-cpus", no_argument, NULL, OPT_PIN_CPUS },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
"usage: shuttled -l ADDR... -b ADDR... [options]\n"
"A pre-forking TCP load balancer: see shuttled(8).\n"
"\n"
"  -l, --listen ADDR        accept connections here (repeatable)\n"
"  -b, --backend ADDR[,weight=N][,backup][,spare=N][,name=S]\n"
"                           send them there (repeatable)\n"
"  -w, --workers N|auto     worker processes; 0: no fork (auto: processors)\n"
"  -F, --foreground         stay in the foreground\n"
"  -u, --user USER[:GROUP]  of the workers, when started as root\n"
"                           (shuttled if there is one, else nobody)\n"
"  -p, --pidfile FILE       lock FILE and write the master's pid to it\n"
"  -L, --log TARGET         stderr, syslog[:facility] or a file\n"
"                           (syslog:daemon; stderr with -F)\n"
"  -e, --engine NAME        how readiness is found: hybrid, select (hybrid)\n"
"  -t, --test               check the options and exit\n"
"  -v, --verbose            a line also when a session starts\n"
"  -q, --quiet              no session lines\n"
"  -V, --version            print the version\n"
"  -h, --help               print this\n"
"      --ports-file FILE    write the bound addresses, one a line, once ready\n"
"      --connect-timeout T  for one attempt to reach a backend (5s)\n"
"      --idle-timeout T     end sessions in which no byte moves (off)\n"
"      --fin-timeout T      the same once one side has ended (1m)\n"
"      --drain-timeout T    end sessions so long after QUIT (10m)\n"
"      --buffers N          blocks of 64 KiB for unsent bytes, each worker (512)\n"
"      --busy-poll N        spin so many microseconds before sleeping (0)\n"
"      --defer-accept T     accept once a client has sent something (off)\n"
"      --fast-open          send first bytes with the request to connect\n"
"      --pin-cpus           run each worker on a CPU of its own\n"
"\n"
"ADDR is host:port, 1.2.3.4:80, [::1]:80, :80 (all addresses), unix:/path;\n"
"port 0 lets the system choose. A backend may be builtin:hello, builtin:echo\n"
"or builtin:discard. Times T: 300ms, 5s, 10m, 1h, off.\n"
"\n"
"Try it:  shuttled -F -l :8080 -b builtin:hello -b builtin:hello\n";

/* The parse so far: what the end of the line must put together. */
struct parse {
	struct conf	*conf;
	struct complaints *complaints;
	const char	*user;
	unsigned	 verbose;
	bool		 quiet;
	bool		 test;
};

/* The option as the user may write it: "-l" or "--ports-file". */
static const char *
option_name(int code, char *buf, size_t size)
{
	const struct option *o;

	for (o = longs; o->name != NULL; o++)
		if (o->val == code) {
			if (code < 256)
				snprintf(buf, size, "-%c, --%s", code, o->name);
			else
				snprintf(buf, size, "--%s", o->name);
		}
	return buf;
}

static void
reject(struct parse *p, int code, const char *value, const char *why)
{
	char name[48] = "";

	option_name(code, name, sizeof(name));
	complain(p->complaints, "option %s: \"%s\": %s", name, value, why);
}

static void
read_number(struct parse *p, int code, const char *value, long long min,
    long long max, const char *why, unsigned *to)
{
	if (conf_number(value, min, max, to) == -1)
		reject(p, code, value, why);
}

static void
read_workers(struct parse *p, const char *value)
{
	if (strcmp(value, "auto") == 0)
		p->conf->workers = sys_processors();
	else
		read_number(p, 'w', value, 0, BOARD_WORKERS / 2,
		    "auto or a number from 0 to 128", &p->conf->workers);
}

static void
read_time(struct parse *p, int code, const char *value, uint64_t *to)
{
	const char *why;

	if (conf_time(value, to, &why) == -1)
		reject(p, code, value, why);
	else if (code == OPT_CONNECT_TIMEOUT && *to == 0)
		reject(p, code, value, "a time is needed here: 300ms, 5s");
}

/* The kernel takes whole seconds: a part of one counts as one. */
static void
read_defer_accept(struct parse *p, const char *value)
{
	uint64_t ms = 0;

	read_time(p, OPT_DEFER_ACCEPT, value, &ms);
	if (ms > DEFER_ACCEPT_MAX * 1000)
		reject(p, OPT_DEFER_ACCEPT, value, "a time of at most 1m");
	p->conf->defer_accept = (unsigned)((ms + 999) / 1000);
}

static void
read_engine(struct parse *p, const char *value)
{
	char why[64];

	if ((p->conf->engine = poller_engine(value)) != NULL)
		return;
	snprintf(why, sizeof(why), "the engines are: %s", poller_engines());
	reject(p, 'e', value, why);
}

static void
read_address(struct parse *p, int code, const char *value)
{
	const char *why;

	if ((code == 'l' ? conf_add_listener(p->conf, value, &why) :
	    conf_add_backend(p->conf, value, &why)) == -1)
		reject(p, code, value, why);
}

static void
read_log(struct parse *p, const char *value)
{
	const char *why;

	p->conf->log = value;
	if (log_check(value, &why) == -1)
		reject(p, 'L', value, why);
}

static void
read_path(struct parse *p, int code, const char *value, const char **to)
{
	*to = value;
	if (value[0] == '\0')
		reject(p, code, value, "the name of a file is missing");
}

/* What is off unless somebody has measured that it helps. */
static void
read_speed(struct parse *p, int code, const char *value)
{
	switch (code) {
	case OPT_BUSY_POLL:
		read_number(p, code, value, 0, 1000000,
		    "a number of microseconds, 0 to 1000000",
		    &p->conf->busy_poll);
		break;
	case OPT_DEFER_ACCEPT:
		read_defer_accept(p, value);
		break;
	case OPT_FAST_OPEN:
		p->conf->fast_open = true;
		break;
	case OPT_PIN_CPUS:
		p->conf->pin_cpus = true;
		break;
	}
}

static void
read_option(struct parse *p, int code, const char *value)
{
	struct conf *c = p->conf;

	switch (code) {
	case 'l':
	case 'b':
		read_address(p, code, value);
		break;
	case 'w':
		read_workers(p, value);
		break;
	case 'F':
		c->foreground = true;
		break;
	case 'p':
		read_path(p, code, value, &c->pidfile);
		break;
	case 'L':
		read_log(p, value);
		break;
	case 'e':
		read_engine(p, value);
		break;
	case 'u':
		p->user = value;
		break;
	case 't':
		p->test = true;
		break;
	case 'v':
		p->verbose++;
		break;
	case 'q':
		p->quiet = true;
		break;
	case OPT_PORTS_FILE:
		read_path(p, code, value, &c->ports_file);
		break;
	case OPT_CONNECT_TIMEOUT:
		read_time(p, code, value, &c->connect_timeout);
		break;
	case OPT_IDLE_TIMEOUT:
		read_time(p, code, value, &c->limits.idle_timeout);
		break;
	case OPT_FIN_TIMEOUT:
		read_time(p, code, value, &c->limits.fin_timeout);
		break;
	case OPT_DRAIN_TIMEOUT:
		read_time(p, code, value, &c->drain_timeout);
		break;
	case OPT_BUFFERS:
		read_number(p, code, value, 1, 1 << 20,
		    "a number from 1 to 1048576", &c->buffers);
		break;
	default:
		read_speed(p, code, value);
		break;
	}
}

/* The command line itself is wrong: *what* about *word*. */
static void
misused(struct parse *p, const char *word, const char *what)
{
	complain(p->complaints, "%s: %s; try shuttled --help", word, what);
}

/* The long option that was probably meant, NULL if none comes near. */
static const char *
meant(const char *text)
{
	const char *names[sizeof(longs) / sizeof(*longs)];
	char name[48];
	size_t n;

	if (strlcpy(name, text, sizeof(name)) >= sizeof(name))
		return NULL;
	name[strcspn(name, "=")] = '\0';
	for (n = 0; longs[n].name != NULL; n++)
		names[n] = longs[n].name;
	return nearest(name, names, n);
}

/* getopt_long() did not know what to make of *arg*. */
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
		misused(p, word, "its value is missing");
	else if (is_long && optopt != 0)
		misused(p, word, "it takes no value");
	else if (is_long && (name = meant(arg + 2)) != NULL) {
		snprintf(what, sizeof(what),
		    "there is no such option, perhaps --%s", name);
		misused(p, word, what);
	} else
		misused(p, word, "there is no such option");
}

/* What only the whole command line can tell. */
static void
check_whole(struct parse *p)
{
	struct conf *c = p->conf;
	const char *why;

	if (c->listeners == 0)
		misused(p, "option -l, --listen", "nothing to listen on");
	else if (c->backends == 0)
		misused(p, "option -b, --backend", "nothing to balance to");
	if (c->log == NULL)
		c->log = c->foreground ? "stderr" : "syslog:daemon";
	else if (!c->foreground && strcmp(c->log, "stderr") == 0)
		reject(p, 'L', c->log, "a daemon has no stderr: add -F, or "
		    "log to syslog or a file");
	conf_finish(c);
	c->log_level = p->verbose > 0 ? LOG_DEBUG :
	    p->quiet ? LOG_NOTICE : LOG_INFO;
	if (p->user == NULL && geteuid() != 0)
		return;
	if (priv_look_up(p->user, &c->user, &why) == -1)
		reject(p, 'u', p->user == NULL ? "" : p->user, why);
	else if (geteuid() != 0 && c->user.uid != geteuid())
		reject(p, 'u', p->user, "only root can change the user");
}

static void
print_version(void)
{
	puts(PACKAGE_NAME " " PACKAGE_VERSION);
}

enum options_action
options_parse(struct conf *conf, int argc, char **argv, struct complaints *cs)
{
	struct parse p = { .conf = conf, .complaints = cs };
	int code, at = 1;

	conf->argc = argc;
	conf->argv = argv;
	opterr = 0;
	/* 0: whatever was read before, begin anew (a GNU extension). */
	optind = 0;
	conf->workers = sys_processors();
	/* "+": nothing is moved about, so that argv[at] is what is read. */
	while ((code = getopt_long(argc, argv, "+:l:b:w:Fp:L:e:u:tvqVh",
	    longs, NULL)) != -1) {
		switch (code) {
		case 'h':
			fputs(usage, stdout);
			return OPTIONS_DONE;
		case 'V':
			print_version();
			return OPTIONS_DONE;
		case ':':
		case '?':
			unknown_option(&p, code == ':', argv[at]);
			break;
		default:
			read_option(&p, code, optarg);
			break;
		}
		at = optind;
	}
	if (optind < argc)
		misused(&p, argv[optind], "this is not an option");
	if (cs->all == 0)
		check_whole(&p);
	if (cs->all > 0)
		return OPTIONS_ERROR;
	return p.test ? OPTIONS_TEST : OPTIONS_RUN;
}
