#include "base/pool.h"

#include "base/context.h"

#include <stdbool.h>

#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__) && !defined(HD_NO_THREADS)
#define HD_NO_THREADS
#endif

enum { MAX_THREADS = 64 };

/* What the engines' JavaScript host offers (tools/cmake/host.js); elsewhere nobody asks for it. */
#ifdef HD_HOST
void hd_host_beat(void);                                                  /* C is alive, in the middle of a long call */
void hd_host_guard(void *(*run)(void *), void (*lost)(void *), void *arg); /* run(arg), and lost(arg) if it traps */
void hd_host_crash(void);                                                 /* throws */
#else
#define hd_host_beat() ((void)0)
#endif

/* Tasks of the calling thread from one sign of life to the next; a task is some 10 us to some 10 ms. */
enum { BEAT = 8 };
#define SHOW_LIFE(p) (++(p)->life % BEAT ? (void)0 : hd_host_beat())

#ifdef HD_NO_THREADS

struct hd_pool {
    unsigned life;
    void *shared, *scratch;
};

hd_pool *hd_pool_new(hd_context *c, int threads)
{
    (void)threads;
    hd_pool *p = hd_alloc(c, sizeof *p, "thread pool");
    if (!p) {
        return NULL;
    }
    p->shared = hd_reserve(c, HD_SHARED_SCRATCH, "thread pool");
    p->scratch = hd_reserve(c, HD_THREAD_SCRATCH, "thread pool");
    if (!p->shared || !p->scratch) {
        hd_pool_free(c, p);
        return NULL;
    }
    return p;
}

void hd_pool_free(hd_context *c, hd_pool *p)
{
    if (p) {
        hd_release(c, p->scratch);
        hd_release(c, p->shared);
        hd_release(c, p);
    }
}

int hd_pool_threads(const hd_pool *p)
{
    (void)p;
    return 1;
}

void *hd_pool_scratch(hd_pool *p, int thread)
{
    (void)thread;
    return p->scratch;
}

void *hd_pool_shared(hd_pool *p)
{
    return p->shared;
}

void hd_pool_run(hd_pool *p, int tasks, hd_task *fn, void *arg)
{
    for (int i = 0; i < tasks; i++) {
        SHOW_LIFE(p);
        fn(arg, i, 0);
    }
}

#else

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* Rounds of waiting for work, or for the last tasks, before a thread sleeps: some 30 us natively; in WASM, where waking one takes
 * far longer, enough to last from one training step to the next (measured: 0.59 ms a small step, against 0.58 to 0.75). */
#if defined(__x86_64__) || defined(__i386__)
#define RELAX() __builtin_ia32_pause()
enum { SPIN = 1000 };
#else
#define RELAX() ((void)0)
enum { SPIN = 100000 };
#endif

typedef struct helper {
    hd_pool *pool;
    int number; /* 1..threads-1 */
    pthread_t thread;
} helper;

/* A job is published by storing its ticket: (job number << 32) | tasks left. Whoever takes one from the ticket by
 * compare-and-swap runs that task; an exhausted ticket can't be taken from, so a late helper never sees fn or
 * arg of another job, and nobody waits for a helper that sleeps. */
struct hd_pool {
    _Atomic uint64_t ticket;
    _Atomic int done, sleepers, waiting, lost; /* lost: helpers that trapped */
    unsigned life; /* of thread 0 */
    hd_task *fn;
    void *arg;
    int tasks;
    bool running, quit; /* running: inside hd_pool_run; quit: under the mutex */
    int threads;
    pthread_mutex_t mutex;
    pthread_cond_t work, finished;
    void *shared, *scratch[MAX_THREADS];
    helper helpers[MAX_THREADS];
};

/* Runs tasks of the current job until none is left to take. */
static void work(hd_pool *p, int thread)
{
    int count = 0, tasks = 0;
    uint64_t ticket = atomic_load(&p->ticket);
    while ((uint32_t)ticket) {
        if (atomic_compare_exchange_weak(&p->ticket, &ticket, ticket - 1)) {
            tasks = p->tasks;
            if (thread == 0) {
                SHOW_LIFE(p);
            }
            p->fn(p->arg, tasks - (int)(uint32_t)ticket, thread);
            count++;
            ticket = atomic_load(&p->ticket);
            if (!(uint32_t)ticket) {
                break;
            }
        }
    }
    if (count && atomic_fetch_add(&p->done, count) + count == tasks && atomic_load(&p->waiting)) {
        pthread_mutex_lock(&p->mutex);
        pthread_cond_signal(&p->finished);
        pthread_mutex_unlock(&p->mutex);
    }
}

static bool has_work(hd_pool *p)
{
    return (uint32_t)atomic_load(&p->ticket) != 0;
}

/* Waits for work; false when the pool is to end. */
static bool sleep_until_work(hd_pool *p)
{
    pthread_mutex_lock(&p->mutex);
    atomic_fetch_add(&p->sleepers, 1); /* before looking again: hd_pool_run stores, then looks for sleepers */
    while (!has_work(p) && !p->quit) {
        pthread_cond_wait(&p->work, &p->mutex);
    }
    atomic_fetch_sub(&p->sleepers, 1);
    bool quit = p->quit;
    pthread_mutex_unlock(&p->mutex);
    return !quit;
}

