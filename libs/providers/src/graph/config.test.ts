import { readEnv } from '@mailstream/runtime';
import { expect, it } from 'vitest';
import { readMicrosoftConfig } from './config.ts';

it('follows from the authority: another cloud is one variable, and the API one more', () => {
  const env = readEnv({
    MS_AUTHORITY: 'https://login.microsoftonline.us/contoso.example.com/',
    MS_GRAPH_URL: 'https://graph.microsoft.us/v1.0',
  });
  const base = 'https://login.microsoftonline.us/{tenantid}';
  expect(readMicrosoftConfig(env)).toEqual({
    settleMs: 60_000,
    reconcileMs: 86_400_000,
    clientId: null,
    clientSecret: null,
    directory: 'contoso.example.com',
    authorizeUrl: `${base}/oauth2/v2.0/authorize`,
    tokenUrl: `${base}/oauth2/v2.0/token`,
    keysUrl: `${base}/discovery/v2.0/keys`,
    issuer: `${base}/v2.0`,
    scopes: 'offline_access openid profile email User.Read Mail.Read',
    appScope: 'https://graph.microsoft.us/.default',
    graphUrl: 'https://graph.microsoft.us/v1.0',
  });
  env.check();
});

it('is Microsoft’s own for everybody when nothing is set, and each address can be', () => {
  expect(readMicrosoftConfig(readEnv({}))).toMatchObject({
    directory: 'common',
    tokenUrl: 'https://login.microsoftonline.com/{tenantid}/oauth2/v2.0/token',
  });
  const set = {
    MS_AUTHORIZE_URL: 'https://e.example.com/a',
    MS_TOKEN_URL: 'https://e.example.com/t',
    MS_KEYS_URL: 'https://e.example.com/k',
    MS_ISSUER: 'https://e.example.com',
    MS_APP_SCOPE: 'https://graph.microsoft.com/.default',
  };
  expect(readMicrosoftConfig(readEnv(set))).toMatchObject({
    authorizeUrl: set.MS_AUTHORIZE_URL,
    tokenUrl: set.MS_TOKEN_URL,
    keysUrl: set.MS_KEYS_URL,
    issuer: set.MS_ISSUER,
    appScope: set.MS_APP_SCOPE,
  });
});
