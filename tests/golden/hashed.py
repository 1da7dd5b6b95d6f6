"""Numbers from a formula that the tests compute too: the 32-bit finaliser lowbias32 (C. Wellons) of the element's number."""

import numpy


def noise(n):
    """n bytes."""
    x = numpy.arange(n, dtype=numpy.uint64)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        x = ((x ^ (x >> numpy.uint64(shift))) * numpy.uint64(factor)) & numpy.uint64(0xFFFFFFFF)
    return (x >> numpy.uint64(24)).astype(numpy.uint8)
