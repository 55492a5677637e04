/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_values.h: readers for the table in directives.c: directives about
 * checks. They return NULL, or a constant text that says what is wrong; the
 * first cannot fail.
 */
#ifndef CHECK_VALUES_H
#define CHECK_VALUES_H

#include "upstream/check_policy.h"

/* In the order of the numbers that they become. */
#define CHECK_WORDS	"off, tcp, exec, send_expect, http, tls"
#define CHECK_STATES	"unknown, up, down"

enum check_kind check_values_kind(const char *text);
/* Into a struct pool; the last into a struct server. */
const char *check_values_proxy(const char *text, void *to);
const char *check_values_init_state(const char *text, void *to);
const char *check_values_method(const char *text, void *to);
const char *check_values_uri(const char *text, void *to);
const char *check_values_host(const char *text, void *to);
const char *check_values_status(const char *text, void *to);
const char *check_values_send(const char *text, void *to);
const char *check_values_expect(const char *text, void *to);
const char *check_values_command(const char *text, void *to);
const char *check_values_address(const char *text, void *to);

#endif
