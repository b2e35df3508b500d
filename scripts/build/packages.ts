import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import lock from '../../package-lock.json'

type Locked = { version: string; integrity: string }

/** A file of a package made for another machine: from node_modules if npm put it there, else fetched by npm and kept. */
export async function fileOf(root: string, name: string, file: (inside: string) => boolean): Promise<string> {
  const installed = join(root, 'node_modules', name)
  return find(installed, file) ?? find(await fetched(root, name), file) ?? missing(name)
}

function find(folder: string, wanted: (inside: string) => boolean): string | null {
  if (!existsSync(folder)) return null
  const inside = (readdirSync(folder, { recursive: true }) as string[]).map((path) => path.replaceAll('\\', '/'))
  const found = inside.find(wanted)
  return found === undefined ? null : join(folder, found)
}

async function fetched(root: string, name: string): Promise<string> {
  const { version, integrity } = lockedOf(name)
  const cache = join(root, 'dist/.cache')
  const folder = join(cache, `${name.replace('/', '+')}@${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const draft = mkdtempSync(join(cache, 'fetching-'))
  try {
    console.log(`  fetching ${name} ${version}`)
    const tarball = await pack(draft, `${name}@${version}`)
    const bytes = readFileSync(tarball)
    if (`sha512-${createHash('sha512').update(bytes).digest('base64')}` !== integrity)
      throw new Error(`${name} ${version} is not the one that package-lock.json names: its checksum differs.`)
    await new Bun.Archive(bytes).extract(draft)
    rmSync(tarball)
    if (!existsSync(folder)) renameSync(draft, folder)
    return folder
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** npm itself, so that its configuration (registry, proxy, credentials) holds here too. */
async function pack(into: string, what: string): Promise<string> {
  const npm = Bun.which('npm')
  if (!npm) throw new Error(`npm is needed to fetch ${what}, and there is none in PATH.`)
  const child = Bun.spawn([npm, 'pack', what, '--pack-destination', into], { stdout: 'ignore', stderr: 'pipe' })
  const [said, code] = await Promise.all([child.stderr.text(), child.exited])
  if (code !== 0) throw new Error(`npm could not fetch ${what}: ${reason(said)}`)
  const tarball = readdirSync(into).find((name) => name.endsWith('.tgz'))
  return tarball ? join(into, tarball) : missing(what)
}

function reason(said: string): string {
  const lines = said.split('\n').map((line) => line.replace(/^npm (error|ERR!)\s*/, ''))
  return lines.find((line) => line && !/^(code|syscall|errno|path) /.test(line)) ?? 'no reason given'
}

function lockedOf(name: string): Locked {
  const packages: Record<string, { version?: string; integrity?: string } | undefined> = lock.packages
  const { version, integrity } = packages[`node_modules/${name}`] ?? {}
  if (!version || !integrity)
    throw new Error(`package-lock.json does not name ${name}. Run npm install, then build again.`)
  return { version, integrity }
}

export function lockedVersion(name: string): string {
  return lockedOf(name).version
}

function missing(name: string): never {
  throw new Error(`${name} does not hold the expected file.`)
}
