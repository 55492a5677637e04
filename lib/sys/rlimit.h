/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * rlimit.h: the limit of descriptors (RLIMIT_NOFILE).
 */
#ifndef RLIMIT_H
#define RLIMIT_H

#include <stddef.h>

/*
 * Raises the hard limit of descriptors to *n* if it is lower and the process is
 * privileged. Otherwise nothing changes.
 */
void	rlimit_need_descriptors(size_t n);

/*
 * Raises the soft limit of descriptors to the hard one, but to at most a
 * million. Returns the number that this process may use.
 */
size_t	rlimit_raise_descriptors(void);

#endif
