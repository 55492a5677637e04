/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sandbox.h: what a process that reads from the network can still ask of the
 * kernel. doc/TRUST.md says why so.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

/*
 * Give up all files but those that are open, and all system calls that this kind
 * of process (SYSCALL_FILTER_WORKER or SYSCALL_FILTER_PROBER of
 * syscall_filter.h, perhaps with SYSCALL_FILTER_BIND and
 * SYSCALL_FILTER_ABSTRACT) does not need, for good; to be called after
 * privileges_drop(), when all is set up. Returns a text that names what holds
 * from now on, which depends on the kernel and the build, or NULL with errno
 * set: the process must not go on.
 */
const char *sandbox_enter(unsigned who);

#endif
