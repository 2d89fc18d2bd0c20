/** A plain IMAP client of a hundred lines: shares nothing with the library under test, so what it sees is independent. */
import { connect, type Socket } from 'node:net';

export interface ImapLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface PlainImap {
  /**
   * Sends a command and returns its untagged responses as latin1 text, literals inlined. `literals` are sent, non-synchronising,
   * where `{}` stands in the command. Throws on NO and BAD.
   */
  command(text: string, ...literals: readonly Buffer[]): Promise<string[]>;
  /** Sends commands all at once; each has its untagged responses, or null for NO and BAD. */
  pipeline(commands: readonly string[]): Promise<(string[] | null)[]>;
  close(): void;
}

/** Connects without TLS and logs in. */
export async function plainImap({ host, port, user, password }: ImapLogin): Promise<PlainImap> {
  const responses = readResponses(connect(port, host));
  let tags = 0;
  const send = (text: string, literals: readonly Buffer[]): string => {
    const tag = `p${++tags}`;
    const [head = '', ...tails] = text.split('{}');
    const parts: Buffer[] = [Buffer.from(`${tag} ${head}`, 'latin1')];
    for (const [at, tail] of tails.entries()) {
      const literal = literals[at] ?? Buffer.alloc(0);
      parts.push(Buffer.from(`{${literal.length}+}\r\n`), literal, Buffer.from(tail, 'latin1'));
    }
    responses.socket.write(Buffer.concat([...parts, Buffer.from('\r\n')]));
    return tag;
  };
  const receive = async (tag: string): Promise<{ status: string; untagged: string[] }> => {
    const untagged: string[] = [];
    for (;;) {
      const response = await responses.next();
      if (response.startsWith('* ')) untagged.push(response.slice(2));
      else if (response.startsWith(`${tag} `)) return { status: response.slice(tag.length + 1), untagged };
    }
  };
  await responses.next();
  const client: PlainImap = {
    async command(text, ...literals) {
      const { status, untagged } = await receive(send(text, literals));
      if (status.startsWith('OK')) return untagged;
      throw new Error(`${text.slice(0, 100)}: ${status}`);
    },
    async pipeline(commands) {
      const results: (string[] | null)[] = [];
      for (const tag of commands.map((text) => send(text, []))) {
        const { status, untagged } = await receive(tag);
        results.push(status.startsWith('OK') ? untagged : null);
      }
      return results;
    },
    close: () => responses.socket.destroy(),
  };
  await client.command('LOGIN {} {}', Buffer.from(user), Buffer.from(password));
  return client;
}

interface Responses {
  readonly socket: Socket;
  next(): Promise<string>;
}

/** Cuts the stream into responses: a line, and on as long as it ends in a literal. */
function readResponses(socket: Socket): Responses {
  let buffer = Buffer.alloc(0);
  let failure: Error | null = null;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    wake();
  });
  socket.on('error', (error) => {
    failure = error;
    wake();
  });
  socket.on('close', () => {
    failure ??= new Error('connection closed');
    wake();
  });
  return {
    socket,
    async next() {
      for (;;) {
        const end = endOfResponse(buffer);
        if (end !== null) {
          const response = buffer.toString('latin1', 0, end);
          buffer = buffer.subarray(end);
          return response.replace(/\r\n$/, '');
        }
        if (failure) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function endOfResponse(buffer: Buffer): number | null {
  for (let at = 0; ; ) {
    const newline = buffer.indexOf('\r\n', at);
    if (newline < 0) return null;
    const literal = /\{([0-9]+)\}$/.exec(buffer.toString('latin1', Math.max(at, newline - 16), newline));
    at = newline + 2;
    if (literal === null) return at;
    at += Number(literal[1]);
    if (at > buffer.length) return null;
  }
}

/** A mailbox name as it stands on the wire: modified UTF-7 (RFC 3501 section 5.1.3), quoted. */
export function wireName(path: string): string {
  const encoded = path.replace(/&|[^\x20-\x7e]+/g, (text) => {
    if (text === '&') return '&-';
    const utf16 = Buffer.from(text, 'utf16le').swap16();
    return `&${utf16.toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
  return `"${encoded.replace(/["\\]/g, '\\$&')}"`;
}

/** The name in a LIST response, without quotes. */
export function readName(wire: string): string {
  return wire.replace(/&([^-]*)-/g, (_, text: string) => {
    if (text === '') return '&';
    return Buffer.from(text.replaceAll(',', '/'), 'base64').swap16().toString('utf16le');
  });
}
