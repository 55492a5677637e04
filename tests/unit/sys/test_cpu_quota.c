/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
#include "sys/cpu_quota.h"

#include "helpers.h"

static char	dir[64];		/* /proc and /sys of a test */

int
set_up(void)
{
	make_dir(dir, sizeof(dir));
	return 0;
}

int
tear_down(void)
{
	remove_dir(dir);
	return 0;
}

/* Write a file below it, and the directories that it is in. */
static void
put(const char *name, const char *text)
{
	char path[200], *slash;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')) !=
	    NULL; slash++) {
		*slash = '\0';
		if (mkdir(path, 0700) == -1)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	write_file(path, text);
}

static unsigned
quota(void)
{
	char groups[200], root[200];

	snprintf(groups, sizeof(groups), "%s/groups", dir);
	snprintf(root, sizeof(root), "%s/sys", dir);
	return cpu_quota(groups, root);
}

TEST(version_2)
{
	static const struct {
		const char *text;
		unsigned    n;
	} of[] = {
		{ "max 100000\n", 0 }, { "100000 100000\n", 1 },
		{ "50000 100000\n", 1 }, { "100001 100000\n", 2 },
		{ "250000 100000\n", 3 }, { "1000 1000000\n", 1 },
		{ "0 100000\n", 0 }, { "-1 100000\n", 0 }, { "5\n", 0 },
		{ "100 0\n", 0 }, { "", 0 }, { "x y\n", 0 },
		{ "9223372036854775807 1\n", 0 },
	};
	size_t i;

	put("groups", "0::/a/b\n");
	assert_int_equal(quota(), 0);
	for (i = 0; i < COUNT(of); i++) {
		put("sys/a/b/cpu.max", of[i].text);
		if (quota() != of[i].n)
			fail_msg("%s: %u", of[i].text, quota());
	}
}

/* The least of all levels holds. */
TEST(levels)
{
	put("groups", "0::/a/b/c\n");
	put("sys/a/b/c/cpu.max", "800000 100000\n");
	assert_int_equal(quota(), 8);
	put("sys/a/cpu.max", "300000 100000\n");
	assert_int_equal(quota(), 3);
	put("sys/a/b/cpu.max", "max 100000\n");
	assert_int_equal(quota(), 3);
	put("sys/cpu.max", "200000 100000\n");
	assert_int_equal(quota(), 2);
	/* What is beside or above the groups is nothing to us. */
	put("sys/b/cpu.max", "100000 100000\n");
	put("cpu.max", "100000 100000\n");
	assert_int_equal(quota(), 2);
}

/* In a container the path is often that of the machine outside. */
TEST(seen_from_inside)
{
	put("groups", "0::/../../system.slice/docker-1234.scope\n");
	put("sys/cpu.max", "150000 100000\n");
	assert_int_equal(quota(), 2);
	put("groups", "0::/\n");
	assert_int_equal(quota(), 2);
	put("groups", "");
	assert_int_equal(quota(), 0);
}

TEST(version_1)
{
	put("groups", "9:name=systemd:/\n4:cpuset:/x\n3:cpu,cpuacct:/d/1\n"
	    "0::/\n");
	put("sys/cpu,cpuacct/d/1/cpu.cfs_quota_us", "-1\n");
	put("sys/cpu,cpuacct/d/1/cpu.cfs_period_us", "100000\n");
	assert_int_equal(quota(), 0);
	put("sys/cpu,cpuacct/d/1/cpu.cfs_quota_us", "350000\n");
	assert_int_equal(quota(), 4);
	put("sys/cpuset/x/cpu.cfs_quota_us", "1\n");
	put("sys/cpuset/x/cpu.cfs_period_us", "100000\n");
	assert_int_equal(quota(), 4);
	put("sys/cpu/cpu.cfs_quota_us", "100000\n");
	put("sys/cpu/cpu.cfs_period_us", "50000\n");
	assert_int_equal(quota(), 2);
	/* Both at once. */
	put("sys/unified/cpu.max", "100000 100000\n");
	assert_int_equal(quota(), 1);
}

TEST(without_groups)
{
	assert_int_equal(quota(), 0);
	put("groups", "nonsense\n::\n0:\n0::\n:::/\n");
	assert_int_equal(quota(), 0);
	/* And of this machine, whatever it is. */
	(void)cpu_quota(CPU_QUOTA_GROUPS, CPU_QUOTA_ROOT);
}
