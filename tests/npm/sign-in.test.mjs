// Signing in with a real identity provider, through the real server: the whole way, and every way that must not lead in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, createHmac, createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import test from 'node:test';
import { client, startProvider } from './provider.mjs';
import { program, repository, scratch } from './support.mjs';

const spare = () => new Promise(found => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => found(port));
  });
});

const PORTAL = 'http://portail.exemple.example';

/** The server, with both providers being the same one. */
async function withServer(use, { minutes = 30 } = {}) {
  await scratch(async folder => {
    const port = await spare();
    const here = `http://127.0.0.1:${port}`;
    const ways = ['ville', 'ccas'].flatMap(t => ['agents', 'citizens'].map(k => `${here}/v1/${t}/sign-in/${k}/callback`));
    const provider = await startProvider(ways, [`${here}/`]);
    writeFileSync(join(folder, 'secret'), `${client.secret}\n`);
    const section = kind => `[sign_in.${kind}]\nissuer = "${provider.issuer}"\nname = "essai"\nclient_id = "${client.id}"\n`
      + 'client_secret_file = "secret"\nscopes = ["openid", "email", "profile"]\n';
    writeFileSync(join(folder, 'guichet.toml'),
      `[sign_in]\nportals = ["${PORTAL}"]\nidle_minutes = ${minutes}\n${section('agents')}${section('citizens')}`);
    const server = spawn(program, ['--data', join(folder, 'data'), 'serve', '--listen', `127.0.0.1:${port}`,
      '--public-url', `${here}/`, '--catalogue', 'processes/chalons', '--settings', join(folder, 'guichet.toml')],
    { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    server.stderr.on('data', chunk => { log += chunk; });
    server.stdout.on('data', chunk => { log += chunk; });
    try {
      for (let n = 0; ; n += 1) {
        const up = await fetch(`${here}/ready`).then(answer => answer.ok, () => false);
        if (up) break;
        assert.ok(n < 300 && server.exitCode === null, log);
        await new Promise(next => setTimeout(next, 100));
      }
      await use({ here, provider, log: () => log });
    } finally {
      server.kill('SIGTERM');
      if (server.exitCode === null) await once(server, 'exit');
      await provider.close();
    }
  });
}

/** A browser: it keeps cookies by origin and follows nobody by itself. */
class Browser {
  cookies = new Map();

  async go(url, options = {}) {
    const origin = new URL(url).origin;
    const kept = this.cookies.get(origin) ?? new Map();
    const cookie = [...kept].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', ...options, headers: { cookie, ...options.headers } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) kept.delete(name); else kept.set(name, value);
    }
    this.cookies.set(origin, kept);
    return answer;
  }

  /** Follows until it would come back to `here`; answers the address that it would call. */
  async away(url, here, who) {
    let next = url;
    for (let n = 0; n < 12; n += 1) {
      if (n > 0 && next.startsWith(here)) return next;
      const origin = new URL(next).origin;
      if (!next.startsWith(here)) this.cookies.set(origin, (this.cookies.get(origin) ?? new Map()).set('who', who));
      const answer = await this.go(next);
      assert.ok([302, 303].includes(answer.status), `${answer.status} ${next} ${await answer.text()}`);
      next = new URL(answer.headers.get('location'), next).href;
    }
    throw new Error('the provider leads nowhere');
  }
}

/** Signs in; answers what the callback answers. */
async function signIn(browser, { here }, kind, who, tenant = 'ville', query = '') {
  const back = await browser.away(`${here}/v1/${tenant}/sign-in/${kind}${query}`, here, who);
  const answer = await browser.go(back);
  return { answer, back, code: answer.status >= 400 ? (await answer.clone().json()).code : null };
}

const me = (browser, { here }, tenant = 'ville') => browser.go(`${here}/v1/${tenant}/session`).then(answer => answer.json());
const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const read = token => token.split('.').slice(0, 2).map(text => JSON.parse(Buffer.from(text, 'base64url')));

test('citizens and agents sign in, are known by cookie and as bearers, and sign out', async () => {
  await withServer(async server => {
    const { here } = server;
    const citizen = new Browser();
    const { answer } = await signIn(citizen, server, 'citizens', 'camille', 'ville', '?return=/merci');
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get('location'), '/merci');
    const cookie = answer.headers.getSetCookie().find(line => line.startsWith('guichet-session-ville='));
    assert.match(cookie, /; HttpOnly; SameSite=Lax/);
    const known = await me(citizen, server);
    assert.equal(known.kind, 'citizen');
    assert.ok(known.scopes.includes('account') && !known.scopes.includes('requests:read'), known.scopes.join());
    assert.equal((await me(citizen, server, 'ccas')).kind, 'nobody', 'each collectivity has its own sessions');
    const again = new Browser();
    await signIn(again, server, 'citizens', 'camille');
    assert.equal((await me(again, server)).holder, known.holder, 'the same person has the same account');
    await signIn(again, server, 'citizens', 'camille', 'ccas');
    assert.notEqual((await me(again, server, 'ccas')).holder, known.holder, 'and another one elsewhere');

    const agent = new Browser();
    assert.equal((await signIn(agent, server, 'agents', 'agent')).answer.status, 303);
    const staff = await me(agent, server);
    assert.deepEqual([staff.kind, staff.holder], ['agent', 'a01']);
    assert.equal((await agent.go(`${here}/v1/ville/requests`)).status, 200);
    const token = agent.cookies.get(here).get('guichet-session-ville');
    const bearer = tenant => fetch(`${here}/v1/${tenant}/requests`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await bearer('ville')).status, 200);
    assert.equal((await bearer('ccas')).status, 401, 'another collectivity’s session opens nothing');

    const post = headers => agent.go(`${here}/v1/ville/sign-out`, { method: 'POST', headers });
    assert.equal((await post({})).status, 403, 'nothing shows that a page of this server asked');
    assert.equal((await post({ origin: 'https://ailleurs.example' })).status, 403);
    assert.equal((await post({ 'sec-fetch-site': 'cross-site', origin: here })).status, 403);
    assert.equal((await bearer('ville')).status, 200, 'and so it is still there');
    const out = await post({ origin: here });
    assert.equal(out.status, 200);
    const { provider } = await out.json();
    assert.ok(new URL(provider).searchParams.get('id_token_hint'), 'signing out at the provider too is offered');
    assert.equal((await bearer('ville')).status, 401);
    assert.equal((await me(agent, server)).kind, 'nobody');
  });
});

