/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * upgrade.c: two masters side by side, until the old one ends. The old one
 * stays in charge until the new one reports that it serves; a new one that
 * dies, hangs or refuses before that has changed nothing, and is ended with all
 * that it has started. Their channel has the messages "another step"
 * (CHANNEL_STARTING), "serving" (CHANNEL_READY), "the pidfile is free"
 * (CHANNEL_CLOSED), "pidfile locked" (CHANNEL_READY); without the last one the
 * old master takes the pidfile back.
 */
#include "master/upgrade.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "master/changes.h"
#include "master/fd_inherit.h"
#include "master/orphans.h"
#include "master/sd_notify.h"
#include "process/process.h"
#include "sandbox/privileges.h"
#include "sys/channel.h"
#include "sys/clock.h"

/* Time of the new master between two steps, and in total, in ms. */
#define STEP_TIME	30000
#define START_TIME	150000

/*
 * Time to answer, and for the service manager to accept it; to end; and to
 * release the pidfile, in ms.
 */
#define ANSWER_TIME	5000
#define MANAGER_TIME	4000
#define END_TIME	5000
#define LOCK_TIME	5000
#define LOCK_AGAIN	50

/* After that, the interval of attempts, in ms. */
#define LOCK_SELDOM	5000

/*
 * Time for a new master that closes the channel silently to end by itself, in
 * ms.
 */
#define LAST_WORDS	1000

/* Maximum of lines of its standard error that are logged. */
#define DIAGNOSTIC_LINES	50

void
upgrade_init(struct upgrade *u, struct process_table *cs)
{
	memset(u, 0, sizeof(*u));
	u->children = cs;
	u->channel = u->diagnostics = u->barrier = -1;
}

/*
 * The child: executes the new program in its own process group, by which all
 * that it starts can be killed. *diagnostics* is -1 at a terminal.
 */
static void __attribute__((__noreturn__))
become(const struct process_table *cs, int channel, int diagnostics)
{
	const struct conf *c = cs->conf;

	(void)setpgid(0, 0);
	runtime_files_leave(cs->instance);
	if (diagnostics != -1)
		(void)dup2(diagnostics, STDERR_FILENO);
	notify_leave();
	inventory_leave(c);
	if (fd_inherit_leave(channel, cs->board_fd, c->listener, c->listeners,
	    c->builtin, c->builtins) == 0)
		execvp(c->argv[0], c->argv);
	dprintf(STDERR_FILENO, "shuttled: %s: %s\n", c->argv[0],
	    strerror(errno));
	_exit(EX_OSERR);
}

/* For the master alone: workers forked meanwhile close them. */
static void
set_descriptors(struct upgrade *u, int channel, int diagnostics)
{
	u->children->own[OWN_UPGRADE] = u->channel = channel;
	u->children->own[OWN_DIAGNOSTICS] = u->diagnostics = diagnostics;
}

static void
close_channel(struct upgrade *u)
{
	if (u->channel == -1)
		return;
	poller_forget(u->children->poller, u->channel);
	close(u->channel);
	set_descriptors(u, -1, u->diagnostics);
}

/* Logs the lines of its standard error. */
static void
log_new_diagnostics(struct upgrade *u)
{
	struct log *log = u->children->log;
	unsigned n = 0;
	char line[512];
	FILE *f;

	if (u->diagnostics == -1)
		return;
	if (u->state == UPGRADE_DONE || lseek(u->diagnostics, 0, SEEK_SET) ==
	    -1 || (f = fdopen(u->diagnostics, "re")) == NULL) {
		close(u->diagnostics);
	} else {
		while (n++ < DIAGNOSTIC_LINES &&
		    fgets(line, sizeof(line), f) != NULL) {
			line[strcspn(line, "\n")] = '\0';
			log_line(log, LOG_ERR, "upgrade: %s", line);
		}
		fclose(f);
	}
	set_descriptors(u, u->channel, -1);
}

