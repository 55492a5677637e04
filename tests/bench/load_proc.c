/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load_proc.c: reads in /proc what a proxy and the machine have used. A process
 * that is gone counts as nothing. Never signals or traces anybody.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

/* The whole of a small file as a string; false: it is not there. */
static bool
proc_read(const char *path, char *buf, size_t size)
{
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

/* The number that follows the name at the start of a line; 0 if none does. */
static uint64_t
proc_field(const char *text, const char *name)
{
	const char *p = strstr(text, name);

	return p == NULL ? 0 : strtoull(p + strlen(name), NULL, 10);
}

/* Without schedstat: from the process's own ticks, of 1/100 s. */
static uint64_t
cpu_ticks(pid_t pid)
{
	char path[64], buf[1024];
	unsigned long user, sys;
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!proc_read(path, buf, sizeof(buf)) ||
	    (p = strrchr(buf, ')')) == NULL ||
	    sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
	    " %lu %lu", &user, &sys) != 2)
		return 0;
	return (user + sys) * (NSEC / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void
task_sample(pid_t pid, const char *tid, uint64_t *cpu, uint64_t *switches)
{
	char path[128], buf[4096];

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat",
	    (int)pid, tid);
	if (proc_read(path, buf, sizeof(buf)))
		*cpu += strtoull(buf, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/status", (int)pid,
	    tid);
	if (switches == NULL || !proc_read(path, buf, sizeof(buf)))
		return;
	*switches += proc_field(buf, "\nvoluntary_ctxt_switches:") +
	    proc_field(buf, "\nnonvoluntary_ctxt_switches:");
}

/* CPU of a process by its threads, to the nanosecond where the kernel can. */
static uint64_t
cpu_sample(pid_t pid, uint64_t *switches)
{
	char path[64];
	struct dirent *de;
	uint64_t cpu = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	if ((dir = opendir(path)) == NULL)
		return 0;
	while ((de = readdir(dir)) != NULL)
		if (de->d_name[0] != '.')
			task_sample(pid, de->d_name, &cpu, switches);
	closedir(dir);
	return cpu > 0 ? cpu : cpu_ticks(pid);
}

/* Pages shared by master and workers count once over all of them. */
static uint64_t
memory_sample(pid_t pid)
{
	char path[64], buf[4096];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if (!proc_read(path, buf, sizeof(buf)))
		return 0;
	if (strstr(buf, "\nPss_Anon:") == NULL)
		return proc_field(buf, "\nPrivate_Dirty:") +
		    proc_field(buf, "\nSwap:");
	return proc_field(buf, "\nPss_Anon:") +
	    proc_field(buf, "\nPss_Shmem:") + proc_field(buf, "\nSwapPss:");
}

static int
socket_sample(pid_t pid)
{
	char path[64], link[64];
	struct dirent *de;
	ssize_t len;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if ((dir = opendir(path)) == NULL)
		return 0;
	while ((de = readdir(dir)) != NULL) {
		len = readlinkat(dirfd(dir), de->d_name, link, sizeof(link));
		n += len > 7 && memcmp(link, "socket:", 7) == 0;
	}
	closedir(dir);
	return n;
}

static void
machine_sample(struct sample *s)
{
	unsigned long long user, nice_, sys, idle, io, irq, soft, steal;
	char buf[8192];

	if (!proc_read("/proc/stat", buf, sizeof(buf)) ||
	    sscanf(buf, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user,
	    &nice_, &sys, &idle, &io, &irq, &soft, &steal) != 8)
		return;
	s->busy_ticks = user + nice_ + sys + irq + soft;
	s->steal_ticks = steal;
}

void
sample_take(struct sample *s, const struct watch *w, int flags)
{
	struct timespec ts;
	int i;

	s->proxy_ns = s->switches = 0;
	for (i = 0; i < w->n; i++) {
		s->proxy_ns += cpu_sample(w->pid[i], &s->switches);
		if (flags & SAMPLE_MEMORY)
			s->memory_kb += memory_sample(w->pid[i]);
		if (flags & SAMPLE_SOCKETS)
			s->sockets[i] = socket_sample(w->pid[i]);
	}
	if (w->server > 0)
		s->server_ns = cpu_sample(w->server, NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	s->self_ns = (uint64_t)ts.tv_sec * NSEC + (uint64_t)ts.tv_nsec;
	machine_sample(s);
}

static pid_t
parent_of(const char *pid)
{
	char path[64], buf[1024];
	const char *p;
	int ppid;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if (!proc_read(path, buf, sizeof(buf)) ||
	    (p = strrchr(buf, ')')) == NULL ||
	    sscanf(p + 1, " %*c %d", &ppid) != 1)
		return 0;
	return (pid_t)ppid;
}

/* Add the children of those that are known; true if there were new ones. */
static bool
watch_grow(struct watch *w)
{
	struct dirent *de;
	bool grown = false;
	pid_t pid, parent;
	DIR *dir;
	int i, j;

	if ((dir = opendir("/proc")) == NULL)
		return false;
	while ((de = readdir(dir)) != NULL) {
		pid = (pid_t)atoi(de->d_name);
		if (pid <= 0 || (parent = parent_of(de->d_name)) == 0)
			continue;
		for (i = 0; i < w->n && w->pid[i] != parent; i++)
			;
		for (j = 0; j < w->n && w->pid[j] != pid; j++)
			;
		if (i == w->n || j < w->n || w->n == MAX_PIDS)
			continue;
		w->parent[i] = grown = true;
		w->pid[w->n++] = pid;
	}
	closedir(dir);
	return grown;
}

void
watch_resolve(struct watch *w)
{
	if (w->n > 0)
		while (watch_grow(w))
			;
}
