/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* session_end.c: names of the end reasons, and the rule which one counts. */
#include "session/session_end.h"

#include "session/session.h"

const char *
session_end_name(enum session_end end)
{
	static const char *const names[] = {
#define X(name, text) text,
		SESSION_ENDS(X)
#undef X
	};

	return names[end];
}

static bool
is_orderly(unsigned end)
{
	return end == END_CLIENT_CLOSE || end == END_SERVER_CLOSE;
}

/* An orderly close is only half an end: a later error counts. */
void
session_note_end(struct session *s, enum session_end why)
{
	if (s->end == END_NONE || (is_orderly(s->end) && !is_orderly(why)))
		s->end = (uint8_t)why;
}
