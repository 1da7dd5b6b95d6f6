/* The memory limit of a context, to the byte; memory for callers without any. */
#include "check.h"
#include "heddle.h"

#include <math.h>
#include <stdint.h>

static void limit_is_exact(hd_context *c)
{
    const double used = hd_context_memory(c, 0);
    CHECK(hd_context_limit_memory(c, used + 1000) == HD_OK);
    void *most = hd_buffer_new(c, 1000);
    CHECK(most && (uintptr_t)most % 64 == 0);
    CHECK(hd_context_memory(c, 0) == used + 1000);
    CHECK(!hd_buffer_new(c, 1) && hd_error_status(c) == HD_ERR_MEMORY);
    CHECK(strstr(hd_error(c), "in use of the") != NULL);
    hd_buffer_free(c, most);
    CHECK(!hd_buffer_new(c, 1001) && hd_context_memory(c, 0) == used);
}

static void limit_below_what_is_held(hd_context *c)
{
    CHECK(hd_context_limit_memory(c, 1) == HD_OK);
    CHECK(!hd_buffer_new(c, 0) && !hd_model_new(c) && hd_error_status(c) == HD_ERR_MEMORY);
    CHECK(hd_context_limit_memory(c, 0) == HD_OK);
    void *buffer = hd_buffer_new(c, 0);
    CHECK(buffer != NULL);
    hd_buffer_free(c, buffer);
}

static void wrong_sizes(hd_context *c)
{
    CHECK(hd_context_limit_memory(c, -1) == HD_ERR_ARGUMENT && hd_context_limit_memory(c, NAN) == HD_ERR_ARGUMENT);
    CHECK(!hd_buffer_new(c, NAN) && !hd_buffer_new(c, -1) && !hd_buffer_new(c, 1e30) && !hd_buffer_new(c, INFINITY));
    CHECK(hd_error_status(c) == HD_ERR_MEMORY);
    hd_buffer_free(c, NULL);
}

int main(void)
{
    hd_context *c = hd_context_new(1);
    CHECK(c != NULL);
    const double used = hd_context_memory(c, 0);
    wrong_sizes(c);
    limit_below_what_is_held(c);
    CHECK(hd_context_memory(c, 0) == used);
    limit_is_exact(c);
    hd_context_free(c);
    return check_result("memory");
}
