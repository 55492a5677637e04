/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_conf.c: what an operator can write into a configuration file, for
 * libFuzzer. No name is looked up. Beside not crashing, what is wrong has to
 * name its file, and what is right has to be right again as -T prints it.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/conf_file.h"
#include "config/conf_make.h"
#include "config/explain.h"

int	__real_getaddrinfo(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
int	__wrap_getaddrinfo(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MUST(what)	do { if (!(what)) abort(); } while (0)

int
__wrap_getaddrinfo(const char *host, const char *port,
    const struct addrinfo *hints, struct addrinfo **list)
{
	struct addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST;
	return __real_getaddrinfo(host, port, &numeric, list);
}

/* Read what is in *fd*; true: all is well. */
static bool
parse(struct conf *c, int fd)
{
	struct diagnostics cs = { .n = 0 };
	char path[40];
	size_t i;
	bool good;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	conf_init(c);
	c->foreground = true;
	MUST((c->settings = settings_new()) != NULL);
	if (conf_file_read(c->settings, path, false, &cs) == 0)
		conf_make(c, true, &cs);
	for (i = 0; i < cs.n; i++)
		MUST(strncmp(cs.line[i], "/proc/", 6) == 0);
	good = cs.all == 0;
	diagnostics_free(&cs);
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	struct conf first, again;
	FILE *f;

	/* A file could include any other of this machine, or list it. */
	if (memmem(data, size, "include", 7) != NULL ||
	    memmem(data, size, "file:", 5) != NULL) {
		close(fd);
		return -1;
	}
	MUST(write(fd, data, size) == (ssize_t)size);
	if (parse(&first, fd)) {
		MUST((f = fdopen(fd, "r+")) != NULL);
		MUST(ftruncate(fd, 0) == 0 && fseek(f, 0, SEEK_SET) == 0);
		explain_conf(&first, 1024, f);
		fflush(f);
		MUST(parse(&again, fd));
		MUST(first.servers == again.servers);
		MUST(first.listeners == again.listeners);
		conf_free(&again);
		fclose(f);
	} else
		close(fd);
	conf_free(&first);
	return 0;
}
