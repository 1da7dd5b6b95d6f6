/* All tests of tests/native in one program (see tests.cmake, which writes tests.inc): runs the one that is named. */
#include <stdio.h>
#include <string.h>

#define TEST(name) int name(void);
#include "tests.inc"
#undef TEST

int main(int count, char **arguments)
{
#define TEST(name)                                     \
    if (count == 2 && !strcmp(arguments[1], #name)) {  \
        return name();                                 \
    }
#include "tests.inc"
#undef TEST
    fprintf(stderr, "usage: tests NAME, one of tests/native\n");
    return 2;
}
