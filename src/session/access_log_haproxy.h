/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * access_log_haproxy.h: the line of a session in HAProxy's TCP log format, for
 * the tools that read its logs.
 *
 *	10.0.1.2:33313 [06/Feb/2009:12:12:51.443] :443 main/b 0/0/5007 212
 *	-- 3/3/3/1/0 0/0
 */
#ifndef ACCESS_LOG_HAPROXY_H
#define ACCESS_LOG_HAPROXY_H

#include "util/text.h"

struct session_record;

/*
 * Writes the line. For a session that has not ended, time and bytes have a + in
 * front, as with logasap. *second* is for this function alone.
 */
void	access_log_haproxy_put(struct stamp *second, struct text *,
	    const struct session_record *);

#endif
