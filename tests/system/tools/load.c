/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load.c: a client of an echo service that keeps account. It holds some
 * connections open and opens, uses and closes others over and over; what
 * became of each is counted under one name, nothing is tried twice. On SIGTERM
 * the connections that were kept must echo once more and end in good order.
 * Owns no judgement: it prints the numbers, the test decides.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RESULTS_LIST(X) X(OK, "ok") X(REFUSED, "refused") X(RESET, "reset") \
	X(CUT, "cut") X(TIMEOUT, "timeout") X(WRONG, "wrong") X(OTHER, "other")

enum result {
#define X(name, text) name,
	RESULTS_LIST(X)
#undef X
	RESULTS
};

static const char *const result_names[] = {
#define X(name, text) text,
	RESULTS_LIST(X)
#undef X
};

/*
 * REST is between two connections; HOLD has one that waits; STUBBORN has had an
 * end of file and does not answer it.
 */
enum state { REST, CONNECTING, EXCHANGE, HOLD, STUBBORN, ENDING, GONE };

struct conn {
	enum state	 state;
	bool		 kept;
	bool		 ready;		/* has echoed once */
	bool		 last;		/* this exchange is the last one */
	unsigned	 key;		/* of its pattern */
	size_t		 sent, got;
	uint64_t	 until;		/* deadline of the state; 0: none */
	struct sockaddr_in self;
};

struct load {
	struct sockaddr_in to;
	size_t		 kept, loops, n;
	bool		 stubborn;
	char		 at_once;	/* loops end so: c, r, h; 0: after a rest */
	uint64_t	 total;		/* loops to start; 0: no limit */
	uint64_t	 started;
	size_t		 bytes;
	uint64_t	 hold, patience, lifetime;	/* ms */
	int		 report;	/* -1: none */
	size_t		 connected, ready;	/* of those to keep */
	uint64_t	 count[2][RESULTS];	/* loop, kept */
	struct conn	*conn;
	struct pollfd	*poll;
	unsigned	 keys;
	uint64_t	 now;
};

/* The one thing that a signal handler may touch. */
static volatile sig_atomic_t finishing;

static void
on_term(int sig)
{
	(void)sig;
	finishing = 1;
}

static uint64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static unsigned char
pattern(unsigned key, size_t at)
{
	return (unsigned char)(key * 131u + at * 7u + at / 256u);
}

/* One line in the report file, which the test greps for. */
static void
report(const struct load *l, const char *line)
{
	if (l->report != -1 && write(l->report, line, strlen(line)) == -1)
		err(1, "report");
}

static enum result
result_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return REFUSED;
	case ECONNRESET:
	case EPIPE:
		return RESET;
	case ETIMEDOUT:
		return TIMEOUT;
	default:
		return OTHER;
	}
}

/* The end of connection *i*, for better or worse. */
static void
settle(struct load *l, size_t i, enum result result)
{
	struct conn *c = &l->conn[i];

	l->count[c->kept][result]++;
	if (c->kept && result != OK)
		printf("lost 127.0.0.1:%u %s\n", ntohs(c->self.sin_port),
		    result_names[result]);
	if (l->poll[i].fd != -1)
		close(l->poll[i].fd);
	l->poll[i].fd = -1;
	c->state = c->kept ? GONE : REST;
	/* Who was rejected must not try at full speed. */
	c->until = result == OK ? 0 : l->now + 10;
}

