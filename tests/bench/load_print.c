/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load_print.c: says what a run has shown, as one flat JSON object on one line
 * (numbers and short strings, nothing nested), so that awk can read it too.
 * Latencies are microseconds, MB are 10^6 bytes, CPU is microseconds.
 */
#include <stdio.h>
#include <unistd.h>

#include "load.h"

static const char *const failure_names[] = {
#define X(name, text) text,
	FAILURES(X)
#undef X
};

uint64_t
run_failed(const struct run *r)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < FAIL_KINDS; i++)
		n += r->failed[i];
	return n;
}

static void
print_failures(const struct run *r)
{
	int i;

	printf(",\"checked\":%llu,\"failed\":%llu",
	    (unsigned long long)r->checked, (unsigned long long)run_failed(r));
	for (i = 0; i < FAIL_KINDS; i++)
		printf(",\"f_%s\":%llu", failure_names[i],
		    (unsigned long long)r->failed[i]);
}

static double
secs(const struct run *r)
{
	return (double)(r->t1 - r->t0) / (double)NSEC;
}

/* The figures of a group; its name is put before those of all but the first. */
static void
print_group(const struct run *r, const struct group *g, const char *prefix)
{
	const struct hist *h = &g->hist;

	printf(",\"%sgbit\":%.3f", prefix,
	    (double)g->bytes * 8 / secs(r) / 1e9);
	if (g->kind == KIND_STREAM)
		return;
	printf(",\"%sops\":%llu,\"%srate\":%.1f", prefix,
	    (unsigned long long)g->ops, prefix, (double)g->ops / secs(r));
	printf(",\"%sp50\":%.1f,\"%sp99\":%.1f", prefix,
	    (double)hist_at(h, 0.5) / 1e3, prefix,
	    (double)hist_at(h, 0.99) / 1e3);
	printf(",\"%sp99_9\":%.1f,\"%smax\":%.1f", prefix,
	    (double)hist_at(h, 0.999) / 1e3, prefix, (double)h->max / 1e3);
}

/* What the processes and the machine used, per unit of work. */
static void
print_cost(const struct run *r)
{
	double proxy = (double)(r->end.proxy_ns - r->begin.proxy_ns) / 1e3;
	double server = (double)(r->end.server_ns - r->begin.server_ns);
	double self = (double)(r->end.self_ns - r->begin.self_ns);
	double tick = 1e6 / (double)sysconf(_SC_CLK_TCK), ops = 0, mb = 0;
	double machine, steal, us = secs(r) * 1e6;
	const struct group *g;

	machine = (double)(r->end.busy_ticks - r->begin.busy_ticks) * tick;
	steal = (double)(r->end.steal_ticks - r->begin.steal_ticks) * tick;
	for (g = r->group; g < r->group + r->ngroups; g++) {
		ops += (double)g->ops;
		if (g->kind == KIND_STREAM)
			mb += (double)g->bytes / 1e6;
	}
	printf(",\"backend_cores\":%.4f,\"load_cores\":%.4f"
	    ",\"machine_cores\":%.4f,\"steal\":%.4f", server / 1e3 / us,
	    self / 1e3 / us, machine / us, steal / us);
	if (ops > 0)
		printf(",\"machine_op\":%.3f", machine / ops);
	if (mb > 0)
		printf(",\"machine_mb\":%.3f", machine / mb);
	if (r->watch.n == 0)
		return;
	printf(",\"proxy_cores\":%.4f", proxy / us);
	if (ops > 0)
		printf(",\"cpu_op\":%.3f,\"csw_op\":%.4f", proxy / ops,
		    (double)(r->end.switches - r->begin.switches) / ops);
	if (mb > 0)
		printf(",\"cpu_mb\":%.3f", proxy / mb);
}

static void
print_memory(const struct run *r)
{
	const struct group *g = &r->group[0];
	double grown = (double)r->begin.memory_kb - (double)r->before.memory_kb;

	if (!(r->sample_flags & SAMPLE_MEMORY) || r->begin.memory_kb == 0)
		return;
	printf(",\"memory_kb\":%llu,\"grown_kb\":%.0f",
	    (unsigned long long)r->before.memory_kb, grown);
	if (g->kind == KIND_SILENT && g->standing > 0)
		printf(",\"kb_session\":%.3f", grown / (double)g->standing);
}

void
print_run(const struct run *r, const char *mode)
{
	const struct group *g;
	bool first = true;
	char prefix[32];

	printf("{\"mode\":\"%s\",\"secs\":%.3f", mode, secs(r));
	for (g = r->group; g < r->group + r->ngroups; g++) {
		if (g->kind == KIND_SILENT) {
			printf(",\"silent\":%zu", g->standing);
			continue;
		}
		snprintf(prefix, sizeof(prefix), "%s%s", first ? "" : g->name,
		    first ? "" : "_");
		print_group(r, g, prefix);
		first = false;
	}
	print_cost(r);
	print_memory(r);
	print_failures(r);
	printf("}\n");
}

/* How many sessions each worker has; a parent that has none is no worker. */
static void
print_spread(const struct run *r)
{
	double most = 0, sum = 0, n;
	int i, workers = 0;

	printf(",\"spread\":\"");
	for (i = 0; i < r->watch.n; i++) {
		n = (double)(r->after.sockets[i] - r->before.sockets[i]) / 2;
		if (n < 1 && r->watch.parent[i])
			continue;
		printf("%s%.0f", workers > 0 ? " " : "", n);
		workers++;
		sum += n;
		if (n > most)
			most = n;
	}
	printf("\"");
	if (sum > 0)
		printf(",\"most_mean\":%.4f", most * workers / sum);
}

void
print_hold(const struct run *r)
{
	const struct group *g = &r->group[0];

	printf("{\"mode\":\"hold\",\"secs\":%.3f,\"ops\":%zu", secs(r),
	    g->standing);
	print_spread(r);
	if (g->standing > 0)
		printf(",\"csw_op\":%.4f,\"cpu_op\":%.3f",
		    (double)(r->end.switches - r->begin.switches) /
		    (double)g->standing,
		    (double)(r->end.proxy_ns - r->begin.proxy_ns) / 1e3 /
		    (double)g->standing);
	print_failures(r);
	printf("}\n");
}
