/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_exchange.c: requests and verdicts of all kinds of checks. A reply is
 * judged from its beginning each time, so it may arrive in any pieces; replies
 * are short.
 */
#include "upstream/check_exchange.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/proxyproto.h"
#include "proto/tls_hello.h"

/* Bytes of a wrong reply that a reason shows. */
#define SHOWN		60

struct check_exchange {
	const struct check_policy *plan;
	bool		 is_regex;
	regex_t		 regex;
	size_t		 n;		/* bytes expected */
	unsigned char	 bytes[CHECK_EXCHANGE_SEND];
};

static int
hex_digit(char c)
{
	const char *at, all[] = "0123456789abcdef";

	if (c == '\0' || (at = strchr(all, tolower((unsigned char)c))) == NULL)
		return -1;
	return (int)(at - all);
}

int
check_exchange_bytes(const char *text, unsigned char *out, size_t size)
{
	size_t i, n = strlen(text);
	int high, low;

	if (strncmp(text, "x:", 2) != 0) {
		memcpy(out, text, n < size ? n : size);
		return (int)n;
	}
	text += 2;
	for (i = 0; text[2 * i] != '\0'; i++) {
		high = hex_digit(text[2 * i]);
		low = hex_digit(text[2 * i + 1]);
		if (high == -1 || low == -1)
			return -1;
		if (i < size)
			out[i] = (unsigned char)(high << 4 | low);
	}
	return (int)i;
}

bool
check_exchange_may_expect(const char *text)
{
	unsigned char none[1];
	regex_t regex;

	if (text[0] != '~')
		return check_exchange_bytes(text, none, sizeof(none)) > 0;
	if (regcomp(&regex, text + 1, REG_EXTENDED) != 0)
		return false;
	regfree(&regex);
	return true;
}

/* Parses the next item of a list such as "200-299,304"; false: syntax error. */
static bool
next_range(const char **text, unsigned *low, unsigned *high)
{
	int n = 0;

	if (sscanf(*text, "%3u%n", low, &n) != 1 || n != 3 || **text == '-' ||
	    *low < 100)
		return false;
	*text += n;
	*high = *low;
	if (**text == '-') {
		(*text)++;
		if (!isdigit((unsigned char)**text) ||
		    sscanf(*text, "%3u%n", high, &n) != 1 || n != 3 ||
		    *high < *low)
			return false;
		*text += n;
	}
	if (**text != ',')
		return **text == '\0';
	(*text)++;
	return **text != '\0';
}

bool
check_exchange_may_list(const char *text)
{
	unsigned low, high;

	while (isdigit((unsigned char)*text))
		if (!next_range(&text, &low, &high))
			return false;
		else if (*text == '\0')
			return true;
	return false;
}

bool
check_exchange_lists(const char *text, unsigned status)
{
	unsigned low, high;

	while (*text != '\0' && next_range(&text, &low, &high))
		if (status >= low && status <= high)
			return true;
	return false;
}

struct check_exchange *
check_exchange_new(const struct check_policy *plan)
{
	struct check_exchange *d = calloc(1, sizeof(*d));
	int n;

	if (d == NULL)
		return NULL;
	d->plan = plan;
	if (plan->kind != CHECK_SEND_EXPECT || plan->expect == NULL)
		return d;
	d->is_regex = plan->expect[0] == '~';
	if (!d->is_regex) {
		n = check_exchange_bytes(plan->expect, d->bytes,
		    sizeof(d->bytes));
		d->n = n < 0 ? 0 : (size_t)n;
	} else if (regcomp(&d->regex, plan->expect + 1,
	    REG_EXTENDED | REG_NOSUB) != 0) {
		free(d);
		errno = ENOMEM;
		return NULL;
	}
	return d;
}

void
check_exchange_free(struct check_exchange *d)
{
	if (d == NULL)
		return;
	if (d->is_regex)
		regfree(&d->regex);
	free(d);
}

/*
 * LOCAL, because the balancer itself is the client. Version 1 has no LOCAL, and
 * some servers refuse UNKNOWN: it gets this machine's address (section 2.1).
 */
static size_t
put_proxy(unsigned version, const struct addr *from, const struct addr *to,
    char *out)
{
	struct proxyproto h = { .version = version, .kind = PROXYPROTO_LOCAL };

	if (version == 1) {
		h.kind = PROXYPROTO_STREAM;
		endpoint_set(&h.source, from);
		endpoint_set(&h.destination, to);
	}
	return version == 0 ? 0 : proxyproto_encode(&h, out,
	    CHECK_EXCHANGE_SEND);
}

static size_t
put_http(const struct check_policy *p, const struct addr *to, char *out,
    size_t size)
{
	char host[ADDR_TEXT] = "localhost";
	int n;

	if (!addr_is_unix(to))
		addr_format(to, host, sizeof(host));
	n = snprintf(out, size, "%s %s HTTP/1.1\r\nHost: %s\r\n"
	    "User-Agent: shuttled\r\nAccept: */*\r\nConnection: close\r\n\r\n",
	    p->method, p->uri, p->host != NULL ? p->host : host);
	return (size_t)n < size ? (size_t)n : 0;
}

size_t
check_exchange_request(const struct check_exchange *d, unsigned proxy,
    const struct addr *from, const struct addr *to, char *out)
{
	const struct check_policy *p = d->plan;
	size_t n = put_proxy(proxy, from, to, out), room =
	    CHECK_EXCHANGE_SEND - n;
	int more;

	if (p->kind == CHECK_HTTP)
		return n + put_http(p, to, out + n, room);
	if (p->kind == CHECK_TLS)
		return n + tls_hello_make(p->host, (unsigned char *)out + n,
		    room);
	if (p->kind != CHECK_SEND_EXPECT || p->send == NULL)
		return n;
	more = check_exchange_bytes(p->send, (unsigned char *)out + n, room);
	return more < 0 ? n : (size_t)more < room ? n + (size_t)more :
	    CHECK_EXCHANGE_SEND;
}

