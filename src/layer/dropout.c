/* Inverted dropout (Srivastava et al. 2014): in training each element is zero with probability `rate`, else multiplied
 * by 1 / (1 - rate); the identity otherwise. The mask is drawn again in backward, never stored. */
#include "kern/elementwise.h"
#include "layer/layer.h"

enum { RATE };

static const hd_option options[] = {
    { .name = "rate", .type = HD_NUMBER, .min = 0, .max = 1, .open_max = true, .required = true,
      .doc = "fraction of elements set to zero" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    b->out = b->in[0];
    return HD_OK;
}

typedef struct mask {
    hd_rng rng;
    double dropped; /* words below are dropped: rate * 2^32 */
    real scale;
    size_t size;
    const real *x;
    real *y;
    bool add;
} mask;

/* One block of HD_BLOCK elements; element e takes word e % 4 of counter e / 4. */
static void apply(void *arg, int task, int thread)
{
    (void)thread;
    const mask *m = arg;
    size_t begin = (size_t)task * HD_BLOCK, end = begin + HD_BLOCK < m->size ? begin + HD_BLOCK : m->size;
    for (size_t e = begin; e < end; e += 4) {
        uint32_t word[4];
        hd_rng_block(m->rng, e / 4, word);
        for (size_t k = 0; k < 4 && e + k < end; k++) {
            real value = word[k] < m->dropped ? 0 : m->scale * m->x[e + k];
            m->y[e + k] = m->add ? m->y[e + k] + value : value;
        }
    }
}

static void run(const hd_run *r, const real *x, real *y, bool add)
{
    double rate = r->opt->number[RATE];
    mask m = { .rng = r->rng, .dropped = rate * 4294967296.0, .scale = (real)(1 / (1 - rate)),
               .size = (size_t)r->n * hd_shape_size(&r->out), .x = x, .y = y, .add = add };
    hd_pool_run(r->pool, (int)((m.size + HD_BLOCK - 1) / HD_BLOCK), apply, &m);
}

static void forward(const hd_run *r)
{
    if (r->training) {
        run(r, r->x[0], r->y, false);
    } else {
        hd_copy(r->pool, (size_t)r->n * hd_shape_size(&r->out), r->x[0], r->y);
    }
}

static void backward(const hd_run *r)
{
    size_t size = (size_t)r->n * hd_shape_size(&r->out);
    if (r->dx[0] && r->training) {
        run(r, r->dy, r->dx[0], r->add[0]);
    } else if (r->dx[0] && r->add[0]) {
        hd_add(r->pool, size, r->dx[0], r->dy, r->dx[0]);
    } else if (r->dx[0]) {
        hd_copy(r->pool, size, r->dy, r->dx[0]);
    }
}

static const hd_example examples[] = {
    { 1, { { 1, { 9 } } }, 1, { 0.5 } },
    { 1, { { 2, { 3, 5 } } }, 1, { 0.25 } },
    { 0 },
};

const hd_layer_class hd_layer_dropout = {
    .name = "dropout",
    .doc = "sets a random fraction of the elements to zero in training and scales the rest; the identity otherwise",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ANY_LAYOUT,
    .out_layout = HD_ANY_LAYOUT,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
