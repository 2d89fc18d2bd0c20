/** AES-256-GCM: seals bytes under a key, bound to what they are for. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Of all keys here. */
export const KEY_BYTES = 32;

/** Nonce, tag, ciphertext. `binding` is not in them, and has to be known to open them. */
export function sealBytes(key: Uint8Array, bytes: Uint8Array, binding: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(binding));
  const text = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), text]);
}

/** Throws when the key or the binding is another one, or a bit was changed. */
export function openBytes(key: Uint8Array, sealed: Uint8Array, binding: string): Buffer {
  const textAt = IV_BYTES + TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(binding)).setAuthTag(sealed.subarray(IV_BYTES, textAt));
  return Buffer.concat([decipher.update(sealed.subarray(textAt)), decipher.final()]);
}
