/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * poller_hybrid.h: young descriptors in select(2), settled ones in epoll(7).
 * Linux only.
 */
#ifndef POLLER_HYBRID_H
#define POLLER_HYBRID_H

#include "event/poller.h"

extern const struct poller_engine poller_hybrid;

#endif
