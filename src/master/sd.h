/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sd.h: <systemd/sd-daemon.h>, or empty substitutes where the library is
 * missing: there is no service manager then.
 */
#ifndef SD_H
#define SD_H

#include "config.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#else
#include <sys/types.h>

#include <stdint.h>

#define SD_LISTEN_FDS_START	3

static inline int __attribute__((__format__(__printf__, 2, 3)))
sd_notifyf(int unset, const char *format, ...)
{
	(void)unset;
	(void)format;
	return 0;
}

static inline int
sd_pid_notify_with_fds(pid_t pid, int unset, const char *state,
    const int *fds, unsigned n)
{
	(void)pid;
	(void)unset;
	(void)state;
	(void)fds;
	(void)n;
	return 0;
}

static inline int
sd_notify_barrier(int unset, uint64_t timeout)
{
	(void)unset;
	(void)timeout;
	return 0;
}

static inline int
sd_watchdog_enabled(int unset, uint64_t *usec)
{
	(void)unset;
	(void)usec;
	return 0;
}

static inline int
sd_listen_fds_with_names(int unset, char ***names)
{
	(void)unset;
	(void)names;
	return 0;
}
#endif
#endif
