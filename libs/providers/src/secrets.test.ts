import { expect, it } from 'vitest';
import { withoutSecrets } from './secrets.ts';

const PASSWORD = 'pa"ss w\\örd';

it.each([
  ['as it is', `LOGIN ada ${PASSWORD} failed`],
  ['quoted', `LOGIN "ada" "pa\\"ss w\\\\örd" failed`],
  ['in JSON', JSON.stringify({ said: PASSWORD })],
  ['in a form', new URLSearchParams({ password: PASSWORD, next: 'x' }).toString()],
  ['in a URL', `/login?password=${encodeURIComponent(PASSWORD)}`],
  ['in base64', `AUTH ${Buffer.from(PASSWORD).toString('base64')}`],
])('finds a secret %s', (_how, text) => {
  const left = withoutSecrets(text, [PASSWORD]);
  expect(left).toContain('[secret]');
  expect(left).not.toMatch(/ss|örd|w\\|cGEi/);
});

it('leaves alone what is none, and what is too short to be one', () => {
  expect(withoutSecrets('a password was wrong', ['abc', ''])).toBe('a password was wrong');
});

it('finds one that holds another', () => {
  expect(withoutSecrets('token-and-more token', ['token', 'token-and-more'])).toBe('[secret] [secret]');
});
