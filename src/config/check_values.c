/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_values.c: reads the values of checks into their policy, as directives.c
 * does with all others, and refuses what no server could be sent.
 */
#include "config/check_values.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "config/proxy_values.h"
#include "upstream/check_exchange.h"
#include "upstream/server.h"

/* True if all characters are visible. */
static bool
is_graphic(const char *text)
{
	while (isgraph((unsigned char)*text))
		text++;
	return *text == '\0';
}

/* The index of *text* in the list of words, which contains it. */
static uint32_t
word_of(const char *words, const char *text)
{
	uint32_t i = 0;

	for (; strncmp(words, text, strlen(text)) != 0; words++)
		i += *words == ',';
	return i;
}

enum check_kind
check_values_kind(const char *text)
{
	return (enum check_kind)word_of(CHECK_WORDS, text);
}

const char *
check_values_proxy(const char *text, void *to)
{
	struct pool *p = to;

	p->check.proxy = proxy_values_version(text);
	return NULL;
}

const char *
check_values_init_state(const char *text, void *to)
{
	struct pool *p = to;

	p->check.init_state = word_of(CHECK_STATES, text);
	return NULL;
}

const char *
check_values_method(const char *text, void *to)
{
	struct pool *p = to;

	p->check.method = text;
	return NULL;
}

/* Becomes part of a request line unchanged. */
const char *
check_values_uri(const char *text, void *to)
{
	struct pool *p = to;

	p->check.uri = text;
	return text[0] == '/' && is_graphic(text) ? NULL :
	    "should begin with /, without blanks";
}

const char *
check_values_host(const char *text, void *to)
{
	struct pool *p = to;

	p->check.host = text;
	return is_graphic(text) ? NULL : "should be a name, without blanks";
}

const char *
check_values_status(const char *text, void *to)
{
	struct pool *p = to;

	p->check.status = text;
	return check_exchange_may_list(text) ? NULL :
	    "should be statuses and ranges, such as 200-299,304";
}

const char *
check_values_send(const char *text, void *to)
{
	unsigned char none[1];
	struct pool *p = to;

	p->check.send = text;
	return check_exchange_bytes(text, none, sizeof(none)) != -1 ? NULL :
	    "should have pairs of hexadecimal digits after x:";
}

const char *
check_values_expect(const char *text, void *to)
{
	struct pool *p = to;

	p->check.expect = text;
	if (check_exchange_may_expect(text))
		return NULL;
	return text[0] == '~' ?
	    "should have an extended regular expression after ~, see regex(7)" :
	    "should have pairs of hexadecimal digits after x:";
}

const char *
check_values_command(const char *text, void *to)
{
	struct pool *p = to;
	unsigned words = 1;
	const char *at;

	p->check.command = text;
	for (at = strpbrk(text, " \t"); at != NULL; at = strpbrk(at, " \t")) {
		at += strspn(at, " \t");
		words += *at != '\0';
	}
	if (words > CHECK_COMMAND_WORDS)
		return "has more than 63 words";
	return text[0] == '/' ? NULL :
	    "should be the absolute name of a program, and its arguments";
}

const char *
check_values_address(const char *text, void *to)
{
	struct server *b = to;
	char host[ADDR_HOST];
	const char *why;

	/* A name has one meaning wherever it is resolved at start. */
	if (strchr(text, '/') == NULL && addr_split(text, ADDR_CONNECT, host,
	    sizeof(host), &why) != -1 && host[0] != '\0' &&
	    strcmp(host, "*") != 0 && !addr_is_ip(host)) {
		b->check_name = text;
		return NULL;
	}
	b->check_name = NULL;
	return addr_parse(text, ADDR_CONNECT, &b->check_addr, 1, &why) == -1 ?
	    why : NULL;
}
