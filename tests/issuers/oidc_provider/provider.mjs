// An identity provider that is not ours: provider.mjs CLIENT_ID CLIENT_SECRET REDIRECT_URI
//
// Prints its issuer. Who signs in says so in the head of the call for /login/…: `x-login: NAME AMR,AMR ACR`; a dash is
// none. Whoever says nothing there is asked on a page. POST /test/rotate has it sign with other keys from then on.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

const [clientId, clientSecret, redirectUri] = process.argv.slice(2);

async function keys() {
  const named = async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: randomUUID() };
  };
  return { keys: [await named('RS256'), await named('ES256')] };
}

// Outlives a change of keys, which is another Provider.
const adapter = createMemoryAdapter();

async function make(issuer) {
  return new Provider(issuer, {
    adapter,
    jwks: await keys(),
    clients: [{
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      require_auth_time: true,
    }],
    claims: { openid: ['sub', 'amr', 'acr'], profile: ['preferred_username', 'groups'], email: ['email'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['for tests alone'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id, preferred_username: id.split('|').pop(), email: `${id}@acme.example`, groups: ['security'],
      }),
    }),
    async loadExistingGrant(ctx) {
      // one a session: with another, codes of its other tabs are void
      const known = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
      if (known) return ctx.oidc.provider.Grant.find(known);
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
}

let provider;
const server = createServer(async (request, response) => {
  if (request.url === '/test/rotate') {
    provider = await make(provider.issuer);
    response.end('rotated\n');
  } else if (request.url.startsWith('/login/')) {
    const asked = new URL(request.url, provider.issuer).searchParams.get('login');
    const login = request.headers['x-login'] ?? asked;
    if (login === null) {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>Acme</title><form><input name="login"><button>Sign in</button></form>');
      return;
    }
    const [accountId, amr, acr] = login.split(' ');
    const result = accountId === 'nobody'
      ? { error: 'access_denied', error_description: '<b>not\u202e today</b>' }
      : { login: { accountId, ...(amr !== '-' && { amr: amr.split(',') }), ...(acr !== '-' && { acr }) } };
    await provider.interactionFinished(request, response, result);
  } else {
    provider.callback()(request, response);
  }
});
server.listen(0, '127.0.0.1', async () => {
  provider = await make(`http://127.0.0.1:${server.address().port}`);
  console.log(provider.issuer);
});
