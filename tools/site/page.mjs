// Pages of the guides and the reference: Markdown to HTML, in the look of web/style.css, without a script.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Marked } from 'marked';

/** @param {string} text */
export const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
/** The anchor of a heading, as GitHub makes it. @param {string} text */
export const slug = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');

/**
 * Markdown as HTML. Tags in it are text: `<img>` in a sentence is about the element.
 * @param {string} text
 * @param {{ inline?: boolean, link?: (target: string) => string | null }} [options] link: where a link leads; null: nowhere, its words stay
 */
export function markdown(text, { inline = false, link = (target) => target } = {}) {
  const marked = new Marked({ renderer: {
    html: ({ text: raw }) => (raw.startsWith('<!--') ? '' : escape(raw)),
    heading({ tokens, depth, text: raw }) {
      return `<h${depth} id="${slug(raw.replace(/[`*]/g, ''))}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
    link({ href, tokens }) {
      const target = link(href), words = this.parser.parseInline(tokens);
      return target === null ? words : `<a href="${escape(target)}">${words}</a>`;
    },
    image: ({ href, text: words }) => `<img src="${escape(link(href) ?? href)}" alt="${escape(words)}" loading="lazy">`,
    code: ({ text: code }) => `<pre><code>${escape(code)}</code></pre>\n`,
  } });
  const html = /** @type {string} */ (inline ? marked.parseInline(text) : marked.parse(text));
  return html.replaceAll('<table>', '<div class="scroll"><table>').replaceAll('</table>', '</table></div>');
}

/**
 * Writes pages into a folder that lies beside style.css and favicon.svg of the site.
 * @param {string} folder
 * @param {{ file: string, title: string, body: string }[]} pages body: HTML
 * @param {{ name: string, nav: [file: string, title: string][] }} about name: of the collection; nav: its pages, in order
 */
export function writePages(folder, pages, { name, nav }) {
  mkdirSync(folder, { recursive: true });
  copyFileSync(fileURLToPath(new URL('pages.css', import.meta.url)), join(folder, 'pages.css'));
  for (const { file, title, body } of pages) {
    const items = nav.map(([to, words]) => `<li><a href="${to}"${to === file ? ' aria-current="page"' : ''}>${escape(words)}</a></li>`).join('\n');
    writeFileSync(join(folder, file), `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escape(title)} - heddle</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'self'; script-src 'none'">
<link rel="icon" href="../favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="../style.css">
<link rel="stylesheet" href="pages.css">
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<div class="wrap pages">
<nav aria-label="${escape(name)}">
<p class="small"><a href="../">heddle</a> / <a href="index.html">${escape(name)}</a></p>
<ul>
${items}
</ul>
</nav>
<main id="content">
${body}
</main>
</div>
</body>
</html>
`);
  }
}
