/* The memory plan: blocks that live at the same time do not overlap, and sharing memory by lifetimes changes no bit, for random
 * graphs of every kind of branch; their gradients against central differences (float64). */
#include "model/plan.h"

#include "model_kit.h"

enum { MAX_NODES = 18, MAX_SIZE = 64, CAPACITY = KIT_ROWS };

static hd_context *c;
static uint32_t random_state;

static int below(int n)
{
    random_state = random_state * 1664525u + 1013904223u; /* Numerical Recipes */
    return (int)((random_state >> 8) % (uint32_t)n);
}

/* --- the arena --- */

static void check_blocks(const hd_block *b, int n, uint64_t total)
{
    uint64_t end = 0, most = 0;
    for (int i = 0; i < n; i++) {
        uint64_t alive = 0;
        end = b[i].at + b[i].size > end ? b[i].at + b[i].size : end;
        for (int k = 0; k < n; k++) {
            bool together = b[i].first <= b[k].last && b[k].first <= b[i].last;
            bool overlap = b[i].at < b[k].at + b[k].size && b[k].at < b[i].at + b[i].size;
            CHECK(i == k || !together || !overlap || !b[i].size || !b[k].size);
            alive += b[k].first <= b[i].first && b[i].first <= b[k].last ? b[k].size : 0;
        }
        most = alive > most ? alive : most;
    }
    CHECK(end == total && total >= most); /* no plan can do with less than what is alive at one time */
    CHECK(total <= 2 * most);             /* nor should a good one need far more */
}

static void test_arena(void)
{
    enum { MOST = 60 };
    hd_block b[MOST];
    int order[MOST];
    CHECK(hd_arena_place(b, 0, order) == 0);
    for (int round = 0; round < 300; round++) {
        int n = 1 + below(MOST);
        for (int i = 0; i < n; i++) {
            int first = below(40) - 1;
            b[i] = (hd_block){ below(8) ? 1 + (uint64_t)below(1000) : 0, 7, first, first + below(20) };
        }
        check_blocks(b, n, hd_arena_place(b, n, order));
    }
}

/* --- random graphs --- */

typedef struct graph {
    hd_model *m;
    int n;
} graph;

static int rank_of(const graph *g, int node, int *dims)
{
    return hd_node_shape(g->m, node, dims);
}

static const char *next_name(const graph *g)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r" };
    return names[g->n];
}

/* Number of the new node, or of the last one if it was refused. */
static int add(graph *g, const char *kind, const int *inputs, int n_inputs, const double *options, int n)
{
    int node = hd_layer(g->m, kind, next_name(g), inputs, n_inputs, options, n);
    if (node >= 0) {
        g->n = node + 1;
        if (!strcmp(kind, "bilinear") && options[2] == HD_SIGMOID && !below(3)) {
            CHECK(hd_activity_set(g->m, hd_node_name(g->m, node), "klSparsity", (double[]){ 0.3, 0.1 }, 2) == HD_OK);
        }
    } else {
        CHECK(hd_error_status(c) != HD_ERR_MEMORY);
    }
    return g->n - 1;
}

/* A layer on random nodes; what does not fit is refused by the model, and left out. */
static void add_random(graph *g)
{
    int x[2] = { below(g->n), below(g->n) }, dims[6], rank = rank_of(g, x[0], dims);
    double act = 1 + below(2); /* smooth: sigmoid or tanh */
    switch (below(9)) {
    case 0:
    case 1:
        if (rank == 2) {
            add(g, "bilinear", x, 1, (double[]){ 1 + below(4), 1 + below(4), act, 0, 1, below(3) }, 6);
        }
        break;
    case 2:
        add(g, "dense", x, 1, (double[]){ 1 + below(4), act }, 2);
        break;
    case 3:
        add(g, "flatten", x, 1, NULL, 0);
        break;
    case 4:
        add(g, "activation", x, 1, &act, 1);
        break;
    case 5:
        add(g, "add", x, 2, NULL, 0);
        break;
    case 6:
        add(g, "concat", x, 2, (double[]){ -1 }, 1);
        break;
    case 7:
        add(g, below(2) ? "transpose" : "dropout", x, 1, (double[]){ 0.3 }, 0);
        break;
    default:
        if (rank == 2) {
            add(g, below(2) ? "bilinearSoftmax" : "transpose", x, 1, (double[]){ 3 }, 1);
        }
    }
}

