import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MOST_FILE_BYTES } from '../core/docs.ts'
import { Refusal } from '../core/refusal.ts'
import { textIn } from './kinds.ts'
import { pathSent, whatIsWrong } from './names.ts'
import { type Skipped, skippedFiles } from './skipped.ts'
import { tooLarge } from './walk.ts'
import { unzip } from './zip.ts'

export type SentFile = { path: string; bytes: number }

/** Throws if these may not be put in their places just now. */
export type Admit = (files: SentFile[]) => void

/** Puts a sent file in its place, whole or not at all. Returns the path it is kept under. */
export function putFile(folder: string, given: string, bytes: Uint8Array, admit: Admit): string {
  const path = pathSent(given)
  if (bytes.length > MOST_FILE_BYTES) throw new Refusal('payload_too_large', tooLarge(bytes.length))
  if (textIn(bytes) === null)
    throw new Refusal('unsupported_media_type', 'This is no text. Send the document as UTF-8.')
  refuseInTheWay(folder, path)
  admit([{ path, bytes: bytes.length }])
  const draft = draftIn(folder)
  try {
    writeFileSync(draft, bytes, { flag: 'wx', mode: 0o600 })
    moveTo(folder, path, draft)
  } finally {
    rmSync(draft, { force: true })
  }
  return path
}

/** Nothing is put in its place before all of the zip has been read, and `admit` has not thrown. */
export async function putZip(
  folder: string,
  bytes: Uint8Array,
  admit: Admit,
): Promise<{ paths: string[]; skipped: Skipped }> {
  const draft = draftIn(folder)
  const skipped = skippedFiles()
  const files: SentFile[] = []
  mkdirSync(draft, { mode: 0o700 })
  try {
    await unzip(bytes, skipped, (path, content) => {
      if (!existsSync(draft)) admit([])
      writeFileSync(join(draft, String(files.length)), content, { mode: 0o600 })
      files.push({ path: path.normalize('NFC'), bytes: content.length })
    })
    admit(files)
    const paths = files.map(({ path }) => path)
    for (const path of paths) refuseInTheWay(folder, path)
    refuseTwins(paths)
    for (const [at, path] of paths.entries()) moveTo(folder, path, join(draft, String(at)))
    return { paths, skipped }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** False if there is no such file. */
export function removeFile(folder: string, path: string): boolean {
  if (whatIsWrong(path) !== null) return false
  const name = path.normalize('NFC')
  const file = join(folder, name)
  if (!lstatOf(file)?.isFile()) return false
  rmSync(file)
  for (let parent = dirname(name); parent !== '.'; parent = dirname(parent)) {
    if (readdirSync(join(folder, parent)).length > 0) break
    rmdirSync(join(folder, parent))
  }
  return true
}

/** Hidden, so that no look takes it for a document; a crash leaves it behind, and the next start removes it. */
function draftIn(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return join(folder, `${DRAFT}${randomBytes(6).toString('hex')}`)
}

const DRAFT = '.incoming-'

export function removeDrafts(folder: string): void {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder))
    if (name.startsWith(DRAFT)) rmSync(join(folder, name), { recursive: true, force: true })
}

function moveTo(folder: string, path: string, draft: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 })
  renameSync(draft, join(folder, path))
}

/** A file where a folder is needed, or a folder where the file should go. */
function refuseInTheWay(folder: string, path: string): void {
  const names = path.split('/')
  for (let depth = 1; depth < names.length; depth++) {
    const parent = names.slice(0, depth).join('/')
    const there = lstatOf(join(folder, parent))
    if (there && !there.isDirectory()) throw inTheWay(parent, 'a file')
  }
  if (lstatOf(join(folder, path))?.isDirectory()) throw inTheWay(path, 'a folder')
}

function refuseTwins(paths: string[]): void {
  const files = new Set(paths)
  for (const path of files)
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent))
      if (files.has(parent)) throw inTheWay(parent, 'a file')
}

function inTheWay(path: string, what: string): Refusal {
  return new Refusal('conflict', `${path} is ${what} already. Remove it first, or choose another name.`)
}

function lstatOf(file: string) {
  return lstatSync(file, { throwIfNoEntry: false })
}
