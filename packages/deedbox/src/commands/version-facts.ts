/** What is known of a version object. */
export interface VersionFacts {
  readonly source?: string | undefined
  readonly version?: string | undefined
  readonly commit?: string | undefined
  readonly build?: string | undefined
}

/**
 * A remote as a page that people can open, without user, password and `.git`; `undefined` for a folder, and for what is
 * no remote.
 */
export function sourceUrl(remote: string): string | undefined {
  // git@github.com:acme/shop.git; a drive of Windows has one letter.
  const short = /^(?:[^@/\s]+@)?([^:/@\s]{2,}):(?!\/\/)\/?(\S+)$/.exec(remote.trim())
  const text = short === null ? remote.trim() : `ssh://${short[1]}/${short[2]}`
  if (!URL.canParse(text)) return undefined
  const { protocol, host, hostname, pathname } = new URL(text)
  const path = pathname.replace(/\/+$/, '').replace(/\.git$/, '')
  if (protocol === 'https:' || protocol === 'http:') return `${protocol}//${host}${path}`
  // Their ports are not those of a web server.
  return ['ssh:', 'git:', 'git+ssh:', 'ssh+git:'].includes(protocol) && hostname !== ''
    ? `https://${hostname}${path}`
    : undefined
}

/** A hash of git; other names of commits do not say which one. */
export function commitHash(text: string | undefined): string | undefined {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.exec(text?.trim() ?? '')?.[0]
}