static bool
has_expected(const struct check_exchange *d, const char *reply, size_t n)
{
	regmatch_t all = { .rm_so = 0, .rm_eo = (regoff_t)n };

	if (!d->is_regex)
		return memmem(reply, n, d->bytes, d->n) != NULL;
	return regexec(&d->regex, reply, 1, &all, REG_STARTEND) == 0;
}

/*
 * Parses a status line (RFC 9112, section 4); the reason may be missing, even
 * with its blank. -1: not a status line.
 */
static int
http_status(const char *line, size_t n)
{
	static const char like[] = "HTTP/1.d ddd";
	size_t i;

	for (i = 0; i < n && i < sizeof(like) - 1; i++)
		if (like[i] == 'd' ? !isdigit((unsigned char)line[i]) :
		    line[i] != like[i])
			return -1;
	if (n < sizeof(like))
		return 0;
	if (strchr(" \r\n", line[i]) == NULL || line[i] == '\0' ||
	    line[9] == '0')
		return -1;
	return (line[9] - '0') * 100 + (line[10] - '0') * 10 + line[11] - '0';
}

/*
 * Skips interim responses (RFC 9110, section 15.2): *at* moves to the line of
 * the final one. 0: not arrived yet. After 101 the connection is no longer
 * HTTP.
 */
static int
final_status(const char *reply, size_t n, size_t *at)
{
	const char *line, *end;
	int status;

	for (*at = 0;; *at = (size_t)(end - reply)) {
		line = reply + *at;
		status = http_status(line, n - *at);
		if (status < 100 || status > 199 || status == 101)
			return status;
		/* Skip to the blank line. */
		end = memchr(line, '\n', n - *at);
		while (end != NULL && end + 1 < reply + n && end[1] != '\n' &&
		    strncmp(end + 1, "\r\n", 2) != 0)
			end = memchr(end + 1, '\n',
			    (size_t)(reply + n - end - 1));
		if (end == NULL || end + 1 >= reply + n || (end[1] == '\r' &&
		    end + 2 >= reply + n))
			return 0;
		end += end[1] == '\n' ? 2 : 3;
	}
}

static enum verdict
judge_http(const struct check_policy *p, const char *reply, size_t n,
    char why[CHECK_EXCHANGE_WHY])
{
	size_t at;
	int status = final_status(reply, n, &at);

	if (status == -1) {
		strlcpy(why, "the answer is not HTTP/1", CHECK_EXCHANGE_WHY);
		return VERDICT_FAILED;
	}
	if (status == 0 || memchr(reply + at, '\n', n - at) == NULL)
		return VERDICT_OPEN;
	if (check_exchange_lists(p->status, (unsigned)status)) {
		snprintf(why, CHECK_EXCHANGE_WHY, "HTTP status %d", status);
		return VERDICT_PASSED;
	}
	snprintf(why, CHECK_EXCHANGE_WHY, "HTTP status %d, expected %s", status,
	    p->status);
	return VERDICT_FAILED;
}

bool
check_exchange_wants_answer(const struct check_exchange *d)
{
	const struct check_policy *p = d->plan;

	return p->kind == CHECK_HTTP || p->kind == CHECK_TLS ||
	    (p->kind == CHECK_SEND_EXPECT && p->expect != NULL);
}

static enum verdict
judge_reply(const struct check_exchange *d, const char *reply, size_t n,
    char why[CHECK_EXCHANGE_WHY])
{
	const struct check_policy *p = d->plan;

	if (p->kind == CHECK_HTTP)
		return judge_http(p, reply, n, why);
	if (p->kind == CHECK_TLS)
		switch (tls_hello_judge((const unsigned char *)reply, n, why,
		    CHECK_EXCHANGE_WHY)) {
		case -1:
			return VERDICT_OPEN;
		case 0:
			return VERDICT_FAILED;
		default:
			return VERDICT_PASSED;
		}
	if (!check_exchange_wants_answer(d)) {
		strlcpy(why, "connected", CHECK_EXCHANGE_WHY);
		return VERDICT_PASSED;
	}
	if (!has_expected(d, reply, n))
		return VERDICT_OPEN;
	strlcpy(why, "expected reply", CHECK_EXCHANGE_WHY);
	return VERDICT_PASSED;
}

/* End of file, and a reply that is too long, also decide. */
enum verdict
check_exchange_judge(const struct check_exchange *d, const char *reply,
    size_t n, bool end, char why[CHECK_EXCHANGE_WHY])
{
	enum verdict v = judge_reply(d, reply, n, why);
	size_t line = 0;

	if (v != VERDICT_OPEN || (!end && n < CHECK_EXCHANGE_REPLY))
		return v;
	while (line < n && line < SHOWN && reply[line] != '\r' &&
	    reply[line] != '\n')
		line++;
	if (n == 0)
		strlcpy(why, "closed without an answer", CHECK_EXCHANGE_WHY);
	else if (d->plan->kind == CHECK_HTTP)
		snprintf(why, CHECK_EXCHANGE_WHY, "incomplete answer \"%.*s\", "
		    "expected HTTP status %s", (int)line, reply,
		    d->plan->status);
	else
		snprintf(why, CHECK_EXCHANGE_WHY, "unexpected reply \"%.*s\"",
		    (int)line, reply);
	return VERDICT_FAILED;
}
