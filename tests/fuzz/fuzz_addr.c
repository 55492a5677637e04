/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_addr.c: what an operator can write where an address or a time is wanted,
 * for libFuzzer. No name is ever looked up: getaddrinfo() is told by the wrapper
 * below to take numbers only. Beside not crashing, what is accepted has to come
 * back the same from its own text.
 */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "net/addr.h"
#include "config/conf.h"
#include "config/directive_types.h"

int	__real_getaddrinfo(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
int	__wrap_getaddrinfo(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MUST(what)	do { if (!(what)) abort(); } while (0)

int
__wrap_getaddrinfo(const char *host, const char *port,
    const struct addrinfo *hints, struct addrinfo **list)
{
	struct addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST;
	return __real_getaddrinfo(host, port, &numeric, list);
}

static void
try_addr(const char *text, enum addr_use use)
{
	struct addr a[2], again[2];
	char first[ADDR_TEXT], second[ADDR_TEXT];
	struct endpoint e;
	const char *why = NULL;
	int n;

	n = addr_parse(text, use, a, 2, &why);
	MUST(n == 1 || n == 2 || (n == -1 && why != NULL && why[0] != '\0'));
	for (; n > 0; n--) {
		MUST(addr_format(&a[n - 1], first, sizeof(first)) == first);
		MUST(strlen(first) < sizeof(first) - 1);
		MUST(addr_parse(first, use, again, 2, &why) >= 1);
		addr_format(&again[0], second, sizeof(second));
		MUST(strcmp(first, second) == 0);
		MUST(addr_port(&a[n - 1]) == addr_port(&again[0]));
		MUST(use == ADDR_LISTEN || addr_is_unix(&a[n - 1]) ||
		    addr_port(&a[n - 1]) != 0);
		endpoint_set(&e, &a[n - 1]);
		endpoint_format(&e, second, sizeof(second));
	}
}

static void
try_time(const char *text)
{
	const char *why = NULL;
	uint64_t ms;

	if (directive_time(text, &ms, &why) == -1)
		MUST(why != NULL);
	else
		MUST(ms <= UINT64_C(366) * 24 * 3600 * 1000);
}

/* Added three times over: names must differ, whatever is asked for. */
static void
try_conf(const char *text)
{
	const struct listener listener = { .fd = -1 };
	const struct server server = { .weight = 1 };
	const struct pool pool = { .attempts = 1 };
	const char *why = NULL;
	struct conf c;
	size_t i, k;

	conf_init(&c);
	MUST(conf_add_pool(&c, &pool, &why) == 0);
	for (i = 0; i < 3; i++) {
		if (conf_add_server(&c, &server, text, &why) == -1)
			MUST(why != NULL);
		if (conf_add_listener(&c, &listener, text, &why) == -1)
			MUST(why != NULL);
	}
	for (i = 0; i < c.servers; i++) {
		MUST(c.server[i].name[0] != '\0');
		for (k = 0; k < i; k++)
			MUST(strcmp(c.server[i].name, c.server[k].name) != 0);
	}
	conf_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	/* A string of its own, so that a byte too far is noticed. */
	if ((text = malloc(size + 1)) == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	try_addr(text, ADDR_LISTEN);
	try_addr(text, ADDR_CONNECT);
	try_time(text);
	try_conf(text);
	free(text);
	return 0;
}
