// The schemas in an editor: a session with yaml-language-server, which most editors use for YAML.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repository } from './support.mjs';

const server = createRequire(import.meta.url).resolve('yaml-language-server/bin/yaml-language-server');

/** A language server on its own pipes, spoken to as the protocol says. */
class Session {
  constructor() {
    this.child = spawn(process.execPath, [server, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.waiting = new Map();
    this.diagnostics = new Map();
    this.listeners = [];
    this.next = 0;
    let buffer = Buffer.alloc(0);
    this.child.stdout.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      for (;;) {
        const end = buffer.indexOf('\r\n\r\n');
        if (end < 0) return;
        const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, end))[1]);
        if (buffer.length < end + 4 + length) return;
        this.hear(JSON.parse(buffer.subarray(end + 4, end + 4 + length)));
        buffer = buffer.subarray(end + 4 + length);
      }
    });
  }

  send(message) {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  hear(message) {
    if (message.method === 'textDocument/publishDiagnostics') {
      this.diagnostics.set(message.params.uri, message.params.diagnostics);
      this.listeners.forEach((listen) => listen(message.params.uri));
    } else if (message.method && message.id !== undefined) {
      // Settings are asked for one section at a time: each gets the server's own.
      const result = message.method === 'workspace/configuration' ? message.params.items.map(() => ({})) : null;
      this.send({ id: message.id, result });
    } else if (this.waiting.has(message.id)) {
      this.waiting.get(message.id)(message);
      this.waiting.delete(message.id);
    }
  }

  async ask(method, params) {
    const id = ++this.next;
    const answer = new Promise((resolve) => this.waiting.set(id, resolve));
    this.send({ id, method, params });
    const { result, error } = await answer;
    assert.equal(error, undefined, JSON.stringify(error));
    return result;
  }

  tell(method, params) {
    this.send({ method, params });
  }

  /** Opens a text as the file at `path` of the catalogue, and waits for what the server says of it. */
  async open(path, text) {
    const uri = pathToFileURL(join(repository, 'processes', 'chalons', path)).href;
    const said = new Promise((resolve) => {
      const listen = (other) => {
        if (other !== uri) return;
        this.listeners = this.listeners.filter((l) => l !== listen);
        resolve();
      };
      this.listeners.push(listen);
    });
    this.tell('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    await said;
    return { uri, text, said: this.diagnostics.get(uri) };
  }

  /** Where a text stands in an open file, its end by default. */
  at({ uri, text }, needle, offset = needle.length) {
    const index = text.indexOf(needle);
    assert.notEqual(index, -1, needle);
    const before = text.slice(0, index + offset).split('\n');
    return { textDocument: { uri }, position: { line: before.length - 1, character: before.at(-1).length } };
  }

  async completions(file, needle) {
    const list = await this.ask('textDocument/completion', this.at(file, needle));
    return list.items;
  }
}

let session;

before(async () => {
  session = new Session();
  const { capabilities } = await session.ask('initialize', {
    processId: process.pid,
    rootUri: pathToFileURL(repository).href,
    capabilities: {
      textDocument: {
        completion: { completionItem: { snippetSupport: true, documentationFormat: ['markdown'] } },
        hover: { contentFormat: ['markdown'] },
      },
      workspace: { configuration: true },
    },
    // Nothing is fetched: schemas come from the files' own first lines.
    initializationOptions: { settings: { yaml: { schemaStore: { enable: false } } } },
  });
  assert.ok(capabilities.hoverProvider && capabilities.completionProvider);
  session.tell('initialized', {});
  session.tell('workspace/didChangeConfiguration', {
    settings: { yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false } } },
  });
});

after(async () => {
  await session.ask('shutdown', null);
  session.tell('exit', null);
});

const read = (path) => readFileSync(join(repository, 'processes', 'chalons', path), 'utf8');
const head = (kind) => `# yaml-language-server: $schema=../../../schemas/${kind}.schema.json\n`;

test('shipped files of every kind have no fault', async () => {
  for (const path of [
    'catalogue.yaml', 'organisation.yaml', 'calendars/mairie.yaml', 'circuits/arrete.yaml', 'imports/dansmarue.yaml',
    'messages/accuse-reception.yaml', 'models/commun.yaml', 'voirie/chaussee-abimee.yaml',
    'voirie/chaussee-abimee.test.yaml',
  ]) {
    const { said } = await session.open(path, read(path));
    assert.deepEqual(said.map((d) => d.message), [], path);
  }
});