void
upgrade_begin(struct upgrade *u)
{
	struct process_table *cs = u->children;
	int pair[2], diagnostics = -1;

	if (channel_open(pair) == -1) {
		log_line(cs->log, LOG_ERR, "upgrade: %s", strerror(errno));
		return;
	}
	/* A daemon has no terminal; its messages must not be lost. */
	if (!cs->conf->foreground)
		diagnostics = memfd_create("diagnostics", MFD_CLOEXEC);
	set_descriptors(u, pair[0], diagnostics);
	poller_want(cs->poller, u->channel, POLLER_READ);
	fflush(NULL);
	privileges_adopt_orphans(true);
	if ((u->pid = fork()) == 0)
		become(cs, pair[1], diagnostics);
	close(pair[1]);
	if (u->pid == -1) {
		log_line(cs->log, LOG_ERR, "upgrade: fork: %s",
		    strerror(errno));
		privileges_adopt_orphans(false);
		close_channel(u);
		log_new_diagnostics(u);
		return;
	}
	(void)setpgid(u->pid, u->pid);
	u->killed = u->cancelled = u->owed = false;
	u->state = UPGRADE_START;
	u->began = clock_now_ms();
	u->deadline = u->began + STEP_TIME;
}

/* Kills it and its children. It must still be reaped. */
static void
kill_group(struct upgrade *u)
{
	u->killed = true;
	(void)kill(-u->pid, SIGKILL);
}

/* It must not serve any more: from here on it only ends. */
static void
fail_upgrade(struct upgrade *u, const char *why, uint64_t patience)
{
	strlcpy(u->why, why, sizeof(u->why));
	close_channel(u);
	u->state = UPGRADE_END;
	u->deadline = clock_now_ms() + (patience > 0 ? patience : END_TIME);
	if (patience == 0)
		kill_group(u);
}

/* It serves: the pidfile is next. */
static void
hand_over(struct upgrade *u)
{
	runtime_files_give_up(u->children->instance);
	u->state = UPGRADE_HAND_OVER;
	u->deadline = clock_now_ms() + ANSWER_TIME;
	if (channel_send(u->channel, CHANNEL_CLOSED, -1) == -1)
		fail_upgrade(u, "it does not listen", LAST_WORDS);
}

static void
set_barrier(struct upgrade *u, int fd)
{
	u->children->own[OWN_BARRIER] = u->barrier = fd;
}

static void
finish_upgrade(struct upgrade *u)
{
	if (u->barrier != -1) {
		poller_forget(u->children->poller, u->barrier);
		close(u->barrier);
		set_barrier(u, -1);
	}
	privileges_adopt_orphans(false);
	u->state = UPGRADE_DONE;
	/*
	 * When the channel closes, the service manager accepts the new master.
	 */
	close_channel(u);
	log_new_diagnostics(u);
}

/* It has the pidfile: the service manager must accept it. */
static void
announce_upgrade(struct upgrade *u)
{
	runtime_files_hand_over(u->children->instance);
	u->heir = u->pid;
	u->state = UPGRADE_ANNOUNCE;
	u->deadline = clock_now_ms() + MANAGER_TIME;
	set_barrier(u, notify_main_pid(u->pid));
	if (u->barrier == -1)
		finish_upgrade(u);
	else
		poller_want(u->children->poller, u->barrier, POLLER_READ);
}

static void
hear_other(struct upgrade *u)
{
	uint64_t now = clock_now_ms();
	char what;
	int got;

	if ((got = channel_receive_untrusted(u->channel, &what)) == -1 &&
	    errno != EBADMSG)
		return;
	/* It has all that it needs: its messages do not matter any more. */
	if (u->state == UPGRADE_ANNOUNCE) {
		if (got <= 0)
			finish_upgrade(u);
		return;
	}
	if (got == 0)
		fail_upgrade(u, "it has closed the channel", LAST_WORDS);
	else if (got == 1 && what == CHANNEL_READY &&
	    u->state == UPGRADE_START)
		hand_over(u);
	else if (got == 1 && what == CHANNEL_READY &&
	    u->state == UPGRADE_HAND_OVER)
		announce_upgrade(u);
	else if (got == -1 || what != CHANNEL_STARTING ||
	    u->state != UPGRADE_START)
		fail_upgrade(u, "it sent an invalid message", 0);
	else if (now < u->began + START_TIME)
		u->deadline = now + STEP_TIME;
}

bool
upgrade_event(struct upgrade *u, int fd)
{
	if (u->barrier != -1 && fd == u->barrier) {
		finish_upgrade(u);
		return true;
	}
	if (u->channel == -1 || fd != u->channel)
		return false;
	hear_other(u);
	return true;
}

