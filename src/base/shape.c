#include "base/shape.h"

#include "base/format.h"

#include <stdint.h>

size_t hd_shape_size(const hd_shape *s)
{
    uint64_t n = 1;
    for (int i = 0; i < s->rank; i++) {
        n *= (uint64_t)s->dim[i];
        if (n > HD_MOST_ELEMENTS) {
            return 0;
        }
    }
    return (size_t)n;
}

bool hd_shape_equal(const hd_shape *a, const hd_shape *b)
{
    if (a->rank != b->rank) {
        return false;
    }
    for (int i = 0; i < a->rank; i++) {
        if (a->dim[i] != b->dim[i]) {
            return false;
        }
    }
    return true;
}

int hd_shape_last(const hd_shape *s)
{
    return s->rank ? s->dim[s->rank - 1] : 1;
}

void hd_shape_text(const hd_shape *s, char *text, size_t size)
{
    size_t used = hd_format(text, size, "[");
    for (int i = 0; i < s->rank && used < size; i++) {
        used += hd_format(text + used, size - used, i ? ", %d" : "%d", s->dim[i]);
    }
    if (used < size) {
        hd_format(text + used, size - used, "]");
    }
}
