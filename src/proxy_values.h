/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * proxy_values.h: the readers of what is said of the PROXY protocol, as of
 * directives.h.
 */
#ifndef PROXY_VALUES_H
#define PROXY_VALUES_H

#define PROXY_OTHERS	"refuse, plain"

/* Of a listener. */
const char *proxy_values_others(const char *text, void *to);

#endif
