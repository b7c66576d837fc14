// Tokens that jose makes: tokens.mjs ISSUER AUDIENCE
//
// Prints a JSON object a line: `{"alg", "keys", "token"}`, a token of each algorithm and the key set that verifies it.
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

const [issuer, audience] = process.argv.slice(2);

for (const alg of ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: `key of ${alg}`, use: 'sig' };
  const token = await new SignJWT({ nonce: 'n', amr: ['mfa'] })
    .setProtectedHeader({ alg, kid: key.kid, typ: 'JWT' })
    .setIssuer(issuer).setAudience(audience).setSubject('ana').setIssuedAt().setExpirationTime('5m')
    .sign(privateKey);
  console.log(JSON.stringify({ alg, keys: { keys: [key] }, token }));
}
