/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load.c: the load generator of the benchmark and its server: reads the
 * command line, makes the groups of connections that a mode consists of, and
 * runs them. One process, one thread; nothing but loopback; always ends by
 * itself. The exit status is 1 when anything failed.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

static const char usage_text[] =
"usage: load serve [-n listeners] [-p port] [-o file] [-t secs] [-f] [-v n]\n"
"                  [-x n]\n"
"       load crr|rr|idle|bulk|mix|hold -a addr[,addr...] [options]\n"
"       load ports n                  names n free ports\n"
"       load ask socket command       asks a unix socket\n"
"  -a   127.x.x.x:port to connect to; several are taken in turn\n"
"  -c   connections (crr, rr, mix: of rr; hold: to open)           [1]\n"
"  -s   bytes of a message                                         [64]\n"
"  -t   seconds of the measurement (serve: of life)                [3]\n"
"  -w   seconds before it                                          [0.5]\n"
"  -R   operations/s by schedule; 0: the next when the last is done [0]\n"
"  -m   silent connections (idle, mix)                             [8000]\n"
"  -k   streams (bulk, mix)                                        [1]\n"
"  -u   streams go up: the server reads\n"
"  -C   crr/s by schedule (mix)                                    [500]\n"
"  -G   Gbit/s of all streams; 0: no limit                         [0]\n"
"  -b   hold: open this many at a time                             [1]\n"
"  -e   hold: a command to run when all are open\n"
"  -T   seconds until an operation has failed                      [5]\n"
"  -O   seconds to open what is kept open                          [20]\n"
"  -S   source addresses, 127.0.0.2 and up                         [32]\n"
"  -P   pids of the proxy, -B pid of the server: to be measured\n"
"  -M   measure memory before and with the connections open\n"
"  -N   go on until so many bytes were compared, or one failed     [0]\n"
"  -v   streams: compare one buffer in so many; 1: all             [8]\n"
"  -n   serve: addresses to listen at                              [1]\n"
"  -o   serve: write them to a file\n"
"  -p   serve: the port of the first one; 0: any                   [0]\n"
"  -f   serve: each stream down from a process of its own\n"
"  -x   serve: falsify one answer in so many\n";

struct args {
	const char	*mode;
	const char	*addrs, *pids;
	double		 rate, crr_rate, gbit;
	double		 conns, size, silent, streams;
	bool		 up, memory, fork_streams;
	double		 secs, warm, server, burst, op_timeout, open_timeout;
	double		 sources, check, listeners, port, corrupt, least;
	const char	*hook, *ports_file;
};

static void
usage(void)
{
	fputs(usage_text, stderr);
	exit(64);
}

static double
number(int opt, const char *text)
{
	char *end;
	double d = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(d >= 0.0 && d <= 1e9))
		errx(64, "-%c %s: not a number from 0 to 10^9", opt, text);
	return d;
}

/* The number that an option sets; NULL: it is none of these. */
static double *
numeric(struct args *a, int opt)
{
	switch (opt) {
	case 'b': return &a->burst;
	case 'c': return &a->conns;
	case 'k': return &a->streams;
	case 'm': return &a->silent;
	case 'n': return &a->listeners;
	case 'p': return &a->port;
	case 's': return &a->size;
	case 't': return &a->secs;
	case 'v': return &a->check;
	case 'w': return &a->warm;
	case 'x': return &a->corrupt;
	case 'B': return &a->server;
	case 'C': return &a->crr_rate;
	case 'G': return &a->gbit;
	case 'N': return &a->least;
	case 'O': return &a->open_timeout;
	case 'R': return &a->rate;
	case 'S': return &a->sources;
	case 'T': return &a->op_timeout;
	default: return NULL;
	}
}

