import type { IncomingMessage } from 'node:http'
import { Refusal } from '../core/refusal.ts'

const LIMIT_BYTES = 1_000_000
const MOST_DEPTH = 64

/** The JSON a request carries, undefined if it carries nothing. Read only once it is known who asks. */
export async function readJson(req: IncomingMessage): Promise<unknown> {
  if (Number(req.headers['content-length'] ?? 0) > LIMIT_BYTES) throw tooLarge()
  const bytes = await readBytes(req)
  if (bytes.length === 0) return undefined
  checkType(req)
  const text = decode(bytes)
  if (isDeep(text)) throw new Refusal('bad_request', `The body is nested more than ${MOST_DEPTH} levels deep.`)
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('bad_request', 'The body is not valid JSON.')
  }
}

async function readBytes(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req) {
    size += chunk.length
    if (size > LIMIT_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(): Refusal {
  return new Refusal('payload_too_large', `The body is larger than ${LIMIT_BYTES} bytes.`)
}

function checkType({ headers }: IncomingMessage): void {
  const [type, ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='))
  if (type!.trim() !== 'application/json' || (charset && !/^charset="?utf-8"?$/.test(charset)))
    throw new Refusal('unsupported_media_type', 'Send JSON in UTF-8, with `Content-Type: application/json`.')
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity')
    throw new Refusal('unsupported_media_type', 'Send the body as it is, without Content-Encoding.')
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Refusal('bad_request', 'The body is not valid UTF-8.')
  }
}

/** Looked at before parsing, which would follow any depth. */
function isDeep(text: string): boolean {
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const sign = text[i]
    if (quoted) {
      if (sign === '\\') i++
      else if (sign === '"') quoted = false
    } else if (sign === '"') quoted = true
    else if (sign === '{' || sign === '[') {
      if (++depth > MOST_DEPTH) return true
    } else if (sign === '}' || sign === ']') depth--
  }
  return false
}
