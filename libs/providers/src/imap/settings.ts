/** What a person says to connect an IMAP account: where, as whom, and with what. Known without loading the IMAP library. */
import { type Static, Type } from 'typebox';

export const ImapSettings = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 255, description: 'Name or address of the IMAP server.' }),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: '993 with `secure`, else 143.' }),
    ),
    secure: Type.Boolean({
      description: 'True: TLS from the first byte. False: STARTTLS, which the server must then offer.',
    }),
    user: Type.String({ minLength: 1, maxLength: 320 }),
    allowPlaintext: Type.Optional(
      Type.Boolean({ description: 'Without `secure`: go on unencrypted where STARTTLS is not offered.' }),
    ),
    allowInvalidCertificate: Type.Optional(
      Type.Boolean({
        description: 'Accept a certificate that does not verify. For tests and private networks.',
      }),
    ),
    compress: Type.Optional(
      Type.Boolean({
        description: 'COMPRESS=DEFLATE where offered: less traffic, twice the CPU. Off by default.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type ImapSettings = Static<typeof ImapSettings>;

export const ImapCredential = Type.Union([
  Type.Object({ password: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
  Type.Object({ accessToken: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
]);
export type ImapCredential = Static<typeof ImapCredential>;
