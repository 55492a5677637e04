/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* session_env.c: frees the environment of the sessions of a worker. */
#include "session/session_env.h"

#include <stdlib.h>

#include "session/access_log_format.h"
#include "upstream/preconnect.h"
#include "upstream/wait_queue.h"

void
session_env_free(struct session_env *e)
{
	preconnect_free(e->preconnects);
	wait_queue_free(e->queue);
	timer_free(e->timers);
	balance_free(e->balance);
	bufpool_free(e->kit.pool);
	bufpool_free(e->notes);
	free(e->kit.scratch);
	pipepool_free(e->kit.pipes);
	access_log_format_free(e->lines.format);
	free(e->header_ids);
	table_free(&e->table);
}
