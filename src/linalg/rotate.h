/* Givens rotations, kept until enough of them have come to be worth a pass over the matrix: then each strip of columns takes all of
 * them while it is in the cache (Van Zee, van de Geijn & Quintana-Orti 2014). Strips are tasks, so threads share them. */
#ifndef HD_LINALG_ROTATE_H
#define HD_LINALG_ROTATE_H

#include "linalg/linalg.h"

#include <math.h>

#ifdef HD_AS_FLOAT64
#define hd_rotations hd_rotations_f64
#define hd_rotations_open hd_rotations_open_f64
#define hd_rotations_flush hd_rotations_flush_f64
#define hd_rotations_close hd_rotations_close_f64
#define hd_rotate hd_rotate_f64
#endif

/* sqrt(x^2 + y^2) without overflow. */
static inline double hd_hypotenuse(double x, double y)
{
    const double a = fabs(x), b = fabs(y), large = a > b ? a : b, small = a > b ? b : a;
    return large > 0 ? large * sqrt(1 + small / large * (small / large)) : 0;
}

typedef struct hd_rotation {
    int x, y; /* turns two rows: (x, y) becomes (c x + s y, c y - s x) */
    real c, s;
} hd_rotation;

typedef struct hd_rotations {
    hd_context *c;
    int rows, cols, count, room;
    real *a; /* [rows x cols] what is turned; NULL: nothing */
    int lda;
    hd_rotation *list;
} hd_rotations;

hd_status hd_rotations_open(hd_context *c, hd_rotations *r, int rows, int cols, real *a, int lda);
void hd_rotate(hd_rotations *r, int x, int y, double c, double s);
/* To be called before the matrix is read. */
void hd_rotations_flush(hd_rotations *r);
void hd_rotations_close(hd_rotations *r);

#endif
