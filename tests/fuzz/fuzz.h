/* What the fuzz programs share: numbers from the fuzzer's bytes, options from the tables, and calls whose refusals are
 * checked. A broken promise ends the program, which libFuzzer reports with the input that led to it. */
#ifndef HD_TESTS_FUZZ_H
#define HD_TESTS_FUZZ_H

#include "base/context.h"
#include "base/option.h"
#include "heddle.h"
#include "model/registry.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* malloc refuses what is large, and what it gives looks like no number. */
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=32:max_malloc_fill_size=65536:malloc_fill_byte=255:quarantine_size_mb=16";
}

/* The promise that `text` states was broken. */
static inline void fuzz_must(int ok, const char *file, int line, const char *text, const char *error)
{
    if (!ok) {
        fprintf(stderr, "%s:%d: broken: %s (last error: %s)\n", file, line, text, error);
        __builtin_trap();
    }
}

#define MUST(c, condition) fuzz_must(!!(condition), __FILE__, __LINE__, #condition, hd_error(c))

/* Makes sure that what is read afterwards is of this call. */
static inline hd_context *fuzz_clean(hd_context *c)
{
    c->status = HD_OK;
    c->error[0] = 0;
    return c;
}

/* An hd_status call: whether it went well. A refusal has its status and a sentence. */
static inline int fuzz_status(hd_context *c, hd_status status, const char *file, int line, const char *text)
{
    fuzz_must(status == HD_OK || (status == c->status && c->error[0]), file, line, text, c->error);
    return status == HD_OK;
}

/* A call that gives a handle or a number: the same. */
static inline int fuzz_made(hd_context *c, int made, const char *file, int line, const char *text)
{
    fuzz_must(made || (c->status != HD_OK && c->error[0]), file, line, text, c->error);
    return made;
}

#define GOOD(c, call) fuzz_status((c), (fuzz_clean(c), (call)), __FILE__, __LINE__, #call)
#define MADE(c, call) fuzz_made((c), (fuzz_clean(c), (call)), __FILE__, __LINE__, #call)

/* --- numbers from bytes ------------------------------------------------------------------------------- */

/* What is left of the input; zeros after its end. */
typedef struct fuzz_bytes {
    const uint8_t *at;
    size_t left;
} fuzz_bytes;

static inline int fuzz_byte(fuzz_bytes *b)
{
    return b->left ? (b->left--, *b->at++) : 0;
}

/* 0..n-1, n <= 256 */
static inline int fuzz_pick(fuzz_bytes *b, int n)
{
    return fuzz_byte(b) % n;
}

/* True once in n times. */
static inline bool fuzz_rare(fuzz_bytes *b, int n)
{
    return fuzz_byte(b) % n == n - 1;
}