/* A reset that the network loses is not sent again unless somebody asks. */
static void
ask_each_second(int fd)
{
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static void
open_conn(struct load *l, size_t i)
{
	struct conn *c = &l->conn[i];
	socklen_t len = sizeof(c->self);
	int fd;

	if (!c->kept) {
		if (finishing || (l->total != 0 && l->started >= l->total)) {
			c->state = GONE;
			return;
		}
		l->started++;
	}
	c->key = l->keys++;
	c->sent = c->got = 0;
	c->last = !c->kept;
	c->state = CONNECTING;
	c->until = l->now + l->patience;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ask_each_second(fd);
	l->poll[i].fd = fd;
	l->poll[i].events = POLLOUT;
	if (fd == -1 || (connect(fd, (struct sockaddr *)&l->to,
	    sizeof(l->to)) == -1 && errno != EINPROGRESS))
		settle(l, i, result_of(errno));
	else
		(void)getsockname(fd, (struct sockaddr *)&c->self, &len);
}

static void
begin_exchange(struct load *l, size_t i, bool last)
{
	struct conn *c = &l->conn[i];

	c->state = EXCHANGE;
	c->last = last;
	c->sent = c->got = 0;
	c->until = l->now + l->patience;
	l->poll[i].events = POLLIN | POLLOUT;
}

static void
begin_end(struct load *l, size_t i)
{
	l->conn[i].state = ENDING;
	l->conn[i].until = l->now + l->patience;
	l->poll[i].events = POLLIN;
	(void)shutdown(l->poll[i].fd, SHUT_WR);
}

/* At no moment has a loop more than one connection: its next one is at once. */
static void
end_at_once(struct load *l, size_t i)
{
	const struct linger now = { .l_onoff = 1 };

	if (l->at_once == 'h') {
		begin_end(l, i);
		return;
	}
	if (l->at_once == 'r')
		(void)setsockopt(l->poll[i].fd, SOL_SOCKET, SO_LINGER, &now,
		    sizeof(now));
	settle(l, i, OK);
}

static void
exchanged(struct load *l, size_t i)
{
	struct conn *c = &l->conn[i];

	if (c->kept && !c->ready) {
		c->ready = true;
		if (++l->ready == l->kept)
			report(l, "ready\n");
	}
	if (c->last && c->kept) {
		begin_end(l, i);
		return;
	}
	if (!c->kept && l->at_once != '\0') {
		end_at_once(l, i);
		return;
	}
	c->state = HOLD;
	c->until = c->kept ? 0 : l->now + l->hold;
	l->poll[i].events = POLLIN;
}

/* Send what fits. False: the connection is gone. */
static bool
send_some(struct load *l, size_t i)
{
	struct conn *c = &l->conn[i];
	unsigned char buf[4096];
	size_t len, k;
	ssize_t n;

	len = l->bytes - c->sent;
	if (len > sizeof(buf))
		len = sizeof(buf);
	for (k = 0; k < len; k++)
		buf[k] = pattern(c->key, c->sent + k);
	n = send(l->poll[i].fd, buf, len, MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN) {
		settle(l, i, result_of(errno));
		return false;
	}
	if (n > 0)
		c->sent += (size_t)n;
	if (c->sent == l->bytes)
		l->poll[i].events = POLLIN;
	return true;
}

/* Read in any state: only an exchange expects bytes, only an end the end. */
static void
receive_some(struct load *l, size_t i)
{
	struct conn *c = &l->conn[i];
	unsigned char buf[4096];
	ssize_t n, k;

	n = recv(l->poll[i].fd, buf, sizeof(buf), 0);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n == -1) {
		settle(l, i, result_of(errno));
		return;
	}
	if (n == 0 && c->state == HOLD && l->stubborn) {
		c->state = STUBBORN;
		c->until = l->now + l->patience;
		l->poll[i].events = 0;
		report(l, "eof\n");
		return;
	}
	if (n == 0) {
		settle(l, i, c->state == ENDING ? OK : CUT);
		return;
	}
	for (k = 0; k < n; k++, c->got++)
		if (c->state != EXCHANGE || c->got >= l->bytes ||
		    buf[k] != pattern(c->key, c->got)) {
			settle(l, i, WRONG);
			return;
		}
	if (c->got == l->bytes)
		exchanged(l, i);
}

