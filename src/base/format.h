/* A small formatter for error sentences; the library uses no stdio. */
#ifndef HD_BASE_FORMAT_H
#define HD_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* %s char*, %d int, %z size_t, %g double (up to 6 significant digits), %%. Always ends text with 0;
 * returns the length written, which is cut to size - 1. */
size_t hd_format(char *text, size_t size, const char *format, ...);
size_t hd_format_list(char *text, size_t size, const char *format, va_list list);

#endif
