/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * rlimit.h: the limit of descriptors (RLIMIT_NOFILE).
 */
#ifndef RLIMIT_H
#define RLIMIT_H

#include <stddef.h>

/*
 * Raise the hard limit of descriptors to *n* if it is lower: the superuser may.
 * Otherwise nothing happens.
 */
void	rlimit_need_descriptors(size_t n);

/*
 * Raise the soft limit of descriptors to the hard one, but to no more than a
 * million. Returns how many this process may use.
 */
size_t	rlimit_raise_descriptors(void);

#endif
