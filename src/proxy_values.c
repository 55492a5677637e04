/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * proxy_values.c: reads who may send headers of the PROXY protocol, as
 * directives.c does with all others.
 */
#include "proxy_values.h"

#include <string.h>

#include "listener.h"

const char *
proxy_values_others(const char *text, void *to)
{
	struct listener *l = to;

	l->others_plain = strcmp(text, "plain") == 0;
	return NULL;
}
