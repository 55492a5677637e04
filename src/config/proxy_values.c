/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * proxy_values.c: reads which peers send PROXY headers, and which servers get
 * them, as directives.c does with all others.
 */
#include "config/proxy_values.h"

#include <string.h>

#include "config/listener.h"
#include "upstream/server.h"

unsigned
proxy_values_version(const char *text)
{
	return strcmp(text, "v1") == 0 ? 1 : strcmp(text, "v2") == 0 ? 2 : 0;
}

const char *
proxy_values_others(const char *text, void *to)
{
	struct listener *l = to;

	l->untrusted_plain = strcmp(text, "plain") == 0;
	return NULL;
}

const char *
proxy_values_send(const char *text, void *to)
{
	struct pool *p = to;

	p->send_proxy = proxy_values_version(text);
	return NULL;
}

const char *
proxy_values_server_send(const char *text, void *to)
{
	struct server *b = to;

	b->send_proxy = proxy_values_version(text);
	return NULL;
}

const char *
proxy_values_tlvs(const char *text, void *to)
{
	static const struct {
		const char *name;
		unsigned tlv;
	} tlvs[] = {
		{ "unique_id", PROXY_TLV_UNIQUE_ID },
		{ "authority", PROXY_TLV_AUTHORITY },
		{ "crc32c", PROXY_TLV_CRC32C },
		{ "none", PROXY_TLV_NONE },
	};
	struct pool *p = to;
	size_t i;

	for (i = 0; i < sizeof(tlvs) / sizeof(*tlvs); i++)
		if (strcmp(tlvs[i].name, text) == 0) {
			p->tlvs |= tlvs[i].tlv;
			return NULL;
		}
	return "should be one or more of " PROXY_TLVS;
}
