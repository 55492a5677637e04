/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_policy.h: how the servers of a pool are checked, as configured.
 * check_exchange.h has the exchange, health.h its consequences and times.
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

/* The version that sessions send, for checks of the service address. */
#define CHECK_PROXY_AS_SENT	UINT32_MAX

struct check_policy {
	uint32_t	 kind;		/* enum check_kind */
	const char	*send, *expect;	/* as in check_exchange.h; NULL: none */
	const char	*method, *uri, *status;	/* of HTTP */
	const char	*host;		/* of HTTP and TLS; NULL: none */
	const char	*command;	/* words separated by blanks */
	unsigned	 proxy;		/* version of the header, 0: none */
	/* All in ms; 0: same as interval. */
	uint64_t	 interval, fast_interval, down_interval;
	uint64_t	 timeout;
	unsigned	 jitter;	/* jitter: percent, up and down */
	unsigned	 rise, fall;	/* consecutive results; never 0 */
	uint32_t	 init_state;	/* enum server_health */
};

#endif
