/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * budget.c: calculates descriptors, ports and memory. Reads a few numbers of
 * the system; changes nothing.
 */
#include "config/budget.h"

#include <sys/resource.h>

#include <stdio.h>
#include <unistd.h>

#include "proto/proxyproto.h"
#include "relay/pipepool.h"
#include "upstream/preconnect.h"

/* For log, channel, signals, wakeups and libc. */
#define RESERVE		13

/* Below this limit of descriptors no pipes are used: bytes are copied. */
#define PIPES_WORTH	256

/* Bytes for each descriptor in the tables of a worker, roughly. */
#define ENTRY		40

/* Kernel memory for a socket without data, roughly, in bytes. */
#define SOCKET		4096

/* Maximum of headers kept at once: 64 MiB. */
#define NOTES		16384

/* Generations of workers that the board has room for at least. */
#define GENERATIONS	4

/* Address space for what is not calculated: libraries, the log, … */
#define SLACK		(32 << 20)

/* Bytes of a pipe where the system allows them. */
#define PIPE		(1 << 20)

/*
 * The limit of this process, or a quarter of the address space if that is less.
 */
static uint64_t
most_of(int resource)
{
	struct rlimit r;

	return getrlimit(resource, &r) == -1 || r.rlim_cur > SIZE_MAX / 4 ?
	    SIZE_MAX / 4 : r.rlim_cur;
}

uint32_t
budget_rows(const struct conf *c)
{
	uint32_t rows = BOARD_WORKERS, least = GENERATIONS * c->workers;
	/* The rest is for what a worker needs itself. */
	uint64_t most = most_of(RLIMIT_AS) / 2, file = most_of(RLIMIT_FSIZE);

	if (file < most)
		most = file;
	while (rows / 2 > least && board_bytes(rows) > most)
		rows /= 2;
	return board_bytes(rows) > most ? least : rows;
}

/* Descriptors of a worker that its sessions do not use. */
static size_t
set_aside(const struct conf *c, uint32_t pipes)
{
	return RESERVE + c->own_logs + c->listeners + c->builtins + 2 * pipes +
	    preconnect_sum(c->server, c->servers);
}

/* The other ends of builtin servers are in the same process. */
static unsigned
descriptors_per_session(const struct conf *c)
{
	return c->builtins > 0 ? 3 : 2;
}

size_t
budget_needed(const struct conf *c)
{
	return c->sessions == 0 ? 0 : set_aside(c, PIPEPOOL_MAX) +
	    (size_t)c->sessions * descriptors_per_session(c);
}

void
budget_make(struct budget *b, const struct conf *c, size_t descriptors)
{
	b->descriptors = descriptors;
	b->pipes = descriptors >= PIPES_WORTH ? PIPEPOOL_MAX : 0;
	b->set_aside = set_aside(c, b->pipes);
	b->each = descriptors_per_session(c);
	b->needed = budget_needed(c);
	b->sessions = descriptors <= b->set_aside ? 0 :
	    (uint32_t)((descriptors - b->set_aside) / b->each);
	if (c->sessions != 0 && b->sessions > c->sessions)
		b->sessions = c->sessions;
	b->notes = !conf_accepts_proxy(c) ? 0 :
	    b->sessions < NOTES ? b->sessions : NOTES;
	b->own = (uint64_t)(c->buffers + 1) * BUDGET_BLOCK +
	    (uint64_t)b->notes * PROXYPROTO_MAX + (uint64_t)b->sessions *
	    (sizeof(struct session) + sizeof(struct session_cold) + b->each * ENTRY);
	b->memory = b->own + (uint64_t)b->pipes * PIPE;
	b->sockets = (uint64_t)b->sessions * b->each * SOCKET;
}

/* Address space in use, in bytes; 0: unknown. */
static uint64_t
mapped_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

