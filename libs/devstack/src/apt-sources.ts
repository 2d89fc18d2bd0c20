/** Finds a Debian mirror in the machine's own apt sources (one-line `.list` and deb822 `.sources`, sources.list(5)). */

export interface Mirror {
  readonly uri: string;
  /** Path of the keyring the source names, if it does. */
  readonly signedBy: string | undefined;
}

/** The first enabled source of Debian's main archive (not security, not a third party), or undefined. */
export function findDebianMirror(
  files: readonly { readonly name: string; readonly text: string }[],
): Mirror | undefined {
  return files
    .flatMap(({ name, text }) => (name.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text)))
    .find(({ uri }) => /\/debian(\.list)?\/?$/.test(uri));
}

function parseOneLine(text: string): Mirror[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[(?<options>[^\]]*)\]\s+)?(?<uri>\S+)\s+\S+/.exec(line);
    const uri = match?.groups?.uri;
    if (uri === undefined) return [];
    const signedBy = /signed-by=(\S+)/i.exec(match?.groups?.options ?? '')?.[1];
    return [{ uri, signedBy }];
  });
}

function parseDeb822(text: string): Mirror[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    for (const line of stanza.split('\n')) {
      const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (match?.[1] !== undefined) fields.set(match[1].toLowerCase(), match[2]?.trim() ?? '');
    }
    const types = fields.get('types')?.split(/\s+/) ?? [];
    if (!types.includes('deb') || /^(no|false|0)$/i.test(fields.get('enabled') ?? '')) return [];
    const keyring = fields.get('signed-by');
    // Signed-By may also hold the key itself; then apt's default keyrings must do.
    const signedBy = keyring?.startsWith('/') ? keyring : undefined;
    return (fields.get('uris') ?? '').split(/\s+/).map((uri) => ({ uri, signedBy }));
  });
}
