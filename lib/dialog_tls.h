/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dialog_tls.h: as much of TLS as it takes to ask a server whether it speaks it:
 * a ClientHello, and a look at how the answer begins. No key is ever used.
 */
#ifndef DIALOG_TLS_H
#define DIALOG_TLS_H

#include "dialog.h"

/* A hello for TLS 1.0 to 1.3, *name* in it unless it is NULL; how long. */
size_t	tls_hello(const char *name, unsigned char *out, size_t size);

/* As dialog_judge(). */
enum verdict tls_judge(const unsigned char *reply, size_t n,
	    char why[DIALOG_WHY]);

#endif
