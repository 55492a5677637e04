/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver_log.h: log lines about names that are looked up, and about the
 * servers that they gain and lose: text for people, and fields of JSON.
 */
#ifndef RESOLVER_LOG_H
#define RESOLVER_LOG_H

#include "log/log.h"
#include "prober/resolver_assign.h"

struct resolver_subject {
	struct log	*log;
	const char	*pool, *name;
};

/* Logs an event of the name: event is "name", with its state and the cause. */
void	resolver_log(const struct resolver_subject *, int level,
	    const char *state, const char *cause, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 5, 6)));

/* Logs an event of one server at an address: event is "address". */
void	resolver_log_server(const struct resolver_subject *,
	    const struct server *, const char *address,
	    enum resolver_assign_change, const char *cause);

#endif
