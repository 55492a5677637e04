/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * peer.c: the command peer, one scripted TCP peer. It runs a script line by
 * line and stops at the first line that does not hold, which it names.
 * Everything it does is bounded in time. Its invariant: exit status 0 means
 * that every line held, in every process it started.
 */
#include "peer.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT		10000	/* ms */
#define LIFETIME	300	/* s */
#define SCRIPT_MAX	65536

int
peer_fail(const struct peer *p, const char *fmt, ...)
{
	char text[1024], line[1280], who[32] = "";
	const struct command *c = p->now;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (p->numbered)
		snprintf(who, sizeof(who), "connection %" PRIu64 ": ", p->id);
	snprintf(line, sizeof(line), "peer: line %d: %s: %s%s\n",
	    c == NULL ? 0 : c->line, c == NULL ? "start" : c->verb->name,
	    who, text);
	/* One write, or the lines of many processes would mix. */
	if (write(STDERR_FILENO, line, strlen(line)) == -1)
		return -1;
	return -1;
}

uint64_t
peer_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
peer_sleep(uint64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		continue;
}

int
peer_run(struct peer *p, size_t from, size_t to)
{
	const struct command *c;
	size_t i = from;

	while (i < to) {
		c = p->now = &p->script->commands[i];
		if (c->verb->run(p, c) == -1)
			return -1;
		i = c->verb->block ? c->end : i + 1;
	}
	return 0;
}

static void
on_alarm(int sig)
{
	static const char text[] = "peer: its life-time is over\n";

	(void)sig;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1)
		_exit(2);
	_exit(1);
}

static void
usage(FILE *to)
{
	fprintf(to,
	    "usage: peer [-t MS] [-l SECONDS] [-p N] [-c 'VERB …; …' | FILE]\n"
	    "  -c, --command TEXT    the script; else FILE, else stdin\n"
	    "  -t, --timeout MS      of every wait (10000)\n"
	    "  -l, --lifetime S      of every process (300)\n"
	    "  -p, --parallel N      run the script N times at once\n"
	    "  -h, --help            this, and the verbs\n");
}

static int
option_number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end != '\0' || end == text || n < 1 || n > 1000000000)
		errx(64, "%s: not a number above 0", text);
	return (int)n;
}

/* All of a file as a string; NULL is stdin. */
static char *
slurp(const char *name)
{
	char *text = malloc(SCRIPT_MAX);
	size_t have = 0;
	ssize_t n;
	int fd = STDIN_FILENO;

	if (text == NULL)
		err(71, NULL);
	if (name != NULL && strcmp(name, "-") != 0)
		fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		err(66, "%s", name);
	while ((n = read(fd, text + have, SCRIPT_MAX - 1 - have)) > 0)
		have += (size_t)n;
	if (n == -1 || have == SCRIPT_MAX - 1)
		errx(66, "script unreadable or too long");
	if (fd != STDIN_FILENO)
		close(fd);
	text[have] = '\0';
	return text;
}

static const struct option options[] = {
	{ "command", required_argument, NULL, 'c' },
	{ "timeout", required_argument, NULL, 't' },
	{ "lifetime", required_argument, NULL, 'l' },
	{ "parallel", required_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static int
run(struct peer *p, const char *text, bool dense, int parallel)
{
	struct script script;
	int bad;

	if (script_parse(&script, text, dense) == -1)
		return 64;
	p->script = &script;
	alarm(p->lifetime);
	bad = parallel > 0 ?
	    fork_parallel(p, (uint64_t)parallel, 0, script.count) :
	    peer_run(p, 0, script.count);
	if (bad == 0 && fork_server_wait(p) == -1)
		bad = -1;
	script_free(&script);
	return bad == 0 ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	struct peer p = { .listen_fd = -1, .fd = -1, .timeout_ms = TIMEOUT,
	    .lifetime = LIFETIME };
	const char *command = NULL;
	char *file = NULL;
	int ch, parallel = 0, status;

	signal(SIGALRM, on_alarm);
	signal(SIGPIPE, SIG_IGN);
	while ((ch = getopt_long(argc, argv, "c:t:l:p:h", options, NULL)) != -1)
		switch (ch) {
		case 'c':
			command = optarg;
			break;
		case 't':
			p.timeout_ms = option_number(optarg);
			break;
		case 'l':
			p.lifetime = (unsigned int)option_number(optarg);
			break;
		case 'p':
			parallel = option_number(optarg);
			break;
		case 'h':
			usage(stdout);
			verb_help();
			return 0;
		default:
			usage(stderr);
			return 64;
		}
	if (command == NULL)
		command = file = slurp(argv[optind]);
	status = run(&p, command, file == NULL, parallel);
	free(file);
	return status;
}
