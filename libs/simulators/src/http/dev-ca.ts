/** A certificate authority for development: clients that insist on HTTPS trust its certificate and nothing else changes. */
import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

export interface DevCa {
  /** The certificate to trust, PEM. */
  readonly ca: string;
  /** What the servers present. */
  readonly cert: string;
  readonly key: string;
}

// Fixed dates: certificates are judged by the machine's clock, which the simulator never asks for.
const NOT_BEFORE = new Date('2020-01-01T00:00:00Z');
const NOT_AFTER = new Date('2045-01-01T00:00:00Z');

/** `hosts`: names and IPv4 addresses beside those of this machine. */
export function createDevCa(
  hosts: readonly string[] = [],
  own: readonly string[] = ['localhost', '127.0.0.1'],
): DevCa {
  // One pair for all: nothing here is secret, and making keys takes longest of all that is done at a start.
  const pair = keys();
  const issuer = [{ name: 'commonName', value: 'Mail simulator development CA' }];
  const ca = certificate('01', pair.publicKey, issuer, issuer);
  ca.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
  ca.sign(pair.privateKey, forge.md.sha256.create());

  const leaf = certificate('02', pair.publicKey, [{ name: 'commonName', value: 'localhost' }], issuer);
  const names = [...own, ...hosts].map((host) =>
    /^[\d.]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host },
  );
  leaf.setExtensions([
    { name: 'basicConstraints', cA: false },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: names },
  ]);
  leaf.sign(pair.privateKey, forge.md.sha256.create());
  return {
    ca: forge.pki.certificateToPem(ca),
    cert: forge.pki.certificateToPem(leaf),
    key: pair.pem,
  };
}

function certificate(
  serial: string,
  publicKey: forge.pki.rsa.PublicKey,
  subject: forge.pki.CertificateField[],
  issuer: forge.pki.CertificateField[],
) {
  const made = forge.pki.createCertificate();
  made.serialNumber = serial;
  made.publicKey = publicKey;
  made.validity.notBefore = NOT_BEFORE;
  made.validity.notAfter = NOT_AFTER;
  made.setSubject(subject);
  made.setIssuer(issuer);
  return made;
}

/** Keys from OpenSSL, which is quicker at finding primes than JavaScript. */
function keys() {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return {
    pem: pair.privateKey,
    privateKey: forge.pki.privateKeyFromPem(pair.privateKey),
    publicKey: forge.pki.publicKeyFromPem(pair.publicKey),
  };
}
