/** The pages on which people sign in and agree. */
import type { HttpReply } from '../http/message.ts';

/** One link per mailbox, back to `url` with `account`: a person chooses who to be. */
export function consentPage(url: URL, addresses: readonly string[]): HttpReply {
  const links = addresses.map((address) => {
    const target = new URL(url);
    target.searchParams.set('account', address);
    return `<li><a href="${escapeHtml(target.pathname + target.search)}">${escapeHtml(address)}</a></li>`;
  });
  return page(200, `Pick an account and let the application read its mail.<ul>${links.join('')}</ul>`);
}

/** `content`: HTML. */
export function page(status: number, content: string): HttpReply {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: `<!doctype html><title>Sign in (simulator)</title><h1>Simulated sign-in</h1>${content}`,
  };
}

/** A redirect to the application with `parameters` and the state it sent. */
export function redirectBack(
  redirectUri: string,
  state: string | null,
  parameters: Readonly<Record<string, string>>,
): HttpReply {
  const target = new URL(redirectUri);
  for (const [name, value] of Object.entries({ ...parameters, ...(state === null ? {} : { state }) }))
    target.searchParams.set(name, value);
  return { status: 302, headers: { location: target.href } };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
