// «A portal in an hour», as api/README.md has it: every command of the page is run, and what it asks a person to do in a
// browser is done in one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { chromium } from 'playwright-core';
import { program, repository, scratch } from './support.mjs';

/** The commands of the page, one text for each block, in order. */
const steps = (() => {
  const text = readFileSync(join(repository, 'api', 'README.md'), 'utf8');
  const [, page] = text.split('\n## A portal in an hour\n');
  assert.ok(page, 'api/README.md has the page');
  return [...page.split('\n## ')[0].matchAll(/```sh\n(.*?)```/gs)].map((block) => block[1]);
})();

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** A shell that is given block after block, as somebody would type them. */
function shell(env, folder) {
  const bash = spawn('bash', ['-s'], { cwd: folder, env: { ...process.env, ...env }, detached: true });
  let said = '';
  for (const stream of [bash.stdout, bash.stderr]) stream.on('data', (part) => { said += part; });
  const until = async (pattern, seconds = 60) => {
    for (const end = Date.now() + seconds * 1000; !pattern.test(said);) {
      assert.ok(Date.now() < end, `waited for ${pattern} in:\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return said;
  };
  let count = 0;
  return {
    until,
    async run(block) {
      count += 1;
      bash.stdin.write(`${block}\necho "step ${count} ended with $?"\n`);
      const text = await until(new RegExp(`step ${count} ended with \\d+`));
      assert.match(text, new RegExp(`step ${count} ended with 0`), text);
    },
    end() {
      try { process.kill(-bash.pid, 'SIGTERM'); } catch { /* It ended by itself. */ }
    },
  };
}

/** A photo as a browser makes one: a canvas, as JPEG. */
const photo = (page) => page.evaluate(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#654';
  pen.fillRect(40, 60, 200, 120);
  return canvas.toDataURL('image/jpeg').split(',')[1];
});

test('every step of the page works, and a citizen sees the answer come', { timeout: 240_000 }, () => scratch(async (folder) => {
  const [guichet, portal] = [await freePort(), await freePort()];
  const ported = (text) => text.replaceAll('8080', String(guichet)).replaceAll('8090', String(portal));
  const path = `${folder}:${process.env.PATH}`;
  writeFileSync(join(folder, 'guichet'), `#!/bin/sh\nexec "${program}" "$@"\n`, { mode: 0o755 });
  const terminal = shell({ PATH: path, HERE: repository, GUICHET_LOG: 'warn' }, folder);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-quic'] });
  try {
    const [serve, keys, site, hook, ...answers] = steps.map(ported);
    await terminal.run(serve);
    await terminal.until(new RegExp(`127.0.0.1:${guichet}`));
    await terminal.run(keys);
    await terminal.run(site);
    await terminal.until(/portal on/);
    await terminal.run(hook);

    const page = await browser.newPage();
    const faults = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    await page.goto(`http://127.0.0.1:${portal}/`);
    await page.fill('#words', 'nid de poule');
    await page.click('#search button');
    await page.click('#found li:first-child button');
    await page.click('#process form > button');
    assert.match(await page.textContent('#process [role=alert] .fault'), /obligatoire/, 'a missing field is named');
    await page.fill('[name="field-place-latitude"]', '48.957');
    await page.fill('[name="field-place-longitude"]', '4.363');
    await page.fill('#field-nature', 'Un trou devant l’école');
    await page.setInputFiles('#field-photos', { name: 'trou.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(await photo(page), 'base64') });
    await page.fill('#email', 'camille@exemple.example');
    await page.click('#process form > button');
    await page.waitForSelector('#code');
    assert.match(await page.textContent('#code'), /^[0-9A-Z -]{10,}$/);
    assert.match(await page.textContent('#promise'), /Réponse au plus tard le/);
    await page.waitForSelector('#state .stage');
    const before = await page.textContent('#state .stage');

    for (const step of answers) await terminal.run(step);
    await page.waitForSelector('#state .answer', { timeout: 30_000 });
    assert.notEqual(await page.textContent('#state .stage'), before, 'the stage shown has moved');
    await terminal.until(/heard \S*received/);
    await terminal.until(/heard \S*delivered/);
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
    terminal.end();
  }
}));
