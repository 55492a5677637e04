/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log_sink.c: the only place that knows how to write a log without waiting:
 * through a non-blocking descriptor of its own where the system provides one,
 * and a connection that is started and left alone until it is established.
 * Keeps no text.
 */
#include "log/log_sink.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "net/socket_option.h"
#include "sys/clock.h"
#include "sys/descriptor.h"
#include "sys/safe_file.h"

#define OUR_STDERR	"/proc/self/fd/2"

/* Delay between two attempts to connect, in ms; doubled each time. */
#define DELAY_MIN	100
#define DELAY_MAX	10000

/* A log host that acknowledges nothing for this long is dead, in ms. */
#define SILENCE_MAX	30000

/* Maximum of lines in flight; a power of two. */
#define FLIGHTS		65536

/*
 * O_NONBLOCK is shared by all processes that inherited a pipe or terminal, so
 * open it again to get a description of its own. If that is forbidden, poll
 * before each write: it then blocks only if another worker writes first.
 */
static int
open_stderr(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) && (fd = open(
	    OUR_STDERR, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) != -1)
		return fd;
	return STDERR_FILENO;
}

static int
open_target(const struct log_target *t)
{
	switch (t->kind) {
	case TARGET_STDERR:
		return open_stderr();
	case TARGET_FILE:
		return safe_file_open_log(t->path);
	case TARGET_SYSLOG:
	case TARGET_UDP:
		return socket_new_datagram(&t->addr);
	default:
		return -1;
	}
}

/* Adopts *fd*, of the same kind as the one before. */
static void
take_sink_fd(struct log_sink *s, int fd)
{
	s->fd = fd;
	s->owned = fd != STDERR_FILENO;
	s->torn = false;
	s->part = 0;
}

/*
 * Finds out the kind of the descriptor. src/sandbox/syscall_filter.c forbids
 * these calls in workers.
 */
static void
inspect_sink(struct log_sink *s)
{
	struct stat st;

	memset(&st, 0, sizeof(st));
	(void)fstat(s->fd, &st);
	s->socket = S_ISSOCK(st.st_mode);
	s->regular = S_ISREG(st.st_mode);
	s->waits = !s->socket && !s->regular &&
	    (fcntl(s->fd, F_GETFL) & O_NONBLOCK) == 0;
}

int
log_sink_open(struct log_sink *s, const struct log_target *t)
{
	int fd;

	memset(s, 0, sizeof(*s));
	s->target = *t;
	s->fd = -1;
	s->socket = t->kind == TARGET_TCP;
	if (s->socket) {
		s->flight = calloc(FLIGHTS, sizeof(*s->flight));
		return s->flight == NULL ? -1 : 0;
	}
	if ((fd = open_target(t)) == -1)
		return -1;
	take_sink_fd(s, fd);
	inspect_sink(s);
	return 0;
}

static void
log_sink_close(struct log_sink *s)
{
	if (s->owned)
		close(s->fd);
	s->owned = false;
	s->fd = -1;
	s->part = 0;
	s->flights = 0;
	s->flying = 0;
}

void
log_sink_free(struct log_sink *s)
{
	log_sink_close(s);
	free(s->flight);
	s->flight = NULL;
}

/*
 * A line is out. Its length is kept at the place of its number until the other
 * machine has acknowledged it.
 */
static void
line_is_out(struct log_sink *s, size_t len)
{
	if (s->target.kind == TARGET_TCP) {
		s->flight[s->out % FLIGHTS] = (uint16_t)len;
		s->flights++;
		s->flying += len;
	}
	s->out++;
}

/* Drops the lines that were acknowledged. The next may be partly out. */
static void
drop_acknowledged(struct log_sink *s)
{
	uint64_t unacked;
	uint16_t len;

	if (s->flights == 0)
		return;
	unacked = (uint64_t)socket_unacked(s->fd);
	for (; s->flights > 0; s->flights--, s->flying -= len) {
		len = s->flight[(s->out - s->flights) % FLIGHTS];
		if (s->flying + s->part - len < unacked)
			return;
	}
}

uint64_t
log_sink_arrived(struct log_sink *s)
{
	drop_acknowledged(s);
	return s->out - s->flights;
}

/* Counts the lines in flight of a dead connection as lost. */
static void
end_dead_connection(struct log_sink *s)
{
	drop_acknowledged(s);
	s->refused += s->flights;
	s->crashed = s->out;
	/* A line that counts as lost must not arrive later. */
	socket_abort(s->fd);
	s->owned = false;
	log_sink_close(s);
}

bool
log_sink_hands_over(const struct log_sink *s)
{
	return s->target.kind != TARGET_STDERR &&
	    s->target.kind != TARGET_TCP;
}

int
log_sink_reopen(struct log_sink *s)
{
	int fd;

	if (!log_sink_hands_over(s))
		return 0;
	if ((fd = open_target(&s->target)) == -1)
		return -1;
	log_sink_use_fd(s, fd);
	inspect_sink(s);
	return 0;
}

void
log_sink_use_fd(struct log_sink *s, int fd)
{
	log_sink_close(s);
	take_sink_fd(s, fd);
}

