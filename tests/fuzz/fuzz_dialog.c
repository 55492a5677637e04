/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_dialog.c: any reply to any kind of check. The first byte chooses the kind,
 * the second in which pieces the reply comes; a verdict, once there is one, is the
 * same however much comes after it. Kinds above those of the list take their texts
 * from the input, one a line before the reply, as far as a configuration may have
 * them; what is sent then fits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "upstream/check_exchange.h"
#include "proto/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MUST(what)	do { if (!(what)) abort(); } while (0)
#define COUNT(list)	(sizeof(list) / sizeof((list)[0]))

static const struct check_policy plans[] = {
	{ .kind = CHECK_SEND_EXPECT, .expect = "+PONG" },
	{ .kind = CHECK_SEND_EXPECT, .expect = "x:00ff00" },
	{ .kind = CHECK_SEND_EXPECT, .expect = "~ab+(c|d)" },
	{ .kind = CHECK_HTTP, .method = "GET", .uri = "/",
	    .status = "200-299,304" },
	{ .kind = CHECK_TLS },
	{ .kind = CHECK_TCP },
};

static const enum check_kind own[] = {
	CHECK_SEND_EXPECT, CHECK_HTTP, CHECK_TLS,
};

/* The next line of the input, which moves behind it. */
static char *
take_line(const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, '\n', *size);
	size_t n = end == NULL ? *size : (size_t)(end - *data);
	char *line = malloc(n + 1);

	MUST(line != NULL);
	memcpy(line, *data, n);
	line[n] = '\0';
	*data += n;
	*size -= n;
	if (end != NULL) {
		(*data)++;
		(*size)--;
	}
	return line;
}

/* The judge of a list and its reader agree. */
static void
look_at_list(const char *list)
{
	unsigned status, n = 0;

	if (!check_exchange_may_list(list))
		return;
	for (status = 100; status < 1000; status++)
		n += check_exchange_lists(list, status);
	MUST(n > 0 && !check_exchange_lists(list, 99));
}

static void
look_at_bytes(const char *text)
{
	unsigned char one[1], all[4 * CHECK_EXCHANGE_REPLY];
	int n = check_exchange_bytes(text, one, sizeof(one));

	MUST(n == check_exchange_bytes(text, all, sizeof(all)));
	MUST(n < 1 || one[0] == all[0]);
}

static void
look_at_request(const struct check_exchange *d, unsigned proxy)
{
	struct addr from = { .in = { .sin_family = AF_INET, .sin_port = 1 },
	    .len = sizeof(from.in) }, to = from;
	char *out = malloc(CHECK_EXCHANGE_SEND);

	MUST(out != NULL);
	MUST(check_exchange_request(d, proxy, &from, &to, out) <=
	    CHECK_EXCHANGE_SEND);
	to.sa.sa_family = AF_UNIX;
	MUST(check_exchange_request(d, proxy, &from, &to, out) <=
	    CHECK_EXCHANGE_SEND);
	free(out);
}

static void
look_at_reply(const struct check_exchange *d, size_t step, const uint8_t *data,
    size_t size)
{
	enum verdict v, first = VERDICT_OPEN;
	char why[CHECK_EXCHANGE_WHY], *reply;
	size_t n;

	/* Exactly so large, so that one byte too far is noticed. */
	for (n = 0; n <= size; n += step) {
		MUST((reply = calloc(1, n + 1)) != NULL);
		memcpy(reply, data, n);
		v = check_exchange_judge(d, reply, n, false, why);
		MUST(first == VERDICT_OPEN || v == first);
		MUST(v == VERDICT_OPEN || strlen(why) > 0);
		/* Without an answer to wait for there is no other verdict. */
		MUST(check_exchange_wants_answer(d) || v == VERDICT_PASSED);
		first = v;
		MUST(check_exchange_judge(d, reply, n, true, why) !=
		    VERDICT_OPEN);
		free(reply);
	}
}

static void
look_at(const struct check_policy *plan, size_t step, const uint8_t *data,
    size_t size)
{
	struct check_exchange *d = check_exchange_new(plan);

	if (d == NULL)
		return;
	look_at_request(d, step % 3);
	look_at_reply(d, step, data, size);
	check_exchange_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct check_policy plan = { .method = "HEAD" };
	size_t step, kind;
	char *text, *other;

	if (size < 2 || size > CHECK_EXCHANGE_REPLY)
		return 0;
	kind = data[0];
	step = 1 + data[1] % 64;
	data += 2;
	size -= 2;
	if (kind < COUNT(plans)) {
		look_at(&plans[kind], step, data, size);
		return 0;
	}
	text = take_line(&data, &size);
	other = take_line(&data, &size);
	look_at_list(text);
	look_at_bytes(text);
	plan.kind = own[kind % COUNT(own)];
	plan.send = plan.host = text;
	plan.uri = plan.expect = other;
	plan.status = check_exchange_may_list(text) ? text : "100-999";
	/* An expression may take far too long: only texts. */
	if (other[0] == '~' || !check_exchange_may_expect(other))
		plan.expect = NULL;
	look_at(&plan, step, data, size);
	free(text);
	free(other);
	return 0;
}
