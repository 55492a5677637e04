/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log.c: gathers lines and writes them whole. A write holds complete lines and
 * at most PIPE_BUF bytes, so that processes which share a pipe or a file opened
 * for appending never cut each other's lines. A log that cannot be written to
 * must not stop the traffic: errors here are swallowed.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SYSLOG		"syslog"

struct log {
	char	*path;			/* NULL: stderr or syslog */
	int	fd;			/* -1: syslog */
	bool	owned;			/* fd is ours to close */
	int	level;
	char	ident[48];
	time_t	second;			/* that *stamp* was made for */
	char	stamp[24];
	size_t	used;
	char	text[PIPE_BUF];
};

static const struct {
	const char *name;
	int	 code;
} facilities[] = {
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV },
	{ "cron", LOG_CRON }, { "daemon", LOG_DAEMON }, { "ftp", LOG_FTP },
	{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
	{ "mail", LOG_MAIL }, { "news", LOG_NEWS }, { "user", LOG_USER },
};

static const char *const level_names[] = {
	"emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"
};

/* The code of a syslog target's facility; -1: not a syslog target. */
static int
facility(const char *target, const char **why)
{
	const char *name = target + strlen(SYSLOG);
	size_t i;

	if (strncmp(target, SYSLOG, strlen(SYSLOG)) != 0)
		return -1;
	if (name[0] == '\0')
		return LOG_DAEMON;
	if (name[0] == ':')
		for (i = 0; i < sizeof(facilities) / sizeof(*facilities); i++)
			if (strcmp(name + 1, facilities[i].name) == 0)
				return facilities[i].code;
	*why = "the facility is one of daemon, user, local0 to local7, auth, "
	    "authpriv, cron, ftp, mail, news: syslog:daemon";
	return -1;
}

int
log_check(const char *target, const char **why)
{
	*why = NULL;
	if (strcmp(target, "stderr") == 0 || target[0] == '/' ||
	    facility(target, why) != -1)
		return 0;
	if (*why == NULL)
		*why = "stderr, syslog, syslog:FACILITY or an absolute path";
	return -1;
}

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

struct log *
log_open(const char *target, int level)
{
	const char *why;
	struct log *l;
	int code;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	/* A worker cannot read the file that holds the time zone. */
	tzset();
	l->level = level;
	l->fd = -1;
	if (strcmp(target, "stderr") == 0)
		l->fd = STDERR_FILENO;
	else if ((code = facility(target, &why)) != -1)
		openlog("shuttled", LOG_PID | LOG_NDELAY, code);
	else if ((l->path = strdup(target)) == NULL ||
	    (l->fd = open_file(target)) == -1)
		goto fail;
	l->owned = l->path != NULL;
	log_ident(l, "start");
	return l;
fail:
	free(l->path);
	free(l);
	return NULL;
}

void
log_close(struct log *l)
{
	if (l == NULL)
		return;
	log_flush(l);
	if (l->owned)
		close(l->fd);
	free(l->path);
	free(l);
}

int
log_replace(struct log *l, const char *target, int level)
{
	struct log *other = log_open(target, level), old;

	if (other == NULL)
		return -1;
	log_flush(l);
	strlcpy(other->ident, l->ident, sizeof(other->ident));
	old = *l;
	*l = *other;
	*other = old;
	log_close(other);
	return 0;
}

void
log_ident(struct log *l, const char *name)
{
	if (l->fd == -1)
		snprintf(l->ident, sizeof(l->ident), "%s", name);
	else
		snprintf(l->ident, sizeof(l->ident), "%s[%d]", name,
		    (int)getpid());
}

int
log_reopen(struct log *l)
{
	int fd;

	if (l->path == NULL)
		return 0;
	if ((fd = open_file(l->path)) == -1)
		return -1;
	log_use_fd(l, fd);
	return 0;
}

int
log_fd(const struct log *l)
{
	return l->fd;
}

void
log_use_fd(struct log *l, int fd)
{
	log_flush(l);
	if (l->owned)
		close(l->fd);
	l->fd = fd;
	l->owned = true;
}

bool
log_wants(const struct log *l, int level)
{
	return level <= l->level;
}

void
log_flush(struct log *l)
{
	size_t done = 0;
	ssize_t n;
	int err = errno;

	while (done < l->used) {
		n = write(l->fd, l->text + done, l->used - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		done += (size_t)n;
	}
	l->used = 0;
	errno = err;
}

/* The time up to the second changes seldom: format it once. */
static const char *
stamp(struct log *l, const struct timespec *now)
{
	struct tm tm;

	if (now->tv_sec != l->second || l->stamp[0] == '\0') {
		gmtime_r(&now->tv_sec, &tm);
		strftime(l->stamp, sizeof(l->stamp), "%Y-%m-%dT%H:%M:%S", &tm);
		l->second = now->tv_sec;
	}
	return l->stamp;
}

static void __attribute__((__format__(__printf__, 3, 0)))
gather(struct log *l, int level, const char *fmt, va_list ap)
{
	char line[PIPE_BUF / 2];
	struct timespec now;
	size_t head = 0, len;

	if (l->fd != -1) {
		clock_gettime(CLOCK_REALTIME, &now);
		head = (size_t)snprintf(line, sizeof(line),
		    "%s.%03ldZ %s %s: ", stamp(l, &now),
		    now.tv_nsec / 1000000, l->ident, level_names[level]);
	}
	vsnprintf(line + head, sizeof(line) - head - 1, fmt, ap);
	len = strlen(line);
	if (l->fd == -1) {
		syslog(level, "%s: %s", l->ident, line);
		return;
	}
	line[len++] = '\n';
	if (l->used + len > sizeof(l->text))
		log_flush(l);
	memcpy(l->text + l->used, line, len);
	l->used += len;
}

void
log_line(struct log *l, int level, const char *fmt, ...)
{
	va_list ap;
	int err = errno;

	if (!log_wants(l, level))
		return;
	va_start(ap, fmt);
	gather(l, level, fmt, ap);
	va_end(ap);
	log_flush(l);
	errno = err;
}

void
log_gather(struct log *l, int level, const char *fmt, ...)
{
	va_list ap;

	if (!log_wants(l, level))
		return;
	va_start(ap, fmt);
	gather(l, level, fmt, ap);
	va_end(ap);
}
