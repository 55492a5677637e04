/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_exchange.h: what a check says to a server, and what has to come back. Bytes in
 * memory only: no descriptors, no clock.
 *
 * Texts of the operator are taken as they are, or with "x:" before them as pairs
 * of hexadecimal digits; what is expected also with "~" as an extended regular
 * expression of POSIX.
 */
#ifndef CHECK_EXCHANGE_H
#define CHECK_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"
#include "upstream/check_policy.h"

#define CHECK_EXCHANGE_SEND	4096	/* the most bytes that are sent */
#define CHECK_EXCHANGE_REPLY	16384	/* the most that are looked at */
#define CHECK_EXCHANGE_WHY	160		/* room for a reason */

enum verdict {
	VERDICT_OPEN,			/* more has to come */
	VERDICT_PASSED,
	VERDICT_FAILED,
	VERDICT_NONE			/* the server could not be asked */
};

struct check_exchange;

/* For this plan, which has to last as long. NULL with ENOMEM. */
struct check_exchange *check_exchange_new(const struct check_policy *);
void	check_exchange_free(struct check_exchange *);

/*
 * What to send to the server at *to* when the connection stands, behind a header
 * of the PROXY protocol of this version or 0, into *out* of CHECK_EXCHANGE_SEND
 * bytes. Returns how many. *from* is our end of it, for version 1.
 */
size_t	check_exchange_request(const struct check_exchange *, unsigned proxy,
	    const struct addr *from, const struct addr *to, char *out);

/* Or is it enough that the connection stood? */
bool	check_exchange_wants_answer(const struct check_exchange *);

/*
 * Judge the *n* bytes that have come up to now, behind which there is a NUL of
 * the caller's; *end*: no more will come. *why* says
 * what was answered, or what was wrong; what the server has sent is not yet safe
 * to print in it.
 */
enum verdict check_exchange_judge(const struct check_exchange *,
	    const char *reply, size_t n, bool end,
	    char why[CHECK_EXCHANGE_WHY]);

/*
 * The bytes of such a text, as many as have room. Returns how many there are; -1:
 * it is not hexadecimal.
 */
int	check_exchange_bytes(const char *text, unsigned char *out, size_t size);

/* Is this right as what is expected, as a list such as "200-299,304"? */
bool	check_exchange_may_expect(const char *text);
bool	check_exchange_may_list(const char *text);
/* Does this list name that status? */
bool	check_exchange_lists(const char *text, unsigned status);

#endif
