import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { begin, run } from './processes.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = ['--no-env-file', join(ROOT, 'src/main.ts')]
export const SLUG = 'fix'

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

  await command('mcps', 'add', SLUG, '--', process.execPath, join(ROOT, 'test/fixtures/upstream/main.ts'), '--stdio')
  return {
    port: Number(port),
    async key(name: string): Promise<string> {
      const issued = JSON.parse(await command('keys', 'create', '--name', name, '--allow-in-url', '--json'))
      return issued.key
    },
    /** What the program says of the key's last use: who the client is in its own words. */
    async lastClient(name: string): Promise<string> {
      return JSON.parse(await command('keys', 'show', name, '--json')).last_used_client
    },
    revoke: (name: string) => command('keys', 'revoke', name),
    async stop() {
      await server.end()
    },
  }
}
