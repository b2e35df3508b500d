import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newFullKey, wellFormed } from '../src/core/keys/format.ts'
import { folder, PASSWORD, terminal } from './cli/terminal.ts'
import { serving } from './support/process.ts'

const root = join(import.meta.dirname, '..')
const read = (page: string) => readFileSync(join(root, page), 'utf8')
const blocks = (page: string, language: string) =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1]!)
const wordsOf = (line: string) =>
  [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replace(/["']/g, ''))

/** What a page takes for granted, and what cannot be run here: other programs, other machines. */
const ELSEWHERE = /^(serve|healthcheck|mcps refresh|config print --config)\b/
const PAGES: Record<string, string[]> = {
  'docs/quick-start.md': [],
  'docs/configuration.md': [],
  'docs/keys.md': ['mcps add files --url https://files.example.com/mcp'],
  'docs/permissions.md': [],
  'docs/environments.md': [],
  'docs/documents.md': [],
  'docs/limits.md': [],
  'docs/mcp-servers.md': [],
  'docs/people.md': [],
  'docs/operating.md': [],
}

describe.each(Object.entries(PAGES))('%s', (page, before) => {
  const lines = blocks(page, 'sh')
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .flatMap((line) => /^claviger (.*)$/.exec(line)?.[1] ?? [])
    .filter((line) => !ELSEWHERE.test(line))

  it('shows commands that do what it says, in its order', async () => {
    const shell = terminal()
    const ownerComesFirst = lines.some((line) => line.startsWith('users create') && line.includes('--owner'))
    if (!ownerComesFirst) expect((await shell.user('ana@example.com', '--owner')).code).toBe(0)
    for (const line of before) await shell.good(...line.split(' '))
    const roots = folder()
    mkdirSync(join(roots, 'handbook'))
    const files: Record<string, string> = {
      '/srv/docs/handbook': join(roots, 'handbook'),
      'password.txt': shell.file('password.txt', PASSWORD),
      '/run/secrets/tickets': shell.file('tickets', 'Bearer x'),
      '/run/secrets/weather': shell.file('weather', 'x'),
      'keys.csv': shell.file('keys.csv', `name,sha256\nbilling,${'9f'.repeat(32)}\n`),
      'key.txt': shell.file('key.txt', newFullKey('clv', 'live').reveal()),
      'claude_desktop_config.json': shell.file(
        'claude.json',
        '{"mcpServers": {"memory": {"command": "npx", "args": ["-y", "memory"]}}}',
      ),
    }
    for (const line of lines) {
      const argv = wordsOf(await filledIn(line, shell))
      const named = argv.map((word) =>
        Object.entries(files).reduce((text, [name, path]) => text.replace(name, path), word),
      )
      const said = await shell.type(named, { answers: [PASSWORD, PASSWORD], env: { CLAVIGER_DOCS_ROOTS: roots } })
      const outcome = outcomeOf(line)
      expect([line, said.code, said.err]).toEqual([line, outcome.code, outcome.err ?? expect.any(String)])
    }
    expect(lines.length).toBeGreaterThan(0)
  })
})

/** `inv_…` stands for an id that the reader has seen a line before. */
async function filledIn(line: string, shell: ReturnType<typeof terminal>): Promise<string> {
  if (line.includes('inv_…')) return line.replace('inv_…', (await shell.json('members', 'invitations'))[0].id)
  if (!line.includes('key_…')) return line
  const { id } = await shell.json('keys', 'create', '--name', 'left behind')
  return line.replace('key_…', id)
}

/** Everything goes well, but for two that are shown because they stop and ask. */
function outcomeOf(line: string): { code: number; err?: unknown } {
  if (line.startsWith('workspaces delete') && !line.includes('--yes'))
    return { code: 1, err: expect.stringContaining('--yes') }
  if (line.startsWith('keys verify')) return { code: 1, err: expect.stringContaining('no such key') }
  return { code: 0 }
}

describe('README.md', () => {
  it('shows a first minute that works as it stands', async () => {
    const shell = terminal()
    const { origin, stop } = await serving(shell.dataDir)
    const bin = dirname(
      shell.file(
        'claviger',
        `#!/bin/sh\nexec '${process.execPath}' --no-env-file '${join(root, 'src/main.ts')}' "$@"\n`,
      ),
    )
    chmodSync(join(bin, 'claviger'), 0o755)
    const curl = `const [,, ...args] = process.argv
      const headers = new Headers(), rest = []
      let body
      for (let word = args.shift(); word; word = args.shift())
        if (word === '-H') headers.append(...args.shift().split(/:\\s*/, 2))
        else if (word === '-d') body = args.shift()
        else if (word !== '-s') rest.push(word)
      const url = rest[0].replace('http://127.0.0.1:8484', process.env.ORIGIN)
      process.stdout.write(await (await fetch(url, { method: body ? 'POST' : 'GET', headers, body })).text())`
    writeFileSync(join(bin, 'curl.ts'), curl)
    writeFileSync(join(bin, 'curl'), `#!/bin/sh\nexec '${process.execPath}' '${join(bin, 'curl.ts')}' "$@"\n`, {
      mode: 0o755,
    })
    const child = Bun.spawn(['/bin/sh', '-e', '-c', blocks('README.md', 'sh')[0]!], {
      env: { PATH: `${bin}:/usr/bin:/bin`, CLAVIGER_DATA_DIR: shell.dataDir, ORIGIN: origin },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [out, code] = await Promise.all([child.stdout.text(), child.exited])
    expect(code).toBe(0)
    expect(out).toMatch(/"name":"laptop"/)
    expect(out).toMatch(/"repo":"claviger"/)
    expect((await stop()).code).toBe(0)
  })

  it('tells the checksum in code that runs', async () => {
    const { file } = terminal()
    const { isWhole } = await import(file('checksum.mjs', blocks('README.md', 'js')[0]!))
    for (let i = 0; i < 200; i++) {
      const key = newFullKey('clv', i % 2 ? 'live' : 'test').reveal()
      const slipped = key.slice(0, i % 57) + (key[i % 57] === 'a' ? 'b' : 'a') + key.slice((i % 57) + 1)
      expect([isWhole(key), isWhole(slipped), wellFormed(slipped)]).toEqual([true, false, false])
    }
  })

  it('tells an expression and a scanner’s rule that find keys and nothing else', () => {
    const pattern = new RegExp(/^\^clv.*\$$/m.exec(read('README.md'))![0])
    const rule = Bun.TOML.parse(blocks('README.md', 'toml')[0]!) as {
      rules: { regex: string; secretGroup: number; keywords: string[] }[]
    }
    const [{ regex, secretGroup, keywords }] = rule.rules as [(typeof rule.rules)[0]]
    for (const environment of ['live', 'test'] as const) {
      const key = newFullKey('clv', environment).reveal()
      expect(pattern.test(key)).toBe(true)
      for (const around of [key, `KEY="${key}"`, `Bearer ${key}\n`, `?api_key=${key}&x`, `{"k":"${key}"}`]) {
        expect(new RegExp(regex).exec(around)?.[secretGroup]).toBe(key)
        expect(keywords.some((word) => around.includes(word))).toBe(true)
      }
      expect([pattern.test(key.slice(0, -1)), new RegExp(regex).test(key.slice(0, -1))]).toEqual([false, false])
    }
  })

  it('names folders and files that are there', () => {
    const layout = blocks('README.md', 'text').at(-1)!
    const named = [...layout.matchAll(/\b((?:src|test|docs)\/[\w/.-]+|architecture\.test\.ts)/g)].map(
      (match) => match[1]!,
    )
    expect(named.length).toBeGreaterThan(8)
    for (const name of named)
      expect([name, existsAt(name.startsWith('arch') ? `test/${name}` : name)]).toEqual([name, true])
  })
})

function existsAt(path: string): boolean {
  return new Bun.Glob(path).scanSync({ cwd: root, onlyFiles: false }).next().done === false
}
