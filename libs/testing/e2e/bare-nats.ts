/** NATS by hand: what any client in any language puts on the wire (docs.nats.io, client protocol). */
import { once } from 'node:events';
import { connect } from 'node:net';

/** Publishes one message; resolves when the server has taken it, which says nothing about whether a stream stored it. Throws what the server says against it. */
export async function publishBare(natsUrl: string, subject: string, payload = ''): Promise<void> {
  const { hostname, port } = new URL(natsUrl);
  const socket = connect(Number(port), hostname);
  try {
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
    });
    const size = Buffer.byteLength(payload);
    socket.write(`CONNECT {"verbose":false}\r\nPUB ${subject} ${size}\r\n${payload}\r\nPING\r\n`);
    while (!heard.includes('PONG')) {
      const refusal = /^-ERR (.*)$/m.exec(heard)?.[1];
      if (refusal !== undefined) throw new Error(`the NATS server refused: ${refusal}`);
      await once(socket, 'data');
    }
  } finally {
    socket.destroy();
  }
}
