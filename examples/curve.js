// Curves as an SVG file: lines with markers, axes with round numbers, names at the right; readable in light and in dark.
import { writeFile } from 'node:fs/promises';

const width = 720, height = 440, frame = { left: 64, right: 150, top: 44, bottom: 54 };
/** Each at least 3 : 1 on both grounds. */
const colours = ['#2f7fc1', '#d4633f', '#35915f', '#9166bd', '#a07f22', '#7a7a7a'];
const style = `.curves{fill:#333}.curves .ground{fill:#fff}.curves .grid{stroke:#ddd}
@media(prefers-color-scheme:dark){.curves{fill:#ddd}.curves .ground{fill:#16181d}.curves .grid{stroke:#3a3f4a}}`;

/** About `count` round numbers from the first one at or below min to the first at or above max. */
function ticks(min, max, count = 6) {
  const rough = (max - min || 1) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const first = Math.floor(min / step + 1e-9), last = Math.ceil(max / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Marks of a logarithmic axis around min to max: powers of two, or 1, 2, 5 and their tens; of many only some. @param {number} min @param {number} max @param {2 | 10} base */
function logTicks(min, max, base) {
  const isEnough = (list) => list[0] <= min * (1 + 1e-9) && list.at(-1) >= max * (1 - 1e-9);
  const powers = (parts, stride) => {
    const first = Math.floor(Math.log(min) / Math.log(base) / stride - 1e-9) * stride, last = Math.ceil(Math.log(max) / Math.log(base) + 1e-9) + stride, list = [];
    for (let power = first; power <= last; power += stride) list.push(...parts.map((part) => Number((part * base ** power).toPrecision(6))));
    const from = list.findLastIndex((value) => value <= min * (1 + 1e-9)), to = list.findIndex((value) => value >= max * (1 - 1e-9));
    return list.slice(Math.max(from, 0), to + 1);
  };
  const candidates = base === 2 ? [1, 2, 3, 4].map((stride) => powers([1], stride)) : [powers([1, 2, 5], 1), ...[1, 2, 3].map((stride) => powers([1], stride))];
  return candidates.find((list) => isEnough(list) && list.length <= 10) ?? candidates.at(-1);
}

/** @typedef {string | { label: string, log?: 2 | 10 }} Axis log: the scale is logarithmic, with marks at powers of it */

/** Its marks, and where a value lies between its ends, 0 to 1. @param {Axis} axis @param {number[]} values */
function scaleOf(axis, values) {
  const { label, log } = typeof axis === 'string' ? { label: axis } : axis, ends = [Math.min(...values), Math.max(...values)];
  const marks = log ? logTicks(ends[0], ends[1], log) : ticks(ends[0], ends[1]), [first, last] = [marks[0], marks.at(-1)].map(log ? Math.log : Number);
  return { label, marks, place: (value) => ((log ? Math.log(value) : value) - first) / (last - first || 1) };
}

const rounded = (value) => Number(value.toFixed(1)), written = (value) => (Math.abs(value) >= 1e5 ? `${Number((value / 1000).toPrecision(6))}k` : String(value));
const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** A dashed line has the colour of the one before it; one without a name has no label.
 * @param {{ title: string, x: Axis, y: Axis, series: { name: string, points: [number, number][], dashed?: boolean }[] }} chart
 * @returns {string} SVG
 */
export function curves({ title, x, y, series }) {
  const all = series.flatMap(({ points }) => points), [xs, ys] = [0, 1].map((i) => all.map((point) => point[i]));
  const across = scaleOf(x, xs), up = scaleOf(y, ys);
  const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };
  const toX = (value) => frame.left + inner.width * across.place(value);
  const toY = (value) => frame.top + inner.height * (1 - up.place(value));
  const at = ([a, b]) => `${toX(a).toFixed(1)},${toY(b).toFixed(1)}`, [bottom, right] = [height - frame.bottom, width - frame.right];
  const grid = [
    ...across.marks.map((value) => `<path d="M${rounded(toX(value))} ${frame.top}V${bottom}"/><text x="${rounded(toX(value))}" y="${bottom + 18}" text-anchor="middle">${written(value)}</text>`),
    ...up.marks.map((value) => `<path d="M${frame.left} ${rounded(toY(value))}H${right}"/><text x="${frame.left - 8}" y="${rounded(toY(value) + 4)}" text-anchor="end">${written(value)}</text>`),
  ];
  const labels = series.map(({ points, name }, i) => ({ i, name, y: toY(points.at(-1)[1]) })).filter(({ name }) => name).sort((a, b) => a.y - b.y);
  for (let i = 1; i < labels.length; i++) labels[i].y = Math.max(labels[i].y, labels[i - 1].y + 15);
  const colour = series.map((_, i) => colours[(series.slice(0, i + 1).filter((line) => !line.dashed).length + 5) % 6]);
  const lines = series.map(({ points, dashed }, i) => {
    const dots = dashed || points.length > 40 ? '' : points.map((point) => `<circle cx="${at(point).replace(',', '" cy="')}" r="3"/>`).join('');
    return `<g fill="${colour[i]}" stroke="none"><polyline points="${points.map(at).join(' ')}" fill="none" stroke="${colour[i]}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''}/>${dots}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" class="curves" role="img" aria-label="${escaped(title)}" font-family="sans-serif" font-size="12">
<style>${style}</style>
<rect width="${width}" height="${height}" class="ground"/><text x="${frame.left}" y="24" font-size="15">${escaped(title)}</text>
<g class="grid">${grid.join('').replaceAll('<text ', '<text stroke="none" ')}</g>
${lines.join('\n')}
${labels.map(({ i, y: place }) => `<text x="${right + 8}" y="${(place + 4).toFixed(1)}" fill="${colour[i]}">${escaped(series[i].name)}</text>`).join('\n')}
<text x="${frame.left + inner.width / 2}" y="${height - 14}" text-anchor="middle">${escaped(across.label)}</text>
<text transform="translate(16 ${frame.top + inner.height / 2}) rotate(-90)" text-anchor="middle">${escaped(up.label)}</text>
</svg>
`;
}

/** Writes them where the user said, if anywhere. @param {string | undefined} path @param {Parameters<typeof curves>[0]} chart */
export async function saveCurves(path, chart) {
  if (path === undefined) return;
  await writeFile(path, curves(chart));
  console.log(`curves written to ${path}`);
}
