/** Reads one stored message as a fact, or says why it cannot be used. Pure. */

import type { Stored } from '@mailstream/bus';
import {
  CATALOG,
  type FactEvent,
  isToken,
  parseFactSubject,
  partitionOf,
  validatorOf,
} from '@mailstream/contracts';
import type { Fact } from './port.ts';

/** Why a message is not a fact: a token for grouping and a sentence for people. */
export interface Flaw {
  readonly reason:
    | 'bad-subject'
    | 'not-json'
    | 'unknown-type'
    | 'bad-schema'
    | 'wrong-identity'
    | 'wrong-subject';
  readonly detail: string;
}

export type Decoded = { readonly fact: Fact } | { readonly flaw: Flaw };

/** Each fact's subject ending in parts; `<scope>` stands for the field `scope` of its data. */
const ENDINGS = new Map(
  CATALOG.filter((entry) => entry.stream === 'MAIL').map((entry) => [
    entry.type,
    entry.subject.split('.').slice(4),
  ]),
);

export function decode(stored: Stored, lift = 0n): Decoded {
  const at = parseFactSubject(stored.subject);
  if (!at || ![at.tenant, at.account, ...at.fact.split('.')].every(isToken))
    return flawed('bad-subject', 'the subject is not mail.<pp>.<tenant>.<account>.<fact>');
  if (partitionOf(at.account) !== at.partition)
    return flawed('bad-subject', `account ${at.account} belongs to partition ${partitionOf(at.account)}`);

  const body = parseJson(stored.data);
  if (body === undefined) return flawed('not-json', 'the payload is not JSON');
  const type = typeOf(body);
  if (!ENDINGS.has(type))
    return flawed('unknown-type', `no fact of type ${JSON.stringify(type.slice(0, 100))} is known`);
  if (!isFactEvent(type, body)) return flawed('bad-schema', schemaErrors(type, body));
  if (body.tenant !== at.tenant || body.account !== at.account)
    return flawed('wrong-identity', 'the envelope names another tenant or account than the subject');
  if (!standsOn(at.fact, body)) return flawed('wrong-subject', `a ${type} does not belong on this subject`);
  const { sequence, time, subject } = stored;
  return { fact: { sequence, version: sequence + lift, time, subject, event: body } };
}

function flawed(reason: Flaw['reason'], detail: string): Decoded {
  return { flaw: { reason, detail } };
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
  } catch {
    return undefined;
  }
}

function typeOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'type' in body && typeof body.type === 'string'
    ? body.type
    : '';
}

function isFactEvent(type: string, body: unknown): body is FactEvent {
  return validatorOf(type)?.Check(body) ?? false;
}

function schemaErrors(type: string, body: unknown): string {
  const errors = validatorOf(type)?.Errors(body) ?? [];
  return errors
    .slice(0, 3)
    .map((error) => `${error.instancePath || '/'} ${error.message}`)
    .join('; ');
}

function standsOn(ending: string, event: FactEvent): boolean {
  const expected = ENDINGS.get(event.type) ?? [];
  const parts = ending.split('.');
  const data: object = event.data;
  return (
    parts.length === expected.length &&
    expected.every((part, i) => {
      if (!part.startsWith('<')) return part === parts[i];
      return Reflect.get(data, part.slice(1, -1)) === parts[i];
    })
  );
}
