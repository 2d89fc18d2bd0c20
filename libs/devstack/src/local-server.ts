/** What the servers we start for ourselves have in common. */
import type { Child } from './child.ts';

export interface LocalServer {
  readonly url: string;
  readonly port: number;
  readonly child: Child;
  /** A clean stop. */
  stop(): Promise<void>;
  /** SIGKILL. Start it again with the same directory and port. */
  kill(): Promise<void>;
}
