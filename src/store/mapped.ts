import { dlopen, type Pointer, toArrayBuffer } from 'bun:ffi'

const MMAP = { args: ['ptr', 'usize', 'i32', 'i32', 'i32', 'i64'], returns: 'ptr' } as const
/** The same on Linux and macOS. */
const [PROT_READ, MAP_SHARED] = [1, 1]

/** The beginning of an open file as memory that shows what is written there at that moment; null where that cannot be had. */
export function mapped(file: number, bytes: number): ArrayBuffer | null {
  const mmap = findMmap()
  const at = mmap?.(null, bytes, PROT_READ, MAP_SHARED, file, 0) ?? null
  return at === null || at > Number.MAX_SAFE_INTEGER ? null : toArrayBuffer(at as Pointer, 0, bytes) // -1, unsigned: refused
}

type Mmap = (...given: (number | null)[]) => number | null

function findMmap(): Mmap | null {
  return libraries().reduce<Mmap | null>((one, name) => one ?? mmapIn(name), null)
}

function mmapIn(library: string): Mmap | null {
  try {
    return dlopen(library, { mmap: MMAP }).symbols.mmap as Mmap
  } catch {
    return null
  }
}

/** Where the C library lies; musl has names of its own. */
function libraries(): string[] {
  if (process.platform === 'darwin') return ['libSystem.B.dylib']
  return ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]
}
