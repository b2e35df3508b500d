import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Breath } from './breath.ts'
import { kindOf } from './kinds.ts'
import { type Read, readWithin } from './read-file.ts'
import { folderWithin, type Ground } from './roots.ts'
import type { Stamp } from './shelf.ts'
import type { Skipped } from './skipped.ts'
import { realOf, stampOf, walk } from './walk.ts'

/** Where the documents of a repo come from. */
export type Source = {
  /** The folder's real place at this moment, or a sentence about why it may not be read now, and whether for good. */
  place(): { folder: string } | { refused: string; forGood: boolean }
  list(folder: string, breath: Breath, skipped: Skipped): Promise<Map<string, Stamp>>
  read(folder: string, path: string): Read
  /** Asked of each document before it is shown; null for one that is gone. */
  stamp(path: string): Stamp | null
  /** Whether it may change while the program runs. */
  lives: boolean
}

/** A folder on the server's disk. That it lies where repos may is asked again at each look: links and settings change. */
export function folderSource(folder: string, ground: Ground): Source {
  return {
    ...livingIn(folder, () => ground.apart && realOf(ground.apart)),
    place() {
      try {
        return { folder: folderWithin(ground, folder) }
      } catch (error) {
        return realOf(folder) === null
          ? { refused: 'The folder is not there, or may not be read.', forGood: false }
          : { refused: (error as Error).message, forGood: true }
      }
    },
  }
}

/** The folder in which files are kept that were sent. */
export function filesSource(folder: string): Source {
  return {
    ...livingIn(folder, () => null),
    place() {
      const real = realOf(folder)
      return real === null ? { refused: 'The files are not there.', forGood: false } : { folder: real }
    },
  }
}

/** `apart`: a folder of which nothing is read, wherever it lies. */
function livingIn(folder: string, apart: () => string | null): Omit<Source, 'place'> {
  return {
    list: (root, breath, skipped) => walk({ root, apart: apart() }, breath, skipped),
    read: (root, path) => readWithin({ root, apart: apart() }, path),
    stamp: (path) => stampOf(folder, path),
    lives: true,
  }
}

/** The manual that comes with the program, perhaps within the executable, whose files have no times. */
export function manualSource(folder: string): Source {
  const stamped = new Map<string, Stamp>()
  return {
    place: () => ({ folder }),
    async list() {
      for (const path of readdirSync(folder))
        if (kindOf(path) !== null) stamped.set(path, fingerprint(readFileSync(join(folder, path))))
      return stamped
    },
    read: (_folder, path) => {
      const bytes = readFileSync(join(folder, path))
      return { bytes, stamp: fingerprint(bytes) }
    },
    stamp: (path) => stamped.get(path) ?? null,
    lives: false,
  }
}

function fingerprint(bytes: Uint8Array): Stamp {
  return { bytes: bytes.length, mtimeMs: createHash('sha256').update(bytes).digest().readUIntBE(0, 6) }
}
