/** `GET /`: what a person sees who opens the printed URL in a browser. */
import type { HttpServer } from '@mailstream/runtime';

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Mailstream</title>
<style>body{font:16px/1.5 system-ui;max-width:46rem;margin:3rem auto;padding:0 1rem}pre{background:#8881;padding:1rem;overflow:auto}</style>
<h1>Mailstream</h1>
<p>Mirrors mailboxes into an event log and a Postgres view, and keeps them true in near real time.</p>
<p>The API is described at <a href="/openapi.json">/openapi.json</a>. Callers bring a token or an API key; <code>npm start</code> keeps a token in
<code>.mailstream/token</code>.</p>
<pre>
TOKEN=$(cat .mailstream/token)
curl -H "Authorization: Bearer $TOKEN" ORIGIN/v1/status
curl -H "Authorization: Bearer $TOKEN" ORIGIN/v1/accounts
curl -H "Authorization: Bearer $TOKEN" 'ORIGIN/v1/messages?limit=10'
curl -H "Authorization: Bearer $TOKEN" -X POST ORIGIN/v1/accounts/ID/sync
</pre>
</html>
`;

export function registerLandingRoute(app: HttpServer): void {
  app.get('/', { schema: { hide: true } }, async (request, reply) => {
    // `host` comes from the caller and goes into HTML.
    const host = /^[\w.:[\]-]+$/.test(request.host) ? request.host : 'localhost';
    return reply
      .type('text/html; charset=utf-8')
      .send(PAGE.replaceAll('ORIGIN', `${request.protocol}://${host}`));
  });
}
