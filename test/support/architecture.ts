import { posix } from 'node:path'

/** Who may know whom. A name is a folder of src/ or a file in it; each may of course know its own. */
export const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  http: ['core', 'assets.ts'],
  store: ['core', 'assets.ts'],
  upstreams: ['core'],
  docs: ['core'],
  'docs/worker.ts': ['core', 'docs', 'assets.ts'], // a thread of its own: it loads the database's machine code again
  notify: ['core'],
  gateway: ['core', 'http', 'upstreams'],
  api: ['core', 'http'],
  admin: ['core', 'http', 'assets.ts'],
  'upstreams.ts': ['core', 'upstreams', 'docs', 'config.ts', 'assets.ts', 'version.ts'],
  'library.ts': ['core', 'docs', 'config.ts', 'assets.ts'],
  'jobs.ts': ['core', 'notify'],
  'context.ts': ['core', 'store', 'docs', 'config.ts', 'assets.ts'],
  'site.ts': ['core', 'http', 'api', 'admin', 'assets.ts'],
  'app.ts': [
    ...['core', 'http', 'upstreams', 'docs', 'notify', 'gateway', 'jobs.ts', 'site.ts'],
    ...['upstreams.ts', 'library.ts', 'context.ts', 'config.ts', 'version.ts'],
  ],
  cli: [
    'cli/bridge',
    'core',
    'store',
    'app.ts',
    'context.ts',
    'upstreams.ts',
    'library.ts',
    'config.ts',
    'assets.ts',
    'version.ts',
  ],
  'cli/bridge': ['core', 'upstreams', 'config.ts', 'version.ts', 'cli'], // stdio here, a Claviger elsewhere
  'config.ts': ['core'],
  'log.ts': ['core'],
  'metrics.ts': [],
  'assets.ts': [],
  'version.ts': [],
  'main.ts': ['cli', 'config.ts'],
}
const ANYONE_MAY = ['log.ts', 'metrics.ts'] // except core, which stays silent

/** What is known in some rooms only, by how it looks in a file without comments. */
export const KEPT_IN: [what: string, pattern: RegExp, homes: string[]][] = [
  ['SQL', /(?:from |import\()'(?:kysely|better-sqlite3)/, ['store', 'docs']],
  ['express', /(?:from |import\()'express(?:-rate-limit)?'/, ['http', 'api', 'admin', 'site.ts']],
  ['MCP', /(?:from |import\()'@modelcontextprotocol\//, ['gateway', 'upstreams', 'docs', 'cli/bridge']],
  ['the environment', /process\.env|Bun\.env|import\.meta\.env/, ['config.ts']],
  ['the console', /\bconsole\./, []],
  ['the clock', /new Date\(\)|Date\.now\(\)/, ['app.ts', 'main.ts', 'log.ts', 'cli', 'upstreams', 'docs/worker.ts']],
]

export const MOST_LINES = 400

const NAMED = Object.keys(MAY_IMPORT).sort((a, b) => b.length - a.length)

/** The longest name of the map that the file lies under. */
export function homeOf(file: string): string {
  return NAMED.find((name) => file === name || file.startsWith(`${name}/`)) ?? file.split('/')[0]!
}

/** Every rule that one file of src/ breaks, as sentences; none for a file in order. */
export function violations(file: string, text: string): string[] {
  const home = homeOf(file)
  const found: string[] = []
  if (!(home in MAY_IMPORT)) found.push(`${file} lies in a room that the map does not know`)
  const code = withoutComments(text)
  const allowed = [home, ...(MAY_IMPORT[home] ?? []), ...(home === 'core' ? [] : ANYONE_MAY)]
  for (const target of imports(code)) {
    const to = posix.join(posix.dirname(file), target)
    if (to.startsWith('..')) {
      if (to !== '../package.json' || home !== 'version.ts') found.push(`${home} → ${to} leaves src`)
    } else if (!allowed.includes(homeOf(to))) found.push(`${home} → ${to}`)
  }
  for (const [what, pattern, homes] of KEPT_IN)
    if (pattern.test(code) && !homes.includes(home))
      found.push(`${file} knows ${what}, which belongs to ${homes.join(', ') || 'nobody'}`)
  const lines = text.split('\n').length
  if (lines > MOST_LINES) found.push(`${file} has ${lines} lines, more than ${MOST_LINES}: it holds more than one idea`)
  return found
}

/** `import … from './x'`, `export … from './x'`, `import './x'` and `import('./x')`. */
function imports(code: string): string[] {
  return [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(['"`])(\.[^'"`]*)\1/g)].map((match) => match[2]!)
}

/** Line comments only where they cannot be the tail of an address in a string. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}
