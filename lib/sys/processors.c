/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* processors.c: the processors that this process may run on. */
#include "sys/processors.h"

#include <sched.h>

unsigned
processors_count(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == -1)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

int
processors_pin(unsigned i)
{
	cpu_set_t set, one;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == -1)
		return -1;
	i %= (unsigned)CPU_COUNT(&set);
	while (!CPU_ISSET(cpu, &set) || i-- > 0)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one);
}