test('nobody is signed in whom the town does not know, and nobody is led elsewhere', async () => {
  await withServer(async server => {
    const { here, provider } = server;
    for (const who of ['stranger', 'unproven', 'camille']) {
      const { code } = await signIn(new Browser(), server, 'agents', who);
      assert.equal(code, 'sign_in.unknown', who);
    }
    const { code: elsewhere } = await signIn(new Browser(), server, 'agents', 'agent', 'ccas');
    assert.equal(elsewhere, 'sign_in.unknown', 'an agent of the town does not work for the CCAS');
    for (const back of ['//ailleurs.example', 'https://ailleurs.example/', '/\\ailleurs.example', '/%09/x\t/', 'javascript:alert(1)', `${PORTAL}.ailleurs.example/`, `${PORTAL}@ailleurs.example/`, `${PORTAL}/`]) {
      const answer = await fetch(`${here}/v1/ville/sign-in/citizens?return=${encodeURIComponent(back)}`, { redirect: 'manual' });
      const led = answer.status === 303 && back === '/%09/x\t/';
      assert.ok(answer.status === 422 && !led, `${back} ${answer.status}`);
    }
    assert.equal((await fetch(`${here}/v1/nulle/sign-in/citizens`)).status, 404);
    assert.equal((await fetch(`${here}/v1/ville/sign-in/others`)).status, 404);

    // Another browser, another state, the same answer twice.
    const browser = new Browser();
    const back = await browser.away(`${here}/v1/ville/sign-in/citizens`, here, 'camille');
    const codeOf = async answer => (await answer.json()).code;
    assert.equal(await codeOf(await new Browser().go(back)), 'sign_in.stale', 'a browser that did not go');
    assert.equal(await codeOf(await browser.go(back)), 'sign_in.stale', 'what was shown once is good no more');
    const fresh = await browser.away(`${here}/v1/ville/sign-in/citizens`, here, 'camille');
    const odd = new URL(fresh);
    odd.searchParams.set('state', randomBytes(32).toString('base64url'));
    assert.equal(await codeOf(await browser.go(odd)), 'sign_in.stale');
    const other = new URL(fresh);
    other.searchParams.set('iss', 'https://ailleurs.example');
    assert.equal(await codeOf(await browser.go(other)), 'sign_in.stale', 'RFC 9207');
    const kind = (await browser.away(`${here}/v1/ville/sign-in/citizens`, here, 'agent')).replace('/citizens/', '/agents/');
    assert.equal(await codeOf(await browser.go(kind)), 'sign_in.stale', 'who went as a citizen comes back as one');
    assert.ok(provider.jwks <= 3, `keys are not asked for each time: ${provider.jwks}`);
  });
});

