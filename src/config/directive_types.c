/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * directive_types.c: what the types of directives accept: described, checked,
 * and set. Knows none of the directives.
 */
#include "config/directive_types.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/access_log_format.h"
#include "util/nearest.h"

/* A year: beyond any use, below any overflow. */
#define TIME_MAX	(UINT64_C(366) * 24 * 3600 * 1000)

int
directive_number(const char *text, long long min, long long max, unsigned *to)
{
	const char *err;
	long long n = strtonum(text, min, max, &err);

	if (err != NULL || text[strspn(text, "0123456789")] != '\0')
		return -1;
	*to = (unsigned)n;
	return 0;
}

int
directive_time(const char *text, uint64_t *ms, const char **why)
{
	static const struct {
		const char *unit;
		uint64_t    ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	};
	unsigned long long n;
	size_t i;
	char *end;

	*ms = 0;
	if (strcmp(text, "off") == 0 || strcmp(text, "0") == 0)
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && errno == 0)
		for (i = 0; i < sizeof(units) / sizeof(*units); i++)
			if (strcmp(end, units[i].unit) == 0 &&
			    n <= TIME_MAX / units[i].ms) {
				*ms = n * units[i].ms;
				return 0;
			}
	*why = "a time is a number with a unit: 300ms, 5s, 10m, 1h; or off";
	return -1;
}

unsigned
directive_seconds(const char *text)
{
	const char *why;
	uint64_t ms = 0;

	(void)directive_time(text, &ms, &why);
	return (unsigned)((ms + 999) / 1000);
}

/* In the largest unit that gives a whole number. */
static const char *
format_duration(long long ms, char *buf, size_t size)
{
	if (ms % 3600000 == 0)
		snprintf(buf, size, "%lldh", ms / 3600000);
	else if (ms % 60000 == 0)
		snprintf(buf, size, "%lldm", ms / 60000);
	else if (ms % 1000 == 0)
		snprintf(buf, size, "%llds", ms / 1000);
	else
		snprintf(buf, size, "%lldms", ms);
	return buf;
}

static const struct {
	const char	*name;
	int		 shift;
} size_units[] = { { "g", 30 }, { "m", 20 }, { "k", 10 }, { "", 0 } };

/* The same for bytes. */
static const char *
format_size(long long n, char *buf, size_t size)
{
	size_t i = 0;

	while (n & ((1LL << size_units[i].shift) - 1))
		i++;
	snprintf(buf, size, "%lld%s", n >> size_units[i].shift,
	    size_units[i].name);
	return buf;
}

/* Bytes, or a number of k, m or g; off and 0 are 0. */
static int
read_size(const char *text, uint64_t *to)
{
	unsigned long long n;
	char *end;
	size_t i;

	*to = 0;
	if (strcmp(text, "off") == 0)
		return 0;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9')
		return -1;
	for (i = 0; i < sizeof(size_units) / sizeof(*size_units); i++)
		if (strcmp(end, size_units[i].name) == 0 &&
		    n <= UINT64_MAX >> size_units[i].shift) {
			*to = (uint64_t)n << size_units[i].shift;
			return 0;
		}
	return -1;
}

const char *
directive_takes(const struct directive *d, char *buf, size_t size)
{
	char low[32], high[32];

	switch (d->type) {
	case TYPE_NUMBER:
		snprintf(buf, size, "%s%sa number from %lld to %lld%s%s",
		    d->words == NULL ? "" : d->words,
		    d->words == NULL ? "" : " or ", d->min, d->max,
		    d->what == NULL ? "" : ", ",
		    d->what == NULL ? "" : d->what);
		break;
	case TYPE_TIME:
		snprintf(buf, size, "%sa time from %s to %s",
		    d->min == 0 ? "off or " : "", d->min == 0 ? "1ms" :
		    format_duration(d->min, low, sizeof(low)),
		    format_duration(d->max, high, sizeof(high)));
		break;
	case TYPE_SIZE:
		snprintf(buf, size, "off or bytes from %s to %s%s%s",
		    format_size(d->min, low, sizeof(low)),
		    format_size(d->max, high, sizeof(high)),
		    d->what == NULL ? "" : ", ",
		    d->what == NULL ? "" : d->what);
		break;
	case TYPE_BOOL:
		strlcpy(buf, "true or false", size);
		break;
	case TYPE_WORD:
		snprintf(buf, size, "%s%s", strchr(d->words, ',') == NULL ?
		    "" : "one of ", d->words);
		break;
	default:
		strlcpy(buf, d->what, size);
		break;
	}
	return buf;
}

