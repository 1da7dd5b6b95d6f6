/* Shape of one sample: the batch dimension is never part of it. */
#ifndef HD_BASE_SHAPE_H
#define HD_BASE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#define HD_MAX_RANK 6
/* Elements of a tensor, batch included: 4 GiB of float32. Kernels count in int and round up to their blocks. */
enum { HD_MOST_ELEMENTS = (1 << 30) - 1 };

typedef struct hd_shape {
    int rank; /* 0..HD_MAX_RANK; rank 0 is a scalar */
    int dim[HD_MAX_RANK];
} hd_shape;

#define HD_SHAPE(...)                                                                              \
    ((hd_shape){ (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)), { __VA_ARGS__ } })

/* Number of elements; 0 if they are more than HD_MOST_ELEMENTS. */
size_t hd_shape_size(const hd_shape *s);
bool hd_shape_equal(const hd_shape *a, const hd_shape *b);
/* Length of the last dimension; 1 for a scalar. */
int hd_shape_last(const hd_shape *s);
/* Writes "[28, 28]" into text. */
void hd_shape_text(const hd_shape *s, char *text, size_t size);

#endif