/* Every end of the graph is an output, and some nodes that others read; the first has two losses, some have none. */
static void close_graph(graph *g)
{
    hd_model *m = g->m;
    int outputs = hd_output_count(m);
    for (int i = hd_input_count(m); i < g->n; i++) {
        if (outputs < HD_MAX_OUTPUTS && m->node[i]->output < 0 && (!m->node[i]->consumers || !below(4))) {
            CHECK(hd_output(m, i) == HD_OK);
            outputs++;
        }
    }
    CHECK(hd_model_build(m, 1) == HD_OK);
    kit_fill_weights(m, 5);
    for (int i = 0; i < outputs; i++) { /* some have no loss, and then no target */
        CHECK(i % 4 == 3 || hd_loss_add(m, i, "meanSquaredError", 1 + i, NULL, 0) == HD_OK);
    }
    CHECK(hd_loss_add(m, 0, "huber", 2, NULL, 0) == HD_OK);
}

static graph random_graph(uint32_t seed)
{
    random_state = seed;
    graph g = { hd_model_new(c), 0 };
    int a = 1 + below(4), b = 1 + below(4), matrices = below(3);
    hd_input(g.m, "x", (int[]){ a, b }, 2);
    hd_input(g.m, "y", matrices ? (int[]){ a, b } : (int[]){ 3 }, matrices ? 2 : 1);
    g.n = 2;
    int wanted = 3 + below(MAX_NODES - 5);
    for (int tries = 0; tries < 100 && g.n < wanted; tries++) {
        int dims[6];
        add_random(&g);
        CHECK(rank_of(&g, g.n - 1, dims) >= 0 && kit_node_size(g.m, g.n - 1) <= 1 << 12);
    }
    if (g.n == 2) {
        add(&g, "dense", (int[]){ 0 }, 1, (double[]){ 2 }, 1);
    }
    close_graph(&g);
    return g;
}

/* --- running a plan by hand --- */

static double run_plan(hd_plan *p, const hd_data *d)
{
    hd_score score;
    hd_pass pass = { .n = CAPACITY, .training = true, .seed = 3, .samples = CAPACITY, .activity = HD_ACTIVITY_BATCH };
    CHECK(hd_score_new(p->m, &score) == HD_OK);
    for (size_t i = 0; i < p->arena_size; i++) {
        p->arena[i] = NAN; /* whatever is read must have been written */
    }
    hd_plan_load(p, d, NULL, 0, CAPACITY);
    double loss = hd_plan_forward(p, &pass);
    loss += hd_plan_losses(p, &pass, d, &score);
    hd_plan_backward(p, &pass);
    hd_score_free(c, &score);
    return loss;
}

static size_t take(size_t *at, size_t size)
{
    size_t here = *at;
    *at += (size + 15) / 16 * 16;
    return here;
}

/* Gives everything a place of its own. */
static void spread_out(hd_plan *p)
{
    size_t at = 0, scratch = 0;
    for (int i = 0; i < p->n_tensors; i++) {
        p->tensor[i].at = take(&at, p->tensor[i].size * CAPACITY);
        p->tensor[i].d_at = take(&at, p->tensor[i].size * CAPACITY);
    }
    for (int i = 0; i < p->n_ops; i++) {
        const hd_node *node = p->op[i].node < 0 ? NULL : p->m->node[p->op[i].node];
        p->op[i].saved_at = take(&at, node ? node->saved * CAPACITY + node->saved_fixed : 0);
        scratch += node ? node->scratch * CAPACITY + node->scratch_fixed : 0;
    }
    for (int i = 0; i < p->m->n_outputs; i++) {
        p->target_at[i] = take(&at, kit_node_size(p->m, p->m->output[i]) * CAPACITY);
    }
    p->weight_at = take(&at, CAPACITY);
    p->scratch_at = take(&at, scratch);
    hd_release(c, p->arena);
    p->arena_size = at;
    p->arena = hd_alloc(c, at * sizeof(real), "test");
}

static int changes, aliases, shared; /* seen in all graphs */

