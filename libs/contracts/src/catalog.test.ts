import { describe, expect, it } from 'vitest';
import { CATALOG, EVENT_TYPES, validatorOf } from './catalog.ts';
import { envelope } from './envelope.ts';

describe('the catalogue', () => {
  it('has each type once, with its version', () => {
    const types = CATALOG.map((entry) => entry.type);
    expect(types).toEqual([...new Set(types)]);
    for (const type of types) expect(type).toMatch(/^mailstream\.[a-z]+\.[a-z]+\.v[1-9]$/);
  });

  it('has a validator for every type, and none for another', () => {
    for (const { type } of CATALOG) expect(validatorOf(type)).not.toBeNull();
    expect(validatorOf('mailstream.message.changed.v0')).toBeNull();
  });
});

describe('the validator of an event', () => {
  const fact = envelope({
    id: 'p.0',
    source: '/test',
    type: EVENT_TYPES.messageChanged,
    time: '2026-01-01T00:00:00.000Z',
    tenant: 'default',
    account: 'a',
    data: { op: 'removed', copy: { mailbox: 'm', generation: '1', id: '0000000007' }, origin: 'live' },
  });
  const check = (event: unknown) => validatorOf(EVENT_TYPES.messageChanged)?.Check(event);

  it('accepts an event made by `envelope`', () => {
    expect(check(fact)).toBe(true);
  });

  it.each([
    ['another type', { ...fact, type: EVENT_TYPES.mailboxChanged }],
    ['no id', { ...fact, id: '' }],
    ['another version of CloudEvents', { ...fact, specversion: '0.3' }],
    ['an unknown operation', { ...fact, data: { ...fact.data, op: 'exploded' } }],
    ['an empty id', { ...fact, data: { ...fact.data, copy: { ...fact.data.copy, id: '' } } }],
    ['no data', { ...fact, data: undefined }],
    ['nothing', null],
  ])('refuses %s', (_name, event) => {
    expect(check(event)).toBe(false);
  });
});

it('an event of a newer writer, with attributes and fields of its own, is still read', () => {
  const event = envelope({
    id: '1',
    source: '/test',
    type: EVENT_TYPES.accountChanged,
    time: '2026-01-01T00:00:00Z',
    tenant: 'default',
    account: 'a',
    data: { verb: 'added', provider: 'imap', name: 'ada', state: 'live', reason: null, colour: 'green' },
  });
  expect(validatorOf(EVENT_TYPES.accountChanged)?.Errors({ ...event, region: 'eu' })).toEqual([]);
});
