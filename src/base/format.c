#include "base/format.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct writer {
    char *text;
    size_t used, size;
} writer;

static void put(writer *w, const char *s, size_t n)
{
    for (size_t i = 0; i < n && w->used + 1 < w->size; i++) {
        w->text[w->used++] = s[i];
    }
}

static void put_unsigned(writer *w, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    put(w, digits + n, sizeof digits - n);
}

static void put_int(writer *w, int64_t v)
{
    if (v < 0) {
        put(w, "-", 1);
    }
    put_unsigned(w, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
}

/* Six digits, 1e5 <= mantissa < 1e6, with a point after the first `point` (-1: none, all are decimals); trailing
 * zeros dropped. */
static void put_digits(writer *w, uint64_t mantissa, int point)
{
    char digits[6];
    for (int i = 5; i >= 0; i--, mantissa /= 10) {
        digits[i] = (char)('0' + mantissa % 10);
    }
    int last = 5;
    while (last > 0 && last >= point && digits[last] == '0') {
        last--;
    }
    for (int i = 0; i <= last; i++) {
        if (i == point) {
            put(w, ".", 1);
        }
        put(w, digits + i, 1);
    }
}

static void put_double(writer *w, double v)
{
    if (isnan(v) || isinf(v)) {
        put(w, isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity", isnan(v) ? 3 : v > 0 ? 8 : 9);
        return;
    }
    if (v == floor(v) && fabs(v) < 1e15) {
        put_int(w, (int64_t)v);
        return;
    }
    if (v < 0) {
        put(w, "-", 1);
        v = -v;
    }
    int exponent = 0;
    for (; v >= 10; exponent++) {
        v /= 10;
    }
    for (; v < 1; exponent--) {
        v *= 10;
    }
    uint64_t mantissa = (uint64_t)(v * 1e5 + 0.5);
    if (mantissa >= 1000000) {
        mantissa /= 10;
        exponent++;
    }
    if (exponent >= 0 && exponent < 6) {
        put_digits(w, mantissa, exponent + 1);
    } else if (exponent < 0 && exponent >= -4) {
        put(w, "0.000", (size_t)(1 - exponent));
        put_digits(w, mantissa, -1);
    } else {
        put_digits(w, mantissa, 1);
        put(w, "e", 1);
        put_int(w, exponent);
    }
}

size_t hd_format_list(char *text, size_t size, const char *format, va_list list)
{
    writer w = { text, 0, size };
    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            put(&w, f, 1);
            continue;
        }
        switch (*++f) {
        case 's': {
            const char *s = va_arg(list, const char *);
            put(&w, s, strlen(s));
            break;
        }
        case 'd':
            put_int(&w, va_arg(list, int));
            break;
        case 'z':
            put_unsigned(&w, va_arg(list, size_t));
            break;
        case 'g':
            put_double(&w, va_arg(list, double));
            break;
        default:
            put(&w, f, 1);
        }
    }
    if (size) {
        text[w.used] = 0;
    }
    return w.used;
}

size_t hd_format(char *text, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    size_t n = hd_format_list(text, size, format, list);
    va_end(list);
    return n;
}
