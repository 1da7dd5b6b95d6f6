#include "kern/activation.h"

#include "kern/math.h"
#include "kern/vmath.h"

const char *const hd_activation_names[] = { "linear", "sigmoid",  "tanh",  "relu",    "leakyRelu",
                                            "elu",    "softplus", "relu6", "softmax", NULL };

/* Elements in a task: these functions cost about a nanosecond each. Elements that a step of them is done on. */
enum { BLOCK = 4096, STEP = 128 };

typedef struct job {
    hd_activation act;
    real alpha;
    const real *x, *bias, *dy;
    real *y;
    size_t group_rows, rows, row, task_rows; /* rows in a group, in all, in a task; elements in a row */
    bool accumulate;
} job;

real hd_activation_alpha(hd_activation act)
{
    return act == HD_LEAKY_RELU ? (real)0.3 : act == HD_ELU ? 1 : 0;
}

/* Tasks of whole rows: results don't depend on how a row is cut. */
static void run(hd_pool *p, job *j, hd_task *fn)
{
    if (!j->rows || !j->row) {
        return;
    }
    j->task_rows = j->row >= BLOCK ? 1 : BLOCK / j->row;
    hd_pool_run(p, (int)((j->rows + j->task_rows - 1) / j->task_rows), fn, j);
}

static size_t last_row(const job *j, size_t first)
{
    return j->rows - first < j->task_rows ? j->rows : first + j->task_rows;
}

/* --- forward -------------------------------------------------------------------------------------------- */

HD_INLINE vec linear(vec x, vec alpha)
{
    (void)alpha;
    return x;
}

HD_INLINE vec sigmoid(vec x, vec alpha)
{
    (void)alpha;
    return vsigmoid(x);
}

HD_INLINE vec hyperbolic(vec x, vec alpha)
{
    (void)alpha;
    return vtanh(x);
}

HD_INLINE vec relu(vec x, vec alpha) /* NaN stays */
{
    (void)alpha;
    return vmax(x, vzero());
}

HD_INLINE vec leaky_relu(vec x, vec alpha)
{
    return vselect(vgt(x, vzero()), x, vmul(alpha, x));
}

HD_INLINE vec elu(vec x, vec alpha)
{
    return vselect(vgt(x, vzero()), x, vmul(alpha, vexpm1_negative(x)));
}

HD_INLINE vec softplus(vec x, vec alpha)
{
    (void)alpha;
    return vsoftplus(x);
}

HD_INLINE vec relu6(vec x, vec alpha) /* NaN stays */
{
    (void)alpha;
    return vmin(vmax(x, vzero()), vset(6));
}

/* y = f(x + bias), the bias repeated every `row` elements: either row = n, or whole vectors. */
HD_INLINE void map(size_t n, size_t row, real alpha, const real *x, const real *bias, real *y, vec (*f)(vec, vec))
{
    vec a = vset(alpha);
    size_t i = 0;
    for (size_t j = 0; bias && i + HD_VL <= n; i += HD_VL) {
        vstore(y + i, f(vadd(vload(x + i), vload(bias + j)), a));
        j = j + HD_VL < row ? j + HD_VL : 0;
    }
    for (; i + HD_VL <= n; i += HD_VL) {
        vstore(y + i, f(vload(x + i), a));
    }
    if (i < n) {
        vec v = vload_part(x + i, n - i);
        vstore_part(y + i, f(bias ? vadd(v, vload_part(bias + i, n - i)) : v, a), n - i);
    }
}

#ifdef HD_FLOAT64

static size_t in_steps(hd_activation act, size_t n, const real *x, real *y)
{
    (void)act, (void)n, (void)x, (void)y;
    return 0;
}

#else

/* Functions of an exponential in three steps, each done on STEP elements before the next: one chain of a vector's operations takes so long that
 * processors, which look a hundred or so operations ahead, find too few chains to be busy with. Of shorter chains they find enough. */
HD_INLINE void steps(const real *x, real *y, exp_parts (*split)(vec), vec (*join)(exp_parts), vec (*last)(vec, vec))
{
    enum { AT_ONCE = 4, STRIDE = AT_ONCE * HD_VL }; /* vectors share the loads of constants */
    real r[STEP], power[STEP];
    for (size_t i = 0; i < STEP; i += STRIDE) {
        for (size_t k = i; k < i + STRIDE; k += HD_VL) {
            const exp_parts s = split(vload(x + k));
            vstore(r + k, s.r);
            vstore(power + k, s.power);
        }
    }
    for (size_t i = 0; i < STEP; i += STRIDE) {
        vec z[AT_ONCE];
        for (size_t k = 0; k < AT_ONCE; k++) {
            z[k] = join((exp_parts){ .r = vload(r + i + k * HD_VL), .power = vload(power + i + k * HD_VL) });
        }
        for (size_t k = 0; k < AT_ONCE; k++) {
            vstore(r + i + k * HD_VL, z[k]);
        }
    }
    for (size_t i = 0; i < STEP; i += HD_VL) {
        vstore(y + i, last(vload(x + i), vload(r + i)));
    }
}

