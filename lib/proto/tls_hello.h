/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * tls_hello.h: as much of TLS as a check needs to find out whether a server
 * speaks it: writes a ClientHello and judges how the answer begins. No key is
 * ever used.
 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include <stddef.h>

/*
 * Writes a hello for TLS 1.0 to 1.3, with *name* (SNI) unless NULL. Returns its
 * length.
 */
size_t	tls_hello_make(const char *name, unsigned char *out, size_t size);

/*
 * Judges whether the first *n* bytes of a reply come from a TLS server. 1: yes,
 * 0: no, -1: more bytes are needed. *why* describes the answer unless the
 * result is -1.
 */
int	tls_hello_judge(const unsigned char *reply, size_t n, char *why,
	    size_t size);

#endif
