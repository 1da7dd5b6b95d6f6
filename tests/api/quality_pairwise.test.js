// Scores from pairwise choices: exact in small cases, the likelihood's own equations, and known strengths found again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextPair, pairwiseScores } from '../../bindings/quality/index.js';
import { random, refuses } from './filekit.js';

const times = (n, better, worse) => Array.from({ length: n }, () => ({ better, worse }));
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const near = (got, want, tolerance) => assert.ok(Math.abs(got - want) <= tolerance, `${got}, expected ${want}`);

/** Choices among n pictures of known scores, as the model makes them. */
function simulate(truth, count, seed) {
  const uniform = random(seed);
  return Array.from({ length: count }, () => {
    const i = Math.floor(uniform() * truth.length), j = (i + 1 + Math.floor(uniform() * (truth.length - 1))) % truth.length;
    const [better, worse] = uniform() < sigmoid(truth[i] - truth[j]) ? [i, j] : [j, i];
    return { better: `p${better}`, worse: `p${worse}` };
  });
}

test('two pictures: the logarithm of the odds; a tie is half a choice', () => {
  const { images, scores, choices } = pairwiseScores([...times(3, 'a', 'b'), ...times(1, 'b', 'a')], { prior: 0 });
  assert.deepEqual([images, choices], [['a', 'b'], Int32Array.of(4, 4)]);
  near(scores[0] - scores[1], Math.log(3), 1e-12);
  near(scores[0] + scores[1], 0, 1e-15);
  const tied = pairwiseScores([...times(1, 'a', 'b'), { better: 'b', worse: 'a', tie: true }], { prior: 0 });
  near(tied.scores[0] - tied.scores[1], Math.log(3), 1e-12);
});

test('known strengths are found again, the better the more choices', () => {
  const truth = Array.from({ length: 20 }, (_, i) => 3 * Math.sin(5 * i)), mean = truth.reduce((sum, value) => sum + value, 0) / 20;
  const errors = [2_000, 200_000].map((count) => {
    const { images, scores } = pairwiseScores(simulate(truth, count, 3));
    return Math.sqrt(images.reduce((sum, name, i) => sum + (scores[i] - truth[Number(name.slice(1))] + mean) ** 2, 0) / 20);
  });
  assert.ok(errors[0] < 0.35 && errors[1] < 0.035, String(errors));
});

test("at the maximum each picture's expected choices are those it got; so with the prior's", () => {
  for (const prior of [0, 0.5, 3]) {
    const truth = [2, 1, 0, -1, -2, 0.5], made = simulate(truth, 400, 8), { images, scores } = pairwiseScores(made, { prior });
    const s = Object.fromEntries(images.map((name, i) => [name, scores[i]])), excess = Object.fromEntries(images.map((name) => [name, 0]));
    for (const { better, worse } of made) {
      excess[better] += 1 - sigmoid(s[better] - s[worse]);
      excess[worse] -= sigmoid(s[worse] - s[better]);
    }
    let [low, high] = [-10, 10]; // where the prior's zero lies, from the middle of the scores: all choices for and against cancel
    const pull = (name, at) => prior * (2 * sigmoid(s[name] + at) - 1), total = (at) => images.reduce((sum, name) => sum + pull(name, at), 0);
    for (let round = 0; round < 60; round++) [low, high] = total((low + high) / 2) > 0 ? [low, (low + high) / 2] : [(low + high) / 2, high];
    images.forEach((name) => near(excess[name], pull(name, low), 1e-9));
    assert.ok(prior === 0 || images.some((name) => Math.abs(excess[name]) > 0.1));
  }
});

test('the prior keeps scores finite where a picture wins all, and shrinks them', () => {
  const made = [...times(5, 'a', 'b'), ...times(5, 'b', 'c')], [weak, strong] = [0.1, 5].map((prior) => pairwiseScores(made, { prior }).scores);
  for (const scores of [weak, strong]) assert.ok(scores.every(Number.isFinite) && scores[0] > scores[1] && scores[1] > scores[2]);
  assert.ok(strong[0] < weak[0] / 2);
});

test('hundreds of pictures that hang together by a thread', () => {
  const chain = Array.from({ length: 299 }, (_, i) => [...times(2, `p${i}`, `p${i + 1}`), ...times(1, `p${i + 1}`, `p${i}`)]).flat();
  const { images, scores } = pairwiseScores(chain, { prior: 0 });
  for (let i = 0; i < 299; i++) near(scores[i] - scores[i + 1], Math.log(2), 1e-8);
  assert.equal(images.length, 300);
});

test('mistakes are named', async () => {
  const wrong = (choices, pattern, options) => refuses(() => pairwiseScores(choices, options), 'argument', pattern);
  await wrong([], /no choices/);
  await wrong([{ better: 'a', worse: 'a' }], /choice 0: "a" beside itself/);
  await wrong([{ better: 'a', worse: 'b' }, { better: 'a' }], /choice 1: expected \{ better, worse \} with names of pictures, got undefined/);
  await wrong([null], /choice 0/);
  await wrong(5, /expected a list of choices, got number/);
  await wrong(times(2, 'a', 'b'), /no chain of choices leads from "b" down to "a"/, { prior: 0 });
  await wrong([...times(1, 'a', 'b'), ...times(1, 'b', 'a'), ...times(1, 'c', 'd'), ...times(1, 'd', 'c')], /no chain of choices leads from "a" down to "c"/, { prior: 0 });
  await wrong(times(1, 'a', 'b'), /prior = -1/, { prior: -1 });
  await wrong(times(1, 'a', 'b'), /unknown option "priro", expected one of prior/, { priro: 1 });
  await refuses(() => nextPair(['a'], []), 'argument', /at least two pictures/);
});

test('nextPair shows each picture before any a second time, then near ones; choices by it sort the pictures', () => {
  const images = Array.from({ length: 12 }, (_, i) => `p${i}`), choices = [], rank = (name) => Number(name.slice(1)) * 5 % 12;
  for (let round = 0; round < 60; round++) {
    const [x, y] = nextPair(images, choices);
    assert.notEqual(x, y);
    choices.push(rank(x) > rank(y) ? { better: x, worse: y } : { better: y, worse: x });
    if (round === 11) assert.equal(new Set(choices.flatMap(({ better, worse }) => [better, worse])).size, 12);
  }
  const { images: names, scores, choices: played } = pairwiseScores(choices);
  assert.ok(Math.max(...played) - Math.min(...played) <= 6, String(played));
  const sorted = names.toSorted((a, b) => scores[names.indexOf(b)] - scores[names.indexOf(a)]).map(rank);
  const inversions = sorted.flatMap((a, i) => sorted.slice(i).filter((b) => b > a)).length;
  assert.ok(inversions <= 4, String(sorted));
});
