/* What every object of one thread of control shares: error text, accounted memory, thread pool. */
#ifndef HD_BASE_CONTEXT_H
#define HD_BASE_CONTEXT_H

#include "base/pool.h"
#include "heddle.h"

#include <stddef.h>

struct hd_context {
    hd_status status;  /* of the last failed call */
    char error[512];   /* its sentence */
    size_t used, peak; /* bytes now and at most */
    size_t limit;      /* of used; 0: none */
    long fail_at;      /* tests: the allocation with this number fails; counts down, off when negative */
    hd_pool *pool;
};

/* Records the sentence and returns status, so that callers can write `return hd_fail(...)`. */
hd_status hd_fail(hd_context *c, hd_status status, const char *format, ...);

/* Zeroed memory, 64-byte aligned, accounted in c; NULL (with HD_ERR_MEMORY recorded) if there is none.
 * `what` names the owner in the sentence. */
void *hd_alloc(hd_context *c, size_t bytes, const char *what);
/* The same, not zeroed: for scratch that is written before it is read. */
void *hd_reserve(hd_context *c, size_t bytes, const char *what);
void hd_release(hd_context *c, void *p); /* NULL is fine */

#endif
