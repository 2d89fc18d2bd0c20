import { STREAMS } from '@mailstream/contracts';
import { describe, expect, it } from 'vitest';
import { checkServer, ignoredSettings, streamConfig } from './topology.ts';

describe('streamConfig', () => {
  it('says what each stream is for', () => {
    expect(streamConfig(STREAMS.SYNC, {})).toMatchObject({
      retention: 'workqueue',
      max_msgs_per_subject: 1,
      discard: 'old',
      discard_new_per_subject: false,
      allow_msg_schedules: true,
      max_age: 0,
    });
    expect(streamConfig(STREAMS.FETCH, {})).toMatchObject({ discard: 'new', discard_new_per_subject: true });
    expect(streamConfig(STREAMS.MAIL, { replicas: 3 })).toMatchObject({
      retention: 'limits',
      allow_atomic: true,
      allow_direct: true,
      max_msgs_per_subject: -1,
      num_replicas: 3,
      max_age: 0,
    });
  });

  it('takes ages from the options for the two streams that have one there', () => {
    const options = { mailMaxAgeMs: 1_000, changesMaxAgeMs: 2_000 };
    expect(streamConfig(STREAMS.MAIL, options).max_age).toBe(1_000_000_000);
    expect(streamConfig(STREAMS.CHANGES, options).max_age).toBe(2_000_000_000);
    expect(streamConfig(STREAMS.DEAD, options).max_age).toBe(30 * 86_400 * 1e9);
  });
});

describe('ignoredSettings', () => {
  const wanted = streamConfig(STREAMS.SYNC, {});

  it('finds nothing when the server kept all, whatever it added or left out because it is off', () => {
    const { discard_new_per_subject, ...kept } = wanted;
    expect(ignoredSettings(wanted, { ...kept, allow_rollup_hdrs: true })).toEqual([]);
  });

  it('names a flag that the server dropped without a word', () => {
    const { allow_msg_schedules, ...kept } = wanted;
    expect(ignoredSettings(wanted, kept)).toEqual(['allow_msg_schedules is undefined, not true']);
  });

  it('names a setting that the server changed', () => {
    expect(ignoredSettings(wanted, { ...wanted, subjects: ['sync.>'], num_replicas: 3 })).toEqual([
      expect.stringMatching(/^subjects is \["sync\.>"\], not/),
      'num_replicas is 3, not 1',
    ]);
  });
});

describe('checkServer', () => {
  it.each(['2.14.0', '2.15.1', '2.15.0-dev', '3.0.0'])('takes %s', (version) => {
    expect(() => checkServer({ version, jetstream: true })).not.toThrow();
  });

  it.each(['2.12.3', '1.99.0', '2.9.0', 'nonsense'])('refuses %s', (version) => {
    expect(() => checkServer({ version, jetstream: true })).toThrow(
      `nats-server ${version} is too old: 2.14`,
    );
  });

  it('refuses a server without JetStream', () => {
    expect(() => checkServer({ version: '2.15.1', jetstream: false })).toThrow(/JetStream is off/);
  });
});
