import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MOST_FILE_BYTES } from '../core/docs.ts'
import type { Stamp } from './shelf.ts'
import { type Bounds, isInside, LEADS_OUT, realOf, tooLarge } from './walk.ts'

export type Read = { bytes: Uint8Array; stamp: Stamp } | { why: string } | null

/**
 * A file's bytes if what was opened lies within the folder: judged by the open file, so that a name that becomes a
 * link in this moment leads nowhere. Null: it is gone.
 */
export function readWithin(bounds: Bounds, path: string): Read {
  const file = join(bounds.root, path)
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)) // a pipe of that name must not keep us waiting
  } catch (error) {
    const { code = 'error' } = error as { code?: string }
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : { why: `It cannot be read (${code}).` }
  }
  try {
    const opened = fstatSync(fd, { bigint: true })
    if (!opened.isFile()) return null
    const real = realOf(file)
    if (real === null) return null
    const there = statSync(real, { bigint: true, throwIfNoEntry: false })
    if (!isInside(bounds, real) || there?.ino !== opened.ino || there.dev !== opened.dev) return { why: LEADS_OUT }
    const size = Number(opened.size)
    if (size > MOST_FILE_BYTES) return { why: tooLarge(size) }
    return { bytes: contentOf(fd, size), stamp: { bytes: size, mtimeMs: Number(opened.mtimeNs) / 1e6 } }
  } catch (error) {
    return { why: `It cannot be read (${(error as { code?: string }).code ?? 'error'}).` }
  } finally {
    closeSync(fd)
  }
}

function contentOf(fd: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  while (at < size) {
    const read = readSync(fd, bytes, at, size - at, at)
    if (read === 0) break
    at += read
  }
  return bytes.subarray(0, at)
}
