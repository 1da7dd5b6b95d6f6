/* Numbers for the four sides of an image, as lists of one (all), two (rows, columns) or four (top, bottom, left, right). */
#ifndef HD_LAYER_SIDES_H
#define HD_LAYER_SIDES_H

#include "layer/layer.h"

typedef struct hd_sides {
    int top, bottom, left, right;
} hd_sides;

/* Reads the list option at `option`, called `name`; refuses another length and an input that is no image [H, W, C]. */
hd_status hd_sides_read(hd_build *b, int option, const char *name, hd_sides *out);

#endif
