/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* signals.c: signals stay blocked from the first line of main() on. */
#include "sys/signals.h"

#include <sys/signalfd.h>

#include <poll.h>
#include <unistd.h>

void
signals_hold(sigset_t *set)
{
	static const int all[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1,
	    SIGUSR2, SIGWINCH, SIGTTIN, SIGTTOU, SIGCHLD };
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		sigaddset(set, all[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
	/* If SIGCHLD were inherited as ignored, no child could be reaped. */
	signal(SIGCHLD, SIG_DFL);
}

int
signals_open(const sigset_t *set)
{
	if (sigprocmask(SIG_BLOCK, set, NULL) == -1)
		return -1;
	return signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int
signals_next(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

void
signals_wait(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	(void)poll(&p, 1, ms);
}
