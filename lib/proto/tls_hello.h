/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * tls_hello.h: as much of TLS as it takes to ask a server whether it speaks it:
 * a ClientHello, and a look at how the answer begins. No key is ever used.
 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include <stddef.h>

/* A hello for TLS 1.0 to 1.3, *name* in it unless it is NULL; how long. */
size_t	tls_hello_make(const char *name, unsigned char *out, size_t size);

/*
 * Do the *n* bytes of a reply begin as a server does that speaks TLS? 1: yes, 0:
 * no, -1: more has to come. *why* says what was answered, unless it is -1.
 */
int	tls_hello_judge(const unsigned char *reply, size_t n, char *why,
	    size_t size);

#endif
