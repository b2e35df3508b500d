import { type Entry, fromBuffer, type ZipFile } from 'yauzl'
import { MOST_FILE_BYTES, MOST_ZIP_BYTES } from '../core/docs.ts'
import { Refusal } from '../core/refusal.ts'
import { kindOf } from './kinds.ts'
import { whatIsWrong } from './names.ts'
import type { Skipped } from './skipped.ts'
import { tooLarge } from './walk.ts'

const MOST_ENTRIES = 100_000
const MOST_TOTAL_BYTES = 500 * 1024 * 1024
const USUAL_RATIO = 200
const FILE_TYPE = 0o170000
const LINK = 0o120000

/** Hands on each document in a zip. What is no document is never unpacked; a zip that lies is refused as a whole. */
export async function unzip(
  bytes: Uint8Array,
  skipped: Skipped,
  take: (path: string, content: Buffer) => void,
): Promise<void> {
  if (bytes.length > MOST_ZIP_BYTES)
    throw new Refusal('payload_too_large', `A zip may have ${MOST_ZIP_BYTES / 1024 / 1024} MB. Send it in parts.`)
  const zip = await opened(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  if (zip.entryCount > MOST_ENTRIES) throw tooMuch(`holds more than ${MOST_ENTRIES} files`)
  let total = 0
  for await (const entry of entriesOf(zip)) {
    const path = entry.fileName
    if (path.endsWith('/') || isBeside(path)) continue
    const why = whyNot(entry)
    if (why !== null) {
      skipped.add(path, why)
      continue
    }
    total += entry.uncompressedSize
    if (total > MOST_TOTAL_BYTES) throw tooMuch(`unpacks to more than ${MOST_TOTAL_BYTES / 1024 / 1024} MB`)
    take(path, await contentOf(zip, entry))
  }
}

/** What packers add of their own. */
function isBeside(path: string): boolean {
  return path.split('/').some((name) => name.startsWith('.') || name === '__MACOSX' || name === 'node_modules')
}

function whyNot(entry: Entry): string | null {
  const wrong = whatIsWrong(entry.fileName)
  if (wrong !== null) return wrong
  if (kindOf(entry.fileName) === null) return 'It is no document.'
  if (((entry.externalFileAttributes >>> 16) & FILE_TYPE) === LINK) return 'It is a link, and those are not followed.'
  if (entry.generalPurposeBitFlag & 1) throw refused('is encrypted. Pack it without a password')
  if (entry.uncompressedSize > MOST_FILE_BYTES) return tooLarge(entry.uncompressedSize)
  if (entry.uncompressedSize > 1024 * 1024 && entry.uncompressedSize > entry.compressedSize * USUAL_RATIO)
    throw tooMuch(`holds ${entry.fileName.slice(0, 100)}, which is packed far too tightly for a text`)
  return null
}

function opened(bytes: Buffer): Promise<ZipFile> {
  return new Promise((resolve, reject) =>
    fromBuffer(bytes, { lazyEntries: true, decodeStrings: true, validateEntrySizes: true }, (error, zip) =>
      error ? reject(unreadable(error)) : resolve(zip),
    ),
  )
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | null>((resolve, reject) => {
      zip.once('entry', resolve)
      zip.once('end', () => resolve(null))
      zip.once('error', (error) => reject(unreadable(error)))
      zip.readEntry()
    })
    zip.removeAllListeners()
    if (entry === null) return
    yield entry
  }
}

function contentOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    zip.openReadStream(entry, (error, stream) => {
      if (error) return reject(unreadable(error))
      const chunks: Buffer[] = []
      let size = 0
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MOST_FILE_BYTES) stream.destroy(new Error('it is larger than it says'))
        else chunks.push(chunk)
      })
      stream.once('end', () => resolve(Buffer.concat(chunks)))
      stream.once('error', (error) => reject(unreadable(error)))
    }),
  )
}

function tooMuch(what: string): Refusal {
  return new Refusal('payload_too_large', `The zip ${what}. Send its documents in smaller parts.`)
}

function unreadable(error: Error): Refusal {
  return refused(`cannot be read (${error.message.slice(0, 200)})`)
}

function refused(what: string): Refusal {
  return new Refusal('bad_request', `The zip ${what}.`)
}
