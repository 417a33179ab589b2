// Every process of the reference town, drawn, and opened by the programs that such drawings are for.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import { inChromium } from './chromium.mjs';
import { guichet, scratch } from './support.mjs';

const require = createRequire(import.meta.url);
const { BpmnModdle } = await import('bpmn-moddle').then((it) => (it.BpmnModdle ? it : { BpmnModdle: it.default }));
const Linter = require('bpmnlint/lib/linter');
const NodeResolver = require('bpmnlint/lib/resolver/node-resolver');

const kinds = { svg: 'svg', mermaid: 'mmd', bpmn: 'bpmn' };

/** Name and three drawings of every process. */
const drawings = await scratch((folder) => {
  const drawn = new Map();
  for (const [kind, ending] of Object.entries(kinds)) {
    guichet('diagram', 'processes/chalons', '--all', '--as', kind, '--output', folder, '--lang', 'fr');
    for (const theme of readdirSync(folder)) {
      for (const file of readdirSync(join(folder, theme)).filter((it) => it.endsWith(`.${ending}`))) {
        const name = `${theme}/${file.slice(0, -ending.length - 1)}`;
        const text = readFileSync(join(folder, theme, file), 'utf8');
        drawn.set(name, { ...drawn.get(name), name, [kind]: text });
      }
    }
  }
  return [...drawn.values()];
});

test('every process is drawn in every way', () => {
  assert.ok(drawings.length >= 51, `${drawings.length} processes`);
  for (const drawing of drawings) {
    for (const kind of Object.keys(kinds)) assert.ok(drawing[kind]?.length > 500, `${drawing.name} as ${kind}`);
  }
});

test('bpmn-moddle reads all of it, and bpmnlint has nothing to recommend', async () => {
  const faults = [];
  for (const { name, bpmn } of drawings) {
    const { rootElement, warnings } = await new BpmnModdle().fromXML(bpmn);
    faults.push(...warnings.map((warning) => `${name}: ${warning.message}`));
    // A linter remembers flows by their names from one file to the next: each file has its own.
    const linter = new Linter({ resolver: new NodeResolver() });
    const found = await linter.lint(rootElement, { extends: 'bpmnlint:recommended' });
    for (const [rule, reports] of Object.entries(found)) {
      faults.push(...reports.map((report) => `${name}: ${rule}: ${report.id}: ${report.message}`));
    }
  }
  assert.deepEqual(faults, []);
});

test('bpmn-js and Mermaid open them in a browser, where every text stays in its place', async () => {
  const { opened, faults } = await inChromium('diagram.html', drawings);
  assert.deepEqual(faults, []);
  assert.ok(opened > drawings.length * 30, `${opened} shapes and arrows were drawn`);
});
