/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * egress_values.h: the values of directives that say how connections leave and
 * arrive: from which address, marked how, watched over how.
 */
#ifndef EGRESS_VALUES_H
#define EGRESS_VALUES_H

/* RFC 2474, 2597, 3246, 5865, 8622. */
#define DSCP_WORDS "cs0, cs1, cs2, cs3, cs4, cs5, cs6, cs7, af11, af12, " \
	"af13, af21, af22, af23, af31, af32, af33, af41, af42, af43, ef, " \
	"va, le"

/* As directives read: the text was checked by its type, the second is a … */
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