const char *
budget_no_memory(uint64_t more, char *buf, size_t size)
{
	static const struct {
		int	    resource;
		const char *how;
	} limits[] = {
		{ RLIMIT_AS, "ulimit -v, LimitAS=" },
		{ RLIMIT_DATA, "ulimit -d, LimitDATA=" },
	};
	uint64_t needed = mapped_bytes() + more + SLACK;
	struct rlimit r;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (getrlimit(limits[i].resource, &r) == 0 &&
		    r.rlim_cur < needed) {
			snprintf(buf, size, "a process may have %llu MiB (%s); "
			    "set that to %llu MiB or more",
			    (unsigned long long)r.rlim_cur >> 20,
			    limits[i].how, (unsigned long long)needed >> 20);
			return buf;
		}
	snprintf(buf, size, "no limit of this process says so: the machine may "
	    "have no more, see vm.overcommit_memory");
	return buf;
}

unsigned
budget_ports(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned low, high;
	int got;

	if (f == NULL)
		return 0;
	got = fscanf(f, "%u %u", &low, &high);
	fclose(f);
	return got == 2 && high >= low ? high - low + 1 : 0;
}

/* Sessions that the local ports can carry to a pool; 0: not limited. */
static uint64_t
sessions_by_ports(const struct conf *c, const struct pool *p)
{
	const struct server *b;
	uint64_t ports = 0;
	uint32_t i;

	for (i = p->first; i < p->first + p->n; i++) {
		b = &c->server[i];
		if (addr_is_unix(&b->addr) || b->egress.transparent)
			return 0;
		ports += (uint64_t)budget_ports() * (b->lookup != 0 ? 1 :
		    egress_sources(&b->egress, b->addr.sa.sa_family));
	}
	return ports;
}

/* The kernel's cap on every backlog; 0: unknown. */
static unsigned
most_waiting(void)
{
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
	unsigned n;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%u", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static void
check_backlogs(const struct conf *c, struct diagnostics *cs)
{
	unsigned most = most_waiting();
	const struct listener *l;
	size_t i;

	for (i = 0; i < c->listeners; i++) {
		l = &c->listener[i];
		if (most != 0 && l->backlog > most)
			diagnostics_add(cs, "listen on %s: backlog is %u, not "
			    "%u: raise net.core.somaxconn", l->name, most,
			    l->backlog);
	}
}

void
budget_check(const struct budget *b, const struct conf *c,
    struct diagnostics *cs)
{
	unsigned workers = c->workers == 0 ? 1 : c->workers;
	uint64_t all = (uint64_t)b->sessions * workers, ports, has;
	const struct pool *p;
	size_t i;

	if (b->sessions < c->sessions)
		diagnostics_add(cs, "max_sessions_per_worker: each worker can "
		    "have %u, not %u: set the limit of descriptors to %zu "
		    "(LimitNOFILE=%zu, ulimit -n)", b->sessions, c->sessions,
		    b->needed, b->needed);
	for (i = 0; i < c->pools; i++) {
		p = &c->pool[i];
		if ((ports = sessions_by_ports(c, p)) != 0 && ports < all)
			diagnostics_add(cs, "pool %s: the local ports carry "
			    "%llu sessions, the descriptors %llu: widen "
			    "net.ipv4.ip_local_port_range, or add addresses to "
			    "source_address, or servers", p->name,
			    (unsigned long long)ports, (unsigned long long)all);
	}
	check_backlogs(c, cs);
	has = (uint64_t)sysconf(_SC_PHYS_PAGES) *
	    (uint64_t)sysconf(_SC_PAGESIZE);
	if (has < workers * (b->memory + b->sockets))
		diagnostics_add(cs, "memory: all sessions together would need "
		    "%llu MiB, and the machine has %llu: lower the limit of "
		    "descriptors, buffers or workers",
		    (unsigned long long) (workers * (b->memory + b->sockets) >>
		    20), (unsigned long long)(has >> 20));
}
