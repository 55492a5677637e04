/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * peer_data.c: the verbs that move bytes. All but echo and the texts are one
 * function, transfer(), with a flow out, a flow in, or both at once. A flow
 * counts its bytes and knows what each has to be. Never opens or closes.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER		65536
#define TEXT_MAX	4096
#define RATE_STEPS	20	/* a second, with "rate" */

/* One direction of a transfer. */
struct flow {
	uint64_t	total;		/* PEER_ANY: until it ends */
	uint64_t	done;
	uint64_t	from;		/* place in the pattern of byte 0 */
	uint64_t	key;
	uint64_t	chunks, rate;
	uint64_t	dice;
	uint64_t	sum;		/* checksum of what came */
	int		patience;	/* ms blocked that end it, 0: never */
	bool		checked;	/* compare with the pattern */
	bool		until_eof;
	bool		over;
};

int
data_wait(struct peer *p, int fd, short events, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&pfd, 1, ms < 0 ? 0 : ms);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return peer_fail(p, "poll: %s", strerror(errno));
	return n;
}

static struct flow
flow_make(const struct peer *p, const struct command *c, uint64_t total,
    int seed)
{
	struct flow f = { .total = total, .from = c->from,
	    .chunks = c->chunks, .rate = c->rate };

	if (c->from_last)
		f.from = p->last;
	f.checked = seed < c->nseeds;
	f.key = pattern_key(f.checked ? c->seeds[seed] : 0, p->id);
	f.dice = pattern_mix(f.key ^ (uint64_t)seed);
	f.over = total == 0;
	return f;
}

/* How many bytes the next call shall move. */
static size_t
flow_chunk(struct flow *f)
{
	uint64_t n = BUFFER;

	if (f->chunks == CHUNKS_RANDOM) {
		/* Small ones as likely as large ones: 1 to 2^e, e to 16. */
		f->dice = pattern_mix(f->dice + 1);
		n = 1 + (f->dice >> 8) % (UINT64_C(1) << f->dice % 17);
		if (f->dice >> 59 == 0)
			peer_sleep(1);
	} else if (f->chunks != 0 && f->chunks < n)
		n = f->chunks;
	if (f->rate != 0 && n > f->rate / RATE_STEPS)
		n = f->rate / RATE_STEPS + 1;
	return (size_t)(n < f->total - f->done ? n : f->total - f->done);
}

static void
flow_moved(struct flow *f, size_t n)
{
	f->done += n;
	f->over = f->done == f->total;
	if (f->rate != 0)
		peer_sleep(n * 1000 / f->rate);
}

static int
flow_send(struct peer *p, struct flow *f)
{
	unsigned char buf[BUFFER];
	size_t len = flow_chunk(f);
	ssize_t n;

	pattern_fill(buf, len, f->key, f->from + f->done);
	n = send(p->fd, buf, len, MSG_NOSIGNAL);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n == -1)
		return peer_fail(p, "%s after sending %" PRIu64 " bytes",
		    strerror(errno), f->done);
	flow_moved(f, (size_t)n);
	return 0;
}

static int
flow_check(struct peer *p, struct flow *f, const unsigned char *got, size_t n)
{
	unsigned char want[BUFFER];
	size_t i;

	for (i = 0; i < n; i++)
		f->sum = (f->sum ^ got[i]) * UINT64_C(0x100000001b3);
	if (!f->checked)
		return 0;
	pattern_fill(want, n, f->key, f->from + f->done);
	if (memcmp(want, got, n) == 0)
		return 0;
	for (i = 0; want[i] == got[i]; i++)
		continue;
	return peer_fail(p, "byte at offset %" PRIu64 " is 0x%02x, expected "
	    "0x%02x", f->done + i, got[i], want[i]);
}

static int
flow_receive(struct peer *p, struct flow *f)
{
	unsigned char buf[BUFFER];
	ssize_t n;

	n = recv(p->fd, buf, flow_chunk(f), 0);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n == -1)
		return peer_fail(p, "%s after %" PRIu64 " bytes",
		    strerror(errno), f->done);
	if (n == 0 && f->until_eof) {
		f->over = true;
		return 0;
	}
	if (n == 0)
		return peer_fail(p, "end of file after %" PRIu64 " of %" PRIu64
		    " bytes", f->done, f->total);
	if (flow_check(p, f, buf, (size_t)n) == -1)
		return -1;
	flow_moved(f, (size_t)n);
	return 0;
}

