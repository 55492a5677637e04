/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * cpu_quota.c: reads the quotas of control groups. In a container the path of a
 * group may be the one outside, of which only the root is visible. So each
 * level is tried, and a missing one is skipped.
 */
#include "sys/cpu_quota.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
read_quota_line(const char *dir, const char *name, char *line, int size)
{
	char path[PATH_MAX];
	bool good;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path) || (f = fopen(path, "re")) == NULL)
		return false;
	good = fgets(line, size, f) != NULL;
	fclose(f);
	return good;
}

/* Lower *least* to this value; 0 is no limit. */
static void
lower_quota(unsigned *least, long long quota, long long period)
{
	long long n;

	if (quota <= 0 || period <= 0)
		return;
	n = quota / period + (quota % period != 0);
	if (n < UINT_MAX && (*least == 0 || n < *least))
		*least = (unsigned)n;
}

static void
look_at(const char *dir, unsigned *least)
{
	char line[64], more[64];
	long long quota, period;

	/* "max" is not a number, and means no limit. */
	if (read_quota_line(dir, "cpu.max", line, sizeof(line)) &&
	    sscanf(line, "%lld %lld", &quota, &period) == 2)
		lower_quota(least, quota, period);
	if (read_quota_line(dir, "cpu.cfs_quota_us", line, sizeof(line)) &&
	    read_quota_line(dir, "cpu.cfs_period_us", more, sizeof(more)))
		lower_quota(least, strtoll(line, NULL, 10),
		    strtoll(more, NULL, 10));
}

/* The group *path* below *top* and all groups above it, up to *top*. */
static void
climb_groups(const char *top, const char *path, unsigned *least)
{
	char dir[PATH_MAX];
	size_t floor = strlen(top);
	char *slash;

	if (snprintf(dir, sizeof(dir), "%s%s", top, path) >= (int)sizeof(dir))
		return;
	for (;;) {
		look_at(dir, least);
		slash = strrchr(dir, '/');
		if (slash == NULL || (size_t)(slash - dir) < floor)
			break;
		*slash = '\0';
	}
}

/* True if a list such as "cpu,cpuacct" contains cpu. */
static bool
is_cpu(const char *list)
{
	size_t n;

	for (; *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == 3 && memcmp(list, "cpu", 3) == 0)
			return true;
	}
	return false;
}

/* "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1. */
static void
read_group(char *line, const char *root, unsigned *least)
{
	char *path = line, top[PATH_MAX];
	const char *list;

	line[strcspn(line, "\n")] = '\0';
	(void)strsep(&path, ":");
	list = strsep(&path, ":");
	if (path == NULL || path[0] != '/')
		return;
	if (list[0] == '\0') {
		climb_groups(root, path, least);
		/* Beside version 1, version 2 is mounted here. */
		snprintf(top, sizeof(top), "%s/unified", root);
		climb_groups(top, path, least);
	} else if (is_cpu(list)) {
		snprintf(top, sizeof(top), "%s/%s", root, list);
		climb_groups(top, path, least);
		snprintf(top, sizeof(top), "%s/cpu", root);
		climb_groups(top, path, least);
	}
}

unsigned
cpu_quota(const char *groups, const char *root)
{
	char line[PATH_MAX];
	unsigned least = 0;
	FILE *f = fopen(groups, "re");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		read_group(line, root, &least);
	fclose(f);
	return least;
}
