/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* process.c: the common part of worker and prober. */
#include "process/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "process/logs.h"
#include "sandbox/privileges.h"
#include "sandbox/sandbox.h"
#include "sandbox/syscall_filter.h"
#include "sys/channel.h"
#include "sys/signals.h"

void
process_init(struct process *p, struct conf *conf, struct board *board,
    struct log *log, int channel)
{
	*p = (struct process){ .conf = conf, .board = board, .log = log,
	    .channel = channel, .signals = -1, .sandbox = "off" };
}

void
process_free(struct process *p)
{
	int err = errno;

	poller_free(p->poller);
	if (p->signals != -1)
		close(p->signals);
	if (p->channel != -1)
		close(p->channel);
	log_flush(p->log);
	errno = err;
}

void
process_begin_step(struct process *p, const char *step)
{
	p->step = step;
	if (p->tells_steps && p->channel != -1)
		(void)channel_send(p->channel, CHANNEL_STARTING, -1);
}

int
process_drop_privileges(struct process *p, bool as_client)
{
	process_begin_step(p, "change of user");
	return privileges_drop(&p->conf->user, p->conf->chroot, as_client);
}

int
process_open_poller(struct process *p, size_t descriptors)
{
	sigset_t signals;

	process_begin_step(p, "signals and poller");
	signals_hold(&signals);
	if ((p->signals = signals_open(&signals)) == -1 ||
	    (p->poller = poller_new(p->conf->engine, descriptors)) == NULL)
		return -1;
	poller_want(p->poller, p->signals, POLLER_READ);
	if (p->channel != -1)
		poller_want(p->poller, p->channel, POLLER_READ);
	return 0;
}

int
process_enter_sandbox(struct process *p, unsigned kind)
{
	if (!p->conf->sandbox)
		return 0;
	process_begin_step(p, "sandbox (--sandbox off does without)");
	if (conf_leaves_abstract(p->conf))
		kind |= SYSCALL_FILTER_ABSTRACT;
	p->sandbox = sandbox_enter(kind);
	return p->sandbox == NULL ? -1 : 0;
}

int
process_next_message(struct process *p, char *what)
{
	struct log *log;
	int fd, got;

	while ((got = channel_receive(p->channel, what, &fd)) == 1) {
		if (fd != -1 && *what >= CHANNEL_LOG &&
		    *what <= CHANNEL_LAST_LOG && (log = logs_at(p->log,
		    p->conf, (unsigned)(*what - CHANNEL_LOG))) != NULL) {
			log_use_fd(log, fd);
			continue;
		}
		if (fd != -1)
			close(fd);
		if (*what < CHANNEL_LOG || *what > CHANNEL_LAST_LOG)
			return 1;
	}
	return got;
}
