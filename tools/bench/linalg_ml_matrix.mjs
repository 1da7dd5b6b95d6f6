// One process: ms of the same positive definite system solved by ml-matrix (float64, plain JavaScript).
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { numbers } from './conv_nets.mjs';
import { definite, solveSize } from './linalg_size.mjs';

const { rounds } = JSON.parse(process.argv[2]), { n, m } = solveSize;
const a = Matrix.from1DArray(n, n, definite(n)), b = Matrix.from1DArray(n, m, Float64Array.from(numbers(n * m))), ms = [];
for (let round = 0; round <= rounds; round++) {
  const begin = performance.now(), x = new CholeskyDecomposition(a).solve(b);
  if (!(Math.abs(x.get(n - 1, m - 1)) < 1e6)) throw new Error('no solution');
  if (round > 0) ms.push(performance.now() - begin);
}
console.log(JSON.stringify({ ms }));
