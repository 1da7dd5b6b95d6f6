/* Prints bindings/tables.js: the option tables of all classes, as data and as types for editors and tsc. */
#include "model/registry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 128 };

typedef struct entry {
    const char *name, *doc;
    const hd_option *options;
    const hd_layer_class *layer; /* NULL for other kinds */
    int n_weights;
    char weights[HD_MAX_WEIGHTS][64]; /* names, of layers */
} entry;

/* All classes of one kind: name "layer" in the tables, "Layer" in the names of types. */
typedef struct kind {
    const char *name, *type;
    const char *extras; /* type of what their factories take beside the options; NULL: nothing */
    const char *result; /* of the factories, where it is no spec */
    entry entry[MAX_CLASSES];
    int n;
} kind;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "schema: %s: %s\n", what, why);
    exit(1);
}

static void add(kind *k, entry e)
{
    if (k->n == MAX_CLASSES) {
        fail(k->name, "too many classes");
    }
    k->entry[k->n++] = e;
}

/* --- text --------------------------------------------------------------------------------------------- */

static void print_number(double v)
{
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) {
            break;
        }
    }
    printf("%s", text);
}

/* A doc line inside a JS comment. */
static void print_doc(const char *name, const char *doc)
{
    if (!doc || !*doc || strstr(doc, "*/") || strchr(doc, '\n')) {
        fail(name, "needs a doc of one line without */");
    }
    printf("%s", doc);
}

static void print_pascal(const char *name)
{
    printf("%c%s", name[0] >= 'a' && name[0] <= 'z' ? name[0] - 'a' + 'A' : name[0], name + 1);
}

static void print_range(const hd_option *o)
{
    if (o->type == HD_NUMBER || o->type == HD_NUMBERS) {
        printf("%s%s ", o->type == HD_NUMBERS ? "numbers " : "", o->open_min ? ">" : ">=");
        print_number(o->min);
        printf(" and %s ", o->open_max ? "<" : "<=");
        print_number(o->max);
    } else {
        printf("%s", o->type == HD_INTS ? "integers " : "an integer ");
        print_number(o->min);
        printf("..");
        print_number(o->max);
    }
}

static void print_default(const hd_option *o)
{
    switch (o->type) {
    case HD_BOOL:
        printf("%s", o->def != 0 ? "true" : "false");
        break;
    case HD_ENUM:
        printf("'%s'", o->names[(int)o->def]);
        break;
    case HD_INTS:
    case HD_NUMBERS:
        printf("[]");
        break;
    default:
        print_number(o->def);
    }
}

/* --- weights ------------------------------------------------------------------------------------------ */

/* Adds a layer to a model on inputs as the example has them. */
static void build_example(hd_context *c, hd_model *m, const hd_layer_class *class, const hd_example *e)
{
    int inputs[3];
    for (int i = 0; i < e->n_in; i++) {
        char name[8];
        snprintf(name, sizeof name, "x%d", i);
        inputs[i] = hd_input(m, name, e->in[i].dim, e->in[i].rank);
    }
    if (hd_layer(m, class->name, "layer", inputs, e->n_in, e->options, e->n_options) < 0) {
        fail(class->name, hd_error(c));
    }
}

/* Reads the names of the weights, as the layer's first example declares them. */
static void find_weights(entry *e)
{
    hd_context *c = hd_context_new(1);
    hd_model *m = c ? hd_model_new(c) : NULL;
    if (!m) {
        fail(e->name, "no memory");
    }
    build_example(c, m, e->layer, &e->layer->examples[0]);
    e->n_weights = hd_weight_count(m);
    for (int i = 0; i < e->n_weights; i++) {
        snprintf(e->weights[i], sizeof e->weights[i], "%s", strchr(hd_weight_name(m, i), '/') + 1);
    }
    hd_model_free(m);
    hd_context_free(c);
}

/* --- tables ------------------------------------------------------------------------------------------- */

static const char *const type_names[] = { "int", "number", "bool", "enum", "ints", "numbers" };

static void print_option(const hd_option *o)
{
    printf("      %s: { type: '%s', ", o->name, type_names[o->type]);
    if (o->type == HD_ENUM) {
        printf("names: [");
        for (int i = 0; o->names[i]; i++) {
            printf("%s'%s'", i ? ", " : "", o->names[i]);
        }
        printf("], ");
    } else if (o->type != HD_BOOL) {
        printf("%s: ", o->open_min ? "above" : "min");
        print_number(o->min);
        printf(", %s: ", o->open_max ? "below" : "max");
        print_number(o->max);
        printf(", ");
    }
    if (o->group) {
        printf("group: %d, ", o->group);
    }
    if (o->required) {
        printf("required: true");
    } else {
        printf("default: ");
        print_default(o);
    }
    printf(" },\n");
}

static void print_table(const kind *k)
{
    printf("  %s: {\n", k->name);
    for (int i = 0; i < k->n; i++) {
        const entry *e = &k->entry[i];
        printf("    %s: { ", e->name);
        if (e->layer) {
            printf("inputs: [%d, %d], weights: [", e->layer->min_inputs, e->layer->max_inputs);
            for (int w = 0; w < e->n_weights; w++) {
                printf("%s'%s'", w ? ", " : "", e->weights[w]);
            }
            printf("], ");
        }
        printf("options: {");
        const hd_option *o = e->options;
        for (printf("%s", o && o->name ? "\n" : ""); o && o->name; o++) {
            print_option(o);
        }
        printf("%s} },\n", e->options && e->options->name ? "    " : "");
    }
    printf("  },\n");
}

