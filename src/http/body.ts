import type { IncomingMessage } from 'node:http'
import { isDeep } from '../core/depth.ts'
import { Refusal } from '../core/refusal.ts'

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
export function parseJson(bytes: Buffer, mostDepth: number): unknown {
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
export async function readUpload(req: IncomingMessage, most: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > most) throw tooLarge(most)
  if (/^multipart\//i.test(req.headers['content-type']?.trim() ?? ''))
    throw new Refusal('unsupported_media_type', 'Send the file as it is, not as a form: `curl --data-binary @FILE`.')
  checkEncoding(req)
  return readBytes(req, most)
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

export function checkType({ headers }: IncomingMessage): void {
  if (headers['content-type'] === 'application/json') return checkEncoding({ headers })
  const [type, ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='))
  if (type!.trim() !== 'application/json' || (charset && !/^charset="?utf-8"?$/.test(charset)))
    throw new Refusal('unsupported_media_type', 'Send JSON in UTF-8, with `Content-Type: application/json`.')
  checkEncoding({ headers })
}

function checkEncoding({ headers }: Pick<IncomingMessage, 'headers'>): void {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity')
    throw new Refusal('unsupported_media_type', 'Send the body as it is, without Content-Encoding.')
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Refusal('bad_request', 'The body is not valid UTF-8.')
  }
}
