import { numbers } from './conv_nets.mjs';

/** The positive definite system that heddle and its peers are timed with: n x n, m right sides. */
export const solveSize = { n: 1024, m: 10 };

/** A symmetric matrix of small numbers with a heavy diagonal, row by row. @param {number} n */
export function definite(n) {
  const values = numbers(n * n), a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = values[i * n + j];
    a[i * (n + 1)] += n;
  }
  return a;
}
