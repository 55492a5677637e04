/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * cpu_quota.h: how much of the processors a container gives to this process.
 */
#ifndef CPU_QUOTA_H
#define CPU_QUOTA_H

#define CPU_QUOTA_GROUPS	"/proc/self/cgroup"
#define CPU_QUOTA_ROOT		"/sys/fs/cgroup"

/*
 * The processors that the control groups of *groups*, and those above them, allow
 * in each period, rounded up: cpu.max of version 2, cpu.cfs_quota_us of version 1,
 * below *root*. 0: no limit. Groups that cannot be seen from here count as
 * without one.
 */
unsigned cpu_quota(const char *groups, const char *root);

#endif
