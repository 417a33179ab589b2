// The pages without a script, in a browser whose scripts are off: a report with a photo, its code, what becomes of it. Then
// axe-core looks at every page with scripts on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { program, repository, scratch } from './support.mjs';

const PHOTO = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');

/** A server with the catalogue of Châlons, while `use` runs. */
function serving(use) {
  return scratch(async (folder) => {
    const server = spawn(program, ['--data', join(folder, 'data'), '--lang', 'en', 'serve', '--catalogue', 'processes/chalons', '--listen', '127.0.0.1:0'], { cwd: repository });
    const url = await new Promise((resolve, reject) => {
      let out = '';
      server.stdout.on('data', (part) => {
        out += part;
        const found = out.match(/http:\/\/[0-9.:]+/);
        if (found) resolve(found[0]);
      });
      server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    });
    try {
      return await use(url);
    } finally {
      const ended = new Promise((resolve) => { server.once('exit', resolve); });
      server.kill();
      await ended;
    }
  });
}

const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();

test('a citizen without scripts reports with a photo, and every page passes axe', async () => {
  await serving(async (url) => {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const context = await browser.newContext({ javaScriptEnabled: false, locale: 'fr-FR' });
      const page = await context.newPage();
      const asked = [];
      page.on('request', (request) => asked.push(request.url()));
      await page.goto(`${url}/pages/ville`);
      await page.getByLabel('Chercher une démarche').fill('nid-de-poule');
      await page.getByRole('button', { name: 'Chercher' }).click();
      await page.getByRole('link', { name: /Chaussée abîmée/ }).first().click();
      await page.getByLabel('Photos').setInputFiles({ name: 'trou.png', mimeType: 'image/png', buffer: PHOTO });
      await page.getByLabel('Votre adresse électronique').fill('jeanne');
      await page.getByRole('button', { name: 'Envoyer' }).click();
      const summary = page.getByRole('alert');
      assert.match(await summary.innerText(), /Où/);
      const wrongPage = await page.content();
      assert.match(wrongPage, /trou\.png/);
      await page.getByLabel('Adresse', { exact: true }).fill('1 place Foch');
      await page.getByLabel('Oui').check();
      await page.getByLabel('Votre adresse électronique').fill('jeanne@exemple.example');
      await page.getByRole('button', { name: 'Envoyer' }).click();
      const code = await page.locator('#code').innerText();
      assert.match(code, /^[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{4}$/);
      assert.match(await page.locator('#due').innerText(), /20\d\d/);
      assert.ok(!page.url().includes(code));
      await page.getByRole('link', { name: 'Suivre une demande' }).click();
      await page.getByLabel('Code de suivi').fill(code.toLowerCase());
      await page.getByRole('button', { name: 'Suivre' }).click();
      assert.match(await page.locator('#stage').innerText(), /demande/);
      await page.getByLabel('Votre message').fill('Le trou grandit');
      await page.getByRole('button', { name: 'Envoyer le message' }).click();
      assert.match(await page.getByRole('status').innerText(), /enregistré/);
      assert.ok(asked.every((address) => address.startsWith(url)), `nothing from elsewhere: ${asked}`);

      const scripted = await (await browser.newContext({ bypassCSP: true, locale: 'fr-FR' })).newPage();
      const looked = async (name) => {
        const found = await new AxeBuilder({ page: scripted }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
        const words = found.violations.map((one) => `${one.id}: ${one.help} (${one.nodes.map((node) => node.html).join(' | ')})`);
        assert.deepEqual(words, [], name);
      };
      for (const path of ['', '?q=eau', '/voirie/chaussee-abimee', '/follow', '/voirie/volcan']) {
        await scripted.goto(`${url}/pages/ville${path}`);
        await looked(path);
      }
      await scripted.goto(`${url}/pages/ville/voirie/chaussee-abimee`);
      await scripted.getByRole('button', { name: 'Envoyer' }).click();
      await scripted.getByRole('alert').waitFor();
      await looked('with errors');
      await scripted.getByLabel('Adresse', { exact: true }).fill('1 place Foch');
      await scripted.getByRole('button', { name: 'Envoyer' }).click();
      await scripted.locator('#code').waitFor();
      await looked('received');
      await scripted.getByRole('button', { name: 'Suivre cette demande' }).click();
      await scripted.locator('#stage').waitFor();
      await looked('followed');
    } finally {
      await browser.close();
    }
  });
});
