#include "base/context.h"

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
