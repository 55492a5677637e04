/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * proxy_values.h: readers of directives about the PROXY protocol, as in
 * directives.h.
 */
#ifndef PROXY_VALUES_H
#define PROXY_VALUES_H

#define PROXY_VERSIONS	"off, v1, v2"	/* 0, 1 and 2 */
#define PROXY_TLVS	"unique_id, authority, crc32c, none"
#define PROXY_UNTRUSTED	"reject, plain"

/* The number of a valid version. */
unsigned proxy_values_version(const char *text);

/* Of a listener. */
const char *proxy_values_others(const char *text, void *to);

/* Of a pool, and of a server. */
const char *proxy_values_send(const char *text, void *to);
const char *proxy_values_tlvs(const char *text, void *to);
const char *proxy_values_server_send(const char *text, void *to);

#endif
