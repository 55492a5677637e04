/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* nearest.h: the word that was probably meant. */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

/*
 * Of the *n* *words* the one that *text* most resembles: fewest letters added,
 * left out, changed or swapped (Damerau 1964). NULL when none is near: more than
 * a third of the letters would differ.
 */
const char *nearest_find(const char *text, const char *const *words, size_t n);

#endif
