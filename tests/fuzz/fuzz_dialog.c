/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_dialog.c: any reply to any kind of check. The first byte chooses the kind,
 * the second in which pieces it comes; a verdict, once there is one, is the same
 * however much comes after it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialog.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct check_plan plans[] = {
	{ .kind = CHECK_SEND_EXPECT, .expect = "+PONG" },
	{ .kind = CHECK_SEND_EXPECT, .expect = "x:00ff00" },
	{ .kind = CHECK_SEND_EXPECT, .expect = "~ab+(c|d)" },
	{ .kind = CHECK_HTTP, .method = "GET", .uri = "/",
	    .status = "200-299,304" },
	{ .kind = CHECK_TLS },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[DIALOG_WHY], *reply;
	enum verdict v, first = VERDICT_OPEN;
	struct dialog *d;
	size_t n, step;

	if (size < 2 || size > DIALOG_REPLY)
		return 0;
	if ((d = dialog_new(&plans[data[0] % 5])) == NULL)
		return 0;
	step = 1 + data[1] % 64;
	/* Exactly so large, so that one byte too far is noticed. */
	for (n = 0; n <= size - 2; n += step) {
		if ((reply = calloc(1, n + 1)) == NULL)
			abort();
		memcpy(reply, data + 2, n);
		v = dialog_judge(d, reply, n, false, why);
		if ((first != VERDICT_OPEN && v != first) ||
		    (v != VERDICT_OPEN && strlen(why) == 0))
			abort();
		first = v;
		if (dialog_judge(d, reply, n, true, why) == VERDICT_OPEN)
			abort();
		free(reply);
	}
	dialog_free(d);
	return 0;
}