test('a token that is not the provider’s own, for us, now, leads nowhere', async () => {
  await withServer(async server => {
    const { provider, log } = server;
    const resigned = (change, header = {}) => (token, key) => {
      const [head, claims] = read(token);
      const text = `${part({ ...head, ...header })}.${part({ ...claims, ...change(claims) })}`;
      const signature = sign('sha256', Buffer.from(text), { key: createPrivateKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' });
      return `${text}.${signature.toString('base64url')}`;
    };
    const seconds = Math.floor(Date.now() / 1000);
    const ways = {
      'of another issuer': resigned(() => ({ iss: 'https://ailleurs.example' })),
      'for another audience': resigned(() => ({ aud: 'quelqu-un-d-autre' })),
      'for several, us among them, made for another': resigned(() => ({ aud: [client.id, 'autre'], azp: 'autre' })),
      'for several, without a word for whom': resigned(() => ({ aud: [client.id, 'autre'] })),
      'that is over': resigned(() => ({ exp: seconds - 300 })),
      'made long ago': resigned(() => ({ iat: seconds - 3600 })),
      'made tomorrow': resigned(() => ({ iat: seconds + 86400, exp: seconds + 90000 })),
      'not yet valid': resigned(() => ({ nbf: seconds + 3600 })),
      'without an end': resigned(() => ({ exp: undefined })),
      'with another nonce': resigned(() => ({ nonce: 'autre' })),
      'without a nonce': resigned(() => ({ nonce: undefined })),
      'without a subject': resigned(() => ({ sub: undefined })),
      'about another person than the provider tells of': resigned(() => ({ sub: 'agent' })),
      'of an unknown key': resigned(() => ({}), { kid: 'unknown' }),
      'tampered with': token => {
        const [head, , signature] = token.split('.');
        return `${head}.${part({ ...read(token)[1], sub: 'agent' })}.${signature}`;
      },
      'with its signature cut off': token => `${token.split('.').slice(0, 2).join('.')}.`,
      'alg: none': token => `${part({ alg: 'none', typ: 'JWT' })}.${part(read(token)[1])}.`,
      'alg: none, with the key’s name': token => `${part({ alg: 'none', kid: read(token)[0].kid })}.${part(read(token)[1])}.x`,
      'HMAC with the public key': (token, key) => {
        const text = `${part({ alg: 'HS256', kid: key.kid })}.${part(read(token)[1])}`;
        const pem = createPublicKey({ key: { ...key, d: undefined }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
        return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
      },
      'HMAC with the client’s secret': (token, key) => {
        const text = `${part({ alg: 'HS256', kid: key.kid })}.${part(read(token)[1])}`;
        return `${text}.${createHmac('sha256', client.secret).update(text).digest('base64url')}`;
      },
      'no token at all': () => 'x',
    };
    // What exactly was wrong stands in the operator's log, and nowhere else.
    const reasons = {
      'of another issuer': 'issuer is another',
      'for another audience': 'for somebody else',
      'for several, us among them, made for another': 'for somebody else',
      'for several, without a word for whom': 'for somebody else',
      'that is over': 'over or not yet',
      'made long ago': 'over or not yet',
      'made tomorrow': 'over or not yet',
      'not yet valid': 'over or not yet',
      'without an end': 'not say enough',
      'with another nonce': 'another sign-in',
      'without a nonce': 'another sign-in',
      'without a subject': 'not say enough',
      'about another person than the provider tells of': 'not say enough',
      'of an unknown key': 'key is not known',
      'tampered with': 'signature is wrong',
      'with its signature cut off': 'signature is wrong',
      'alg: none': 'no token that is taken',
      'alg: none, with the key’s name': 'no token that is taken',
      'HMAC with the public key': 'no token that is taken',
      'HMAC with the client’s secret': 'no token that is taken',
      'no token at all': 'no token that is taken',
    };
    for (const [name, forge] of Object.entries(ways)) {
      provider.forge = forge;
      const before = log().length;
      const browser = new Browser();
      const { answer, code } = await signIn(browser, server, 'citizens', 'camille');
      assert.deepEqual([answer.status, code], [403, 'sign_in.untrusted'], name);
      assert.equal((await me(browser, server)).kind, 'nobody', name);
      for (let n = 0; n < 40 && !log().slice(before).includes(reasons[name]); n += 1) await new Promise(next => setTimeout(next, 50));
      assert.ok(log().slice(before).includes(reasons[name]), `${name}: ${log().slice(before)}`);
    }
    // The same means, and nothing wrong: it is the changes that were refused.
    provider.forge = resigned(() => ({}));
    assert.equal((await signIn(new Browser(), server, 'citizens', 'camille')).answer.status, 303);
    assert.ok(!/camille|eyJ/.test(log()), 'nothing of it stands in the log');
  });
});

test('the provider may change its keys at any time', async () => {
  await withServer(async server => {
    const { provider } = server;
    assert.equal((await signIn(new Browser(), server, 'citizens', 'camille')).answer.status, 303);
    // Keys are asked for again at most every ten seconds.
    await new Promise(next => setTimeout(next, 10_500));
    const before = provider.jwks;
    provider.rotate();
    assert.equal((await signIn(new Browser(), server, 'citizens', 'camille')).answer.status, 303);
    assert.equal(provider.jwks, before + 1, 'asked for once');
    assert.equal((await signIn(new Browser(), server, 'citizens', 'camille')).answer.status, 303);
    assert.equal(provider.jwks, before + 1, 'and not again');
  });
});

test('a portal on another origin fetches the session, once, and nobody else can', async () => {
  await withServer(async server => {
    const { here } = server;
    const verifier = randomBytes(32).toString('base64url');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const query = `?return=${encodeURIComponent(`${PORTAL}/compte`)}&challenge=${challenge}`;
    const signed = async () => {
      const browser = new Browser();
      const { answer } = await signIn(browser, server, 'citizens', 'camille', 'ville', query);
      assert.equal(answer.headers.getSetCookie().length, 0, 'the browser itself gets no session here');
      const led = new URL(answer.headers.get('location'));
      assert.equal(led.origin + led.pathname, `${PORTAL}/compte`);
      return led.searchParams.get('sign_in');
    };
    const fetched = (code, proof, tenant = 'ville') => fetch(`${here}/v1/${tenant}/sign-in/fetch`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code, verifier: proof }),
    });
    const stolen = await signed();
    assert.equal((await fetched(stolen, randomBytes(32).toString('base64url'))).status, 400);
    assert.equal((await fetched(stolen, verifier)).status, 400, 'a code that was tried is good no more');
    assert.equal((await fetched(await signed(), verifier, 'ccas')).status, 400);
    const code = await signed();
    const { token, kind } = await (await fetched(code, verifier)).json();
    assert.equal(kind, 'citizen');
    const known = await fetch(`${here}/v1/ville/session`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await known.json()).kind, 'citizen');
    assert.equal((await fetched(code, verifier)).status, 400);
  });
});
