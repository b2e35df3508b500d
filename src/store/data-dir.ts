import { randomBytes } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { Secret } from '../core/secret.ts'

export function databaseFile(dataDir: string): string {
  return join(dataDir, 'claviger.db')
}

export function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    accessSync(dataDir, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new Error(
      `The data directory ${dataDir} cannot be written (${codeOf(error)}). Name one that this user may write: --data-dir or CLAVIGER_DATA_DIR.`,
    )
  }
}

/** The given one, or the file `secret`, made on the first start; never made beside an existing database. */
export function instanceSecret(dataDir: string, given: Secret | null): Secret {
  if (given) return given
  const file = join(dataDir, 'secret')
  const hasDatabase = existsSync(databaseFile(dataDir)) // looked at first: another process may be making both
  if (!existsSync(file)) {
    if (hasDatabase)
      throw new Error(
        `There is a database in ${dataDir} but not the secret its keys are hashed under. Put the file ${file} back, or set CLAVIGER_SECRET to its content; without it no key can be verified.`,
      )
    makeSecretFile(dataDir, file)
  }
  const text = readSecret(file)
  if (text.length < 32)
    throw new Error(`The file ${file} is too short to be the instance's secret. Put the original back.`)
  return new Secret(text)
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Error(
      `The file ${file} cannot be read (${codeOf(error)}). It must belong to the user that Claviger runs as.`,
    )
  }
}

/** Whole or not at all: two processes starting at once agree on one file, and a crash leaves none half written. */
function makeSecretFile(dataDir: string, file: string): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    writeSafely(draft, `${randomBytes(32).toString('hex')}\n`)
    linkSync(draft, file)
    syncFolder(dataDir)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    throw new Error(`The file ${file} cannot be written (${codeOf(error)}). Make room or choose another --data-dir.`)
  } finally {
    rmSync(draft, { force: true })
  }
}

function writeSafely(file: string, text: string): void {
  const fd = openSync(file, 'wx', 0o600)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Its name must survive a power cut as its content does: a database without its secret verifies nothing. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return // has no such call
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'error'
}
