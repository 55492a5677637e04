/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* phase.c: describes the state of a service in a line. */
#include "master/phase.h"

#include <stdio.h>
#include <string.h>

#include "sys/clock.h"
#include "util/text.h"

void
phase_describe(enum phase phase, const struct process_table *cs,
    uint64_t drain_at, bool reload_failed, char *text, size_t size)
{
	uint64_t now = clock_now_ms();
	struct process_counts n;
	char more[64] = "";

	process_table_count(cs, &n);
	switch (phase) {
	case STARTING:
		strlcpy(text, "starting", size);
		break;
	case RUNNING:
		if (n.draining > 0)
			snprintf(more, sizeof(more), "; %u draining",
			    n.draining);
		snprintf(text, size, "%u worker%s, generation %u, %u "
		    "session%s%s%s", n.serving, text_s(n.serving),
		    cs->generation, n.sessions, text_s(n.sessions),
		    more, reload_failed ?
		    "; the last reload failed: see the log" : "");
		break;
	case LEAVING:
		snprintf(text, size, "leaving: accepts for %llu s more; "
		    "%u worker%s, %u session%s", drain_at <= now ? 0 :
		    (unsigned long long)(drain_at - now + 999) / 1000,
		    n.serving, text_s(n.serving), n.sessions,
		    text_s(n.sessions));
		break;
	case QUITTING:
		snprintf(text, size, "draining: %u worker%s, %u session%s",
		    n.serving + n.draining, text_s(n.serving + n.draining),
		    n.sessions, text_s(n.sessions));
		break;
	case STOPPING:
		strlcpy(text, "stopping", size);
		break;
	}
}

void
phase_log_end(const struct process_table *cs, struct log *log,
    const char *other)
{
	struct board_totals sum;

	if (other != NULL) {
		log_line(log, LOG_NOTICE, "all workers have ended; the master "
		    "%s", other);
		return;
	}
	board_sum(cs->board, &sum);
	log_line(log, LOG_NOTICE, "all workers have ended: %llu session%s in "
	    "all, %llu lost, %llu bytes up, %llu down; bye",
	    (unsigned long long)sum.sessions, text_s(sum.sessions),
	    (unsigned long long)sum.lost, (unsigned long long)sum.bytes_up,
	    (unsigned long long)sum.bytes_down);
}
