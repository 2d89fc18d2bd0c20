/** The formats of sources.list(5) that Debian's installer, its images and its containers write. */
import { expect, test } from 'vitest';
import { findDebianMirror } from './apt-sources.ts';

test('deb822, as Debian containers have it', () => {
  const text = `Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://mirror.example.com/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example.com/debian-security
Suites: bookworm-security
Components: main
`;
  expect(findDebianMirror([{ name: 'debian.sources', text }])).toEqual({
    uri: 'http://mirror.example.com/debian',
    signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
  });
});

test('one line per source, with comments, options and other archives before it', () => {
  const text = `# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb http://security.example/debian-security bookworm-security main
deb [arch=amd64 signed-by=/etc/apt/keyrings/other.gpg] https://other.example/repo stable main
deb [ signed-by=/usr/share/keyrings/debian.gpg ] http://mirror.example/debian/ bookworm main contrib
`;
  expect(findDebianMirror([{ name: 'sources.list', text }])).toEqual({
    uri: 'http://mirror.example/debian/',
    signedBy: '/usr/share/keyrings/debian.gpg',
  });
});

test('disabled sources, inline keys and other distributions', () => {
  const disabled = `Types: deb\nEnabled: no\nURIs: http://off.example/debian\nSuites: trixie\nComponents: main\n`;
  const inline = `Types: deb\nURIs: http://on.example/debian\nSuites: trixie\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n`;
  const ubuntu = 'deb http://archive.ubuntu.com/ubuntu noble main\n';
  expect(findDebianMirror([{ name: 'a.sources', text: disabled }])).toBeUndefined();
  expect(findDebianMirror([{ name: 'b.sources', text: inline }])).toEqual({
    uri: 'http://on.example/debian',
    signedBy: undefined,
  });
  expect(findDebianMirror([{ name: 'c.list', text: ubuntu }])).toBeUndefined();
});
