import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Carried } from './carry.ts'

const DECODERS = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
])

type Unpack = (carried: Carried, hear: (piece: Uint8Array) => unknown) => Promise<void>

/** How to read an answer that was compressed though nobody asked for it; null where it was not. */
export function unpacking(encoding: string | undefined): Unpack | null {
  const decoderFor = encoding === undefined ? undefined : DECODERS.get(encoding.toLowerCase())
  if (!decoderFor) return null

  return async (carried, hear) => {
    const decoder = decoderFor()
    decoder.on('error', () => {}) // thrown to whoever reads, below
    const drained = () =>
      new Promise<void>((resolve) => {
        decoder.once('drain', resolve).once('close', resolve)
      })
    carried
      .read((piece) => (decoder.write(piece) ? undefined : drained()))
      .then(
        () => decoder.end(),
        (error) => decoder.destroy(error),
      )
    try {
      for await (const piece of decoder) {
        const settled: unknown = hear(piece)
        if (settled instanceof Promise) await settled
      }
    } catch (error) {
      carried.cancel()
      throw error
    }
  }
}
