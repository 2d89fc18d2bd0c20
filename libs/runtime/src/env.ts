/** Configuration from the environment, checked before anything starts. The only place that reads `process.env`. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { AppError, messageOf } from './errors.ts';

/** Reads variables and remembers every problem, so that the operator sees them all at once. */
export interface EnvReader {
  string(name: string, fallback?: string): string;
  optional(name: string): string | null;
  /** What the file that the variable names holds, without blanks around it; null when none is named. */
  file(name: string): string | null;
  /** One of `choices`. */
  choice<T extends string>(name: string, fallback: NoInfer<T>, choices: readonly T[]): T;
  /** An address of http or https, without slashes at its end. */
  url(name: string, fallback: string): string;
  /** Origins such as `https://app.example.com`, separated by commas; none when not set. */
  origins(name: string): readonly string[];
  /** Addresses, and networks such as `10.0.0.0/8`, separated by commas; none when not set. */
  networks(name: string): readonly string[];
  integer(name: string, fallback: number, range: { min: number; max: number }): number;
  /** Remembers a problem that is not of one variable alone. */
  problem(text: string): void;
  /** Throws `config.invalid` with all problems found; call it after the last read. */
  check(): void;
}

/** Variables by name; an empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process with other values in it, for a part of it that is to read something else. */
export function environmentWith(changes: Environment): Environment {
  return { ...process.env, ...changes };
}

export function readEnv(source: Environment = process.env): EnvReader {
  const problems: string[] = [];
  const value = (name: string) => (source[name] === '' ? undefined : source[name]);
  const list = (name: string) =>
    (value(name) ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  return {
    string(name, fallback) {
      const text = value(name) ?? fallback;
      if (text === undefined) problems.push(`${name} is not set`);
      return text ?? '';
    },
    optional: (name) => value(name) ?? null,
    file(name) {
      const path = value(name);
      if (path === undefined) return null;
      try {
        return readFileSync(path, 'utf8').trim();
      } catch (error) {
        problems.push(`${name} cannot be read: ${messageOf(error)}`);
        return null;
      }
    },
    choice(name, fallback, choices) {
      const text = value(name) ?? fallback;
      const chosen = choices.find((choice) => choice === text);
      if (chosen === undefined)
        problems.push(`${name} must be ${choices.join(' or ')}, not ${JSON.stringify(text)}`);
      return chosen ?? fallback;
    },
    url(name, fallback) {
      const text = value(name) ?? fallback;
      if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text.replace(/\/+$/, '');
      problems.push(`${name} must be an address like ${fallback}, not ${JSON.stringify(text)}`);
      return fallback;
    },
    origins(name) {
      return list(name).flatMap((part) => {
        const url = URL.parse(part);
        if (url && /^https?:$/.test(url.protocol)) return [url.origin];
        problems.push(`${name} must be origins like https://app.example.com, not ${JSON.stringify(part)}`);
        return [];
      });
    },
    networks: (name) =>
      list(name).filter((part) => {
        if (isNetwork(part)) return true;
        problems.push(`${name} must be addresses or networks like 10.0.0.0/8, not ${JSON.stringify(part)}`);
        return false;
      }),
    integer(name, fallback, { min, max }) {
      const text = value(name);
      if (text === undefined) return fallback;
      const number = Number(text);
      if (Number.isInteger(number) && number >= min && number <= max) return number;
      problems.push(`${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
      return fallback;
    },
    problem: (text) => void problems.push(text),
    check() {
      if (problems.length > 0)
        throw new AppError(
          'config.invalid',
          'permanent',
          `configuration: ${problems.join('; ')} (see .env.example)`,
        );
    },
  };
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...rest] = text.split('/');
  const version = isIP(address);
  return (
    version !== 0 && rest.length === 0 && /^[0-9]+$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
  );
}
