// Checks a licence by another hand: reads {credential, key, list, nonce} as JSON, writes what it found.
import crypto from 'node:crypto';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';

const asked = JSON.parse(await new Promise((done) => {
  let text = '';
  process.stdin.on('data', (part) => (text += part)).on('end', () => done(text));
}));

async function verifier(jwk) {
  const key = await crypto.webcrypto.subtle.importKey(
    'jwk', { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y },
    { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'],
  );
  return (data, signature) => crypto.webcrypto.subtle.verify(
    { name: 'ECDSA', hash: 'SHA-256' }, key,
    Buffer.from(signature, 'base64url'), new TextEncoder().encode(data),
  );
}

const instance = new SDJwtVcInstance({
  verifier: await verifier(asked.key),
  statusVerifier: await verifier(asked.key),
  kbVerifier: async (data, signature, payload) => (await verifier(payload.cnf.jwk))(data, signature),
  hasher: (data, algorithm) => crypto.createHash(algorithm.replace('-', '')).update(data).digest(),
  hashAlg: 'sha-256',
  statusListFetcher: async () => asked.list,
  statusValidator: async (status) => {
    if (status !== 0) throw new Error(`status ${status}`);
  },
});
try {
  const found = await instance.verify(asked.credential, {
    ...(asked.nonce ? { keyBindingNonce: asked.nonce } : {}),
  });
  console.log(JSON.stringify({ ok: true, claims: found.payload, bound: Boolean(found.kb) }));
} catch (error) {
  console.log(JSON.stringify({ ok: false, why: String(error.message ?? error) }));
}
