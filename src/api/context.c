#include "base/context.h"

#include <stdint.h>
#include <stdlib.h>

enum { MAX_THREADS = 64 };

hd_context *hd_context_new(int threads)
{
    hd_context *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    c->pool = hd_pool_new(c, threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads);
    if (!c->pool) {
        free(c);
        return NULL;
    }
    return c;
}

void hd_context_free(hd_context *c)
{
    if (c) {
        hd_pool_free(c, c->pool);
        free(c);
    }
}

hd_status hd_context_set_threads(hd_context *c, int threads)
{
    if (threads < 1 || threads > MAX_THREADS) {
        return hd_fail(c, HD_ERR_ARGUMENT, "context: threads = %d, expected 1..%d", threads, MAX_THREADS);
    }
    if (threads == hd_pool_threads(c->pool)) {
        return HD_OK;
    }
    hd_pool *pool = hd_pool_new(c, threads);
    if (!pool) {
        return HD_ERR_MEMORY;
    }
    hd_pool_free(c, c->pool);
    c->pool = pool;
    return HD_OK;
}

int hd_context_threads(const hd_context *c)
{
    return hd_pool_threads(c->pool);
}

double hd_context_memory(const hd_context *c, int peak)
{
    return (double)(peak ? c->peak : c->used);
}

hd_status hd_context_limit_memory(hd_context *c, double bytes)
{
    if (!(bytes >= 0 && bytes <= 1e18)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "context: memory limit = %g bytes, expected 0 (none) or more", bytes);
    }
    c->limit = bytes < (double)SIZE_MAX ? (size_t)bytes : SIZE_MAX;
    return HD_OK;
}

void *hd_buffer_new(hd_context *c, double bytes)
{
    if (!(bytes >= 0 && bytes <= (double)(SIZE_MAX / 2))) {
        hd_fail(c, HD_ERR_MEMORY, "arguments or results: out of memory: %g bytes wanted", bytes);
        return NULL;
    }
    return hd_reserve(c, bytes < 1 ? 1 : (size_t)bytes, "arguments or results");
}

void hd_buffer_free(hd_context *c, void *buffer)
{
    hd_release(c, buffer);
}

void hd_context_fail_allocation(hd_context *c, int n)
{
    c->fail_at = n;
}

const char *hd_error(const hd_context *c)
{
    return c->error;
}

hd_status hd_error_status(const hd_context *c)
{
    return c->status;
}
