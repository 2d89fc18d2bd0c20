/** For fuzzing: bytes with something cut out, put in, said twice or turned around. */
import fc from 'fast-check';

export interface ByteChange {
  /** Where; past the end it is somewhere within. */
  readonly at: number;
  readonly length: number;
  readonly piece: Uint8Array;
  readonly kind: number;
}

/** `reach`: how far into the bytes a change may be. */
export const byteChange = (reach: number): fc.Arbitrary<ByteChange> =>
  fc.record({
    at: fc.nat(reach),
    length: fc.nat(40),
    piece: fc.uint8Array({ maxLength: 8 }),
    kind: fc.nat(3),
  });

export function changed(bytes: Uint8Array, { at, length, piece, kind }: ByteChange): Uint8Array {
  const from = at % (bytes.length + 1);
  const taken = bytes.subarray(from, from + length);
  const middle = [
    piece,
    Buffer.concat([taken, taken, taken]),
    Buffer.concat([piece, taken]),
    taken.toReversed(),
  ];
  return Buffer.concat([bytes.subarray(0, from), middle[kind] ?? taken, bytes.subarray(from + length)]);
}
