/** Pieces that facts and changes share. */
import { type Static, Type } from 'typebox';

/** Where an observation comes from: a change as it happened, the first import, or a completeness check. */
export const Origin = Type.Union([Type.Literal('live'), Type.Literal('backfill'), Type.Literal('reconcile')]);
export type Origin = Static<typeof Origin>;

/** Why something failed; decides who retries and when (one table: ARCHITECTURE.md). */
export const FAILURE_CLASSES = [
  'network',
  'auth',
  'quota',
  'parse',
  'timeout',
  'conflict',
  'gone',
  'permanent',
] as const;
export const FailureClass = Type.Enum(FAILURE_CLASSES);
export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** A 64-bit number as decimal digits: sequences, mod-sequences, history ids do not fit a JSON number. */
export const Digits = Type.String({ pattern: '^[0-9]{1,20}$' });

/** A mail address as it stands in a header; either part may be missing in hostile mail. */
export const Address = Type.Object({
  name: Type.Union([Type.String(), Type.Null()]),
  address: Type.Union([Type.String(), Type.Null()]),
});
export type Address = Static<typeof Address>;

/**
 * Flags of a message: `seen answered flagged draft deleted forwarded junk notjunk` for the well-known ones of every provider,
 * anything else as the provider spells it (an IMAP keyword). Sorted, without repeats.
 */
export const Flags = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 500 });

/** `null` or the type. */
export function nullable<T extends Parameters<typeof Type.Union>[0][number]>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}
