/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sd_notify.c: sd_notify(3), and when to send what. The environment says
 * whether there is a service manager; failures are ignored.
 */
#include "master/sd_notify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/sd.h"
#include "sys/clock.h"

/* Interval of the status, if it changes by itself, in ms. */
#define STATUS_EVERY	5000

/* The manager expects microseconds. */
#define USEC(ms)	((unsigned long long)(ms) * 1000)

void
notify_init(struct notify *n)
{
	uint64_t us = 0;

	memset(n, 0, sizeof(*n));
	if (sd_watchdog_enabled(0, &us) > 0)
		n->watchdog = us / 1000;
	/* Two of three signs of life may be lost. */
	n->beat = n->watchdog / 4;
}

static void
note_status(struct notify *n, const char *status)
{
	strlcpy(n->status, status, sizeof(n->status));
	n->status_at = clock_now_ms() + STATUS_EVERY;
}

void
notify_ready(struct notify *n, const char *status)
{
	/* A process without signs of life cannot be watched. */
	n->there = sd_notifyf(0, "READY=1\nSTATUS=%s\nWATCHDOG_USEC=%llu",
	    status, USEC(n->watchdog)) > 0;
	note_status(n, status);
}

void
notify_reloading(const struct notify *n)
{
	if (!n->there)
		return;
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu\n"
	    "STATUS=reloading", (unsigned long long)clock_now_us());
}

void
notify_stopping(struct notify *n, const char *status)
{
	if (!n->there)
		return;
	(void)sd_notifyf(0, "STOPPING=1\nSTATUS=%s", status);
	note_status(n, status);
}

/*
 * sd_notify_barrier(3) without the wait: the manager closes the descriptor of
 * this message when it has read all earlier ones.
 */
static int
begin_barrier(void)
{
	int pair[2], sent;

	if (pipe2(pair, O_CLOEXEC) == -1)
		return -1;
	sent = sd_pid_notify_with_fds(0, 0, "BARRIER=1", &pair[1], 1);
	close(pair[1]);
	if (sent > 0)
		return pair[0];
	close(pair[0]);
	return -1;
}

int
notify_main_pid(pid_t pid)
{
	return sd_notifyf(0, "MAINPID=%d", (int)pid) > 0 ? begin_barrier() : -1;
}

void
notify_leave(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (getenv("WATCHDOG_PID") != NULL)
		(void)setenv("WATCHDOG_PID", pid, 1);
}

bool
notify_status_due(const struct notify *n)
{
	return n->there && clock_now_ms() >= n->status_at;
}

void
notify_soon(struct notify *n)
{
	n->status_at = 0;
}

void
notify_status(struct notify *n, const char *status)
{
	if (n->there && strcmp(status, n->status) != 0)
		(void)sd_notifyf(0, "STATUS=%s", status);
	note_status(n, status);
}

bool
notify_alive(struct notify *n)
{
	uint64_t now = clock_now_ms();

	if (!n->there || n->beat == 0 || now < n->beat_at)
		return false;
	(void)sd_notifyf(0, "WATCHDOG=1");
	n->beat_at = now + n->beat;
	return true;
}

int
notify_wait(const struct notify *n)
{
	uint64_t now = clock_now_ms(), at = n->status_at;

	if (!n->there)
		return -1;
	if (n->beat != 0 && n->beat_at < at)
		at = n->beat_at;
	return at <= now ? 0 : (int)(at - now);
}