static int
flow_late(struct peer *p, const struct flow *out, const struct flow *in)
{
	return peer_fail(p, "nothing moved for %d ms, %" PRIu64 " bytes sent, "
	    "%" PRIu64 " received", p->timeout_ms,
	    out != NULL ? out->done : 0, in != NULL ? in->done : 0);
}

/* Move both flows (either may be NULL) to their ends, side by side. */
static int
transfer(struct peer *p, struct flow *out, struct flow *in)
{
	struct pollfd pfd = { .fd = p->fd };
	int n, ms = p->timeout_ms;

	if (p->fd == -1)
		return peer_fail(p, "not connected");
	if (out != NULL && out->patience > 0)
		ms = out->patience;
	for (;;) {
		pfd.events = 0;
		if (out != NULL && !out->over)
			pfd.events |= POLLOUT;
		if (in != NULL && !in->over)
			pfd.events |= POLLIN;
		if (pfd.events == 0)
			return 0;
		n = poll(&pfd, 1, ms);
		if (n == -1 && errno != EINTR)
			return peer_fail(p, "poll: %s", strerror(errno));
		if (n == 0 && out != NULL && out->patience > 0)
			return 0;
		if (n == 0)
			return flow_late(p, out, in);
		/* An error is not asked for and wakes both; they name it. */
		if (pfd.revents & (short)~POLLOUT && pfd.events & POLLIN &&
		    flow_receive(p, in) == -1)
			return -1;
		if (pfd.revents & (short)~POLLIN && pfd.events & POLLOUT &&
		    flow_send(p, out) == -1)
			return -1;
	}
}

static int
verb_send(struct peer *p, const struct command *c)
{
	struct flow out = flow_make(p, c, c->args[0].n, 0);

	return transfer(p, &out, NULL);
}

/* The one byte that is in this place of the pattern. */
static int
verb_send_urgent(struct peer *p, const struct command *c)
{
	const struct flow f = flow_make(p, c, 1, 0);
	unsigned char byte;

	pattern_fill(&byte, 1, f.key, f.from);
	while (send(p->fd, &byte, 1, MSG_NOSIGNAL | MSG_OOB) == -1)
		if (errno != EAGAIN ||
		    data_wait(p, p->fd, POLLOUT, p->timeout_ms) != 1)
			return peer_fail(p, "urgent: %s", strerror(errno));
	return 0;
}

static int
verb_send_until_blocked(struct peer *p, const struct command *c)
{
	struct flow out = flow_make(p, c, PEER_ANY, 0);

	out.patience = (int)c->args[0].n;
	if (transfer(p, &out, NULL) == -1)
		return -1;
	p->last = out.from + out.done;
	dprintf(STDOUT_FILENO, "send-until-blocked: %" PRIu64 " bytes\n",
	    out.done);
	return 0;
}

static int
verb_expect(struct peer *p, const struct command *c)
{
	struct flow in = flow_make(p, c, c->args[0].n, 0);

	in.checked = true;
	return transfer(p, NULL, &in);
}

static int
verb_exchange(struct peer *p, const struct command *c)
{
	struct flow out = flow_make(p, c, c->args[0].n, 0);
	struct flow in = flow_make(p, c, c->args[1].n, 1);

	in.checked = true;
	return transfer(p, &out, &in);
}

static int
verb_read_until_eof(struct peer *p, const struct command *c)
{
	struct flow in = flow_make(p, c, PEER_ANY, 0);

	in.until_eof = true;
	if (transfer(p, NULL, &in) == -1)
		return -1;
	dprintf(STDOUT_FILENO, "read-until-eof: %" PRIu64 " bytes, sum "
	    "%016" PRIx64 "\n", in.done, in.sum);
	return 0;
}

