/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * rlimit.c: the limit of descriptors (RLIMIT_NOFILE).
 */
#include "sys/rlimit.h"

#include <sys/resource.h>

/* Containers set limits of a billion; tables grow with the limit. */
#define DESCRIPTORS_MAX	((rlim_t)1 << 20)

void
rlimit_need_descriptors(size_t n)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_max >= n)
		return;
	rl.rlim_max = n;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

size_t
rlimit_raise_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return 256;
	if (rl.rlim_cur < rl.rlim_max && rl.rlim_cur < DESCRIPTORS_MAX) {
		rl.rlim_cur = rl.rlim_max < DESCRIPTORS_MAX ?
		    rl.rlim_max : DESCRIPTORS_MAX;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
		(void)getrlimit(RLIMIT_NOFILE, &rl);
	}
	return rl.rlim_cur < DESCRIPTORS_MAX ?
	    (size_t)rl.rlim_cur : DESCRIPTORS_MAX;
}
