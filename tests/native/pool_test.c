/* Thread pool: every task exactly once, by a valid thread, many jobs in a row, sleep and wake, nesting, shortage. */
#define _POSIX_C_SOURCE 199309L /* nanosleep */
#include "base/context.h"
#include "base/pool.h"
#include "check.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

enum { MOST = 1000 };

static hd_context context = { .fail_at = -1 };

typedef struct tally {
    hd_pool *pool;
    _Atomic int runs[MOST];
    _Atomic int bad_thread, inner;
    int spin;
} tally;

static void count_task(void *arg, int task, int thread)
{
    tally *t = arg;
    atomic_fetch_add(&t->runs[task], 1);
    if (thread < 0 || thread >= hd_pool_threads(t->pool)) {
        atomic_fetch_add(&t->bad_thread, 1);
    }
    for (volatile int i = 0; i < t->spin; i++) {
    }
}

static int each_ran(tally *t, int tasks, int times)
{
    int ok = !atomic_load(&t->bad_thread);
    for (int i = 0; i < MOST; i++) {
        ok = ok && atomic_load(&t->runs[i]) == (i < tasks ? times : 0);
    }
    return ok;
}

static void all_tasks_once(hd_pool *p)
{
    static const int counts[] = { 0, 1, 2, 3, 7, 64, 999, 1000 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        tally t = { .pool = p, .spin = i % 2 ? 2000 : 0 };
        hd_pool_run(p, counts[i], count_task, &t);
        CHECK(each_ran(&t, counts[i], 1));
    }
}

/* A job must not see tasks of its neighbours, whether the helpers spin or sleep in between. */
static void many_jobs(hd_pool *p)
{
    tally t = { .pool = p };
    for (int i = 0; i < 20000; i++) {
        hd_pool_run(p, 5, count_task, &t);
    }
    CHECK(each_ran(&t, 5, 20000));
    tally s = { .pool = p, .spin = 5000 };
    for (int i = 0; i < 50; i++) {
        hd_pool_run(p, 8, count_task, &s);
        nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    }
    CHECK(each_ran(&s, 8, 50));
}

/* A task may start a job: it runs inline, with the thread number of the task. */
static void inner_task(void *arg, int task, int thread)
{
    (void)task;
    int *expected = arg;
    if (thread != *expected) {
        *expected = -1;
    }
}

static void outer_task(void *arg, int task, int thread)
{
    (void)task;
    tally *t = arg;
    int number = thread;
    hd_pool_run(t->pool, 3, inner_task, &number);
    atomic_fetch_add(&t->inner, number == thread);
}

static void nested(hd_pool *p)
{
    tally t = { .pool = p };
    hd_pool_run(p, 200, outer_task, &t);
    CHECK(atomic_load(&t.inner) == 200);
}

static void scratch_is_apart(hd_pool *p)
{
    for (int i = 0; i < hd_pool_threads(p); i++) {
        char *s = hd_pool_scratch(p, i);
        CHECK(s != NULL && (uintptr_t)s % 64 == 0);
        memset(s, i + 1, HD_THREAD_SCRATCH);
    }
    CHECK((uintptr_t)hd_pool_shared(p) % 64 == 0);
    memset(hd_pool_shared(p), 99, HD_SHARED_SCRATCH);
    for (int i = 0; i < hd_pool_threads(p); i++) {
        const char *s = hd_pool_scratch(p, i);
        CHECK(s[0] == i + 1 && s[HD_THREAD_SCRATCH - 1] == i + 1);
    }
}

#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
enum { MOST_THREADS = 1 }; /* this build has none: the pool runs everything inline and says so */
#else
enum { MOST_THREADS = 64 };
#endif

static int running(int asked)
{
    return asked < MOST_THREADS ? asked : MOST_THREADS;
}

/* Every allocation refused in turn: no pool, the sentence, and nothing is left behind. */
static void out_of_memory(void)
{
    for (int n = 1; n < 100; n++) {
        context.fail_at = n;
        context.error[0] = 0;
        hd_pool *p = hd_pool_new(&context, 3);
        context.fail_at = -1;
        if (p) {
            CHECK(n == 3 + running(3)); /* after the pool, the shared scratch and each thread's */
            hd_pool_free(&context, p);
            CHECK(context.used == 0);
            return;
        }
        CHECK(strstr(context.error, "thread pool: out of memory") != NULL);
        CHECK(context.used == 0);
    }
    CHECK(!"the pool can be made");
}

int main(void)
{
    static const int threads[] = { 1, 2, 4, 7 };
    for (int i = 0; i < 4; i++) {
        hd_pool *p = hd_pool_new(&context, threads[i]);
        CHECK(p != NULL);
        CHECK(hd_pool_threads(p) == running(threads[i]));
        all_tasks_once(p);
        many_jobs(p);
        nested(p);
        scratch_is_apart(p);
        hd_pool_free(&context, p);
        CHECK(context.used == 0);
    }
    hd_pool_free(&context, NULL);
    out_of_memory();
    return check_result("pool");
}
