// Webhooks of a real server, read by libraries that nobody here wrote, through the server's death in the middle.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'node:test';
import { HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { guichet, program, repository, scratch } from './support.mjs';

/** A server that is ready, on a port of its own choice. */
async function serve(data, settings) {
  const words = ['--lang', 'en', '--data', data, 'serve', '--catalogue', 'processes/chalons', '--settings', settings, '--listen', '127.0.0.1:0'];
  const env = { ...process.env, GUICHET_LOG: 'warn' };
  const child = spawn(program, words, { cwd: repository, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8');
  const address = await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      said += text;
      const found = said.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (found) resolve(found[0]);
    });
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  return { child, address };
}

/** Ends a server, however it is asked to. */
async function end(child, signal) {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

/** A receiver that keeps what it is told, each after a while. */
async function receiver(delay) {
  const heard = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      heard.push({ headers: request.headers, body: Buffer.concat(parts).toString('utf8') });
      await pause(delay);
      response.writeHead(204).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { heard, port: server.address().port, close: () => server.close() };
}

async function post(address, path, body, key) {
  const headers = { 'content-type': 'application/json' };
  if (key) headers.authorization = `Bearer ${key}`;
  const answer = await fetch(address + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const json = await answer.json();
  assert.equal(answer.status, 201, JSON.stringify(json));
  return json;
}

const pothole = { process: 'voirie/chaussee-abimee', form: { place: [48.957, 4.363], danger: false } };

test('every change arrives, signed and well formed, though the server is killed in between', { timeout: 240_000 }, () => scratch(async (folder) => {
  const portal = await receiver(60);
  const settings = join(folder, 'guichet.toml');
  writeFileSync(settings, `[webhooks]\nallowed_hosts = ["127.0.0.1:${portal.port}"]\n`);
  const data = join(folder, 'data');
  let { child, address } = await serve(data, settings);
  const key = guichet('--data', data, 'key', '--tenant', 'ville', '--integrator', 'portail', '--scope', 'webhooks:manage').trim();
  const { secret } = await post(address, '/v1/ville/webhooks', { url: `http://127.0.0.1:${portal.port}/`, events: ['request.received'] }, key);

  const sent = new Set();
  for (let n = 0; n < 40; n += 1) {
    sent.add((await post(address, '/v1/ville/requests', pothole)).request);
  }
  for (const kill of [5, 15]) {
    while (portal.heard.length < kill) await pause(10);
    await end(child, 'SIGKILL');
    ({ child, address } = await serve(data, settings));
  }
  const subjects = () => new Set(portal.heard.map((one) => JSON.parse(one.body).subject));
  while (subjects().size < sent.size) await pause(50);
  await pause(1500);
  await end(child, 'SIGTERM');
  portal.close();

  assert.deepEqual([...subjects()].sort(), [...sent].sort(), 'nothing is lost, nothing is made up');
  const verifier = new Webhook(secret);
  const bodies = new Map();
  for (const { headers, body } of portal.heard) {
    verifier.verify(body, headers);
    assert.throws(() => verifier.verify(`${body} `, headers), 'a changed body is recognised');
    const event = HTTP.toEvent({ headers, body });
    assert.ok(event.validate());
    assert.equal(event.id, headers['webhook-id']);
    assert.equal(event.type, 'fr.guichet.request.received');
    assert.equal(event.data.stage, 'received');
    assert.ok(event.data.promises.every((promise) => Date.parse(promise.due) > Date.parse(event.time)));
    // The same id is the same event, to the byte.
    assert.equal(bodies.get(event.id) ?? body, body);
    bodies.set(event.id, body);
  }
  assert.equal(bodies.size, sent.size, 'a repeat carries the id of the first');
  const { headers, body } = portal.heard[0];
  const late = { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 3600) };
  assert.throws(() => verifier.verify(body, late), 'a replay under another time is recognised');
  console.log(`${sent.size} events, ${portal.heard.length} deliveries, two deaths of the server`);
}));
