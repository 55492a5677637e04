/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_exchange.h: what a check sends to a server, and the judgement of the
 * reply. Works on bytes in memory: no descriptors, no clock.
 *
 * Texts of the operator are literal, or pairs of hexadecimal digits after "x:";
 * an expected text may also be an extended regular expression of POSIX after
 * "~".
 */
#ifndef CHECK_EXCHANGE_H
#define CHECK_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"
#include "upstream/check_policy.h"

#define CHECK_EXCHANGE_SEND	4096		/* maximum of bytes sent */
#define CHECK_EXCHANGE_REPLY	16384		/* maximum of bytes judged */
#define CHECK_EXCHANGE_WHY	160		/* room for a reason */

enum verdict {
	VERDICT_OPEN,			/* incomplete */
	VERDICT_PASSED,
	VERDICT_FAILED,
	VERDICT_NONE			/* the server could not be checked */
};

struct check_exchange;

/* For this plan, which must outlive it. NULL with ENOMEM. */
struct check_exchange *check_exchange_new(const struct check_policy *);
void	check_exchange_free(struct check_exchange *);

/*
 * Writes the request for the server at *to* into *out* of CHECK_EXCHANGE_SEND
 * bytes, behind a PROXY header of this version (0: none). *from* is the local
 * address, for version 1. Returns the length.
 */
size_t	check_exchange_request(const struct check_exchange *, unsigned proxy,
	    const struct addr *from, const struct addr *to, char *out);

/* False if an established connection is enough. */
bool	check_exchange_wants_answer(const struct check_exchange *);

/*
 * Judges the first *n* bytes of the reply, which the caller terminates with a
 * NUL; *end*: no more will follow. *why* gets what was answered, or what was
 * wrong; bytes of the server in it are not safe to print.
 */
enum verdict check_exchange_judge(const struct check_exchange *,
	    const char *reply, size_t n, bool end,
	    char why[CHECK_EXCHANGE_WHY]);

/*
 * Decodes such a text into *out*, as far as it fits. Returns its length; -1:
 * not hexadecimal.
 */
int	check_exchange_bytes(const char *text, unsigned char *out, size_t size);

/* True for a valid list of statuses such as "200-299,304". */
bool	check_exchange_may_expect(const char *text);
bool	check_exchange_may_list(const char *text);
/* True if this list contains the status. */
bool	check_exchange_lists(const char *text, unsigned status);

#endif