static void
connected(struct load *l, size_t i)
{
	socklen_t len = sizeof(int);
	int error;

	if (getsockopt(l->poll[i].fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		settle(l, i, result_of(error));
		return;
	}
	if (l->conn[i].kept && ++l->connected == l->kept)
		report(l, "connected\n");
	begin_exchange(l, i, l->conn[i].last);
}

static void
on_time(struct load *l, size_t i)
{
	struct conn *c = &l->conn[i];

	if (c->state == REST && c->until <= l->now)
		open_conn(l, i);
	else if (c->state == HOLD && c->kept && finishing)
		begin_exchange(l, i, true);
	else if (c->until == 0 || c->until > l->now || c->state == GONE)
		return;
	else if (c->state == HOLD)
		begin_end(l, i);
	else
		settle(l, i, TIMEOUT);
}

static void
on_ready(struct load *l, size_t i)
{
	short events = l->poll[i].revents;

	if (l->poll[i].fd == -1 || events == 0)
		return;
	if (l->conn[i].state == CONNECTING)
		connected(l, i);
	else if (l->conn[i].state == STUBBORN)
		settle(l, i, events & POLLERR ? RESET : OTHER);
	else if (!(events & POLLOUT) || send_some(l, i))
		receive_some(l, i);
}

static void
run(struct load *l)
{
	uint64_t end = clock_ms() + l->lifetime;
	size_t i, busy;

	do {
		l->now = clock_ms();
		for (i = busy = 0; i < l->n; i++) {
			on_time(l, i);
			busy += l->conn[i].state != GONE;
		}
		if (busy == 0)
			return;
		if (poll(l->poll, (nfds_t)l->n, 5) <= 0)
			continue;
		l->now = clock_ms();
		for (i = 0; i < l->n; i++)
			on_ready(l, i);
	} while (l->now < end);
	for (i = 0; i < l->n; i++)
		if (l->conn[i].state != GONE && l->conn[i].state != REST)
			settle(l, i, TIMEOUT);
}

static uint64_t
number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0')
		errx(64, "%s: not a number", text);
	return n;
}

static void
address(struct sockaddr_in *to, const char *text)
{
	const char *colon = strrchr(text, ':');

	if (colon == NULL || strncmp(text, "127.0.0.1:", 10) != 0)
		errx(64, "%s: not 127.0.0.1:port", text);
	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to->sin_port = htons((uint16_t)number(colon + 1));
}

static void
options(struct load *l, int argc, char **argv)
{
	int ch;

	while ((ch = getopt(argc, argv, "k:c:n:b:p:T:l:s:e:x")) != -1)
		switch (ch) {
		case 'k':
			l->kept = number(optarg);
			break;
		case 'c':
			l->loops = number(optarg);
			break;
		case 'n':
			l->total = number(optarg);
			break;
		case 'b':
			l->bytes = number(optarg);
			break;
		case 'p':
			l->hold = number(optarg);
			break;
		case 'T':
			l->patience = number(optarg);
			break;
		case 'l':
			l->lifetime = number(optarg) * 1000;
			break;
		case 's':
			l->report = open(optarg, O_WRONLY | O_APPEND |
			    O_CREAT | O_CLOEXEC, 0644);
			if (l->report == -1)
				err(73, "%s", optarg);
			break;
		case 'e':
			l->at_once = optarg[0];
			break;
		case 'x':
			l->stubborn = true;
			break;
		default:
			errx(64, "usage: load [-k KEPT] [-c LOOPS] [-n TOTAL] "
			    "[-b BYTES] [-p HOLD_MS] [-T PATIENCE_MS] "
			    "[-l LIFETIME_S] [-s REPORT_FILE] "
			    "[-e close|reset|half] [-x] "
			    "127.0.0.1:PORT");
		}
	if (optind != argc - 1)
		errx(64, "one address, please");
	address(&l->to, argv[optind]);
	l->n = l->kept + l->loops;
	if (l->n == 0 || l->bytes == 0)
		errx(64, "nothing to do");
}

static void
print(const char *who, const uint64_t count[RESULTS])
{
	int i;

	printf("%s", who);
	for (i = 0; i < RESULTS; i++)
		printf(" %s=%llu", result_names[i],
		    (unsigned long long)count[i]);
	printf("\n");
}

int
main(int argc, char **argv)
{
	struct load l = { .bytes = 64, .patience = 10000, .lifetime = 120000,
	    .report = -1 };
	struct sigaction act = { .sa_handler = on_term };
	struct rlimit rl;
	size_t i;

	options(&l, argc, argv);
	sigaction(SIGTERM, &act, NULL);
	report(&l, "started\n");
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	l.conn = calloc(l.n, sizeof(*l.conn));
	l.poll = calloc(l.n, sizeof(*l.poll));
	if (l.conn == NULL || l.poll == NULL)
		err(71, NULL);
	for (i = 0; i < l.n; i++) {
		l.poll[i].fd = -1;
		l.conn[i].kept = i < l.kept;
	}
	run(&l);
	print("kept", l.count[1]);
	print("loop", l.count[0]);
	free(l.conn);
	free(l.poll);
	return 0;
}
