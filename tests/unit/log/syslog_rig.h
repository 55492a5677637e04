/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * syslog_rig.h: what a syslog does that gets lines from a log of this process:
 * have them sent, and take them to pieces as RFC 5424 says.
 */
#ifndef SYSLOG_RIG_H
#define SYSLOG_RIG_H

#include "log/log.h"

#include <ctype.h>

#include "helpers.h"

/* Turn as a worker does until *fd* has something to read. */
static inline void
flush_until_ready(struct log *l, int fd)
{
	uint64_t give_up = clock_ms() + PATIENCE;

	do {
		assert_true(clock_ms() < give_up);
		log_flush(l);
	} while (!comes(fd, POLLIN, 1));
}

/* *word* up to the next blank; returns what follows that. */
static inline const char *
field(const char *msg, const char *word)
{
	size_t len = strcspn(msg, " ");

	if (strlen(word) != len || memcmp(msg, word, len) != 0)
		fail_msg("not \"%s\" at the beginning of: %s", word, msg);
	return msg + len + 1;
}

/* A form: 0 stands for any digit. */
static inline void
assert_form(const char *given, const char *form)
{
	for (; *form != '\0'; form++, given++)
		if (*form == '0' ? !isdigit((unsigned char)*given) :
		    *given != *form)
			fail_msg("not of the form \"%s\": %s", form, given);
}

/* RFC 5424, section 6: HEADER SP STRUCTURED-DATA SP MSG. */
static inline void
assert_rfc5424(const char *msg, int pri, const char *want)
{
	char word[100];

	snprintf(word, sizeof(word), "<%d>1", pri);
	msg = field(msg, word);				/* PRI VERSION */
	assert_form(msg, "0000-00-00T00:00:00.000Z ");	/* TIMESTAMP */
	msg = behind(msg, " ");
	MUST(gethostname(word, sizeof(word)));
	msg = field(msg, word);				/* HOSTNAME */
	msg = field(msg, "shuttled");			/* APP-NAME */
	snprintf(word, sizeof(word), "%d", (int)getpid());
	msg = field(msg, word);				/* PROCID */
	msg = field(msg, "-");				/* MSGID */
	msg = field(msg, "-");				/* STRUCTURED-DATA */
	assert_string_equal(msg, want);
}

#endif
