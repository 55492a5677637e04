/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * process.h: what the master and each of its children agree on: how a child
 * ends, and the messages on the channel between the two.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include "conf.h"

/* What the exit status of a child tells the master. */
enum process_exit {
	PROCESS_DONE = 0,		/* drained or stopped */
	PROCESS_FAILED = 1,		/* start another */
	PROCESS_HOPELESS = 2		/* another would fail in the same way */
};

/* How long a drain lasts that is ended for max_generations, in ms. */
#define PROCESS_HURRY	5000

/*
 * Messages on a channel, one byte each. A worker understands all of them, the
 * prober only CHANNEL_LOG.
 */
enum channel_message {
	CHANNEL_STARTING = 'S',		/* to the master: a step of the start */
	CHANNEL_READY = 'R',		/* to the master: ready to accept */
	CHANNEL_CLOSED = 'C',		/* to the master: accepts no more */
	CHANNEL_GO = 'G',		/* to the worker: accept */
	CHANNEL_RETIRE = 'O',		/* to the worker: others serve, drain */
	CHANNEL_HURRY = 'H',		/* to the worker: drain no longer */
	/* To a child: log to this descriptor; + n: the log in slot n. */
	CHANNEL_LOG = 1,
	CHANNEL_LAST_LOG = CHANNEL_LOG + CONF_LOGS,
	CHANNEL_LOOK = 'A'		/* to the worker: look at the listeners */
};

#endif
