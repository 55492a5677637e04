/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_policy.h: how the servers of a pool are checked, as the operator has
 * written it. What is said and heard is check_exchange.h's, when and what follows of it
 * health.h's.
 */
#ifndef CHECK_POLICY_H
#define CHECK_POLICY_H

#include <stdint.h>

enum check_kind {
	CHECK_OFF,
	CHECK_TCP,
	CHECK_EXEC,
	CHECK_SEND_EXPECT,
	CHECK_HTTP,
	CHECK_TLS
};

#define CHECK_COMMAND_WORDS	63

/* As the server is sent one, if it is checked where it serves. */
#define CHECK_PROXY_AS_SENT	UINT32_MAX

struct check_policy {
	uint32_t	 kind;		/* enum check_kind */
	const char	*send, *expect;	/* as in check_exchange.h; NULL: none */
	const char	*method, *uri, *status;	/* of HTTP */
	const char	*host;		/* there and in TLS; NULL: none */
	const char	*command;	/* words separated by blanks */
	unsigned	 proxy;		/* version of the header, 0: none */
	/* All in ms; 0: as interval. */
	uint64_t	 interval, fast_interval, down_interval;
	uint64_t	 timeout;
	unsigned	 jitter;	/* percent, up and down */
	unsigned	 rise, fall;	/* results in a row; never 0 */
	uint32_t	 init_state;	/* enum server_health */
};

#endif
