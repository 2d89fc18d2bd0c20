/** Reads the address lists of headers (RFC 5322 section 3.4), which people and programs write as they like. Pure; never throws. */
import { type Address, cleanText } from '@mailstream/contracts';

const MAX_LENGTH = 1_000;

/** Commas part addresses unless they are in quotes, comments or angle brackets; groups are taken for their members. */
export function addressesOf(header: string): Address[] {
  return split(header).flatMap((text) => {
    const bracketed = /^(.*?)<([^<>]*)>[^<>]*$/s.exec(text);
    const name = unquoted((bracketed?.[1] ?? '').replace(/^[^"<:@]*:/, ''));
    const address = (bracketed?.[2] ?? text.replace(/^[^"<:@]*:/, '')).replace(/\([^()]*\)|\s+/g, '');
    return name || address ? [{ name: cut(name), address: cut(address) }] : [];
  });
}

function split(header: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let depth = 0;
  for (let at = 0; at < header.length; at += 1) {
    const character = header[at];
    if (character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === '<' || character === '(') depth += 1;
    else if (character === '>' || character === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0 && (character === ',' || character === ';')) {
      parts.push(header.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, header.slice(start)].map((part) => part.trim()).filter(Boolean);
}

function unquoted(text: string): string {
  const trimmed = text.trim();
  const inner = /^"(.*)"$/s.exec(trimmed)?.[1] ?? trimmed;
  return inner.replace(/\\(.)/gs, '$1').replace(/\s+/g, ' ').trim();
}

function cut(text: string): string | null {
  return cleanText(text, MAX_LENGTH) || null;
}
