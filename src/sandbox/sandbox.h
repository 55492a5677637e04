/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sandbox.h: limits what a process that reads from the network can request of
 * the kernel. doc/TRUST.md has the reasons.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

/*
 * Gives up, for good, all files but open ones and all system calls that this
 * kind of process does not need (SYSCALL_FILTER_WORKER or SYSCALL_FILTER_PROBER
 * of syscall_filter.h, perhaps with SYSCALL_FILTER_BIND and
 * SYSCALL_FILTER_ABSTRACT). Call it after privileges_drop(), when everything is
 * set up. Returns a text that names the active parts, which depend on kernel
 * and build, or NULL with errno set: the process must exit.
 */
const char *sandbox_enter(unsigned who);

#endif
