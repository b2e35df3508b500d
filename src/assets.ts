import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In the executable, folders lie at the virtual root under their last name; in a checkout, where git has them. */
const here = dirname(fileURLToPath(import.meta.url))
const embedded = here.startsWith('/$bunfs') || here.startsWith('B:\\~BUN')
const root = embedded ? here.replace(/([\\/]root)[\\/].*$/, '$1') : join(here, '..') // a thread's file lies deeper

export function viewsFolder(): string {
  return join(root, 'views')
}

export function staticFolder(): string {
  return join(root, 'static')
}

export function migrationsFolder(): string {
  return embedded ? join(root, 'migrations') : join(root, 'src/store/migrations')
}

export function manualFolder(): string {
  return join(root, 'docs')
}

/** The library of documents runs in a thread of its own. */
export function docsWorker(): string {
  return embedded ? join(root, 'docs/worker.js') : join(root, 'src/docs/worker.ts')
}

/** Lines of activity are written in a thread of their own. */
export function activityWorker(): string {
  return embedded ? join(root, 'store/activity-worker.js') : join(root, 'src/store/activity-worker.ts')
}

export type Addon = 'better-sqlite3' | 'argon2'

const loaded = new Map<Addon, object>()
let chosen: string | null = null

/** The system loads machine code from files only, and the temporary directory may be read-only or noexec. */
export function loadAddonsFrom(folder: string): void {
  chosen = folder
}

/** Of the executable alone: the build hands its packages this in place of their own search through node_modules. */
export function nativeAddon(name: Addon): object {
  const known = loaded.get(name)
  if (known) return known
  const addon = load(name, chosen === null ? [tmpdir()] : [chosen, tmpdir()])
  loaded.set(name, addon)
  return addon
}

function load(name: Addon, folders: string[]): object {
  const failures: string[] = []
  for (const folder of folders)
    try {
      return loadFrom(folder, name)
    } catch (error) {
      failures.push(`${folder}: ${(error as Error).message}`)
    }
  throw new Error(
    `Machine code (${name}) cannot be loaded. Let the data directory be writable and not mounted noexec. ${failures.join('; ')}`,
  )
}

/** From a copy that no other process sees and that is gone once loaded: nothing to plant, to race for, or to outdate. */
function loadFrom(folder: string, name: Addon): object {
  const copy = mkdtempSync(join(folder, PREFIX))
  try {
    const file = join(copy, `${name}.node`)
    writeFileSync(file, readFileSync(join(root, 'addons', `${name}.node`)), { mode: 0o600, flag: 'wx' })
    const module: { exports: object } = { exports: {} }
    process.dlopen(module, file)
    return module.exports
  } finally {
    remove(copy)
    removeLeftBehind(folder)
  }
}

const PREFIX = '.claviger-'
const MINUTE = 60_000

/** A process killed in this very moment leaves its copy, and Windows keeps a loaded file until the process ends. */
function removeLeftBehind(folder: string): void {
  const now = statSync(folder).mtimeMs // just changed, by us
  for (const name of readdirSync(folder).filter((name) => name.startsWith(PREFIX))) {
    const copy = join(folder, name)
    const changedAt = statSync(copy, { throwIfNoEntry: false })?.mtimeMs ?? now
    if (now - changedAt > MINUTE) remove(copy)
  }
}

function remove(copy: string): void {
  try {
    rmSync(copy, { recursive: true, force: true })
  } catch {
    // in use, or somebody else's; the next start tries again
  }
}
