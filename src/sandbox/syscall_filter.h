/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * syscall_filter.h: the system calls that processes may make (seccomp(2)).
 */
#ifndef SYSCALL_FILTER_H
#define SYSCALL_FILTER_H

#include <stdbool.h>

/* Kinds of processes; bits, so that a rule can name several. */
#define SYSCALL_FILTER_WORKER	1u
#define SYSCALL_FILTER_PROBER	2u
/* With one of these: it connects from configured source addresses. */
#define SYSCALL_FILTER_BIND	4u
/* It connects to abstract unix sockets of other processes. */
#define SYSCALL_FILTER_ABSTRACT	8u

/*
 * From now on, and for good, this process can make only those calls. It must
 * have no_new_privs. Returns 1, 0 if this build has no filter, or -1 with errno
 * set if the kernel has refused it.
 */
int	syscall_filter_load(unsigned who);

/* True if this build has a filter. */
bool	syscall_filter_exists(void);

#endif