void
log_sink_leave(struct log_sink *s)
{
	if (s->target.kind != TARGET_TCP)
		return;
	log_sink_close(s);
	s->delay = 0;
}

/*
 * True if an attempt to connect is due. The delay grows after failures and
 * starts anew after a connection that lasted.
 */
static bool
may_try(struct log_sink *s)
{
	uint64_t now = clock_now_ms();

	if (s->delay != 0 && now - s->tried < s->delay)
		return false;
	if (s->delay == 0 || now - s->tried > DELAY_MAX)
		s->delay = DELAY_MIN;
	else if ((s->delay *= 2) > DELAY_MAX)
		s->delay = DELAY_MAX;
	s->tried = now;
	return true;
}

/* True if a connection exists or is in progress. */
static bool
sink_connected(struct log_sink *s)
{
	int pending, fd;

	if (s->fd != -1 && socket_ended(s->fd))
		end_dead_connection(s);
	if (s->fd == -1 && may_try(s) &&
	    (fd = socket_connect(&s->target.addr, &pending)) != -1) {
		take_sink_fd(s, fd);
		socket_set_user_timeout(fd, SILENCE_MAX);
	}
	return s->fd != -1;
}

static size_t
sink_line_length(const struct log_sink *s, const char *text, size_t len)
{
	char *msg;
	size_t n;

	if (s->target.kind == TARGET_TCP) {
		n = strtoul(text, &msg, 10);
		return (size_t)(msg - text) + 1 + n;
	}
	return (size_t)((const char *)memchr(text, '\n', len) - text) + 1;
}

uint64_t
log_sink_lines(const struct log_sink *s, const char *text, size_t len)
{
	uint64_t lines = 0;
	size_t done;

	for (done = 0; done < len; lines++)
		done += sink_line_length(s, text + done, len - done);
	return lines;
}

/* The most for one write: whole lines, and at least one. */
static size_t
write_length(const struct log_sink *s, const char *text, size_t len)
{
	size_t n, next;

	if (len <= SINK_WRITE)
		return len;
	n = sink_line_length(s, text, len);
	while ((next = sink_line_length(s, text + n, len - n)) + n <=
	    SINK_WRITE)
		n += next;
	return n;
}

static ssize_t
write_sink(const struct log_sink *s, const char *text, size_t len)
{
	ssize_t n;

	if (s->waits && !descriptor_is_writable(s->fd))
		return -1;
	do
		n = s->socket ?
		    send(s->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) :
		    write(s->fd, text, len);
	while (n == -1 && errno == EINTR);
	return n;
}

/*
 * A full disk may have accepted part of a line, of this process or another. No
 * process can append the rest for certain: the part gets a newline, and the
 * line is written again.
 */
static bool
mend_torn_line(struct log_sink *s)
{
	if (s->torn && write_sink(s, "\n", 1) == 1)
		s->torn = false;
	return !s->torn;
}

static void
stream_failed(struct log_sink *s)
{
	if (s->regular) {
		s->torn = true;
		s->part = 0;
	} else if (s->target.kind == TARGET_TCP && errno != EAGAIN) {
		end_dead_connection(s);
	}
}

/* One write takes all lines that begin in it. */
static bool
has_flights(struct log_sink *s)
{
	if (s->target.kind != TARGET_TCP || s->flights < FLIGHTS - SINK_WRITE)
		return true;
	drop_acknowledged(s);
	return s->flights < FLIGHTS - SINK_WRITE;
}

static size_t
write_stream(struct log_sink *s, const char *text, size_t len)
{
	size_t done = 0, line;
	ssize_t n;

	if ((s->target.kind == TARGET_TCP && !sink_connected(s)) ||
	    !mend_torn_line(s))
		return 0;
	while (done < len && has_flights(s)) {
		n = write_sink(s, text + done + s->part,
		    write_length(s, text + done, len - done) - s->part);
		if (n <= 0) {
			stream_failed(s);
			break;
		}
		s->part += (size_t)n;
		while (s->part > 0 && s->part >= (line = sink_line_length(s,
		    text + done, len - done))) {
			done += line;
			s->part -= line;
			line_is_out(s, line);
		}
	}
	return done;
}

static bool
send_line(struct log_sink *s, const char *text, size_t len)
{
	if (write_sink(s, text, len) != -1)
		return true;
	if (s->target.kind == TARGET_UDP && errno == ECONNREFUSED)
		/* The answer to an earlier datagram. */
		s->refused++;
	else if (s->target.kind != TARGET_SYSLOG || errno == EAGAIN ||
	    !may_try(s) || socket_redirect(s->fd, &s->target.addr) == -1)
		return false;
	return write_sink(s, text, len) != -1;
}

static size_t
send_lines(struct log_sink *s, const char *text, size_t len)
{
	size_t done = 0, line;

	while (done < len) {
		line = sink_line_length(s, text + done, len - done);
		if (!send_line(s, text + done, line - 1))
			break;
		done += line;
		line_is_out(s, line);
	}
	return done;
}

size_t
log_sink_write(struct log_sink *s, const char *text, size_t len)
{
	return s->target.kind == TARGET_SYSLOG ||
	    s->target.kind == TARGET_UDP ?
	    send_lines(s, text, len) : write_stream(s, text, len);
}
