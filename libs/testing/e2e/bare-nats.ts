/** NATS by hand: what any client in any language puts on the wire (docs.nats.io, client protocol; NKeys: nats-io/nkeys). */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Publishes one message as the user whose seed is in the URL; resolves when the server has taken it, which says nothing about whether a stream stored it.
 * Throws what the server says against it.
 */
export async function publishBare(natsUrl: string, subject: string, payload = ''): Promise<void> {
  const { hostname, port, username } = new URL(natsUrl);
  const socket = connect(Number(port), hostname);
  try {
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
    });
    while (!heard.includes('\r\n')) await once(socket, 'data');
    const { nonce }: { nonce: string } = JSON.parse(heard.slice('INFO '.length, heard.indexOf('\r\n')));
    const size = Buffer.byteLength(payload);
    const hello = JSON.stringify({ verbose: false, ...signIn(username, nonce) });
    socket.write(`CONNECT ${hello}\r\nPUB ${subject} ${size}\r\n${payload}\r\nPING\r\n`);
    while (!heard.includes('PONG')) {
      const refusal = /^-ERR (.*)$/m.exec(heard)?.[1];
      if (refusal !== undefined) throw new Error(`the NATS server refused: ${refusal}`);
      await once(socket, 'data');
    }
  } finally {
    socket.destroy();
  }
}

function signIn(seed: string, nonce: string): { nkey: string; sig: string } {
  const key = privateKey(seed);
  return { nkey: publicNkey(key), sig: sign(null, Buffer.from(nonce), key).toString('base64url') };
}

/** PKCS #8 of an Ed25519 key is this and the 32 bytes; a seed has two bytes of type before them and a checksum behind. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

function privateKey(seed: string): KeyObject {
  const der = Buffer.concat([PKCS8, base32Decode(seed).subarray(2, 34)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

const USER_TYPE = 20 << 3;

function publicNkey(key: KeyObject): string {
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  const typed = Buffer.concat([Buffer.from([USER_TYPE]), raw]);
  const checksum = Buffer.alloc(2);
  checksum.writeUInt16LE(crc16(typed));
  return base32Encode(Buffer.concat([typed, checksum]));
}

/** CRC-16/XMODEM. */
function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc & 0x8000 ? 0x1021 : 0) ^ (crc << 1)) & 0xffff;
  }
  return crc;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32Decode(text: string): Buffer {
  const bits = Array.from(text, (letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

function base32Encode(bytes: Buffer): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)])
    .join('');
}
