import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { DbError, dbErrorOf } from './errors.ts';

function refusal(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError('refused', 7, 'error');
  error.code = code;
  return error;
}

describe('what pg throws', () => {
  it.each([
    ['22P05', 'data'],
    ['22021', 'data'],
    ['23505', 'data'],
    ['54000', 'data'],
    ['40001', 'transient'],
    ['40P01', 'transient'],
    ['53300', 'transient'],
    ['57P01', 'transient'],
    ['57014', 'transient'],
    ['42P01', 'other'],
    ['28P01', 'other'],
    ['XX000', 'other'],
  ] as const)('with SQLSTATE %s is %s', (code, kind) => {
    expect(dbErrorOf(refusal(code))).toMatchObject({ kind, sqlState: code, code: `db.${kind}` });
  });

  it('that names a system error is a matter of the connection, though EPIPE looks like an SQLSTATE', () => {
    const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    expect(dbErrorOf(error)).toMatchObject({ kind: 'transient', sqlState: null, cause: error });
  });

  it('says so when all connections were busy: it only sounds like a server that does not answer', () => {
    const { code, message } = dbErrorOf(new Error('timeout exceeded when trying to connect'));
    expect([code, message]).toEqual(['db.transient', expect.stringMatching(/all connections .* busy/)]);
  });

  it('names every address that refused', () => {
    const error = new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')]);
    expect(dbErrorOf(error).message).toBe('PostgreSQL does not answer: refused ::1; refused 127.0.0.1');
  });

  it('is classified once', () => {
    const error = new DbError('data', '22P05', 'refused');
    expect(dbErrorOf(error)).toBe(error);
  });
});
