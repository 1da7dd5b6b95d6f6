// Curves as an SVG file: lines with markers, axes with round numbers, names at the right.
import { writeFile } from 'node:fs/promises';

const width = 720, height = 440, frame = { left: 64, right: 150, top: 44, bottom: 54 };
const colours = ['#1b6ca8', '#c8553d', '#2f855a', '#7b4fa3', '#8a6d1d', '#555555'];

/** About `count` round numbers from the first one at or below min to the first at or above max. */
function ticks(min, max, count = 6) {
  const rough = (max - min || 1) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const first = Math.floor(min / step + 1e-9), last = Math.ceil(max / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** A dashed line has the colour of the one before it.
 * @param {{ title: string, x: string, y: string, series: { name: string, points: [number, number][], dashed?: boolean }[] }} chart
 * @returns {string} SVG
 */
export function curves({ title, x, y, series }) {
  const all = series.flatMap(({ points }) => points), [xs, ys] = [0, 1].map((i) => all.map((point) => point[i]));
  const [xTicks, yTicks] = [xs, ys].map((values) => ticks(Math.min(...values), Math.max(...values)));
  const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };
  const toX = (value) => frame.left + inner.width * (value - xTicks[0]) / (xTicks.at(-1) - xTicks[0] || 1);
  const toY = (value) => frame.top + inner.height * (1 - (value - yTicks[0]) / (yTicks.at(-1) - yTicks[0] || 1));
  const at = ([a, b]) => `${toX(a).toFixed(1)},${toY(b).toFixed(1)}`, [bottom, right] = [height - frame.bottom, width - frame.right];
  const grid = [
    ...xTicks.map((value) => `<path d="M${toX(value)} ${frame.top}V${bottom}"/><text x="${toX(value)}" y="${bottom + 18}" text-anchor="middle">${value}</text>`),
    ...yTicks.map((value) => `<path d="M${frame.left} ${toY(value)}H${right}"/><text x="${frame.left - 8}" y="${toY(value) + 4}" text-anchor="end">${value}</text>`),
  ];
  const labels = series.map(({ points }, i) => ({ i, y: toY(points.at(-1)[1]) })).sort((a, b) => a.y - b.y);
  for (let i = 1; i < labels.length; i++) labels[i].y = Math.max(labels[i].y, labels[i - 1].y + 15);
  const colour = series.map((_, i) => colours[(series.slice(0, i + 1).filter((line) => !line.dashed).length + 5) % 6]);
  const lines = series.map(({ points, dashed }, i) => {
    const dots = dashed || points.length > 40 ? '' : points.map((point) => `<circle cx="${at(point).replace(',', '" cy="')}" r="3"/>`).join('');
    return `<g fill="${colour[i]}" stroke="none"><polyline points="${points.map(at).join(' ')}" fill="none" stroke="${colour[i]}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''}/>${dots}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#333">
<rect width="${width}" height="${height}" fill="#fff"/><text x="${frame.left}" y="24" font-size="15">${escaped(title)}</text>
<g stroke="#ddd"><g fill="#333" stroke-width="1">${grid.join('').replaceAll('<text ', '<text stroke="none" ')}</g></g>
${lines.join('\n')}
${labels.map(({ i, y: place }) => `<text x="${right + 8}" y="${(place + 4).toFixed(1)}" fill="${colour[i]}">${escaped(series[i].name)}</text>`).join('\n')}
<text x="${frame.left + inner.width / 2}" y="${height - 14}" text-anchor="middle">${escaped(x)}</text>
<text transform="translate(16 ${frame.top + inner.height / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>
</svg>
`;
}

/** Writes them where the user said, if anywhere. @param {string | undefined} path @param {Parameters<typeof curves>[0]} chart */
export async function saveCurves(path, chart) {
  if (path === undefined) return;
  await writeFile(path, curves(chart));
  console.log(`curves written to ${path}`);
}
