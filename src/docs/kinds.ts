import { posix } from 'node:path'
import type { DOCUMENT_KINDS } from '../core/docs.ts'

export type Kind = 'markdown' | 'mdx' | 'rst' | 'html' | 'text'

const KINDS: Record<(typeof DOCUMENT_KINDS)[number], Kind> = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.mdx': 'mdx',
  '.rst': 'rst',
  '.html': 'html',
  '.htm': 'html',
  '.txt': 'text',
  '.text': 'text',
}

/** By the end of its name; null for what is no document. */
export function kindOf(path: string): Kind | null {
  return (KINDS as Record<string, Kind | undefined>)[posix.extname(path).toLowerCase()] ?? null
}

const LOOKED_AT = 8192

/** The text in these bytes, whatever encoding they are in; null if they are no text. */
export function textIn(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  if (bytes.subarray(0, LOOKED_AT).includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\0', ' ')
  } catch {
    return brokenText(bytes)
  }
}

/** A sign cut in two here and there, an older encoding of the West, or no text at all. */
function brokenText(bytes: Uint8Array): string | null {
  const start = bytes.subarray(0, LOOKED_AT)
  const odd = start.filter((byte) => byte < 32 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13).length
  if (odd > start.length / 50) return null
  const text = new TextDecoder('utf-8').decode(bytes)
  const broken = text.split('\ufffd').length - 1
  const foreign = (text.match(/\P{ASCII}/gu) ?? []).length - broken
  return (broken > foreign ? new TextDecoder('windows-1252').decode(bytes) : text).replaceAll('\0', ' ')
}