/* Any number: those that trip programs up, small whole ones, fractions, any bits. */
static inline double fuzz_number(fuzz_bytes *b)
{
    static const double odd[] = { 0, -0.0, 1, -1, 0.5, NAN, INFINITY, -INFINITY, 1e308, -1e308, 1e-308, 5e-324, 1e30, 1e-30, 3e38, 65536, 65537,
                                  2147483647, 2147483648.0, -2147483648.0, -2147483649.0, 4294967296.0, 9007199254740992.0, 9007199254740993.0,
                                  1.8446744073709552e19, 0.9999999999999999, 1.0000000000000002, 1e-7, 255, 256 };
    const int how = fuzz_byte(b), next = fuzz_byte(b);
    if (how < 96) {
        return odd[next % (int)(sizeof odd / sizeof *odd)];
    }
    if (how < 224) {
        return how < 160 ? next - 16 : (next - 100) / 64.0;
    }
    uint64_t bits = (uint64_t)next;
    for (int i = 0; i < 7; i++) {
        bits = bits << 8 | (uint64_t)fuzz_byte(b);
    }
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 1..most, now and then what no size may be. */
static inline int fuzz_size(fuzz_bytes *b, int most)
{
    static const int wrong[] = { 0, -1, INT_MIN, INT_MAX };
    const int x = fuzz_byte(b);
    return x < 252 ? 1 + x % most : wrong[x - 252];
}

/* --- context ------------------------------------------------------------------------------------------ */

/* One for all inputs: its memory is large. It has 1 thread between them. */
static inline hd_context *fuzz_context(void)
{
    static hd_context *c;
    c = c ? c : hd_context_new(1);
    return c;
}

/* Mostly not; else one of the next allocations fails. */
static inline void fuzz_fail_allocation(fuzz_bytes *b, hd_context *c)
{
    const int how = fuzz_byte(b), after = fuzz_byte(b);
    if (how >= 160) {
        hd_context_fail_allocation(c, 1 + after / (how >= 200 ? 1 : 4));
    }
}

/* All has been freed: the memory in use is as before. */
static inline void fuzz_finish(hd_context *c, double before)
{
    hd_context_fail_allocation(c, 0);
    MUST(c, GOOD(c, hd_context_set_threads(c, 1)));
    MUST(c, hd_context_memory(c, 0) == before);
}

/* --- options ------------------------------------------------------------------------------------------ */

enum { FUZZ_OPTIONS = 2 + HD_MAX_OPTIONS + HD_MAX_LIST };

/* One value of an option: mostly small and allowed, else at its limits, beyond them, or anything. */
static inline double fuzz_value(fuzz_bytes *b, const hd_option *o)
{
    const int how = fuzz_byte(b);
    if (how >= 248) {
        return fuzz_number(b);
    }
    if (o->type == HD_BOOL || o->type == HD_ENUM) {
        int n = o->type == HD_BOOL ? 2 : 0;
        while (o->type == HD_ENUM && o->names[n]) {
            n++;
        }
        return how < 240 ? how % n : (how - 244) * n;
    }
    if (how >= 232) {
        const double limit = how % 2 ? o->max : o->min;
        return how < 236 ? limit : limit + (how % 2 ? 1 : -1);
    }
    if (how < 64) {
        return o->required || o->type == HD_INTS || o->type == HD_NUMBERS ? o->min + how % 4 : o->def;
    }
    if (o->type == HD_INT || o->type == HD_INTS) {
        const double small = (o->min > -8 ? o->min : -8) + how % 8;
        return small <= o->max ? small : o->max;
    }
    const double span = o->max - o->min < 4 ? o->max - o->min : 4, low = o->min > -2 ? o->min : -2;
    return low + span * (how - 63) / 170.0;
}

/* Values for hd_layer and its like, from a table (which may be NULL); their number. Room for FUZZ_OPTIONS. */
static inline int fuzz_options(fuzz_bytes *b, const hd_option *table, double *values)
{
    const int how = fuzz_byte(b);
    int n = 0;
    for (const hd_option *o = table; o && o->name; o++) {
        int length = 1;
        if (o->type == HD_INTS || o->type == HD_NUMBERS) {
            const int wanted = fuzz_byte(b);
            length = wanted < 240 ? wanted % 4 * (o->group ? o->group : 1) : wanted - 240;
            length = o->required && !length ? 1 : length;
            if (n + 1 + length > FUZZ_OPTIONS) {
                break;
            }
            values[n++] = wanted < 252 ? length : fuzz_number(b);
        }
        for (int i = 0; i < length && n < FUZZ_OPTIONS; i++) {
            values[n++] = fuzz_value(b, o);
        }
    }
    if (how >= 250 && n < FUZZ_OPTIONS) {
        values[n++] = fuzz_number(b); /* one too many */
    }
    return how >= 200 && how < 250 ? n * (how - 200) / 50 : n;
}

/* --- data --------------------------------------------------------------------------------------------- */

/* Fills with normal-sized numbers, seldom with what is not one; labels: whole numbers mostly below `labels`. */
static inline void fuzz_fill(fuzz_bytes *b, size_t n, hd_real *x, int labels)
{
    const int how = fuzz_byte(b);
    unsigned state = 1u + (unsigned)how;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = labels ? (hd_real)((state >> 16) % (unsigned)labels) : (hd_real)((double)(state >> 8) / (1 << 23) - 1);
        if (how >= 128 && how < 160) {
            x[i] = labels ? x[i] : (hd_real)(int)(2 * x[i]); /* ties and zeros */
        }
    }
    for (int k = 0; n && how >= 240 && k < how - 239; k++) {
        const double odd = fuzz_number(b);
        x[(size_t)fuzz_byte(b) % n] = fabs(odd) <= FLT_MAX ? (hd_real)odd : odd > 0 ? (hd_real)INFINITY : (hd_real)NAN;
    }
}

static inline void fuzz_fill_double(fuzz_bytes *b, size_t n, double *x)
{
    const int how = fuzz_byte(b);
    unsigned state = 1u + (unsigned)how;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (double)(state >> 8) / (1 << 23) - 1;
        x[i] = how < 64 ? (int)(4 * x[i]) : x[i];
    }
    for (int k = 0; n && how >= 224 && k < how - 223; k++) {
        const double odd = fuzz_number(b);
        x[(size_t)fuzz_byte(b) % n] = odd;
    }
}

#endif