/* The elements of whole STEPs; returns how many. */
static size_t in_steps(hd_activation act, size_t n, const real *x, real *y)
{
    size_t i = 0;
    for (; act == HD_SIGMOID && i + STEP <= n; i += STEP) {
        steps(x + i, y + i, vsigmoid_split, vexp_negative_join, vsigmoid_last);
    }
    for (; act == HD_SOFTPLUS && i + STEP <= n; i += STEP) {
        steps(x + i, y + i, vsigmoid_split, vexp_negative_join, vsoftplus_last);
    }
    for (; act == HD_TANH && i + STEP <= n; i += STEP) {
        steps(x + i, y + i, vtanh_split, vexpm1_negative_join, vtanh_last);
    }
    return i;
}

#endif

static void forward(hd_activation act, real alpha, size_t n, size_t row, const real *x, const real *bias, real *y)
{
    if (n >= STEP && (act == HD_SIGMOID || act == HD_TANH || act == HD_SOFTPLUS)) {
        if (bias) {
            map(n, row, alpha, x, bias, y, linear);
            x = y;
            bias = NULL;
        }
        const size_t done = in_steps(act, n, x, y);
        n -= done;
        x += done;
        y += done;
    }
    switch (act) {
    case HD_SIGMOID: map(n, row, alpha, x, bias, y, sigmoid); break;
    case HD_TANH: map(n, row, alpha, x, bias, y, hyperbolic); break;
    case HD_RELU: map(n, row, alpha, x, bias, y, relu); break;
    case HD_LEAKY_RELU: map(n, row, alpha, x, bias, y, leaky_relu); break;
    case HD_ELU: map(n, row, alpha, x, bias, y, elu); break;
    case HD_SOFTPLUS: map(n, row, alpha, x, bias, y, softplus); break;
    case HD_RELU6: map(n, row, alpha, x, bias, y, relu6); break;
    case HD_LINEAR:
    case HD_SOFTMAX: map(n, row, alpha, x, bias, y, linear); break;
    }
}

static void forward_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const size_t first = (size_t)task * j->task_rows, last = last_row(j, first), row = j->row;
    for (size_t r = first, count; r < last; r += count) {
        const size_t group = r / j->group_rows, left = (group + 1) * j->group_rows - r;
        count = row % HD_VL ? 1 : left < last - r ? left : last - r;
        const real *bias = j->bias ? j->bias + group * row : NULL;
        forward(j->act, j->alpha, count * row, row, j->x + r * row, bias, j->y + r * row);
    }
    for (size_t r = first; r < last && j->act == HD_SOFTMAX; r++) {
        hd_softmax(row, j->y + r * row, j->y + r * row);
    }
}

/* What works element by element needs no rows: blocks of any elements. */
static void flat_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    size_t first = (size_t)task * BLOCK, n = j->rows - first < BLOCK ? j->rows - first : BLOCK;
    forward(j->act, j->alpha, n, n, j->x + first, j->bias ? j->bias + first : NULL, j->y + first);
}

void hd_activate_here(hd_activation act, real alpha, size_t n, const real *x, real *y)
{
    forward(act, alpha, n, n, x, NULL, y);
}

/* A bias here is a second summand: one for each row. */
void hd_add_activate(hd_pool *p, hd_activation act, real alpha, const real *a, const real *b, real *y, size_t rows,
                     size_t row)
{
    job j = { .act = act, .alpha = alpha, .x = a, .bias = b, .y = y, .group_rows = 1, .rows = rows, .row = row };
    if (act == HD_SOFTMAX) {
        run(p, &j, forward_task);
    } else {
        j.rows = rows * row;
        j.row = 1;
        run(p, &j, flat_task);
    }
}

void hd_activate(hd_pool *p, hd_activation act, real alpha, const real *x, real *y, size_t rows, size_t row)
{
    hd_add_activate(p, act, alpha, x, NULL, y, rows, row);
}

void hd_bias_activate(hd_pool *p, hd_activation act, real alpha, real *y, const real *bias, size_t groups,
                      size_t rows, size_t row)
{
    if (!bias) {
        hd_activate(p, act, alpha, y, y, groups * rows, row);
        return;
    }
    job j = { .act = act, .alpha = alpha, .x = y, .bias = bias, .y = y, .group_rows = rows, .rows = groups * rows,
              .row = row };
    run(p, &j, forward_task);
}

