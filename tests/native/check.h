/* Checks of the native tests. A test is one program: main() runs its checks and returns check_result(). */
#ifndef HD_TESTS_CHECK_H
#define HD_TESTS_CHECK_H

#include <math.h>
#include <stdio.h>
#include <string.h>

static int check_count, check_failures;

static inline void check_report(int ok, const char *file, int line, const char *text)
{
    check_count++;
    if (!ok && ++check_failures <= 20) {
        printf("%s:%d: failed: %s\n", file, line, text);
    }
}

static inline void check_near(double a, double b, double tol, const char *file, int line, const char *text)
{
    check_count++;
    if (!(fabs(a - b) <= tol) && ++check_failures <= 20) {
        printf("%s:%d: %s: %.9g and %.9g differ by %.3g, allowed %.3g\n", file, line, text, a, b, fabs(a - b), tol);
    }
}

/* NaN on either side fails NEAR. */
#define CHECK(condition) check_report(!!(condition), __FILE__, __LINE__, #condition)
#define NEAR(a, b, tol) check_near((a), (b), (tol), __FILE__, __LINE__, #a " ~ " #b)
#define CHECK_TEXT(a, b) check_report(!strcmp((a), (b)), __FILE__, __LINE__, #a " is " #b)

/* Exit code: 0 if all checks held and at least one was made. */
static inline int check_result(const char *name)
{
    printf("%s: %d checks, %d failed\n", name, check_count, check_failures);
    return check_failures || !check_count;
}

#endif