static void *help(void *arg)
{
    helper *h = arg;
    hd_pool *p = h->pool;
    do {
        work(p, h->number);
        for (int i = 0; i < SPIN && !has_work(p); i++) {
            RELAX();
        }
    } while (has_work(p) || sleep_until_work(p));
    return NULL;
}

#ifdef HD_HOST
/* A helper has trapped: its task will never be done, so whoever waits for it must not. */
static void lose(void *arg)
{
    hd_pool *p = ((helper *)arg)->pool;
    atomic_store(&p->lost, 1);
    pthread_mutex_lock(&p->mutex);
    pthread_cond_signal(&p->finished);
    pthread_mutex_unlock(&p->mutex);
}

static void *helper_main(void *arg)
{
    hd_host_guard(help, lose, arg);
    return NULL;
}

static void check_helpers(hd_pool *p)
{
    if (atomic_load(&p->lost)) {
        hd_host_crash();
    }
}
#else
#define helper_main help
#define check_helpers(p) ((void)0)
#endif

static bool start_helper(hd_context *c, hd_pool *p)
{
    int i = p->threads;
    p->helpers[i] = (helper){ .pool = p, .number = i };
    if (pthread_create(&p->helpers[i].thread, NULL, helper_main, &p->helpers[i])) {
        hd_release(c, p->scratch[i]); /* fewer threads than asked for are no error */
        p->scratch[i] = NULL;
        return false;
    }
    p->threads++;
    return true;
}

hd_pool *hd_pool_new(hd_context *c, int threads)
{
    hd_pool *p = hd_alloc(c, sizeof *p, "thread pool");
    if (!p) {
        return NULL;
    }
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->finished, NULL);
    p->threads = 1;
    p->shared = hd_reserve(c, HD_SHARED_SCRATCH, "thread pool");
    bool ok = p->shared != NULL;
    for (int i = 0; ok && i < threads && i < MAX_THREADS; i++) {
        p->scratch[i] = hd_reserve(c, HD_THREAD_SCRATCH, "thread pool");
        ok = p->scratch[i] != NULL;
        if (ok && i > 0 && !start_helper(c, p)) {
            break;
        }
    }
    if (!ok) {
        hd_pool_free(c, p);
        return NULL;
    }
    return p;
}

void hd_pool_free(hd_context *c, hd_pool *p)
{
    if (!p) {
        return;
    }
    pthread_mutex_lock(&p->mutex);
    p->quit = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->mutex);
    for (int i = 1; i < p->threads; i++) {
        pthread_join(p->helpers[i].thread, NULL);
    }
    for (int i = 0; i < MAX_THREADS; i++) {
        hd_release(c, p->scratch[i]);
    }
    pthread_cond_destroy(&p->finished);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->mutex);
    hd_release(c, p->shared);
    hd_release(c, p);
}

int hd_pool_threads(const hd_pool *p)
{
    return p->threads;
}

void *hd_pool_scratch(hd_pool *p, int thread)
{
    return p->scratch[thread];
}

void *hd_pool_shared(hd_pool *p)
{
    return p->shared;
}

static int self(const hd_pool *p)
{
    int i = p->threads - 1;
    while (i > 0 && !pthread_equal(p->helpers[i].thread, pthread_self())) {
        i--;
    }
    return i;
}

void hd_pool_run(hd_pool *p, int tasks, hd_task *fn, void *arg)
{
    if (tasks <= 1 || p->threads == 1 || p->running) { /* running: a task of a job starts another job */
        int thread = p->running ? self(p) : 0;
        for (int i = 0; i < tasks; i++) {
            if (thread == 0) {
                SHOW_LIFE(p);
            }
            fn(arg, i, thread);
        }
        return;
    }
    p->running = true;
    p->fn = fn;
    p->arg = arg;
    p->tasks = tasks;
    atomic_store(&p->done, 0);
    uint64_t job = (atomic_load(&p->ticket) >> 32) + 1;
    atomic_store(&p->ticket, job << 32 | (uint32_t)tasks);
    if (atomic_load(&p->sleepers)) {
        pthread_mutex_lock(&p->mutex);
        pthread_cond_broadcast(&p->work);
        pthread_mutex_unlock(&p->mutex);
    }
    work(p, 0);
    for (int i = 0; i < SPIN && atomic_load(&p->done) < tasks; i++) {
        RELAX();
    }
    if (atomic_load(&p->done) < tasks) {
        pthread_mutex_lock(&p->mutex);
        atomic_store(&p->waiting, 1); /* before looking again, as the last helper adds to done, then looks */
        while (atomic_load(&p->done) < tasks) {
            check_helpers(p);
            pthread_cond_wait(&p->finished, &p->mutex);
        }
        atomic_store(&p->waiting, 0);
        pthread_mutex_unlock(&p->mutex);
    }
    p->running = false;
}

#endif
