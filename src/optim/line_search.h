/* Strong Wolfe line search by reverse communication (Nocedal & Wright, alg. 3.5 and 3.6), all in float64. */
#ifndef HD_OPTIM_LINE_SEARCH_H
#define HD_OPTIM_LINE_SEARCH_H

#include <stdbool.h>

typedef struct hd_line_point {
    double at, f, slope; /* step length, loss, derivative along the direction */
} hd_line_point;

typedef struct hd_line_search {
    hd_line_point start, low, high; /* at = 0; best so far with sufficient decrease; other end of the bracket */
    bool zooming;
    int evaluations, max_evaluations;
    double trial; /* step length to evaluate next */
} hd_line_search;

typedef enum hd_line_state { HD_LINE_EVALUATE, HD_LINE_ACCEPTED, HD_LINE_FAILED } hd_line_state;

/* slope < 0. */
void hd_line_begin(hd_line_search *l, double f, double slope, double first_step, int max_evaluations);
/* f and slope at l->trial; f may be infinite or NaN. */
hd_line_state hd_line_next(hd_line_search *l, double f, double slope);

#endif
