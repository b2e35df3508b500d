import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
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
  } catch (error) {
    throw new Error(
      `The data directory ${dataDir} cannot be made (${(error as { code?: string }).code}). Name one that this user may write: --data-dir or CLAVIGER_DATA_DIR.`,
    )
  }
}

/** The given one, or the file `secret`, made on the first start; never made beside an existing database. */
export function instanceSecret(dataDir: string, given: Secret | null): Secret {
  if (given) return given
  const file = join(dataDir, 'secret')
  if (!existsSync(file)) {
    if (existsSync(databaseFile(dataDir)))
      throw new Error(
        `There is a database in ${dataDir} but not the secret its keys are hashed under. Put the file ${file} back, or set CLAVIGER_SECRET to its content; without it no key can be verified.`,
      )
    makeSecretFile(file)
  }
  const text = readFileSync(file, 'utf8').trim()
  if (text.length < 32)
    throw new Error(`The file ${file} is too short to be the instance's secret. Put the original back.`)
  return new Secret(text)
}

/** Whole or not at all: two processes starting at once agree on one file, and a crash leaves none half written. */
function makeSecretFile(file: string): void {
  const draft = `${file}.${process.pid}`
  const fd = openSync(draft, 'wx', 0o600)
  writeSync(fd, `${randomBytes(32).toString('hex')}\n`)
  fsyncSync(fd)
  closeSync(fd)
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
  chmodSync(file, 0o600)
}