/* --- backward: dx = dy f'(x), f' from y ------------------------------------------------------------------- */

HD_INLINE vec d_linear(vec y, vec alpha)
{
    (void)y;
    (void)alpha;
    return vset(1);
}

HD_INLINE vec d_sigmoid(vec y, vec alpha)
{
    (void)alpha;
    return vmul(y, vsub(vset(1), y));
}

HD_INLINE vec d_hyperbolic(vec y, vec alpha)
{
    (void)alpha;
    return vsub(vset(1), vmul(y, y));
}

HD_INLINE vec d_relu(vec y, vec alpha)
{
    (void)alpha;
    return vand(vgt(y, vzero()), vset(1));
}

HD_INLINE vec d_leaky_relu(vec y, vec alpha)
{
    return vselect(vgt(y, vzero()), vset(1), alpha);
}

HD_INLINE vec d_elu(vec y, vec alpha)
{
    return vselect(vgt(y, vzero()), vset(1), vadd(y, alpha));
}

HD_INLINE vec d_softplus(vec y, vec alpha) /* sigmoid(x) = 1 - exp(-y) */
{
    (void)alpha;
    return vneg(vexpm1_negative(vneg(y)));
}

HD_INLINE vec d_relu6(vec y, vec alpha)
{
    (void)alpha;
    return vand(vand(vgt(y, vzero()), vlt(y, vset(6))), vset(1));
}

HD_INLINE void map_back(size_t n, real alpha, const real *y, const real *dy, real *dx, bool accumulate,
                        vec (*f)(vec, vec))
{
    vec a = vset(alpha);
    size_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) {
        vec d = vmul(vload(dy + i), f(vload(y + i), a));
        vstore(dx + i, accumulate ? vadd(vload(dx + i), d) : d);
    }
    if (i < n) {
        vec d = vmul(vload_part(dy + i, n - i), f(vload_part(y + i, n - i), a));
        vstore_part(dx + i, accumulate ? vadd(vload_part(dx + i, n - i), d) : d, n - i);
    }
}

static void backward(hd_activation act, real alpha, size_t n, const real *y, const real *dy, real *dx, bool accumulate)
{
    switch (act) {
    case HD_SIGMOID: map_back(n, alpha, y, dy, dx, accumulate, d_sigmoid); break;
    case HD_TANH: map_back(n, alpha, y, dy, dx, accumulate, d_hyperbolic); break;
    case HD_RELU: map_back(n, alpha, y, dy, dx, accumulate, d_relu); break;
    case HD_LEAKY_RELU: map_back(n, alpha, y, dy, dx, accumulate, d_leaky_relu); break;
    case HD_ELU: map_back(n, alpha, y, dy, dx, accumulate, d_elu); break;
    case HD_SOFTPLUS: map_back(n, alpha, y, dy, dx, accumulate, d_softplus); break;
    case HD_RELU6: map_back(n, alpha, y, dy, dx, accumulate, d_relu6); break;
    case HD_LINEAR:
    case HD_SOFTMAX: map_back(n, alpha, y, dy, dx, accumulate, d_linear); break;
    }
}

static void flat_back_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    size_t first = (size_t)task * BLOCK, n = j->rows - first < BLOCK ? j->rows - first : BLOCK;
    backward(j->act, j->alpha, n, j->x + first, j->dy + first, j->y + first, j->accumulate);
}

static void softmax_back_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    size_t first = (size_t)task * j->task_rows, last = last_row(j, first);
    for (size_t r = first; r < last; r++) {
        const real *y = j->x + r * j->row, *dy = j->dy + r * j->row;
        real *dx = j->y + r * j->row;
        double dot = 0;
        for (size_t i = 0; i < j->row; i++) {
            dot += (double)y[i] * dy[i];
        }
        for (size_t i = 0; i < j->row; i++) {
            real d = y[i] * (dy[i] - (real)dot);
            dx[i] = j->accumulate ? dx[i] + d : d;
        }
    }
}

void hd_activate_back(hd_pool *p, hd_activation act, real alpha, const real *y, const real *dy, real *dx,
                      size_t rows, size_t row, bool accumulate)
{
    job j = { .act = act, .alpha = alpha, .x = y, .dy = dy, .y = dx, .rows = rows, .row = row,
              .accumulate = accumulate };
    if (act == HD_SOFTMAX) {
        run(p, &j, softmax_back_task);
    } else {
        j.rows = rows * row;
        j.row = 1;
        run(p, &j, flat_back_task);
    }
}
