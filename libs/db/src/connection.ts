/** How a database URL is read: TLS is verified in full or it is off, whatever the mode in the URL promises. */
import { AppError } from '@mailstream/runtime';

/**
 * The URL for pg. `sslmode` of any name but `disable` becomes `verify-full`: the certificate must be of an authority that is trusted (`sslrootcert`: a
 * file of them) and of the host that was asked for. libpq's `require` and pg's `no-verify` would take any certificate, so that who stands in between reads
 * along. Throws `config.invalid` for what switches verification off.
 */
export function connectionString(databaseUrl: string): string {
  const url = URL.parse(databaseUrl);
  if (!url) return databaseUrl;
  const mode = url.searchParams.get('sslmode');
  const asked = [mode, url.searchParams.get('ssl')];
  if (asked.includes('no-verify') || url.searchParams.has('uselibpqcompat'))
    throw new AppError(
      'config.invalid',
      'permanent',
      'DATABASE_URL: certificates are always verified; instead of sslmode=no-verify or uselibpqcompat name the file of the authority: sslmode=verify-full&sslrootcert=/path/ca.pem',
    );
  if (mode === null || mode === 'disable' || mode === 'verify-full') return databaseUrl;
  url.searchParams.set('sslmode', 'verify-full');
  return url.href;
}
