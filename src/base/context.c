#include "base/context.h"

#include "base/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 }; /* in front of each block: its size and the pointer to free */

hd_status hd_fail(hd_context *c, hd_status status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    hd_format_list(c->error, sizeof c->error, format, list);
    va_end(list);
    c->status = status;
    return status;
}

void *hd_reserve(hd_context *c, size_t bytes, const char *what)
{
    bool refuse = c->fail_at > 0 && --c->fail_at == 0;
    if (c->limit && (c->used > c->limit || bytes > c->limit - c->used)) {
        hd_fail(c, HD_ERR_MEMORY, "%s: out of memory: %z bytes wanted, %z bytes in use of the %z allowed", what, bytes, c->used, c->limit);
        return NULL;
    }
    size_t total = bytes + 2 * ALIGN;
    char *raw = refuse || total < bytes ? NULL : malloc(total);
    if (!raw) {
        hd_fail(c, HD_ERR_MEMORY, "%s: out of memory: %z bytes wanted, %z bytes in use", what, bytes, c->used);
        return NULL;
    }
    char *p = (char *)(((uintptr_t)raw + 2 * ALIGN) & ~(uintptr_t)(ALIGN - 1));
    ((void **)p)[-1] = raw;
    ((size_t *)p)[-2] = bytes;
    c->used += bytes;
    if (c->used > c->peak) {
        c->peak = c->used;
    }
    return p;
}

void *hd_alloc(hd_context *c, size_t bytes, const char *what)
{
    void *p = hd_reserve(c, bytes, what);
    return p ? memset(p, 0, bytes) : NULL;
}

void hd_release(hd_context *c, void *p)
{
    if (p) {
        c->used -= ((size_t *)p)[-2];
        free(((void **)p)[-1]);
    }
}