static void check_sharing(graph *g, const hd_data *d)
{
    hd_model *m = g->m;
    CHECK(hd_gradients_ready(m) == HD_OK);
    hd_plan *tight = hd_plan_new(m, HD_PLAN_TRAIN, NULL, 0, CAPACITY), *loose = hd_plan_new(m, HD_PLAN_TRAIN, NULL, 0, CAPACITY);
    real *kept = malloc(m->flat * sizeof *kept + 1);
    spread_out(loose);
    for (int i = 0; i < tight->n_ops; i++) {
        changes += tight->op[i].node < 0;
        aliases += tight->op[i].node >= 0 && (m->node[tight->op[i].node]->class->flags & HD_ALIAS);
    }
    shared += tight->arena_size < loose->arena_size * 3 / 4;
    double loss = run_plan(loose, d);
    memcpy(kept, m->g, m->flat * sizeof *kept);
    CHECK(run_plan(tight, d) == loss && isfinite(loss));
    CHECK(!memcmp(kept, m->g, m->flat * sizeof *kept));
    free(kept);
    hd_plan_free(tight);
    hd_plan_free(loose);
}

static double loss_at(hd_model *m, hd_data *d)
{
    double loss = NAN;
    CHECK(hd_weights_check(m) == HD_OK);
    CHECK(hd_gradients(m, d, 0, KIT_ROWS, 1, 3, &loss) == HD_OK);
    return loss;
}

static void check_gradient(const graph *g, hd_data *d, uint32_t seed)
{
    hd_model *m = g->m;
    loss_at(m, d);
    for (int w = 0; sizeof(hd_real) == 8 && w < hd_weight_count(m); w++) {
        size_t n = kit_weight_size(m, w);
        for (size_t i = (size_t)w % n; i < n; i += n / 2 + 1) {
            loss_at(m, d);
            double slope = hd_weight_gradient(m, w)[i], h = 1e-5;
            hd_real *x = &hd_weight_data(m, w)[i], keep = *x;
            *x = keep + (hd_real)h;
            double up = loss_at(m, d);
            *x = keep - (hd_real)h;
            double numeric = (up - loss_at(m, d)) / (2 * h);
            *x = keep;
            if (!(fabs(slope - numeric) <= 1e-6 * (1 + fabs(slope)))) {
                printf("graph %u: %s[%d]\n", (unsigned)seed, hd_weight_name(m, w), (int)i);
            }
            NEAR(slope, numeric, 1e-6 * (1 + fabs(slope)));
        }
    }
}

/* Any node alone, by the smallest plan, is what the whole computes: predictions against those of another batch size. */
static void check_nodes(const graph *g, hd_data *d)
{
    for (int node = 0; node < g->n; node++) {
        size_t n = kit_node_size(g->m, node) * KIT_ROWS;
        hd_real *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
        CHECK(hd_predict(g->m, d, node, 0, KIT_ROWS, KIT_ROWS, a) == HD_OK);
        CHECK(hd_predict(g->m, d, node, 0, KIT_ROWS, 1, b) == HD_OK);
        for (size_t i = 0; i < n; i++) {
            NEAR(a[i], b[i], 1e-5 * (1 + fabs((double)a[i])));
        }
        free(a);
        free(b);
    }
}

/* All nodes in one pass, the last first and the first twice, are bit for bit what each is alone. */
static void check_pass(const graph *g, hd_data *d)
{
    int nodes[MAX_NODES + 1], n_nodes = g->n + 1;
    size_t total = 0, at = 0;
    for (int i = 0; i < n_nodes; i++) {
        nodes[i] = i < g->n ? g->n - 1 - i : 0;
        total += kit_node_size(g->m, nodes[i]) * KIT_ROWS;
    }
    hd_real *all = malloc(total * sizeof *all), *alone = malloc(total * sizeof *alone);
    CHECK(hd_predict_nodes(g->m, d, nodes, n_nodes, 0, KIT_ROWS, 2, all) == HD_OK);
    for (int i = 0; i < n_nodes; i++) {
        CHECK(hd_predict(g->m, d, nodes[i], 0, KIT_ROWS, 2, alone + at) == HD_OK);
        at += kit_node_size(g->m, nodes[i]) * KIT_ROWS;
    }
    CHECK(!memcmp(all, alone, total * sizeof *all));
    free(all);
    free(alone);
}

static hd_data *graph_data(const graph *g)
{
    hd_data *d = kit_data(c, g->m, hd_loss_class_find("meanSquaredError"));
    if (!d) {
        printf("%s\n", hd_error(c));
        exit(1);
    }
    return d;
}

