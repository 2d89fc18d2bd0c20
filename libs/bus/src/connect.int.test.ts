/** Connecting, asking and answering, single messages, and parking, against the real server. */
import { type DeadLetter, subjects } from '@mailstream/contracts';
import { AppError } from '@mailstream/runtime/base';
import { createNats, type TestNats } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bus, connectBus } from './index.ts';
import { account, json, silent, until } from './testkit.ts';

let nats: TestNats;
let bus: Bus;
let other: Bus;

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'connect', logger: silent });
  other = await connectBus({ url: `nats://127.0.0.1:1,${nats.url}`, name: 'second of two', logger: silent });
  await bus.ensureTopology();
});

afterAll(async () => {
  await Promise.all([bus?.close(), other?.close()]);
  await nats?.drop();
});

describe('connecting', () => {
  it('says where no server answers, without the password', async () => {
    const nowhere = connectBus({ url: 'nats://joe:secret@127.0.0.1:1', name: 'x', logger: silent });
    await expect(nowhere).rejects.toMatchObject({ code: 'bus.unreachable', errorClass: 'network' });
    await expect(nowhere).rejects.toThrow(/nats:\/\/127\.0\.0\.1:1: (?!.*secret)/);
  });

  it('comes back after the server was away, and says nothing was sent meanwhile once it is closed', async () => {
    const own = await createNats();
    const away = await connectBus({ url: own.url, name: 'away', logger: silent });
    await away.ensureTopology();
    await own.kill();
    await until(() => !away.connected());
    const patient = away.publish({ subject: subjects.hint(account(), 'push'), data: {} });
    await own.restart();
    // Waits for the connection; what meets a server that is still starting is told so.
    await patient.catch((error: unknown) => expect(error).toMatchObject({ code: 'bus.no_responder' }));
    await until(async () => (await away.state('SYNC').catch(() => null)) !== null);
    await own.kill();
    await until(() => !away.connected());
    const late = away.publish({ subject: subjects.hint(account(), 'push'), data: {} });
    await away.close();
    await expect(late).rejects.toMatchObject({ code: 'bus.disconnected' });
    await own.drop();
  });
});

describe('publishing one message', () => {
  it('stores JSON, and bytes as they are', async () => {
    const subject = subjects.fact(account(), 'message.changed');
    const first = await bus.publish({ subject, data: { text: 'é' } });
    const second = await bus.publish({ subject, data: Buffer.from('{"made":"before"}') });
    expect(second).toBe(first + 1n);
    expect(json((await bus.at('MAIL', first))!.data)).toEqual({ text: 'é' });
    expect(json((await bus.last('MAIL', subject))!.data)).toEqual({ made: 'before' });
    expect(await bus.at('MAIL', second + 1n)).toBeNull();
    expect(await bus.at('MAIL', 0n)).toBeNull();
  });

  it('finds the last message under wildcards, and removes what is under one', async () => {
    const at = account();
    await bus.publish({ subject: subjects.fact(at, 'message.changed'), data: 1 });
    const sequence = await bus.publish({ subject: subjects.cursor(at, 'inbox'), data: 2 });
    expect(await bus.last('MAIL', subjects.fact(at, '>'))).toMatchObject({ sequence });
    expect(await bus.last('MAIL', subjects.fact(at, 'nothing'))).toBeNull();
    expect(await bus.purge('MAIL', subjects.fact(at, '>'))).toBe(2);
    expect(await bus.last('MAIL', subjects.fact(at, '>'))).toBeNull();
  });

  it('tells what is wrong with it', async () => {
    const large = { subject: subjects.fact(account(), 'x'), data: new Uint8Array(9 * 1_048_576) };
    await expect(bus.publish(large)).rejects.toMatchObject({ code: 'bus.too_large' });
    await expect(bus.publish({ subject: 'no.stream.here', data: 1 })).rejects.toMatchObject({
      code: 'bus.no_responder',
    });
    const smuggled = {
      subject: subjects.fact(account(), 'x'),
      data: 1,
      headers: { a: 'b\r\nNats-Rollup: all' },
    };
    await expect(bus.publish(smuggled)).rejects.toThrow(TypeError);
  });
});

describe('request and reply', () => {
  it('is answered by one of a group, until it stops', async () => {
    const stop = new AbortController();
    const answered: string[] = [];
    const answering = [bus, other].map((one) =>
      one.respond(
        'broker.credentials.*.*',
        'brokers',
        async (subject, data) => {
          answered.push(subject);
          return { got: json(data) };
        },
        stop.signal,
      ),
    );
    const ask = () => bus.request('broker.credentials.acme.a', { question: 1 }, 2_000);
    await until(() =>
      ask().then(
        () => true,
        () => false,
      ),
    );
    answered.length = 0;
    expect(json(await ask())).toEqual({ got: { question: 1 } });
    expect(answered).toEqual(['broker.credentials.acme.a']);
    stop.abort();
    await Promise.all(answering);
    await expect(ask()).rejects.toMatchObject({ code: 'bus.no_responder' });
  });

  it('tells what went wrong, but only what was meant to be told', async () => {
    const stop = new AbortController();
    const problems: Record<string, Error> = {
      'ask.known': new AppError('account.gone', 'gone', 'the account is gone\nfor good'),
      'ask.unknown': new Error('password: secret'),
    };
    const never = Promise.withResolvers<void>();
    const answering = bus.respond(
      'ask.*',
      'group',
      async (subject) => {
        if (problems[subject]) throw problems[subject];
        await never.promise;
      },
      stop.signal,
    );
    const ask = (subject: string) => other.request(subject, {}, 300);
    await until(() =>
      ask('ask.known').then(
        () => false,
        (error) => error.code === 'bus.answer_failed',
      ),
    );
    await expect(ask('ask.known')).rejects.toThrow('the account is gone for good');
    await expect(ask('ask.unknown')).rejects.toThrow(/: internal error$/);
    await expect(ask('ask.silent')).rejects.toMatchObject({ code: 'bus.timeout' });
    never.resolve();
    stop.abort();
    await answering;
  });
});

describe('parking', () => {
  it('keeps where it was, why it could not be used, and the beginning of it', async () => {
    const subject = subjects.fact(account(), 'message.changed');
    const data = Buffer.alloc(100_000, 'x');
    const message = { stream: 'MAIL', subject, sequence: 7n, data };
    await Promise.all([1, 2].map(() => bus.park(message, 'bad-payload', 'not JSON')));
    expect((await bus.state('DEAD')).messages).toBe(1);
    const parked = await bus.last('DEAD', subjects.dead('MAIL', 'bad-payload'));
    const letter = json(parked!.data) as DeadLetter;
    expect(letter).toMatchObject({
      stream: 'MAIL',
      subject,
      sequence: '7',
      reason: 'bad-payload',
      truncated: true,
    });
    expect(letter.detail).toBe('not JSON');
    expect(Buffer.from(letter.payload, 'base64')).toEqual(data.subarray(0, 65_536));
  });
});
