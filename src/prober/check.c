/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check.c: connects, sends the request, reads until there is a verdict, and
 * closes in good order. Never waits, and never reads more than it has room for.
 */
#include "prober/check.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "event/poller.h"
#include "net/socket.h"
#include "prober/check_runner.h"

/* Maximum of reads of one reply, because each one judges the whole reply. */
#define LOOKS		1000

/* Bytes dropped after the verdict before the connection is closed at once. */
#define POLITE		(1024 * 1024)

static enum verdict
fail_check(struct check *c, const char *what, int err)
{
	snprintf(c->why, sizeof(c->why), "%s: %s", what, strerror(err));
	return VERDICT_FAILED;
}

static void
begin_check(struct check *c, int fd, enum check_state state)
{
	c->fd = fd;
	c->state = state;
	c->sent = c->request = c->got = 0;
	c->looks = 0;
	c->tls = false;
	c->why[0] = c->reply[0] = '\0';
}

static enum verdict
judge_check(struct check *c, bool end)
{
	enum verdict v = check_exchange_judge(c->exchange, c->reply, c->got,
	    end, c->why);

	if (v != VERDICT_OPEN || ++c->looks < LOOKS)
		return v;
	strlcpy(c->why, "the answer has too many pieces", sizeof(c->why));
	return VERDICT_FAILED;
}

static enum verdict
receive_reply(struct check *c)
{
	ssize_t n;

	n = recv(c->fd, c->reply + c->got, CHECK_EXCHANGE_REPLY - c->got, 0);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? VERDICT_OPEN :
		    fail_check(c, "read", errno);
	c->got += (size_t)n;
	c->reply[c->got] = '\0';
	return judge_check(c, n == 0);
}

/*
 * A connection is refused before it is established (RFC 9293, section 3.10.7.3)
 * and reset only after that: which one a server does is not a matter of speed.
 */
static bool
had_stood(int err)
{
	return err == ECONNRESET || err == EPIPE;
}

/* Nothing more can be sent: judges what arrived before a reset. */
static enum verdict
was_reset(struct check *c)
{
	c->sent = c->request;
	c->state = CHECK_TALKING;
	return check_exchange_wants_answer(c->exchange) ? receive_reply(c) :
	    judge_check(c, false);
}

static enum verdict
send_request(struct check *c)
{
	ssize_t n;

	while (c->sent < c->request) {
		n = send(c->fd, c->out + c->sent, c->request - c->sent,
		    MSG_NOSIGNAL);
		if (n == -1 && had_stood(errno))
			return was_reset(c);
		if (n == -1)
			return errno == EAGAIN || errno == EINTR ?
			    VERDICT_OPEN : fail_check(c, "write", errno);
		c->sent += (size_t)n;
	}
	return judge_check(c, false);
}

int
check_connect(struct check *c, const struct check_exchange *d, bool tls,
    unsigned proxy, const struct egress *egress, const struct addr *to,
    enum verdict *v)
{
	struct connect_request out = { .to = to };
	struct addr from = { .len = 0 };
	enum socket_lack lack = LACK_NOTHING;
	int fd;

	if ((fd = egress_connect(egress, &out)) == -1)
		lack = socket_lack(errno);
	if (lack == LACK_OF_OURS || lack == LACK_PORT)
		return -1;
	begin_check(c, fd, lack == LACK_ROOM ? CHECK_WAITING :
	    CHECK_CONNECTING);
	c->exchange = d;
	c->tls = tls;
	*v = VERDICT_OPEN;
	if (fd != -1 && proxy == 1)
		(void)socket_local_addr(fd, &from);
	if (fd == -1 && lack == LACK_NOTHING)
		*v = fail_check(c, "connect", errno);
	else if (fd != -1)
		c->request = check_exchange_request(d, proxy, &from, to,
		    c->out);
	if (fd != -1 && !out.pending)
		*v = check_act(c);
	return 0;
}

void
check_run(struct check *c, int fd)
{
	begin_check(c, fd, CHECK_RUNNING);
}

/* The answer is one message; end of file: the program could not be run. */
static enum verdict
take_program_result(struct check *c)
{
	struct check_runner_answer a;
	ssize_t n;

	n = recv(c->fd, &a, sizeof(a), 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return VERDICT_OPEN;
	if (n != (ssize_t)sizeof(a))
		return VERDICT_NONE;
	a.line[sizeof(a.line) - 1] = '\0';
	snprintf(c->why, sizeof(c->why), "%s %d%s%s", a.signalled ? "signal" :
	    "exit code", a.status, a.line[0] == '\0' ? "" : ": ", a.line);
	return a.signalled || a.status != 0 ? VERDICT_FAILED : VERDICT_PASSED;
}

enum verdict
check_act(struct check *c)
{
	if (c->state == CHECK_RUNNING)
		return take_program_result(c);
	if (c->state == CHECK_CONNECTING) {
		if (socket_connected(c->fd) == -1)
			return had_stood(errno) ? was_reset(c) :
			    fail_check(c, "connect", errno);
		c->state = CHECK_TALKING;
		return send_request(c);
	}
	return c->sent < c->request ? send_request(c) : receive_reply(c);
}

unsigned
check_interest(const struct check *c)
{
	return c->state == CHECK_CONNECTING ||
	    (c->state == CHECK_TALKING && c->sent < c->request) ?
	    POLLER_WRITE : POLLER_READ;
}

void
check_late(struct check *c, uint64_t ms)
{
	snprintf(c->why, sizeof(c->why), "%s within %llu ms",
	    c->state == CHECK_WAITING ? "connect: queue full" :
	    c->state == CHECK_CONNECTING ? "connect: no answer" :
	    c->state == CHECK_RUNNING ? "the program did not end" :
	    c->got == 0 ? "no answer" : "no expected answer",
	    (unsigned long long)ms);
}

bool
check_end(struct check *c)
{
	/* close_notify: RFC 8446, section 6.1 */
	static const unsigned char bye[] = { 21, 3, 3, 0, 2, 1, 0 };
	bool stands = c->state == CHECK_TALKING;

	c->state = CHECK_CLOSING;
	if (!stands)
		return false;
	if (c->tls)
		(void)send(c->fd, bye, sizeof(bye), MSG_NOSIGNAL);
	c->got = 0;
	return socket_shut_write(c->fd) == 0;
}

/* Closing with unread bytes would send a reset (RFC 2525, section 2.17). */
bool
check_close(struct check *c)
{
	ssize_t n = recv(c->fd, c->reply, sizeof(c->reply), 0);

	if (n == -1)
		return errno == EAGAIN || errno == EINTR;
	c->got += (size_t)n;
	return n > 0 && c->got < POLITE;
}

void
check_abandon(struct check *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->state = CHECK_IDLE;
}
