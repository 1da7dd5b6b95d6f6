/* CMake wants a source for the engine program; everything is in the library. */
typedef int nothing;
