/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_names.c: any answers of name servers, in any order, to all that a few names
 * ask for, with a clock of its own. The input is a list of steps: how long to wait,
 * which question is answered, how, and with how many of the next bytes; or that
 * another prober goes on, which knows only what stands on the board. Whatever comes, no name has more servers than it may, none of them twice, none that is
 * no address; and each question ends once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "proto/dns_message.h"
#include "config/conf_slots.h"
#include "prober/dns_client.h"
#include "prober/resolver.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
uint64_t __wrap_clock_now_ms(void);

#define MUST(what)	do { if (!(what)) abort(); } while (0)
#define ASKED		64		/* questions at a time that are kept */
#define TURNS		400
#define ANOTHER		0xff		/* of how it is answered */

static uint64_t now = 1000;

uint64_t
__wrap_clock_now_ms(void)
{
	return now;
}

/* --- the name server ------------------------------------------------------- */

struct dns_client {
	size_t		 n;
	struct {
		dns_answer	*answer;
		void		*arg;
		int		 type;
	} asked[ASKED];
};

static struct dns_client server;

struct dns_client *
dns_client_new(const struct conf *c, const char **why)
{
	(void)c;
	*why = "";
	server.n = 0;
	return &server;
}

int
dns_client_start(struct dns_client *d, struct poller *p, size_t limit)
{
	(void)d;
	(void)p;
	(void)limit;
	return 0;
}

void
dns_client_ask(struct dns_client *d, const char *name, int type,
    dns_answer *answer, void *arg)
{
	MUST(strlen(name) <= DNS_MESSAGE_NAME);
	MUST(type == DNS_RR_A || type == DNS_RR_AAAA || type == DNS_RR_SRV);
	if (d->n == ASKED) {
		answer(arg, DNS_FAILED, "too many", NULL, 0);
		return;
	}
	d->asked[d->n].answer = answer;
	d->asked[d->n].arg = arg;
	d->asked[d->n++].type = type;
}

static void
reply(struct dns_client *d, size_t i, enum dns_status status,
    const unsigned char *message, size_t len)
{
	dns_answer *answer = d->asked[i].answer;
	void *arg = d->asked[i].arg;

	d->asked[i] = d->asked[--d->n];
	answer(arg, status, "it fails", message, len);
}

void
dns_client_free(struct dns_client *d)
{
	while (d != NULL && d->n > 0)
		reply(d, 0, DNS_ENDED, NULL, 0);
}

bool
dns_client_event(struct dns_client *d, const struct poller_event *ev)
{
	(void)d;
	(void)ev;
	return false;
}

void
dns_client_turn(struct dns_client *d)
{
	(void)d;
}

int
dns_client_wait(struct dns_client *d, int limit)
{
	(void)d;
	return limit;
}

/* --- the names ------------------------------------------------------------- */

static struct conf conf;
static struct board *board;
static struct log *log_none;

static void
add_name(const char *name, const char *address, enum server_resolve how,
    uint32_t max)
{
	struct server b = { .weight = 1, .resolve = how, .resolve_max = max };
	const char *why;

	(void)strlcpy(b.name, name, sizeof(b.name));
	MUST(conf_add_server(&conf, &b, address, &why) == 0);
}

static void
set_up(void)
{
	const char *why;

	conf_init(&conf);
	conf.workers = 1;
	conf.resolve_min_ttl = 1000;
	conf.resolve_max_ttl = 60000;
	conf.resolve_hold = 5000;
	MUST(conf_add_pool(&conf, &(struct pool){ .name = "p" }, &why) == 0);
	add_name("a", "a.test:80", RESOLVE_ON, 2);
	add_name("b", "b.test:80", RESOLVE_ON, 1);
	add_name("s", "_s._tcp.test", RESOLVE_SRV, 4);
	conf.dns_name[1].once = true;
	MUST((board = board_new(1, NULL)) != NULL);
	MUST(conf_assign_slots(&conf, board, 1, 1) == NULL);
	/* Lines of a level that is never written. */
	MUST((log_none = log_open("/dev/null", LOG_EMERG)) != NULL);
}

/* As if none of them had ever been looked up. */
static void
forget(void)
{
	size_t i;

	for (i = 0; i < conf.servers; i++)
		memset(&board->book[conf.server[i].slot], 0,
		    sizeof(board->book[0]));
}

static void
look_at(const struct dns_name *l)
{
	static const unsigned char zero[16];
	struct resolved_addr all[CONF_PLACES], *p;
	uint32_t i, k, n = 0;

	for (i = 0; i < l->n; i++) {
		p = &all[n];
		(void)resolved_addr_read(&board->book[conf.server[l->first +
		    i].slot].resolved, p);
		if (p->lookup != 0)
			MUST(p->lookup == conf.server[l->first].lookup);
		if (!resolved_addr_serves(p))
			continue;
		MUST(memcmp(p->ip, zero, p->family == AF_INET ? 4 : 16) != 0);
		MUST(p->port != 0 && p->weight > 0 && p->weight <= 256);
		for (k = 0; k < n; k++)
			MUST(!resolved_addr_same(&all[k], p));
		n++;
	}
	MUST(n <= l->max);
}

static struct resolver *
go_on(struct resolver *names)
{
	resolver_free(names);
	MUST(server.n == 0);
	MUST((names = resolver_new(&conf, board, log_none)) != NULL);
	resolver_turn(names);
	return names;
}

/* One step; returns how many bytes it took. */
static size_t
step(struct resolver *names, const uint8_t *data, size_t size)
{
	static const enum dns_status how[] = {
		DNS_ANSWER, DNS_ANSWER, DNS_ANSWER, DNS_NOTHING, DNS_FAILED,
	};
	enum dns_status status = how[data[2] % 5];
	size_t len = data[3], i;
	unsigned char *copy;

	now += (uint64_t)data[0] * 100;
	len = len < size - 4 ? len : size - 4;
	if (status != DNS_ANSWER)
		len = 0;
	if (server.n > 0) {
		/* Exactly so large, so that one byte too far is noticed. */
		MUST((copy = malloc(len + 1)) != NULL);
		memcpy(copy, data + 4, len);
		reply(&server, data[1] % server.n, status,
		    len > 0 ? copy : NULL, len);
		free(copy);
	}
	resolver_turn(names);
	MUST(resolver_wait(names, 60000) >= 0);
	for (i = 0; i < conf.dns_names; i++)
		look_at(&conf.dns_name[i]);
	return 4 + len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resolver *names = NULL;
	unsigned turns;
	size_t taken;

	if (board == NULL)
		set_up();
	forget();
	names = go_on(names);
	for (turns = 0; size >= 4 && turns < TURNS; turns++) {
		if (data[2] == ANOTHER)
			names = go_on(names);
		taken = step(names, data, size);
		data += taken;
		size -= taken;
	}
	resolver_free(names);
	MUST(server.n == 0);
	return 0;
}
