// A town's portal, as small as it can be: it serves its page, passes calls of the page on to Guichet with the portal's
// own key, which no browser ever sees, and hears by webhook what changes.
//
//   GUICHET=http://127.0.0.1:8080 TENANT=ville KEY_FILE=portal.key [HOOK_SECRET_FILE=hook.secret] node server.mjs 8090
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, request as call } from 'node:http';

const { GUICHET = 'http://127.0.0.1:8080', TENANT = 'ville', KEY_FILE, HOOK_SECRET_FILE } = process.env;
const key = KEY_FILE && readFileSync(KEY_FILE, 'utf8').trim();
const secret = () => HOOK_SECRET_FILE && readFileSync(HOOK_SECRET_FILE, 'utf8').trim();

const page = new Map([
  ['/', ['index.html', 'text/html']],
  ['/portal.js', ['portal.js', 'text/javascript']],
  ['/portal.css', ['portal.css', 'text/css']],
].map(([path, [file, kind]]) => [path, { kind, body: readFileSync(new URL(file, import.meta.url)) }]));

/** What the page may ask Guichet for: nothing that an agent's screen would. */
const open = [
  ['GET', /^\/catalogue(\/[\w-]+\/[\w-]+)?$/],
  ['POST', /^\/files$/],
  ['POST', /^\/requests$/],
  ['POST', /^\/follow(\/actions|\/changes)?$/],
];
const passedOn = ['content-type', 'content-length', 'content-disposition', 'accept', 'accept-language', 'idempotency-key', 'prefer'];

/** Passes a call on, and what is answered back, as it comes: live changes must not wait for an end. */
function passOn(request, response, path) {
  const headers = Object.fromEntries(passedOn.map((name) => [name, request.headers[name]]).filter(([, value]) => value));
  // The key of the portal counts the citizens together; Guichet counts each of them by this, if it trusts the portal.
  headers['x-forwarded-for'] = request.socket.remoteAddress;
  if (key && path.startsWith('/requests')) headers.authorization = `Bearer ${key}`;
  const onward = call(`${GUICHET}/v1/${TENANT}${path}`, { method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode, { ...answer.headers, connection: 'close' });
    answer.pipe(response);
  });
  onward.on('error', () => { if (!response.headersSent) response.writeHead(502).end(); else response.destroy(); });
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

/** Whether a webhook is Guichet's, and fresh (Standard Webhooks). */
function isGenuine(headers, body, now = Date.now() / 1000) {
  const [id, at, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headers[name] ?? '');
  if (!secret() || Math.abs(now - Number(at)) > 300) return false;
  const right = createHmac('sha256', Buffer.from(secret().replace('whsec_', ''), 'base64')).update(`${id}.${at}.${body}`).digest();
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace('v1,', ''), 'base64');
    return given.length === right.length && timingSafeEqual(given, right);
  });
}

const heard = new Set();
function hear(request, response) {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString('utf8');
    if (!isGenuine(request.headers, body)) return response.writeHead(400).end();
    // The same event may come twice: its id says so.
    if (!heard.has(request.headers['webhook-id'])) {
      heard.add(request.headers['webhook-id']);
      const { type, subject } = JSON.parse(body);
      console.log(`heard ${type} of ${subject}`);
    }
    return response.writeHead(204).end();
  });
}

const server = createServer((request, response) => {
  const { pathname, search } = new URL(request.url, 'http://portal');
  const file = page.get(pathname);
  const path = pathname.startsWith('/api/') && pathname.slice(4);
  if (request.method === 'GET' && file) {
    response.writeHead(200, {
      'content-type': `${file.kind}; charset=utf-8`,
      'content-security-policy': "default-src 'self'; img-src 'self' blob:",
    }).end(file.body);
  } else if (path && open.some(([method, form]) => method === request.method && form.test(path))) {
    passOn(request, response, path + search);
  } else if (request.method === 'POST' && pathname === '/hook') {
    hear(request, response);
  } else {
    response.writeHead(404).end();
  }
});
server.listen(Number(process.argv[2] ?? 8090), '127.0.0.1', () => {
  console.log(`portal on http://127.0.0.1:${server.address().port}`);
});
