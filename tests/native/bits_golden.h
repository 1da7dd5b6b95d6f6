/* What bits_test.c's training run must give in every float32 build without fused multiply-add, native or WASM, and through
 * JavaScript (tests/api/bits.test.js and tests/browser/api.test.js read this file). The numbers are this library's own: they
 * say that platforms agree, not that the mathematics is right. After a deliberate change of the mathematics
 * the failing test prints the new ones. */
#define DIGEST 0xaed3d4d4u /* FNV-1a, 32 bits, of all weights' bytes in order, little-endian */
#define LOSS 0.97571024941247542 /* mean total loss of the third epoch */

/* What solve_test.c's solutions must give, in the same sense. */
#define SOLVE_DIGEST 0xe7dece9fu /* FNV-1a, 32 bits, of G, then O by ridge, in a ball and by ADMM */
