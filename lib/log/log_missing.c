/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log_missing.c: asks this machine whether a target would take lines now. Opens
 * no log.
 */
#include "log/log.h"

#include <sys/resource.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log/log_target.h"
#include "net/socket.h"

/* A logger that is there, but not as one that takes datagrams? */
static const char *
judge_logger(const struct addr *a)
{
	int fd = socket_new_datagram(a), err;

	if (fd == -1)
		return NULL;
	err = socket_redirect(fd, a) == 0 ? 0 : errno;
	close(fd);
	if (err == EPROTOTYPE)
		return "the socket /dev/log takes a stream, and no datagrams: "
		    "lines are lost until the logger has one of datagrams "
		    "there";
	return err == 0 ? NULL : "no logger at /dev/log yet: until there is "
	    "one, 64 KiB of lines are kept, and the rest is lost";
}

/* May this file grow without end? */
static const char *
judge_file(void)
{
	struct rlimit r;

	return getrlimit(RLIMIT_FSIZE, &r) == -1 ||
	    r.rlim_cur == RLIM_INFINITY ? NULL :
	    "the size of files is limited (ulimit -f, LimitFSIZE=): lines "
	    "beyond that are lost";
}

const char *
log_missing(const char *target)
{
	struct log_target t;
	const char *why;

	/* The name of another machine would be looked up. */
	if (strchr(target, '+') != NULL ||
	    log_target_parse(target, &t, &why) == -1)
		return NULL;
	return t.kind == TARGET_SYSLOG ? judge_logger(&t.addr) :
	    t.kind == TARGET_FILE ? judge_file() : NULL;
}