test('keys are completed, with their words', async () => {
  const file = await session.open('voirie/neuf.yaml', `${head('process')}process: voirie/neuf\nassig\n`);
  const keys = await session.completions(file, '\nassig');
  const assignment = keys.find((item) => item.label === 'assignment');
  assert.ok(assignment, keys.map((item) => item.label).join(' '));
  assert.match(JSON.stringify(assignment.documentation), /Quel service est chargé/);
  assert.match(JSON.stringify(assignment.documentation), /Which service is in charge/);
  const below = await session.open('voirie/dedans.yaml', `${head('process')}process: voirie/dedans\nlaw:\n  \n`);
  const inner = (await session.completions(below, 'law:\n  ')).map((item) => item.label);
  for (const key of ['after', 'basis', 'month_rule', 'silence']) assert.ok(inner.includes(key), inner.join(' '));
  assert.ok(!inner.includes('assignment'), inner.join(' '));
});

test('words are completed, with what they mean', async () => {
  const file = await session.open('voirie/mots.yaml', `${head('process')}process: voirie/mots\nextends: models/signalement\nkind: \nlaw:\n  silence: \nform:\n  - field: x\n    type: \n`);
  for (const [needle, words, meaning] of [
    ['kind: ', ['application', 'complaint', 'idea', 'internal', 'question', 'report'], ['report', /Un signalement/]],
    ['silence: ', ['acceptance', 'none', 'rejection'], ['rejection', /CRPA L231-4/]],
    ['type: ', null, ['iban', /bank account/]],
  ]) {
    const items = await session.completions(file, needle);
    const labels = items.map((item) => item.label).sort();
    if (words) assert.deepEqual(labels, words);
    const [word, text] = meaning;
    assert.match(JSON.stringify(items.find((item) => item.label === word).documentation), text);
  }
});

test('keys and words explain themselves under the pointer', async () => {
  const file = await session.open('voirie/chaussee-abimee.yaml', read('voirie/chaussee-abimee.yaml'));
  const hover = async (needle, offset) => {
    const { contents } = await session.ask('textDocument/hover', session.at(file, needle, offset));
    return contents.value;
  };
  const treatment = await hover('\ntreatment:', 3);
  assert.match(treatment, /Les tâches du service/);
  assert.match(treatment, /The service’s tasks/);
  const kind = await hover('kind: report', 8);
  assert.match(kind, /`report`: Un signalement/);
  const within = await hover('within:', 3);
  assert.match(within, /Example:/);
});

test('faults are underlined where they are, in both languages', async () => {
  const text = `${head('process')}process: voirie/faux\nextends: models/signalement\nkind: reprot\nwaiting: { lapse_after: 2 fortnights }\ntreatement: []\n`;
  const { said } = await session.open('voirie/faux.yaml', text);
  const at = (needle) => said.filter((d) => text.split('\n')[d.range.start.line].slice(d.range.start.character, d.range.end.character) === needle);
  assert.equal(said.length, 3, JSON.stringify(said, null, 1));
  assert.match(at('reprot')[0].message, /report/);
  assert.match(at('2 fortnights')[0].message, /une durée.*a duration/s);
  assert.match(at('treatement')[0].message, /treatement/);
});

test('a sheet that extends nothing must say everything, one that does need not', async () => {
  const alone = await session.open('voirie/seul.yaml', `${head('process')}process: voirie/seul\n`);
  for (const key of ['title', 'assignment', 'commitments', 'privacy']) {
    assert.ok(alone.said.some((d) => d.message.includes(key)), `${key}: ${JSON.stringify(alone.said)}`);
  }
  const heir = await session.open('voirie/herite.yaml', `${head('process')}process: voirie/herite\nextends: models/signalement\ndelivery: { by: [email] }\n`);
  assert.deepEqual(heir.said, []);
});

test('a step of a scenario that does two things, or nothing, is underlined', async () => {
  const steps = (step) => `${head('scenario')}process: voirie/chaussee-abimee\nscenarios:\n  - name: x\n    steps:\n      - ${step}\n`;
  for (const [name, step, faults] of [['un', '{ claim: true }', 0], ['deux', '{ claim: true, wait: 1 day }', 1], ['rien', '{ by: role:elu }', 1]]) {
    const { said } = await session.open(`voirie/${name}.test.yaml`, steps(step));
    assert.equal(said.length, faults, JSON.stringify(said));
    if (name === 'rien') assert.match(said[0].message, /l’un de : receive, .*One of these is needed/s);
  }
});