/* True if *text* is one of the words. If not, *near* is the probable one. */
static bool
is_word(const struct directive *d, const char *text, char *near, size_t size)
{
	const char *words[32], *meant;
	char copy[160], *rest = copy;
	size_t i, n = 0;

	if (d->words == NULL)
		return false;
	strlcpy(copy, d->words, sizeof(copy));
	while (n < sizeof(words) / sizeof(*words) && rest != NULL) {
		words[n] = strsep(&rest, ",");
		words[n] += strspn(words[n], " ");
		n++;
	}
	for (i = 0; i < n; i++)
		if (strcmp(words[i], text) == 0)
			return true;
	if ((meant = nearest_find(text, words, n)) != NULL)
		snprintf(near, size, ", perhaps %s", meant);
	return false;
}

/* True if the text matches a word that ends in ":N", with a number there. */
static bool
is_word_with_number(const struct directive *d, const char *text)
{
	const char *colon = strchr(text, ':');
	char word[32], near[32];
	unsigned n;

	return colon != NULL &&
	    directive_number(colon + 1, 1, d->max, &n) == 0 &&
	    snprintf(word, sizeof(word), "%.*s:N", (int)(colon - text),
	    text) < (int)sizeof(word) && is_word(d, word, near, sizeof(near));
}

/* Checks the text by its type alone. */
static bool
is_right(const struct directive *d, const char *text, char *near, size_t size)
{
	const char *why;
	unsigned n;
	uint64_t ms, bytes;

	switch (d->type) {
	case TYPE_NUMBER:
		return is_word(d, text, near, size) ||
		    is_word_with_number(d, text) ||
		    directive_number(text, d->min, d->max, &n) == 0;
	case TYPE_TIME:
		return directive_time(text, &ms, &why) == 0 &&
		    ms >= (uint64_t)d->min && ms <= (uint64_t)d->max;
	case TYPE_SIZE:
		return read_size(text, &bytes) == 0 && (bytes == 0 ||
		    (bytes >= (uint64_t)d->min && bytes <= (uint64_t)d->max));
	case TYPE_BOOL:
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
	case TYPE_WORD:
		return is_word(d, text, near, size);
	case TYPE_ADDRESS:
	case TYPE_ADDRESSES:
	case TYPE_NETWORKS:
		return true;
	default:
		return strlen(text) >= (size_t)d->min &&
		    strlen(text) <= (size_t)d->max;
	}
}

static void
set_member(const struct directive *d, const char *text, void *to)
{
	void *member = (char *)to + d->offset;
	const char *why;

	switch (d->type) {
	case TYPE_NUMBER:
		(void)directive_number(text, d->min, d->max, member);
		break;
	case TYPE_TIME:
		(void)directive_time(text, member, &why);
		break;
	case TYPE_SIZE:
		(void)read_size(text, member);
		break;
	case TYPE_BOOL:
		*(bool *)member = strcmp(text, "true") == 0;
		break;
	case TYPE_TEXT:
	case TYPE_FORMAT:
		*(const char **)member = text;
		break;
	default:
		break;
	}
}

static int
check_format(const char *text, char why[DIRECTIVE_WHY])
{
	struct access_log_format *f = access_log_format_new(text, why,
	    DIRECTIVE_WHY);

	access_log_format_free(f);
	return f == NULL ? -1 : 0;
}

int
directive_take(const struct directive *d, const char *text, void *to,
    char why[DIRECTIVE_WHY])
{
	const char *wrong;

	if (d->read == NULL) {
		set_member(d, text, to);
		return 0;
	}
	if ((wrong = d->read(text, to)) == NULL)
		return 0;
	strlcpy(why, wrong, DIRECTIVE_WHY);
	return -1;
}

int
directive_read(const struct directive *d, const char *text, void *to,
    char why[DIRECTIVE_WHY])
{
	char takes[DIRECTIVE_WHY - 48], near[32] = "";

	if (d->type == TYPE_FORMAT && check_format(text, why) == -1)
		return -1;
	if (!is_right(d, text, near, sizeof(near))) {
		snprintf(why, DIRECTIVE_WHY, "should be %s%s",
		    directive_takes(d, takes, sizeof(takes)), near);
		return -1;
	}
	return directive_take(d, text, to, why);
}
