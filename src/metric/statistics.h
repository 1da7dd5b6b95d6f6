/* How well scores q agree with ratings y, of n rows that may count several times, in float64. */
#ifndef HD_METRIC_STATISTICS_H
#define HD_METRIC_STATISTICS_H

#include "heddle.h"

typedef struct hd_pairs {
    int n;
    const double *q, *y;
    const double *spread;  /* [n] standard deviations of the ratings, or NULL */
    int *by_q, *by_y;      /* [n] row numbers in ascending order */
    int *level;            /* [n] how many distinct ratings are below a row's, plus 1 */
} hd_pairs;

enum { HD_PAIRS_WORK = 3 }; /* doubles of work for each row */

/* Orders the rows; p's q and y are set and its lists have room. work: n ints. */
void hd_pairs_sort(hd_pairs *p, int *work);
/* The statistics in values [HD_STATISTICS], each row counting weight[i] times, a whole number. work: [HD_PAIRS_WORK n]. */
void hd_pairs_statistics(const hd_pairs *p, const double *weight, double *work, double *values);

#endif