void
upgrade_look(const struct upgrade *u)
{
	siginfo_t info = { .si_pid = 0 };

	/* Its pid is that of the group until it is reaped. */
	if (u->pid > 0 && u->state < UPGRADE_ANNOUNCE && waitid(P_PID,
	    (id_t)u->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == u->pid)
		(void)kill(-u->pid, SIGKILL);
}

/*
 * Takes the files back, as no other process should hold the lock now. False:
 * one still does.
 */
static bool
take_service_back(struct upgrade *u)
{
	struct runtime_files *in = u->children->instance;
	struct log *log = u->children->log;
	bool late = clock_now_ms() >= u->deadline;

	/* A process that has left its group may hold the lock, too. */
	if (orphans_end(u->children) > 0 && !late)
		return false;
	if (runtime_files_take_back(in) != 0) {
		if (!late)
			return false;
		log_line(log, LOG_ERR, "upgrade: %s; trying again",
		    in->why);
		u->owed = true;
		u->deadline = clock_now_ms() + LOCK_SELDOM;
	}
	if (u->cancelled)
		log_line(log, LOG_NOTICE, "upgrade: process %d cancelled: "
		    "the service ends", (int)u->pid);
	else
		log_line(log, LOG_ERR, "upgrade: process %d does not serve: "
		    "%s; this one continues", (int)u->pid, u->why);
	log_new_diagnostics(u);
	privileges_adopt_orphans(false);
	u->state = UPGRADE_IDLE;
	u->pid = 0;
	return true;
}

/* Retries to take the files back after a failed upgrade. */
static void
take_back_late(struct upgrade *u)
{
	struct process_table *cs = u->children;

	if (!u->owed || clock_now_ms() < u->deadline)
		return;
	u->deadline = clock_now_ms() + LOCK_SELDOM;
	if (runtime_files_take_back(cs->instance) != 0)
		return;
	u->owed = false;
	log_line(cs->log, LOG_NOTICE, "upgrade: pidfile and ports file were "
	    "restored");
}

bool
upgrade_reaped(struct upgrade *u, pid_t pid, int status)
{
	if (u->pid == 0 || pid != u->pid)
		return false;
	if (WIFSTOPPED(status) || WIFCONTINUED(status))
		return true;
	if (u->state == UPGRADE_ANNOUNCE)
		finish_upgrade(u);
	if (u->state == UPGRADE_DONE) {
		u->pid = 0;
		return true;
	}
	if (!u->killed && WIFEXITED(status))
		snprintf(u->why, sizeof(u->why), "it ended: exit code %d",
		    WEXITSTATUS(status));
	else if (!u->killed)
		snprintf(u->why, sizeof(u->why), "it was killed by signal %d",
		    WTERMSIG(status));
	runtime_files_sweep(u->children->instance, pid);
	close_channel(u);
	u->state = UPGRADE_TAKE_BACK;
	u->deadline = clock_now_ms() + LOCK_TIME;
	return true;
}

bool
upgrade_turn(struct upgrade *u)
{
	bool late = clock_now_ms() >= u->deadline;

	switch (u->state) {
	case UPGRADE_START:
	case UPGRADE_HAND_OVER:
		/* If this process was late, the answer may be there. */
		if (late)
			hear_other(u);
		if (late && clock_now_ms() >= u->deadline &&
		    (u->state == UPGRADE_START ||
		    u->state == UPGRADE_HAND_OVER))
			fail_upgrade(u, "it was too slow", 0);
		return false;
	case UPGRADE_ANNOUNCE:
		if (late)
			finish_upgrade(u);
		return false;
	case UPGRADE_END:
		if (late && !u->killed) {
			kill_group(u);
			u->deadline = clock_now_ms() + END_TIME;
		} else if (late) {
			/* It hangs in the kernel: it will not serve. */
			u->state = UPGRADE_TAKE_BACK;
			u->deadline = clock_now_ms() + LOCK_TIME;
		}
		return false;
	case UPGRADE_TAKE_BACK:
		return take_service_back(u);
	case UPGRADE_IDLE:
		take_back_late(u);
		return false;
	default:
		return false;
	}
}

int
upgrade_wait(const struct upgrade *u)
{
	uint64_t now = clock_now_ms();

	if (u->state == UPGRADE_DONE ||
	    (u->state == UPGRADE_IDLE && !u->owed))
		return -1;
	if (u->state == UPGRADE_TAKE_BACK)
		return LOCK_AGAIN;
	return u->deadline <= now ? 0 : (int)(u->deadline - now);
}

void
upgrade_cancel(struct upgrade *u)
{
	u->cancelled = true;
	u->owed = false;
	if (u->state == UPGRADE_START || u->state == UPGRADE_HAND_OVER)
		fail_upgrade(u, "", 0);
	/* In that state the new master has it already. */
	else if (u->state == UPGRADE_ANNOUNCE)
		finish_upgrade(u);
}
