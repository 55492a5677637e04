/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_cidr.c: any text as a list of networks, one a line, ! for those that are
 * denied. The tree has to say what a search through the lines one after the
 * other says, of each address that stands in them and of its neighbours; and a
 * file of the same lines is refused for the first that is refused alone.
 */
#include <sys/mman.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/cidr.h"

#define LINES	48

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MUST(what)	do { if (!(what)) abort(); } while (0)

struct line {
	struct cidr	*alone;		/* a list of nothing else */
	struct endpoint	 at;		/* the address that it names */
};

/* The address before the prefix; one of a unix socket, if there is none. */
static void
read_address(struct endpoint *e, const char *text)
{
	char ip[INET6_ADDRSTRLEN];
	size_t n = strcspn(text, "/");

	memset(e, 0, sizeof(*e));
	e->family = AF_UNIX;
	if (n >= sizeof(ip))
		return;
	memcpy(ip, text, n);
	ip[n] = '\0';
	if (inet_pton(AF_INET, ip, e->ip) == 1)
		e->family = AF_INET;
	else if (inet_pton(AF_INET6, ip, e->ip) == 1)
		e->family = AF_INET6;
}

/* What the first line says that has it. */
static enum cidr_verdict
search(const struct line *line, size_t n, const struct endpoint *e)
{
	enum cidr_verdict v = CIDR_NONE;
	size_t i;

	for (i = 0; i < n && v == CIDR_NONE; i++)
		v = cidr_find(line[i].alone, e);
	return v;
}

/* The address itself, and those before and after it. */
static void
compare(const struct cidr *all, const struct line *line, size_t n,
    struct endpoint e)
{
	size_t len = e.family == AF_INET ? 4 : 16, i;
	unsigned char ip[16];

	memcpy(ip, e.ip, sizeof(ip));
	MUST(cidr_find(all, &e) == search(line, n, &e));
	for (i = len; i-- > 0 && ++e.ip[i] == 0;)
		;
	MUST(cidr_find(all, &e) == search(line, n, &e));
	memcpy(e.ip, ip, sizeof(ip));
	for (i = len; i-- > 0 && e.ip[i]-- == 0;)
		;
	MUST(cidr_find(all, &e) == search(line, n, &e));
}

/* Returns whether it was taken. */
static bool
add_line(struct cidr *all, struct line *l, const char *text)
{
	enum cidr_verdict v = text[0] == '!' ? CIDR_DENY : CIDR_ALLOW;
	char why[CIDR_WHY] = "", again[CIDR_WHY] = "";
	int rc;

	text += text[0] == '!';
	MUST((l->alone = cidr_new()) != NULL);
	read_address(&l->at, text);
	rc = cidr_add(l->alone, text, v, why);
	MUST(rc == cidr_add(all, text, v, again) && strcmp(why, again) == 0);
	MUST(rc == 0 || why[0] != '\0');
	MUST(cidr_build(l->alone) == 0);
	if (rc == -1)
		cidr_free(l->alone);
	return rc == 0;
}

static void
try_lines(char *text)
{
	struct cidr *all = cidr_new();
	struct line line[LINES];
	char *next = text, *word;
	size_t n = 0, i;

	MUST(all != NULL);
	while (n < LINES && (word = strsep(&next, "\n")) != NULL)
		n += add_line(all, &line[n], word);
	MUST(cidr_build(all) == 0);
	for (i = 0; i < n; i++)
		compare(all, line, n, line[i].at);
	for (i = 0; i < n; i++)
		cidr_free(line[i].alone);
	cidr_free(all);
}

static void
try_file(const uint8_t *data, size_t size)
{
	struct cidr *c = cidr_new();
	char path[40], why[CIDR_WHY] = "";
	int fd = memfd_create("networks", MFD_CLOEXEC), n;

	MUST(c != NULL && fd != -1);
	MUST(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = cidr_read(c, path, CIDR_ALLOW, why);
	MUST(n >= 0 || strncmp(why, path, strlen(path)) == 0);
	MUST(cidr_build(c) == 0);
	cidr_free(c);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	try_file(data, size);
	try_lines(text);
	free(text);
	return 0;
}
