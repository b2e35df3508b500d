import type { IncomingMessage, ServerResponse } from 'node:http'
import { isDeep } from '../core/depth.ts'
import { Refusal } from '../core/refusal.ts'
import type { Incoming } from './messages.ts'
import { turnsOf } from './turns.ts'

const LIMIT_BYTES = 1_000_000
const MOST_DEPTH = 64

/** The JSON a request carries, undefined if it carries nothing. Read only once it is known who asks. */
export async function readJson(req: IncomingMessage): Promise<unknown> {
  if (Number(req.headers['content-length'] ?? 0) > LIMIT_BYTES) throw tooLarge()
  const bytes = await readBytes(req)
  if (bytes.length === 0) return undefined
  checkType(req)
  return parseJson(bytes, MOST_DEPTH)
}

/** No bytes that are no text, and no value that could not be written again. */
export function parseJson(bytes: Uint8Array, mostDepth: number): unknown {
  const text = decode(bytes)
  if (isDeep(text, mostDepth))
    throw new Refusal('bad_request', `The body is nested more than ${mostDepth} levels deep.`)
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('bad_request', 'The body is not valid JSON.')
  }
}

/** A file as it is. What it claims to be is not asked: its name or its first bytes tell. */
export async function readUpload(req: Upload, most: number): Promise<Buffer> {
  const declared = declaredBytes(req, most)
  if (/^multipart\//i.test(req.headers['content-type']?.trim() ?? ''))
    throw new Refusal('unsupported_media_type', 'Send the file as it is, not as a form: `curl --data-binary @FILE`.')
  checkEncoding(req)
  await roomFor(req, declared ?? most)
  return declared === null ? readBytes(req, most) : readDeclared(req, declared)
}

/** As Express has it. */
export type Upload = IncomingMessage & { res?: ServerResponse }

const room = turnsOf(256 * 1024 * 1024)

/** Two of the largest uploads at a time are as much as memory should hold; others wait for their turn. */
export async function roomFor({ res }: Upload, bytes: number): Promise<void> {
  if (res) await room.take(bytes, res)
}

/** Null where the length is not said beforehand. */
export function declaredBytes({ headers }: IncomingMessage, most: number): number | null {
  const declared = headers['content-length'] === undefined ? null : Number(headers['content-length'])
  if (declared !== null && declared > most) throw tooLarge(most)
  return declared
}

/** Into one piece of memory of its own, which can be handed on as it is. */
export async function readDeclared(req: IncomingMessage, bytes: number): Promise<Buffer> {
  const read = Buffer.allocUnsafeSlow(bytes)
  let size = 0
  for await (const chunk of req) {
    if (size + chunk.length > bytes) throw tooLarge(bytes)
    size += (chunk as Buffer).copy(read, size)
  }
  return size === bytes ? read : read.subarray(0, size)
}

export async function readBytes(req: IncomingMessage, most = LIMIT_BYTES): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req) {
    size += chunk.length
    if (size > most) throw tooLarge(most)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function tooLarge(most = LIMIT_BYTES): Refusal {
  return new Refusal('payload_too_large', `The body is larger than ${most} bytes.`)
}

export function checkType({ headers }: Pick<Incoming, 'headers'>): void {
  if (headers['content-type'] === 'application/json') return checkEncoding({ headers })
  const [type, ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='))
  if (type!.trim() !== 'application/json' || (charset && !/^charset="?utf-8"?$/.test(charset)))
    throw new Refusal('unsupported_media_type', 'Send JSON in UTF-8, with `Content-Type: application/json`.')
  checkEncoding({ headers })
}

function checkEncoding({ headers }: Pick<Incoming, 'headers'>): void {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity')
    throw new Refusal('unsupported_media_type', 'Send the body as it is, without Content-Encoding.')
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Refusal('bad_request', 'The body is not valid UTF-8.')
  }
}