/* --- types -------------------------------------------------------------------------------------------- */

static void print_property(const kind *k, const entry *e, const hd_option *o)
{
    static const char *const types[] = { "number", "number", "boolean", "", "number | readonly number[]", "number | readonly number[]" };
    printf(" * @property {");
    for (int i = 0; o->type == HD_ENUM && o->names[i]; i++) {
        printf("%s'%s'", i ? " | " : "", o->names[i]);
    }
    /* A schedule carries its own base rate: see options.js. */
    bool rate = strcmp(k->name, "optimizer") == 0 && o == e->options;
    const char *type = o->group ? "readonly number[] | readonly (readonly number[])[]" : types[o->type];
    printf("%s%s} ", type, rate ? " | ScheduleSpec" : "");
    if (o->required) {
        printf("%s ", o->name);
    } else {
        printf("[%s=", o->name);
        print_default(o);
        printf("] ");
    }
    print_doc(o->name, o->doc);
    if (o->type != HD_ENUM && o->type != HD_BOOL) {
        printf("; ");
        print_range(o);
    }
    printf("\n");
}

static void print_options_type(const kind *k, const entry *e)
{
    if (!e->options || !e->options->name) {
        return;
    }
    printf("/**\n * @typedef {object} ");
    print_pascal(e->name);
    printf("%s\n", k->type);
    for (const hd_option *o = e->options; o->name; o++) {
        print_property(k, e, o);
    }
    printf(" */\n");
}

static bool has_required(const hd_option *o)
{
    while (o && o->name && !o->required) {
        o++;
    }
    return o && o->name;
}

/* What a factory takes: "options?: L2Regularizer". */
static void print_parameter(const kind *k, const entry *e)
{
    bool any = e->options && e->options->name;
    if (!any && !k->extras) {
        return;
    }
    printf("options%s: ", has_required(e->options) ? "" : "?");
    if (any) {
        print_pascal(e->name);
        printf("%s", k->type);
    }
    if (k->extras) {
        printf("%s%s%s", any ? " & " : "", k->extras, e->n_weights ? " & WeightExtras" : "");
    }
}

/* The factories of a kind: one property each, so that an editor shows its doc and its options. */
static void print_factories_type(const kind *k)
{
    printf("/**\n * @typedef {object} %sFactories\n", k->type);
    for (int i = 0; i < k->n; i++) {
        const entry *e = &k->entry[i];
        printf(" * @property {(");
        print_parameter(k, e);
        printf(") => %s%s} %s ", k->result ? k->result : k->type, k->result ? "" : "Spec", e->name);
        print_doc(e->name, e->doc);
        printf("\n");
    }
    printf(" */\n");
}

/* --- all ---------------------------------------------------------------------------------------------- */

#define COLLECT(k, id)                                                                                                 \
    for (int i = 0; hd_##id##_classes[i]; i++) {                                                                       \
        const hd_##id##_class *class = hd_##id##_classes[i];                                                           \
        add(k, (entry){ .name = class->name, .doc = class->doc, .options = class->options });                          \
    }

static void collect(kind *kinds)
{
    for (int i = 0; hd_layer_classes[i]; i++) {
        const hd_layer_class *l = hd_layer_classes[i];
        add(&kinds[0], (entry){ .name = l->name, .doc = l->doc, .options = l->options, .layer = l });
        find_weights(&kinds[0].entry[i]);
    }
    COLLECT(&kinds[1], loss)
    COLLECT(&kinds[2], metric)
    COLLECT(&kinds[3], optimizer)
    COLLECT(&kinds[4], schedule)
    COLLECT(&kinds[5], initializer)
    COLLECT(&kinds[6], regularizer)
    COLLECT(&kinds[7], constraint)
    COLLECT(&kinds[8], activity)
    COLLECT(&kinds[9], recipe)
}

int main(void)
{
    static kind kinds[] = {
        { .name = "layer", .type = "Layer", .extras = "LayerExtras" }, { .name = "loss", .type = "Loss" },
        { .name = "metric", .type = "Metric" }, { .name = "optimizer", .type = "Optimizer" },
        { .name = "schedule", .type = "Schedule", .extras = "ScheduleExtras" }, { .name = "initializer", .type = "Initializer" },
        { .name = "regularizer", .type = "Regularizer" }, { .name = "constraint", .type = "Constraint" },
        { .name = "activity", .type = "Activity" },
        { .name = "recipe", .type = "Recipe", .extras = "RecipeExtras", .result = "Promise<Model>" },
    };
    const int n = sizeof kinds / sizeof *kinds;
    collect(kinds);
    printf("// Written by tools/schema.c from the option tables in src/ (npm run build): do not edit.\n\n"
           "/** @import { Tables, LayerExtras, WeightExtras, ScheduleExtras } from './options.js' */\n"
           "/** @import { RecipeExtras } from './recipe_description.js' */\n/** @import { Model } from './model.js' */\n/** @import { ");
    for (int k = 0; k < n; k++) {
        printf("%s%s", k ? ", " : "", kinds[k].result ? "" : kinds[k].type);
        printf("%s", kinds[k].result ? "" : "Spec");
    }
    printf(" } from './options.js' */\n\n");
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < kinds[k].n; i++) {
            print_options_type(&kinds[k], &kinds[k].entry[i]);
        }
        print_factories_type(&kinds[k]);
    }
    printf("\n/** Options of every class, in the order of its C table. @type {Tables} */\nexport const tables = {\n");
    for (int k = 0; k < n; k++) {
        print_table(&kinds[k]);
    }
    printf("};\n");
    return fflush(stdout) || ferror(stdout);
}
