/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* text.c: numbers, times and quotes without printf. Invariant: at <= end. */
#include "util/text.h"

void
text_number(struct text *t, uint64_t n)
{
	char digits[20], *d = digits + sizeof(digits);

	do
		*--d = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	text_bytes(t, d, (size_t)(digits + sizeof(digits) - d));
}

void
text_padded(struct text *t, unsigned n, unsigned width)
{
	char digits[10];
	unsigned i;

	for (i = width; i-- > 0; n /= 10)
		digits[i] = (char)('0' + n % 10);
	text_bytes(t, digits, width);
}

void
text_hex(struct text *t, uint64_t n, unsigned width)
{
	char digits[16];
	size_t i = sizeof(digits);

	do
		digits[--i] = "0123456789abcdef"[n & 15];
	while ((n >>= 4) > 0 || sizeof(digits) - i < width);
	text_bytes(t, digits + i, sizeof(digits) - i);
}

void
text_json(struct text *t, const char *s)
{
	static const char hex[] = "0123456789abcdef";
	char code[] = "\\u0000", *end = t->end;
	unsigned char c;
	size_t n;

	if (end - t->at < 2)
		return;
	*t->at++ = '"';
	t->end--;			/* room for the closing quote */
	for (; (c = (unsigned char)*s) != '\0'; s++) {
		code[1] = (char)c;
		n = c < ' ' ? 6 : c == '"' || c == '\\' ? 2 : 1;
		if (n == 6) {
			code[1] = 'u';
			code[4] = hex[c >> 4];
			code[5] = hex[c & 15];
		}
		/* All or nothing: a partial escape would spoil the line. */
		if (n > (size_t)(t->end - t->at))
			break;
		text_bytes(t, n == 1 ? s : code, n);
	}
	t->end = end;
	*t->at++ = '"';
}

static size_t
format_clock_time(char *buf, size_t size, enum text_time how, time_t second)
{
	struct tm tm;

	if (how == TIME_RFC3339) {
		gmtime_r(&second, &tm);
		return strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	}
	/* Unlike localtime(), it does not reload the time zone. */
	localtime_r(&second, &tm);
	return how == TIME_RFC3164 ?
	    strftime(buf, size, "%b %e %H:%M:%S", &tm) :
	    strftime(buf, size, "%d/%b/%Y:%H:%M:%S", &tm);
}

void
text_time(struct text *t, struct stamp *s, enum text_time how, time_t second)
{
	if (second != s->second || s->len == 0) {
		s->len = format_clock_time(s->text, sizeof(s->text), how,
		    second);
		s->second = second;
	}
	text_bytes(t, s->text, s->len);
}
