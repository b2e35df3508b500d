import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Variant } from '../../src/core/connect/variant.ts'
import { begin, run } from './processes.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = ['--no-env-file', join(ROOT, 'src/main.ts')]
export const SLUG = 'fix'
/** What people may call things, and no shell may ever see as its own. */
const HOSTILE = `'"; touch owned; $(touch owned) \`touch owned\` 🔑 & | > owned %PATH% \\`

/** The real program in a process of its own, set up from its environment and then by its command line alone. */
export async function startClaviger(folder: string) {
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  mkdirSync(folder, { recursive: true })
  writeFileSync(passwordFile, crypto.randomUUID())
  const env = { PATH: process.env.PATH ?? '', HOME: folder }
  const owner = { CLAVIGER_OWNER_EMAIL: 'owner@example.com', CLAVIGER_OWNER_PASSWORD_FILE: passwordFile }
  const server = begin(process.execPath, [...MAIN, 'serve', '--port', '0', '--data-dir', data], {
    env: { ...env, ...owner },
    cwd: folder,
    seconds: 1800,
  })
  const [, port] = await server.until(/"Claviger is ready","url":"http:\/\/127\.0\.0\.1:(\d+)"/)

  async function command(...args: string[]): Promise<string> {
    const at = args.indexOf('--')
    const [ours, theirs] = at < 0 ? [args, []] : [args.slice(0, at), args.slice(at)]
    const { code, stdout, stderr } = await run(process.execPath, [...MAIN, ...ours, '--data-dir', data, ...theirs], {
      env,
      cwd: folder,
    })
    if (code !== 0) throw new Error(`claviger ${ours.join(' ')}: ${stderr}`)
    return stdout
  }

  await command(
    'mcps',
    'add',
    SLUG,
    '--name',
    HOSTILE,
    '--',
    process.execPath,
    join(ROOT, 'test/fixtures/upstream/main.ts'),
    '--stdio',
  )
  return {
    port: Number(port),
    async key(name: string): Promise<{ id: string; key: string }> {
      const called = `${name} ${HOSTILE}`.slice(0, 100)
      return JSON.parse(await command('keys', 'create', '--name', called, '--allow-in-url', '--json'))
    },
    /** What the program says of the key's last use: who the client is in its own words. */
    async lastClient(id: string): Promise<string> {
      return JSON.parse(await command('keys', 'show', id, '--json')).last_used_client
    },
    async connect(client: string, key: string, url: string): Promise<Variant[]> {
      const asked = ['connect', client, '--mcp', SLUG, '--key', key, '--public-url', url, '--json']
      return JSON.parse(await command(...asked)).variants
    },
    revoke: (id: string) => command('keys', 'revoke', id),
    async stop() {
      await server.end()
    },
  }
}
