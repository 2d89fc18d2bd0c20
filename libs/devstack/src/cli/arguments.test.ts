import { describe, expect, it } from 'vitest';
import { parse, wholeNumber } from './arguments.ts';
import { COMMANDS, findCommand } from './commands.ts';
import { UsageError } from './errors.ts';
import { commandHelp, overview } from './help.ts';

const options = { limit: { type: 'string' }, json: { type: 'boolean' } } as const;

describe('parse', () => {
  it('gives values and positionals', () => {
    const { values, positionals } = parse(['demo', '--limit', '5', '--json'], options, ['<account>']);
    expect(values).toEqual({ limit: '5', json: true });
    expect(positionals).toEqual(['demo']);
  });

  it.each([
    [['--nope'], "unknown option '--nope'"],
    [['--limit'], "option '--limit <value>' argument missing"],
    [['--json=yes'], "option '--json' does not take an argument"],
    [['--limit', '--json'], "option '--limit' argument is ambiguous"],
    [['a', 'b'], 'unexpected argument "b"'],
    [[], '<account> missing'],
  ])('refuses %j in one line', (args, message) => {
    const attempt = () =>
      parse(args.length === 1 && args[0] !== 'a' ? ['demo', ...args] : args, options, ['<account>']);
    expect(attempt).toThrow(UsageError);
    expect(attempt).toThrow(message);
  });
});

describe('wholeNumber', () => {
  it.each(['0', '501', '-1', '1.5', 'many', '', '1e2', ' 7'])('refuses %j', (text) => {
    expect(() => wholeNumber('limit', text, { min: 1, max: 500 })).toThrow('--limit must be a whole number');
  });
});

describe('commands', () => {
  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    '%s is found by its words',
    (name, command) => {
      expect(findCommand([...name.split(' '), '--json'])).toEqual({ command, rest: ['--json'] });
    },
  );

  it('says what there is when one is not known', () => {
    expect(() => findCommand(['frobnicate'])).toThrow('"frobnicate" is not a command');
    expect(() => findCommand(['account', 'ad'])).toThrow(
      'there is "account add imap", "account add microsoft", "account add google"',
    );
    expect(() => findCommand(['account'])).toThrow(UsageError);
  });

  it('are all in the overview, and explain themselves', () => {
    const text = overview(COMMANDS);
    for (const command of COMMANDS) {
      expect(text).toContain(command.name);
      expect(commandHelp(command)).toContain(`npm run mailstream -- ${command.name}`);
    }
  });
});
