/* The scalar of the whole library: float32, or float64 in the build that checks gradients. */
#ifndef HD_BASE_REAL_H
#define HD_BASE_REAL_H

#ifdef HD_FLOAT64
typedef double real;
#else
typedef float real;
#endif

#endif
