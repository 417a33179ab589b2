// A real identity provider (oidc-provider), on a spare port, for the tests of signing in: ES256 keys that change when asked
// to, signed answers about people, and one page that lets anybody in under the name they give.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

/** What the provider knows of people, by the name they sign in under. */
const people = {
  camille: { email: 'camille@exemple.example', email_verified: true, given_name: 'Camille', family_name: 'Dupont', birthdate: '1980-05-17' },
  agent: { email: 'A01@ville.chalons.example', email_verified: true },
  unproven: { email: 'a01@ville.chalons.example', email_verified: false },
  stranger: { email: 'nobody@ailleurs.example', email_verified: true },
};

export const client = { id: 'guichet', secret: 'a secret of the tests only, of forty letters' };

function newKey(kid) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' };
}

/**
 * Starts it. `forge(kind, token, key)` may put another token in the place of an identity token; `rotate()` signs with a
 * new key from now on and shows the old one no more.
 */
export async function startProvider(redirects, after) {
  let engine;
  let key = newKey('first');
  const state = { forge: null, jwks: 0, key: () => key };
  const server = createServer((request, response) => handle(request, response));
  await new Promise(ready => server.listen(0, '127.0.0.1', ready));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const make = () => {
    engine = new Provider(issuer, {
      clients: [{
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: redirects,
        post_logout_redirect_uris: after,
        id_token_signed_response_alg: 'ES256',
        userinfo_signed_response_alg: 'ES256',
        token_endpoint_auth_method: 'client_secret_basic',
        response_types: ['code'],
        grant_types: ['authorization_code'],
      }],
      jwks: { keys: [key] },
      enabledJWA: { idTokenSigningAlgValues: ['ES256'], userinfoSigningAlgValues: ['ES256'] },
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['given_name', 'family_name', 'birthdate'],
      },
      features: { userinfo: { enabled: true }, jwtUserinfo: { enabled: true }, devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
      pkce: { required: () => true },
      cookies: { keys: ['of the tests only'] },
      conformIdTokenClaims: true,
      interactions: { url: (_, interaction) => `/let-in/${interaction.uid}` },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
    });
    // The tests are not a browser behind TLS.
    engine.proxy = false;
  };
  make();

  async function letIn(request, response) {
    const { prompt, params, grantId, session } = await engine.interactionDetails(request, response);
    const name = /(?:^|; )who=([a-z]+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'camille';
    const accountId = prompt.name === 'login' ? name : session.accountId;
    if (prompt.name === 'login') {
      return engine.interactionFinished(request, response, { login: { accountId } }, { mergeWithLastSubmission: false });
    }
    const grant = grantId ? await engine.Grant.find(grantId) : new engine.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const consent = { grantId: await grant.save() };
    return engine.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  }

  function handle(request, response) {
    if (request.url.startsWith('/let-in/')) {
      letIn(request, response).catch(error => response.writeHead(500).end(String(error)));
      return;
    }
    if (request.url.startsWith('/jwks')) state.jwks += 1;
    if (request.url.startsWith('/token') && state.forge) {
      const end = response.end.bind(response);
      response.end = body => {
        const answer = JSON.parse(String(body));
        if (answer.id_token) answer.id_token = state.forge(answer.id_token, key);
        const text = JSON.stringify(answer);
        response.setHeader('content-length', Buffer.byteLength(text));
        return end(text);
      };
    }
    engine.callback()(request, response);
  }

  return Object.assign(state, {
    issuer,
    rotate() { key = newKey(`key-${Math.random().toString(36).slice(2)}`); make(); },
    close: () => new Promise(closed => { server.closeAllConnections(); server.close(closed); }),
  });
}
