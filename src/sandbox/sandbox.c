/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sandbox.c: confines a process: files by Landlock (landlock(7)), system calls
 * by syscall_filter.c. Landlock is called by number, because headers are often
 * older than kernels. A kernel without Landlock is not an error.
 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "sandbox/syscall_filter.h"

/* Equal on all supported architectures. */
#define CREATE_RULESET		444
#define ADD_RULE		445
#define RESTRICT_SELF		446

#define ASK_VERSION		1	/* flag of CREATE_RULESET */
#define BIND_TCP		1
#define PORT_RULE		2	/* version 4 */
#define ABSTRACT_SOCKETS	1	/* of other processes */
#define SIGNALS			2	/* to other processes */

/* Denied unless a rule allows it. Fields unknown to the kernel must be 0. */
struct ruleset {
	uint64_t files;
	uint64_t net;			/* version 4 */
	uint64_t scoped;		/* version 6 */
};

/* Rights for a port; 0: any port that the system chooses. */
struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

/* The number of file access rights in each version. */
static const unsigned char kinds[] = { 0, 13, 14, 15, 15, 16 };

#define LAST	(sizeof(kinds) - 1)

/* 1, or 0 if the kernel lacks Landlock or has it disabled. */
static int
close_files(unsigned who)
{
	static const struct port_rule any = { BIND_TCP, 0 };
	struct ruleset all = { 0, 0, 0 };
	long version;
	int fd, rc, err;

	version = syscall(CREATE_RULESET, NULL, (size_t)0, ASK_VERSION);
	if (version < 1)
		return 0;
	all.files = (UINT64_C(1) << kinds[(size_t)version < LAST ?
	    (size_t)version : LAST]) - 1;
	all.net = version >= 4 ? BIND_TCP : 0;
	all.scoped = version >= 6 && (who & SYSCALL_FILTER_ABSTRACT) == 0 ?
	    ABSTRACT_SOCKETS : 0;
	/*
	 * The system call filter permits one signal, which wakes other workers.
	 */
	if (version >= 6 && !syscall_filter_exists())
		all.scoped |= SIGNALS;
	if ((fd = (int)syscall(CREATE_RULESET, &all, sizeof(all), 0)) == -1)
		return -1;
	rc = who & SYSCALL_FILTER_BIND && all.net != 0 ?
	    (int)syscall(ADD_RULE, fd, PORT_RULE, &any, 0) : 0;
	if (rc == 0)
		rc = (int)syscall(RESTRICT_SELF, fd, 0);
	err = errno;
	close(fd);
	errno = err;
	return rc == -1 ? -1 : 1;
}

const char *
sandbox_enter(unsigned who)
{
	int files, calls;

	if ((files = close_files(who)) == -1 ||
	    (calls = syscall_filter_load(who)) == -1)
		return NULL;
	if (calls)
		return files ? "landlock+seccomp" : "seccomp";
	return files ? "landlock" : "none";
}
