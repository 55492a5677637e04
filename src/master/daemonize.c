/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * daemonize.c: the fork between shell and service. Until daemonize_report()
 * errors still reach the terminal.
 */
#include "master/daemonize.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

/* The parent: waits for one byte, or for the end of the child. */
static void
relay_status(int fd)
{
	unsigned char status = EX_OSERR;
	sigset_t none;
	ssize_t n;

	/* The waiting parent may be interrupted; the service then continues. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	do
		n = read(fd, &status, 1);
	while (n == -1 && errno == EINTR);
	_exit(status);
}

int
daemonize_fill_standard(void)
{
	int fd;

	/* open() returns the lowest free descriptor, and none below is free. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", O_RDWR) == -1)
			return -1;
	return 0;
}

int
daemonize_start(void)
{
	int report[2];

	if (pipe2(report, O_CLOEXEC) == -1)
		return -1;
	fflush(NULL);
	switch (fork()) {
	case -1:
		close(report[0]);
		close(report[1]);
		return -1;
	case 0:
		close(report[0]);
		(void)setsid();
		return report[1];
	default:
		close(report[1]);
		relay_status(report[0]);
		return -1;
	}
}

void
daemonize_detach(void)
{
	int null;

	if ((null = open("/dev/null", O_RDWR)) == -1)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

void
daemonize_report(int *fd, int status)
{
	unsigned char byte = (unsigned char)status;

	if (*fd == -1)
		return;
	if (status == 0)
		daemonize_detach();
	/* The parent may be gone. */
	(void)!write(*fd, &byte, 1);
	close(*fd);
	*fd = -1;
}
