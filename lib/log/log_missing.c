/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log_missing.c: checks whether a target on this machine can take lines now.
 * Opens no log.
 */
#include "log/log.h"

#include <sys/resource.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log/log_target.h"
#include "net/socket.h"

/* Describes a logger whose socket is not one of datagrams. */
static const char *
judge_logger(const struct addr *a)
{
	int fd = socket_new_datagram(a), err;

	if (fd == -1)
		return NULL;
	err = socket_redirect(fd, a) == 0 ? 0 : errno;
	close(fd);
	if (err == EPROTOTYPE)
		return "the socket /dev/log takes a stream, not datagrams: "
		    "lines are lost until the logger offers datagrams "
		    "there";
	return err == 0 ? NULL : "no logger at /dev/log: until one starts, "
	    "64 KiB of lines are kept and the rest is lost";
}

/* Warns about a limit on the size of this file. */
static const char *
judge_file(void)
{
	struct rlimit r;

	return getrlimit(RLIMIT_FSIZE, &r) == -1 ||
	    r.rlim_cur == RLIM_INFINITY ? NULL :
	    "the size of files is limited (ulimit -f, LimitFSIZE=); lines "
	    "beyond that are lost";
}

const char *
log_missing(const char *target)
{
	struct log_target t;
	const char *why;

	/* The name of another machine would need a lookup. */
	if (strchr(target, '+') != NULL ||
	    log_target_parse(target, &t, &why) == -1)
		return NULL;
	return t.kind == TARGET_SYSLOG ? judge_logger(&t.addr) :
	    t.kind == TARGET_FILE ? judge_file() : NULL;
}
