import { expect, it } from 'vitest';
import { withoutSecrets } from './secrets.ts';

const PASSWORD = 'pa"ss w\\örd';

it.each([
  ['as it is', `LOGIN ada ${PASSWORD} failed`, 'LOGIN ada [secret] failed'],
  ['quoted', 'LOGIN "ada" "pa\\"ss w\\\\örd"', 'LOGIN "ada" "[secret]"'],
  ['in JSON', JSON.stringify({ said: PASSWORD }), '{"said":"[secret]"}'],
  ['in a form', new URLSearchParams({ is: PASSWORD, next: 'x' }).toString(), 'is=[secret]&next=x'],
  ['in a URL', `/login?is=${encodeURIComponent(PASSWORD)}`, '/login?is=[secret]'],
  ['in base64', `AUTH ${Buffer.from(PASSWORD).toString('base64')}`, 'AUTH [secret]'],
])('finds a secret %s', (_how, text, left) => {
  expect(withoutSecrets(text, [PASSWORD])).toBe(left);
});

it('leaves alone what is none, and what is too short to be one', () => {
  expect(withoutSecrets('a password was wrong', ['abc', ''])).toBe('a password was wrong');
});

it('finds one that holds another', () => {
  expect(withoutSecrets('token-and-more token', ['token', 'token-and-more'])).toBe('[secret] [secret]');
});
