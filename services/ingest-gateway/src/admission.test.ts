import { expect, it } from 'vitest';
import { createAdmission } from './admission.ts';

const ada = { tenant: 'acme', subject: 'ada', scopes: [] };
const at = (ip: string) => ({ ip });

function bench() {
  const time = { now: 1_000 };
  return { time, admit: createAdmission({ perCaller: 3, perAddress: 2 }, () => time.now) };
}

function refusal(call: () => void): unknown {
  try {
    call();
    return null;
  } catch (error) {
    return error;
  }
}

it('a caller may call so often a minute, wherever from, and is told when to go on', () => {
  const { time, admit } = bench();
  for (const ip of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) admit(at(ip), ada);
  time.now += 20_500;
  expect(refusal(() => admit(at('192.0.2.1'), ada))).toMatchObject({
    code: 'gateway.rate_limited',
    errorClass: 'quota',
    headers: { 'retry-after': '40' },
  });
  time.now += 39_500;
  expect(refusal(() => admit(at('192.0.2.1'), ada))).toBeNull();
});

it('nobody pays for another: neither another subject, nor the same of another tenant, nor a stranger at the same address', () => {
  const { admit } = bench();
  for (let n = 0; n < 4; n += 1) refusal(() => admit(at('192.0.2.1'), ada));
  for (const other of [{ ...ada, subject: 'bob' }, { ...ada, tenant: 'globex' }, null])
    expect(refusal(() => admit(at('192.0.2.1'), other))).toBeNull();
});

it.each([
  ['the same address', '192.0.2.1', '192.0.2.1', true],
  ['another address', '192.0.2.1', '192.0.2.2', false],
  ['the same network of IPv6', '2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', true],
  ['another network of IPv6', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['a network with zeros left out', '2001:db8::1', '2001:db8:0:0:9::1', true],
  ['IPv4 as IPv6 writes it', '::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
])('strangers are counted by address: %s', (_name, first, second, together) => {
  const { admit } = bench();
  admit(at(first), null);
  admit(at(first), null);
  expect(refusal(() => admit(at(second), null)) !== null).toBe(together);
});
