/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_options.c: any command line, an argument a line. No name is looked up
 * and no file is read. What is wrong is said; what is right is explained, and
 * means the same when it is read once more.
 */
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/conf_unused.h"
#include "config/explain.h"
#include "config/options.h"

#define ARGUMENTS	32

int	__real_getaddrinfo(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
int	__wrap_getaddrinfo(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int	LLVMFuzzerInitialize(int *, char ***);

#define MUST(what)	do { if (!(what)) abort(); } while (0)

static FILE *nowhere;

int
__wrap_getaddrinfo(const char *host, const char *port,
    const struct addrinfo *hints, struct addrinfo **list)
{
	struct addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST;
	return __real_getaddrinfo(host, port, &numeric, list);
}

/* Help and version are of no interest; libFuzzer writes to stderr. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	MUST(freopen("/dev/null", "w", stdout) != NULL);
	MUST((nowhere = fopen("/dev/null", "we")) != NULL);
	return 0;
}

/* -c, alone or behind other letters, and all that --config may be cut to. */
static bool
names_file(const char *arg)
{
	if (arg[0] != '-')
		return false;
	if (arg[1] != '-')
		return strchr(arg, 'c') != NULL;
	return strncmp(arg, "--c", 3) == 0 &&
	    strncmp(arg, "--conn", 6) != 0 && strncmp(arg, "--che", 5) != 0 &&
	    strncmp(arg, "--chr", 5) != 0;
}

/* Split it at newlines. 0: a file would be read. */
static int
split(char *text, char **argv)
{
	static char name[] = "shuttled";
	int argc = 0;

	argv[argc++] = name;
	while (text != NULL && argc < ARGUMENTS) {
		argv[argc] = strsep(&text, "\n");
		if (names_file(argv[argc++]))
			return 0;
	}
	argv[argc] = NULL;
	return argc;
}

static enum options_action
parse(struct conf *c, int argc, char **argv)
{
	struct diagnostics cs = { .n = 0 };
	enum options_action action;

	conf_init(c);
	action = options_parse(c, argc, argv, &cs);
	MUST(action != OPTIONS_BAD_FILE);
	MUST(action == OPTIONS_DONE || (action == OPTIONS_ERROR) == (cs.n > 0));
	if (action != OPTIONS_ERROR && action != OPTIONS_DONE) {
		conf_unused(c, &cs);
		explain_conf(c, 1024, nowhere);
	}
	diagnostics_free(&cs);
	return action;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[ARGUMENTS + 1];
	struct conf first, again;
	int argc;

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if ((argc = split(text, argv)) > 0) {
		MUST(parse(&first, argc, argv) == parse(&again, argc, argv));
		MUST(first.servers == again.servers);
		MUST(first.listeners == again.listeners);
		conf_free(&first);
		conf_free(&again);
	}
	free(text);
	return argc > 0 ? 0 : -1;
}
