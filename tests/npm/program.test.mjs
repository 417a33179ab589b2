// The rest of this folder is worth nothing if it tries another program than the one just built.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { guichet, repository } from './support.mjs';

test('the program is the one of this repository', () => {
  const [, version] = readFileSync(join(repository, 'Cargo.toml'), 'utf8').match(/^version = "(.+)"$/m);
  assert.equal(guichet('--version').trim(), `guichet ${version}`);
});
