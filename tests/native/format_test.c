/* The sentence formatter. */
#include "base/format.h"
#include "check.h"

#include <limits.h>
#include <stdint.h>

static char text[200];

#define IS(expected, ...) (hd_format(text, sizeof text, __VA_ARGS__), CHECK_TEXT(text, expected))

int main(void)
{
    IS("", "%s", "");
    IS("layer 3 (dense): units = 0, expected 1..65536", "layer %d (%s): %s = %d, expected %d..%d", 3, "dense", "units", 0, 1, 65536);
    IS("-2147483648 2147483647", "%d %d", INT_MIN, INT_MAX);
    IS(sizeof(size_t) == 8 ? "18446744073709551615" : "4294967295", "%z", (size_t)SIZE_MAX);
    IS("100%", "%d%%", 100);
    IS("0 1 -1 0.5 -0.25", "%g %g %g %g %g", 0.0, 1.0, -1.0, 0.5, -0.25);
    IS("0.1 0.001 0.0001 1e-5 1.5e-10", "%g %g %g %g %g", 0.1, 0.001, 0.0001, 1e-5, 1.5e-10);
    IS("3.14159 123.457 99999.5", "%g %g %g", 3.14159265, 123.456789, 99999.5);
    IS("0.00123457", "%g", 0.00123456789);
    IS("1", "%g", 0.99999999);
    IS("10", "%g", 9.9999999);
    IS("0.0001", "%g", 0.0000999999999);
    IS("1e30 1.7e308", "%g %g", 1e30, 1.7e308);
    IS("60000 1000000 123456789", "%g %g %g", 60000.0, 1e6, 123456789.0);
    IS("NaN Infinity -Infinity", "%g %g %g", NAN, INFINITY, -INFINITY);
    char small[8];
    memset(small, 'x', sizeof small);
    CHECK(hd_format(small, sizeof small, "%s", "abcdefghijk") == 7);
    CHECK_TEXT(small, "abcdefg");
    CHECK(hd_format(small, 1, "%d", 12345) == 0 && small[0] == 0);
    CHECK(hd_format(NULL, 0, "%d", 12345) == 0);
    return check_result("format");
}
