/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * orphans.c: finds children of this process. A pid is not reused before the
 * child is reaped, so no other process is hit.
 */
#include "master/orphans.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static bool
is_own_child(const struct process_table *cs, pid_t pid)
{
	uint32_t i;

	for (i = 0; i < cs->slots; i++)
		if (cs->at[i].pid == pid)
			return true;
	return cs->prober.pid == pid;
}

unsigned
orphans_end(const struct process_table *cs)
{
	unsigned n = 0;
	char path[64];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children",
	    (int)getpid());
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (fscanf(f, "%d", &pid) == 1)
		if (!is_own_child(cs, pid)) {
			(void)kill(pid, SIGKILL);
			n++;
		}
	fclose(f);
	return n;
}
