#include "optim/line_search.h"

#include <math.h>

static const double C1 = 1e-4, C2 = 0.9, GROWTH = 2, MAX_STEP = 1e20;

void hd_line_begin(hd_line_search *l, double f, double slope, double first_step, int max_evaluations)
{
    *l = (hd_line_search){ .start = { 0, f, slope }, .low = { 0, f, slope }, .max_evaluations = max_evaluations,
                           .trial = first_step };
}

/* Minimum of the cubic through both ends (N&W Eq. 3.59), kept in the inner [0.1, 0.9] of the bracket. */
static double interpolate(const hd_line_point *a, const hd_line_point *b)
{
    double width = b->at - a->at, part = 0.5;
    double d1 = a->slope + b->slope - 3 * (a->f - b->f) / (a->at - b->at);
    double square = d1 * d1 - a->slope * b->slope;
    if (isfinite(square) && square >= 0) {
        double d2 = copysign(sqrt(square), width);
        double at = b->at - width * (b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2);
        part = (at - a->at) / width;
    }
    part = !(part >= 0.1) ? 0.1 : part > 0.9 ? 0.9 : part;
    return a->at + (isfinite(b->f) ? part : 0.1) * width;
}

static hd_line_state zoom(hd_line_search *l)
{
    double width = fabs(l->high.at - l->low.at);
    if (!(width > 1e-14 * (fabs(l->low.at) + fabs(l->high.at)))) {
        return HD_LINE_FAILED;
    }
    l->zooming = true;
    l->trial = interpolate(&l->low, &l->high);
    return HD_LINE_EVALUATE;
}

hd_line_state hd_line_next(hd_line_search *l, double f, double slope)
{
    hd_line_point p = { l->trial, isfinite(f) && isfinite(slope) ? f : INFINITY, slope };
    bool decreased = p.f <= l->start.f + C1 * p.at * l->start.slope;
    bool worse = p.f >= l->low.f && (l->zooming || l->evaluations > 0);
    l->evaluations++;
    if (decreased && !worse && fabs(slope) <= -C2 * l->start.slope) {
        return HD_LINE_ACCEPTED;
    }
    if (l->evaluations >= l->max_evaluations) {
        return HD_LINE_FAILED;
    }
    if (!decreased || worse) {
        l->high = p;
        return zoom(l);
    }
    bool uphill = l->zooming ? slope * (l->high.at - l->low.at) >= 0 : slope >= 0;
    if (uphill) {
        l->high = l->low;
    }
    l->low = p;
    if (l->zooming || uphill) {
        return zoom(l);
    }
    l->trial = p.at * GROWTH;
    return l->trial < MAX_STEP ? HD_LINE_EVALUATE : HD_LINE_FAILED;
}
