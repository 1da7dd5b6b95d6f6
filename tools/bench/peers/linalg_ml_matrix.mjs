// ms of the same positive definite system solved by ml-matrix (float64, plain JavaScript).
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { definite, numbers, time } from '../kit.mjs';
import { linalgSizes } from '../networks.mjs';

export async function run(given) {
  const [n, m] = given.quick ? [100, 10] : linalgSizes.solve;
  const a = Matrix.from1DArray(n, n, definite(n)), b = Matrix.from1DArray(n, m, Float64Array.from(numbers(n * m)));
  return { ms: await time(given, () => {
    const x = new CholeskyDecomposition(a).solve(b);
    if (!(Math.abs(x.get(n - 1, m - 1)) < 1e6)) throw new Error('no solution');
  }) };
}
