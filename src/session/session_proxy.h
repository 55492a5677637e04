/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_proxy.h: headers of the PROXY protocol, the one that a client's
 * connection begins with and the one that a server's does.
 */
#ifndef SESSION_PROXY_H
#define SESSION_PROXY_H

#include "proto/proxyproto.h"
#include "session/session_step.h"

/*
 * PROXY_HEADER: find out who the client is: by its header, if its peer is one
 * that sends them.
 */
session_stage session_header_stage;
uint64_t session_header_at(const struct session_env *,
	    const struct session *);
session_stage session_header_came;

/* Forget what the header said; harmless when there was none. */
void	session_drop_note(struct session_env *, struct session *);

/*
 * An attempt begins: is there a header to be sent, or the rest of one? Nothing
 * else may go before it.
 */
void	session_proxy_begin(const struct session_env *, struct session *);
bool	session_proxy_due(const struct session *);

/* What it consists of, and that *n* bytes of these *len* have gone. */
size_t	session_proxy_make(const struct session_env *,
	    const struct session *, unsigned char out[PROXYPROTO_MAX]);
void	session_proxy_went(struct session *, size_t len, size_t n);

/* Send what is left of it: SHUTTLE_GOING, even if it is still due. */
enum shuttle_result session_proxy_send(const struct session_env *,
	    struct session *);

#endif
