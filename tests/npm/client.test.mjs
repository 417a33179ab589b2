// The client that openapi-typescript and openapi-fetch make of the served document, type-checked and used against a server.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { guichet, program, repository, scratch } from './support.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** A server on a folder of its own, for as long as `use` takes. */
async function serving(folder, use) {
  const words = ['--lang', 'en', '--data', join(folder, 'data'), 'serve', '--listen', '127.0.0.1:0', '--catalogue', 'processes/chalons'];
  const server = spawn(program, words, { cwd: repository, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const address = await new Promise((resolve, reject) => {
      let said = '';
      server.stdout.on('data', (more) => {
        said += more;
        const found = said.match(/http:\/\/[0-9.:]+/);
        if (found) resolve(found[0]);
      });
      server.on('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    });
    const key = guichet('--data', join(folder, 'data'), 'key', '--tenant', 'ville', '--agent', 'a01').match(/gk_[A-Za-z0-9_-]+/)[0];
    await use(address, key);
  } finally {
    server.kill();
  }
}

test('a client in TypeScript is made of the served document, type-checked, and works', { timeout: 300_000 }, async () => {
  await scratch(async (folder) => {
    await serving(folder, async (address, key) => {
      const document = await (await fetch(`${address}/openapi.json`)).text();
      writeFileSync(join(folder, 'openapi.json'), document);
      const bin = (name) => join(here, 'node_modules', '.bin', name);
      execFileSync(bin('openapi-typescript'), ['openapi.json', '--default-non-nullable', 'false', '-o', 'schema.d.ts'], { cwd: folder, stdio: 'pipe' });
      copyFileSync(join(here, 'client', 'portal.ts'), join(folder, 'portal.ts'));
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'));
      const strict = ['--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--lib', 'es2022,dom,dom.iterable'];
      try {
        execFileSync(bin('tsc'), [...strict, 'portal.ts'], { cwd: folder, stdio: 'pipe' });
      } catch (error) {
        assert.fail(`${error.stdout}`);
      }
      assert.ok(readFileSync(join(folder, 'portal.js'), 'utf8').length > 0);
      const { run } = await import(pathToFileURL(join(folder, 'portal.js')).href);
      await run(address, key);
    });
  });
});