static void check_graph(graph *g, uint32_t seed)
{
    hd_data *d = graph_data(g);
    check_sharing(g, d);
    check_gradient(g, d, seed);
    check_nodes(g, d);
    check_pass(g, d);
    hd_data_free(d);
    hd_model_free(g->m);
}

/* --- branches that are easily got wrong --- */

static graph begin(int rows, int cols)
{
    graph g = { hd_model_new(c), 1 };
    CHECK(hd_input(g.m, "x", (int[]){ rows, cols }, 2) == 0);
    return g;
}

#define ADD(kind, input, ...)                                                                                          \
    add(&g, kind, (int[]){ input }, 1, (double[]){ __VA_ARGS__ }, (int)(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double)))
#define FLATTEN(input) add(&g, "flatten", (int[]){ input }, 1, NULL, 0)
#define JOIN(kind, a, b) add(&g, kind, (int[]){ a, b }, 2, NULL, 0)

/* A matrix read rows-first and batch-first, the matrix itself an output; flattened twice over. */
static void test_branches(void)
{
    graph g = begin(3, 4);
    int h = ADD("bilinear", 0, 4, 3, HD_TANH), dense = ADD("dense", h, 3, HD_TANH), second = ADD("bilinear", h, 4, 3, HD_SIGMOID);
    int sum = JOIN("add", dense, second), flat = FLATTEN(sum), again = FLATTEN(flat);
    ADD("dense", again, 2);
    CHECK(hd_output(g.m, h) == HD_OK && hd_output(g.m, flat) == HD_OK && hd_output(g.m, sum) == HD_OK);
    close_graph(&g);
    check_graph(&g, 1000001);

    g = begin(2, 5); /* the input too; the same node twice into one layer */
    h = ADD("bilinear", 0, 2, 5, HD_TANH);
    int twice = JOIN("add", h, h), mixed = JOIN("concat", 0, twice);
    ADD("dense", mixed, 2, HD_TANH);
    ADD("bilinear", mixed, 2, 2, HD_TANH);
    close_graph(&g);
    check_graph(&g, 1000002);

    g = begin(3, 3); /* a flatten of what a rows-first layer reads and writes, kept for its backward pass */
    h = ADD("bilinear", 0, 3, 3, HD_SIGMOID);
    flat = FLATTEN(h);
    second = ADD("bilinear", h, 3, 3, HD_SIGMOID);
    JOIN("add", flat, FLATTEN(second));
    ADD("activation", flat, HD_TANH);
    close_graph(&g);
    check_graph(&g, 1000003);
}

/* The softmax that a fused loss differentiates from before: alone, read by another layer, and under two losses. */
static void test_fused(void)
{
    for (int kind = 0; kind < 3; kind++) {
        graph g = begin(3, 4);
        int y = ADD("dense", FLATTEN(ADD("bilinear", 0, 3, 3, HD_TANH)), 4, HD_SOFTMAX);
        CHECK(hd_output(g.m, y) == HD_OK);
        if (kind == 1) {
            CHECK(hd_output(g.m, ADD("dense", y, 4)) == HD_OK);
        }
        CHECK(hd_model_build(g.m, 1) == HD_OK);
        kit_fill_weights(g.m, 6);
        CHECK(hd_loss_add(g.m, 0, "categoricalCrossentropy", 1, NULL, 0) == HD_OK);
        if (kind) {
            CHECK(hd_loss_add(g.m, kind == 1, "huber", 0.5, NULL, 0) == HD_OK);
        }
        hd_data *d = kit_data(c, g.m, hd_loss_class_find("categoricalCrossentropy"));
        check_sharing(&g, d);
        check_gradient(&g, d, 2000000 + (uint32_t)kind);
        hd_data_free(d);
        hd_model_free(g.m);
    }
}

int main(void)
{
    c = hd_context_new(1);
    double before = hd_context_memory(c, 0);
    test_arena();
    for (uint32_t seed = 1; seed <= 300; seed++) {
        graph g = random_graph(seed);
        check_graph(&g, seed);
    }
    test_branches();
    test_fused();
    printf("%d changes of layout, %d reinterpretations, %d plans save a quarter\n", changes, aliases, shared);
    CHECK(changes > 100 && aliases > 100 && shared > 100);
    CHECK(hd_context_memory(c, 0) == before);
    hd_context_free(c);
    return check_result("plan");
}
