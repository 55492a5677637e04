/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * upgrade.c: two masters side by side, of which one goes. The old one stays in
 * charge until the new one says that it serves; who dies, hangs or refuses
 * before that has changed nothing. They talk over a channel of their own: "I
 * serve" (CHANNEL_READY), "the pidfile is free" (CHANNEL_CLOSED), "I have it"
 * (CHANNEL_READY); when the last does not come the old one takes it back.
 */
#include "upgrade.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "changes.h"
#include "inherit.h"
#include "notify.h"
#include "sys.h"
#include "worker.h"

/* How long the other may take to answer, in ms. */
#define ANSWER_TIME	5000

/* The child: become the other program. *complaints* is -1 at a terminal. */
static void __attribute__((__noreturn__))
become(const struct children *cs, int channel, int complaints)
{
	const struct conf *c = cs->conf;

	instance_leave(cs->instance);
	if (complaints != -1)
		(void)dup2(complaints, STDERR_FILENO);
	notify_leave();
	inventory_leave(c);
	if (inherit_leave(channel, cs->board_fd, c->listener, c->listeners,
	    c->builtin, c->builtins) == 0)
		execvp(c->argv[0], c->argv);
	dprintf(STDERR_FILENO, "shuttled: %s: %s\n", c->argv[0],
	    strerror(errno));
	_exit(EX_OSERR);
}

/* What the other had to say on its standard error, a line each. */
static void
log_lines(struct log *log, int fd)
{
	char line[512];
	FILE *f;

	if (fd == -1 || lseek(fd, 0, SEEK_SET) == -1 ||
	    (f = fdopen(fd, "re")) == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		log_line(log, LOG_ERR, "upgrade: %s", line);
	}
	fclose(f);
}

static void
take_back(struct children *cs)
{
	if (instance_take_back(cs->instance) != 0)
		log_line(cs->log, LOG_ERR, "upgrade: %s", cs->instance->why);
}

/* It did not come to serve: see to it that it never will, and go on. */
static void
give_up(struct children *cs, pid_t pid, bool slow)
{
	char why[64] = "it was too slow";
	int status = 0;

	if (slow)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (!slow && WIFEXITED(status))
		snprintf(why, sizeof(why), "it ended: exit code %d",
		    WEXITSTATUS(status));
	else if (!slow)
		snprintf(why, sizeof(why), "it was killed by signal %d",
		    WTERMSIG(status));
	/* Now that nobody else can hold the lock. */
	take_back(cs);
	log_line(cs->log, LOG_ERR, "upgrade: process %d does not serve: %s; this "
	    "one goes on", (int)pid, why);
}

/* It serves: the pidfile is next. False: it has not taken it. */
static bool
hand_over(struct children *cs, int channel, pid_t pid)
{
	instance_give_up(cs->instance);
	if (sys_send(channel, CHANNEL_CLOSED, -1) == -1 ||
	    sys_hear(channel, CHANNEL_READY, ANSWER_TIME) == -1)
		return false;
	notify_main_pid(pid);
	instance_hand_over(cs->instance);
	return true;
}

/*
 * Start it, and see it serve. 0, or -1 with errno and *pid*, the process to be
 * buried; 0: there is none.
 */
static int
replace(struct children *cs, int ms, int complaints, pid_t *pid)
{
	int pair[2], result = -1, err;

	*pid = 0;
	if (sys_channel(pair) == -1)
		return -1;
	fflush(NULL);
	if ((*pid = fork()) == 0)
		become(cs, pair[1], complaints);
	err = errno;
	close(pair[1]);
	errno = err;
	if (*pid == -1)
		*pid = 0;
	else if (sys_hear(pair[0], CHANNEL_READY, ms) == 0 &&
	    hand_over(cs, pair[0], *pid))
		result = 0;
	err = errno;
	close(pair[0]);
	errno = err;
	return result;
}

pid_t
upgrade(struct children *cs, int ms)
{
	int complaints = -1;
	pid_t pid;

	/* A daemon has no terminal; what it says must not be lost. */
	if (!cs->conf->foreground)
		complaints = memfd_create("complaints", MFD_CLOEXEC);
	if (replace(cs, ms, complaints, &pid) == 0) {
		if (complaints != -1)
			close(complaints);
		return pid;
	}
	if (pid == 0)
		log_line(cs->log, LOG_ERR, "upgrade: %s", strerror(errno));
	else
		give_up(cs, pid, errno != EPIPE);
	log_lines(cs->log, complaints);
	return -1;
}

int
upgrade_take_over(int channel)
{
	if (sys_send(channel, CHANNEL_READY, -1) == -1)
		return -1;
	return sys_hear(channel, CHANNEL_CLOSED, ANSWER_TIME);
}

void
upgrade_done(int channel)
{
	/* One that is gone by now has nothing to say in it. */
	(void)sys_send(channel, CHANNEL_READY, -1);
	/* It ends the channel when the service manager listens to us. */
	(void)sys_hear(channel, CHANNEL_CLOSED, ANSWER_TIME);
}
