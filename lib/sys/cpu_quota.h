/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* cpu_quota.h: the share of the processors that a container gets. */
#ifndef CPU_QUOTA_H
#define CPU_QUOTA_H

#define CPU_QUOTA_GROUPS	"/proc/self/cgroup"
#define CPU_QUOTA_ROOT		"/sys/fs/cgroup"

/*
 * Returns the number of processors, rounded up, that the control groups listed
 * in *groups* and their parents allow in each period: cpu.max of version 2,
 * cpu.cfs_quota_us of version 1, below *root*. 0: no limit. Groups that are not
 * visible from here count as unlimited.
 */
unsigned cpu_quota(const char *groups, const char *root);

#endif
