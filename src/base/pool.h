/* Fork-join over numbered tasks; the only header that stands for threads.
 *
 * The caller cuts work into tasks whose borders do not depend on the thread count; which thread runs a
 * task is open, so a task may only write what belongs to it. Results are then the same for 1 or 7 threads. */
#ifndef HD_BASE_POOL_H
#define HD_BASE_POOL_H

#include <stddef.h>

/* Scratch of each thread, and scratch shared by the caller's current operation; both 64-byte aligned. */
#define HD_THREAD_SCRATCH (512u << 10)
#define HD_SHARED_SCRATCH (2u << 20)

typedef struct hd_pool hd_pool;
typedef struct hd_context hd_context;

/* task: 0..tasks-1; thread: 0..hd_pool_threads()-1, the caller is 0. */
typedef void hd_task(void *arg, int task, int thread);

/* Starts up to `threads - 1` helpers; fewer are running if the platform gives fewer. NULL: out of memory. */
hd_pool *hd_pool_new(hd_context *c, int threads);
void hd_pool_free(hd_context *c, hd_pool *p);
int hd_pool_threads(const hd_pool *p);
void *hd_pool_scratch(hd_pool *p, int thread); /* HD_THREAD_SCRATCH bytes */
void *hd_pool_shared(hd_pool *p);              /* HD_SHARED_SCRATCH bytes */

/* Runs every task and returns when all are done. Does not nest. */
void hd_pool_run(hd_pool *p, int tasks, hd_task *fn, void *arg);

#endif
