#!/usr/bin/env node
// node tools/site/pictures.mjs [DEMO ...]: the start page's pictures, web/pictures/DEMO-light.webp and -dark.webp, taken of the real demos after real
// clicks, and overview.webp of all. That of classify needs the folder HEDDLE_DATA with the weights of a network.
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { fail, tree } from '../common.mjs';
import { serve } from '../serve.mjs';

/** @import { Page } from 'playwright-core' */

const folder = join(tree, 'web', 'pictures'), width = 640, height = 400;
const weights = join(process.env.HEDDLE_DATA ?? '', 'weights', 'mobilenet_v2_1.0_224_imagenet_bnfolded_f16.safetensors');
const photograph = join(tree, 'node_modules', '@stdlib', 'datasets-img-french-alpine-landscape', 'data', 'image.jpg');
const says = (page, pattern) => page.waitForFunction((source) => new RegExp(source).test(document.getElementById('status').textContent), pattern.source, { timeout: 300_000, polling: 100 });
const ready = (page) => says(page, /Ready/);

/** Each brings its page to where there is something to see, and says what the picture begins with.
 * @type {Record<string, (page: Page) => Promise<string>>} */
const demos = {
  async digits(page) {
    await ready(page);
    await page.fill('[name="epochs"]', '6');
    await page.click('#run');
    await says(page, /^Trained/);
    await page.click('[aria-label="Example of 3"]');
    return '[aria-labelledby="inside-title"]';
  },
  async convnet(page) {
    await ready(page);
    await page.waitForSelector('#samples button');
    await page.fill('[name="epochs"]', '3');
    await page.click('#run');
    await says(page, /^Trained/);
    await page.click('#samples button:nth-child(6)');
    return '.panel:has(#filters)';
  },
  async 'closed-form'(page) {
    await ready(page);
    for (const method of ['ridge', 'mlp', 'elm', 'slfn']) {
      await page.selectOption('#method', method);
      await page.click('#run');
      await page.waitForFunction(() => document.getElementById('run').getAttribute('aria-disabled') === 'true');
      await page.waitForFunction(() => document.getElementById('run').getAttribute('aria-disabled') === 'false', undefined, { timeout: 300_000 });
    }
    return '.stage';
  },
  async quality(page) {
    await ready(page);
    await page.click('#race');
    await says(page, /is ahead/);
    await page.click('#tab-rate');
    await page.click('#rate-example');
    await says(page, /example pictures/);
    await page.click('#score');
    await says(page, /pictures scored/);
    return '.panel:has(#gallery)';
  },
  async 'super-resolution'(page) {
    await ready(page);
    await page.selectOption('#example', 'nagasaki-boats');
    await says(page, /is here/);
    await page.selectOption('[name="task"]', 'restore');
    for (const id of ['residual', 'denoise']) await page.uncheck(`#methods input[value="matnet-${id}-shipped"]`);
    await page.click('#enlarge');
    await says(page, /^Enlarged/);
    for (let i = 0; i < 4; i++) await page.click('#zoom-in');
    return '#view';
  },
  async classify(page) {
    await says(page, /^Choose/);
    await page.setInputFiles('#labels', join(dirname(weights), 'imagenet_labels_1001.txt'));
    await says(page, /1,001 labels/);
    await page.setInputFiles('#weights', weights);
    await says(page, /1,001 classes/);
    await page.setInputFiles('#image', photograph);
    await page.waitForFunction(() => /\d ms/.test(document.getElementById('time').textContent), undefined, { timeout: 60_000 });
    return '.panel:has(#picture)';
  },
};

/** Takes both pictures of a demo. @param {import('playwright-core').Browser} browser @param {string} url @param {string} name */
async function take(browser, url, name) {
  const context = await browser.newContext({ viewport: { width: 1240, height: 1600 }, colorScheme: 'light', reducedMotion: 'reduce' }), page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${url}web/${name}/`);
  const begin = await demos[name](page);
  for (const mode of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: mode });
    await page.evaluate(() => { document.activeElement?.blur(); });
    await page.mouse.move(0, 0);
    await page.waitForTimeout(1500); // animations, the next figures
    const box = await page.locator(begin).first().boundingBox(), wide = Math.min(box.width, 846);
    const clip = { x: box.x, y: box.y, width: wide, height: wide * height / width };
    const png = await page.screenshot({ clip, fullPage: true }), path = join(folder, `${name}-${mode}.webp`);
    await sharp(png).resize(width, height).webp({ quality: 72, effort: 6 }).toFile(path);
    console.log(`${name}-${mode}.webp: ${(statSync(path).size / 1024).toFixed(1)} KiB`);
  }
  await context.close();
}

/** All light pictures as one, for README. */
async function compose() {
  const names = Object.keys(demos).filter((name) => existsSync(join(folder, `${name}-light.webp`))), gap = 16, wide = 480, tall = wide * height / width, across = 3;
  const down = Math.ceil(names.length / across), layers = await Promise.all(names.map(async (name, i) => ({
    input: await sharp(readFileSync(join(folder, `${name}-light.webp`))).resize(wide, tall).png().toBuffer(),
    left: gap + i % across * (wide + gap), top: gap + Math.floor(i / across) * (tall + gap),
  })));
  const size = { width: across * (wide + gap) + gap, height: down * (tall + gap) + gap, channels: /** @type {const} */ (3), background: '#dbd7cc' };
  await sharp({ create: size }).composite(layers).webp({ quality: 74, effort: 6 }).toFile(join(folder, 'overview.webp'));
  console.log(`overview.webp: ${(statSync(join(folder, 'overview.webp')).size / 1024).toFixed(1)} KiB`);
}

async function main(wanted) {
  const unknown = wanted.find((name) => !(name in demos));
  if (unknown) fail(`${unknown}: expected one of ${Object.keys(demos).join(', ')}`);
  mkdirSync(folder, { recursive: true });
  const server = await serve(), browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  try {
    for (const name of wanted.length ? wanted : Object.keys(demos)) {
      if (name === 'classify' && !existsSync(weights)) console.log('classify: left as it is, HEDDLE_DATA names no folder with weights/');
      else await take(browser, server.url, name);
    }
    await compose();
  } finally {
    await browser.close();
    await server.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv.slice(2));
