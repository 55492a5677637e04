/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * egress_values.h: directives about outgoing and incoming connections: source
 * address, marks, keepalive.
 */
#ifndef EGRESS_VALUES_H
#define EGRESS_VALUES_H

/* RFC 2474, 2597, 3246, 5865, 8622. */
#define DSCP_WORDS "cs0, cs1, cs2, cs3, cs4, cs5, cs6, cs7, af11, af12, " \
	"af13, af21, af22, af23, af31, af32, af33, af41, af42, af43, ef, " \
	"va, le"

/* Readers: the text is valid for its type, the second argument is a … */
const char *egress_values_dscp(const char *, void *);	/* … struct pool, */
const char *egress_values_source(const char *, void *);
const char *egress_values_keepalive(const char *, void *);
const char *egress_values_user_timeout(const char *, void *);
const char *egress_values_server_dscp(const char *, void *); /* … server, */
const char *egress_values_server_source(const char *, void *);
const char *egress_values_listen_dscp(const char *, void *); /* … listener, */
const char *egress_values_listen_keepalive(const char *, void *);
const char *egress_values_listen_user_timeout(const char *, void *);
const char *egress_values_top_keepalive(const char *, void *); /* … conf. */
const char *egress_values_top_user_timeout(const char *, void *);

#endif