static void
parse(struct args *a, int argc, char **argv)
{
	double *d;
	int opt;

	while ((opt = getopt(argc, argv,
	    "a:b:c:e:fk:m:n:o:p:s:t:uv:w:x:B:C:G:MN:O:P:R:S:T:")) != -1) {
		if ((d = numeric(a, opt)) != NULL) {
			*d = number(opt, optarg);
			continue;
		}
		switch (opt) {
		case 'a':
			a->addrs = optarg;
			break;
		case 'e':
			a->hook = optarg;
			break;
		case 'f':
			a->fork_streams = true;
			break;
		case 'o':
			a->ports_file = optarg;
			break;
		case 'u':
			a->up = true;
			break;
		case 'M':
			a->memory = true;
			break;
		case 'P':
			a->pids = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || a->check < 1 || a->burst < 1)
		usage();
}

static void
parse_addrs(struct run *r, const char *text)
{
	char *copy, *rest, *one;

	if (text == NULL)
		errx(64, "-a is needed");
	if ((copy = rest = strdup(text)) == NULL)
		err(71, NULL);
	while ((one = strsep(&rest, ",")) != NULL) {
		if (r->naddrs == MAX_ADDRS)
			errx(64, "-a: more than %d addresses", MAX_ADDRS);
		if (net_parse(one, &r->addr[r->naddrs++]) == -1)
			errx(64, "-a %s: not 127.x.x.x:port", one);
	}
	free(copy);
}

static void
parse_pids(struct watch *w, const char *text)
{
	char *end;
	long pid;

	for (; text != NULL && *text != '\0'; text = end) {
		pid = strtol(text, &end, 10);
		if (pid <= 0 || (*end != ',' && *end != '\0'))
			errx(64, "-P %s: not a list of pids", text);
		if (w->n == MAX_PIDS)
			errx(64, "-P: more than %d processes", MAX_PIDS);
		w->pid[w->n++] = (pid_t)pid;
		end += *end == ',';
	}
}

static struct group *
add_group(struct run *r, const char *name, enum kind kind, double conns)
{
	struct group *g = &r->group[r->ngroups++];

	if (conns < 1)
		errx(64, "%s: no connections", name);
	g->name = name;
	g->kind = kind;
	g->nconns = (size_t)conns;
	g->size = 64;
	return g;
}

static void
add_rr(struct run *r, const struct args *a, enum kind kind)
{
	struct group *g;

	g = add_group(r, kind == KIND_CRR ? "crr" : "rr", kind, a->conns);
	g->size = (size_t)a->size;
	g->rate = a->rate;
	if (g->size < sizeof(struct hello) || g->size >= SCRATCH_SIZE)
		errx(64, "-s: %zu to %d bytes", sizeof(struct hello),
		    SCRATCH_SIZE - 1);
}

static void
add_bulk(struct run *r, const struct args *a)
{
	struct group *g = add_group(r, "bulk", KIND_STREAM, a->streams);

	g->up = a->up;
	g->rate = a->gbit * 1e9 / 8;
}

/* The groups of a mode; silent connections come first. */
static void
add_groups(struct run *r, const struct args *a)
{
	bool mix = strcmp(a->mode, "mix") == 0;

	if (strcmp(a->mode, "idle") == 0 || mix)
		add_group(r, "silent", KIND_SILENT, a->silent);
	if (strcmp(a->mode, "crr") == 0)
		add_rr(r, a, KIND_CRR);
	else if (strcmp(a->mode, "bulk") == 0)
		add_bulk(r, a);
	else if (strcmp(a->mode, "rr") == 0 || strcmp(a->mode, "idle") == 0 ||
	    strcmp(a->mode, "hold") == 0 || mix)
		add_rr(r, a, KIND_RR);
	else
		usage();
	if (mix) {
		add_group(r, "crr", KIND_CRR, 200)->rate = a->crr_rate;
		add_bulk(r, a);
	}
}

/* Thousands of connections: as many descriptors as we may have. */
static void
raise_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

/* Ports that were free just now; all held at once, so that they differ. */
static void
name_ports(const char *text)
{
	struct sockaddr_in sin;
	int n = (int)number('n', text);

	while (n-- > 0) {
		if (net_listen(&sin, 0) == -1)
			err(71, "listen");
		printf("%u\n", ntohs(sin.sin_port));
	}
}

static int
run(const struct args *a)
{
	static struct run r;
	bool hold = strcmp(a->mode, "hold") == 0;
	uint64_t failed;

	r.secs = a->secs;
	r.warm = a->warm;
	r.least = (uint64_t)a->least;
	r.nsources = (int)a->sources;
	r.op_timeout = a->op_timeout;
	r.open_timeout = a->open_timeout;
	r.open_rate = a->rate > 0.0 ? a->rate : 333.0;
	r.open_burst = (int)a->burst;
	r.hook = a->hook;
	r.check_every = (unsigned)a->check;
	r.sample_flags = a->memory ? SAMPLE_MEMORY : 0;
	r.watch.server = (pid_t)a->server;
	parse_addrs(&r, a->addrs);
	parse_pids(&r.watch, a->pids);
	add_groups(&r, a);
	/* Whatever happens, this process does not stay. */
	alarm((unsigned)(a->secs + a->warm + 2 * a->open_timeout + 60));
	if (run_init(&r) == -1 ||
	    (hold ? run_hold(&r) : run_measure(&r)) == -1)
		err(71, "%s", a->mode);
	if (hold)
		print_hold(&r);
	else
		print_run(&r, a->mode);
	failed = run_failed(&r);
	run_free(&r);
	return failed > 0;
}

int
main(int argc, char **argv)
{
	struct args a = { .conns = 1, .size = 64, .secs = 3, .warm = 0.5,
	    .silent = 8000, .streams = 1, .crr_rate = 500, .burst = 1,
	    .op_timeout = 5, .open_timeout = 20, .sources = 32, .check = 8,
	    .listeners = 1 };
	struct serve_opts so;

	if (argc < 2)
		usage();
	a.mode = argv[1];
	raise_limit();
	if (strcmp(a.mode, "ports") == 0 && argc == 3) {
		name_ports(argv[2]);
		return 0;
	}
	if (strcmp(a.mode, "ask") == 0 && argc == 4) {
		if (net_ask(argv[2], argv[3]) == -1)
			err(71, "%s", argv[2]);
		return 0;
	}
	parse(&a, argc - 1, argv + 1);
	if (strcmp(a.mode, "serve") != 0)
		return run(&a);
	so.listeners = (int)a.listeners;
	so.port = (unsigned)a.port;
	so.corrupt = (unsigned)a.corrupt;
	so.check_every = (unsigned)a.check;
	so.secs = a.secs;
	so.fork_streams = a.fork_streams;
	so.ports_file = a.ports_file;
	return serve(&so);
}
