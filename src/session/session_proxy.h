/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_proxy.h: headers of the PROXY protocol: received from clients, and
 * sent to servers.
 */
#ifndef SESSION_PROXY_H
#define SESSION_PROXY_H

#include "proto/proxyproto.h"
#include "session/session_step.h"

/*
 * PROXY_HEADER: determines the client, by a header if its peer is one that
 * sends them.
 */
session_stage session_header_stage;
uint64_t session_header_at(const struct session_env *,
	    const struct session *);
session_stage session_header_came;

/* Frees the contents of the header; harmless without one. */
void	session_drop_note(struct session_env *, struct session *);

/*
 * At the start of an attempt: prepares the header, or the rest of one, if it
 * must be sent. Nothing else may go before it.
 */
void	session_proxy_begin(const struct session_env *, struct session *);
bool	session_proxy_due(const struct session *);

/* Builds the header; and records that *n* of *len* bytes were sent. */
size_t	session_proxy_make(const struct session_env *,
	    const struct session *, unsigned char out[PROXYPROTO_MAX]);
void	session_proxy_went(struct session *, size_t len, size_t n);

/* Sends what is left of it. SHUTTLE_GOING even if some is still left. */
enum shuttle_result session_proxy_send(const struct session_env *,
	    struct session *);

#endif