/* Send what lies in buf, however long it takes. */
static int
send_all(struct peer *p, const void *buf, size_t len)
{
	const char *at = buf;
	ssize_t n;

	while (len > 0) {
		n = send(p->fd, at, len, MSG_NOSIGNAL);
		if (n >= 0) {
			at += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			return peer_fail(p, "%s", strerror(errno));
		n = data_wait(p, p->fd, POLLOUT, p->timeout_ms);
		if (n == -1)
			return -1;
		if (n == 0)
			return peer_fail(p, "cannot send for %d ms",
			    p->timeout_ms);
	}
	return 0;
}

/*
 * One recv with the deadline. The number of bytes, 0 at end of file, -1 with
 * the errno in *error: ETIMEDOUT when nothing came, 0 when already printed.
 */
static ssize_t
receive(struct peer *p, void *buf, size_t len, int *error)
{
	ssize_t n;
	int ready;

	*error = 0;
	ready = data_wait(p, p->fd, POLLIN, p->timeout_ms);
	if (ready == -1)
		return -1;
	n = ready == 0 ? -1 : recv(p->fd, buf, len, 0);
	if (n == -1)
		*error = ready == 0 ? ETIMEDOUT : errno;
	return n;
}

/* Say what came instead of what was expected. */
static int
instead(struct peer *p, const char *expected, ssize_t n, int error)
{
	if (n > 0)
		return peer_fail(p, "expected %s, got bytes", expected);
	if (n == 0)
		return peer_fail(p, "expected %s, got end of file", expected);
	if (error == ETIMEDOUT)
		return peer_fail(p, "expected %s, got nothing in %d ms",
		    expected, p->timeout_ms);
	return error == 0 ? -1 :
	    peer_fail(p, "expected %s, got: %s", expected, strerror(error));
}

static int
verb_send_text(struct peer *p, const struct command *c)
{
	return send_all(p, c->args[0].text, strlen(c->args[0].text));
}

/* Texts end at a zero byte; these do not. */
static int
verb_send_hex(struct peer *p, const struct command *c)
{
	const char *text = c->args[0].text;
	unsigned char bytes[TEXT_MAX];
	size_t n = 0;

	for (; n < sizeof(bytes) && sscanf(text, "%2hhx", &bytes[n]) == 1; n++)
		text += text[1] == '\0' ? 1 : 2;
	if (*text != '\0')
		return peer_fail(p, "not hexadecimal, or too long: %s", text);
	return send_all(p, bytes, n);
}

static int
verb_expect_text(struct peer *p, const struct command *c)
{
	const char *want = c->args[0].text;
	char got[TEXT_MAX];
	size_t len = strlen(want), have = 0;
	ssize_t n;
	int error;

	if (len >= sizeof(got))
		return peer_fail(p, "text too long");
	for (; have < len; have += (size_t)n) {
		n = receive(p, got + have, len - have, &error);
		if (n <= 0)
			return instead(p, "text", n, error);
		if (memcmp(got + have, want + have, (size_t)n) != 0)
			return peer_fail(p, "expected \"%s\", got \"%.*s\"",
			    want, (int)(have + (size_t)n), got);
	}
	return 0;
}

static int
verb_expect_eof(struct peer *p, const struct command *c)
{
	char byte;
	int error;
	ssize_t n = receive(p, &byte, 1, &error);

	(void)c;
	return n == 0 ? 0 : instead(p, "end of file", n, error);
}

static int
verb_expect_reset(struct peer *p, const struct command *c)
{
	char byte;
	int error;
	ssize_t n = receive(p, &byte, 1, &error);

	(void)c;
	if ((n == -1 && error == ECONNRESET) || (n == 0 && p->was_reset))
		return 0;
	return instead(p, "a reset", n, error);
}

/* However it ends: whatever still comes is dropped. */
static int
verb_expect_end(struct peer *p, const struct command *c)
{
	char buf[TEXT_MAX];
	int error;
	ssize_t n;

	(void)c;
	do
		n = receive(p, buf, sizeof(buf), &error);
	while (n > 0);
	if (n == 0 || error == ECONNRESET || error == EPIPE)
		return 0;
	return instead(p, "the end", n, error);
}

/* Send until it is clear that nobody takes it. */
static int
verb_send_until_broken(struct peer *p, const struct command *c)
{
	static const char zeros[TEXT_MAX];
	uint64_t end = peer_now() + (uint64_t)p->timeout_ms;
	ssize_t n;

	(void)c;
	while (peer_now() < end) {
		n = send(p->fd, zeros, sizeof(zeros), MSG_NOSIGNAL);
		if (n >= 0)
			continue;
		if (errno == EPIPE || errno == ECONNRESET)
			return 0;
		if (errno != EAGAIN)
			return peer_fail(p, "%s", strerror(errno));
		if (data_wait(p, p->fd, POLLOUT, (int)(end - peer_now())) == -1)
			return -1;
	}
	return peer_fail(p, "not broken in %d ms", p->timeout_ms);
}

static int
verb_expect_silence(struct peer *p, const struct command *c)
{
	uint64_t start = peer_now();
	char byte;
	ssize_t n;
	int ready = data_wait(p, p->fd, POLLIN, (int)c->args[0].n);

	if (ready <= 0)
		return ready;
	n = recv(p->fd, &byte, 1, MSG_PEEK);
	return peer_fail(p, "%s after %" PRIu64 " ms",
	    n > 0 ? "bytes" : n == 0 ? "end of file" : strerror(errno),
	    peer_now() - start);
}

static int
verb_cat(struct peer *p, const struct command *c)
{
	char buf[TEXT_MAX];
	int error;
	ssize_t n;

	(void)c;
	while ((n = receive(p, buf, sizeof(buf), &error)) > 0)
		if (write(STDOUT_FILENO, buf, (size_t)n) != n)
			return peer_fail(p, "stdout: %s", strerror(errno));
	return n == 0 ? 0 : instead(p, "end of file", n, error);
}

/* Answers each piece before it takes the next: its sender has to read. */
static int
verb_echo(struct peer *p, const struct command *c)
{
	struct flow sizes = flow_make(p, c, PEER_ANY, 0);
	unsigned char buf[BUFFER];
	int error;
	ssize_t n;

	while ((n = receive(p, buf, flow_chunk(&sizes), &error)) > 0) {
		if (send_all(p, buf, (size_t)n) == -1)
			return -1;
		flow_moved(&sizes, (size_t)n);
	}
	if (n == -1)
		return instead(p, "end of file", n, error);
	if (shutdown(p->fd, SHUT_WR) == -1)
		return peer_fail(p, "shutdown: %s", strerror(errno));
	return 0;
}

/*
 * Tells the other end which of many connections this is. It takes the same
 * id, so that both have the same streams however the connections were dealt.
 */
static int
verb_send_id(struct peer *p, const struct command *c)
{
	uint32_t id = htonl((uint32_t)p->id);

	(void)c;
	return send_all(p, &id, sizeof(id));
}

static int
verb_receive_id(struct peer *p, const struct command *c)
{
	unsigned char id[4];
	size_t have = 0;
	int error;
	ssize_t n;

	(void)c;
	for (; have < sizeof(id); have += (size_t)n) {
		n = receive(p, id + have, sizeof(id) - have, &error);
		if (n <= 0)
			return instead(p, "an id", n, error);
	}
	p->id = (uint64_t)id[0] << 24 | (uint64_t)id[1] << 16 |
	    (uint64_t)id[2] << 8 | id[3];
	p->numbered = true;
	return 0;
}

const struct verb verbs_data[] = {
	{ "send", "n", "sfcr", false, verb_send,
	    "send N [seed S] [from P|last] [chunks N|random] [rate N]" },
	{ "send-text", "s", "", false, verb_send_text,
	    "send-text TEXT" },
	{ "send-hex", "s", "", false, verb_send_hex,
	    "send-hex DIGITS" },
	{ "send-urgent", "", "sf", false, verb_send_urgent,
	    "send-urgent [seed S] [from P]  one byte, out of band" },
	{ "send-until-blocked", "n", "sfc", false, verb_send_until_blocked,
	    "send-until-blocked MS [seed S]  sent nothing for MS; prints "
	    "count" },
	{ "send-until-broken", "", "", false, verb_send_until_broken,
	    "send-until-broken          until the other side is gone" },
	{ "expect", "n", "sfcr", false, verb_expect,
	    "expect N [seed S] [from P|last] [chunks N|random] [rate N]" },
	{ "exchange", "nn", "scr", false, verb_exchange,
	    "exchange N M seed A seed B [chunks N|random]  send and expect "
	    "at once" },
	{ "expect-text", "s", "", false, verb_expect_text,
	    "expect-text TEXT" },
	{ "expect-eof", "", "", false, verb_expect_eof,
	    "expect-eof" },
	{ "expect-reset", "", "", false, verb_expect_reset,
	    "expect-reset" },
	{ "expect-end", "", "", false, verb_expect_end,
	    "expect-end                 either, after whatever still comes" },
	{ "expect-silence", "n", "", false, verb_expect_silence,
	    "expect-silence MS" },
	{ "read-until-eof", "", "sfcr", false, verb_read_until_eof,
	    "read-until-eof [seed S] [chunks N] [rate N]  prints count and "
	    "sum" },
	{ "cat", "", "", false, verb_cat,
	    "cat                        print all until end of file" },
	{ "echo", "", "cr", false, verb_echo,
	    "echo [chunks N|random] [rate N]  until end of file" },
	{ "send-id", "", "", false, verb_send_id,
	    "send-id                    which of many I am" },
	{ "receive-id", "", "", false, verb_receive_id,
	    "receive-id                 become the same one" },
	{ NULL, NULL, NULL, false, NULL, NULL }
};
