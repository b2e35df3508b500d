/** What is read of a message; the rest of it travels as it is. */
export type Message = {
  id?: string | number | null
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
}

export function parsed(text: string): Message | null {
  try {
    const message: unknown = JSON.parse(text)
    return typeof message === 'object' && message !== null && !Array.isArray(message) ? message : null
  } catch {
    return null
  }
}

/** The ids in a batch, which only one revision knew (2025-03-26); null for anything else. */
export function idsOfBatch(text: string): unknown[] | null {
  try {
    const batch: unknown = JSON.parse(text)
    return Array.isArray(batch) ? batch.filter(isRequest).map(({ id }: Message) => id) : null
  } catch {
    return null
  }
}

const ID = String.raw`"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)`
const FIRST = new RegExp(String.raw`^\s*\{(?:\s*"\w+"\s*:\s*"[^"\\]*"\s*,)*\s*${ID}`)
const LAST = new RegExp(String.raw`${ID}\s*\}\s*$`)

/** The id of a message of which only both ends are known: before anything that holds other members, or after all of it. */
export function idIn(start: string, end: string): string | number | null {
  const [, id] = FIRST.exec(start) ?? LAST.exec(end) ?? []
  return id === undefined ? null : JSON.parse(id)
}

export function isRequest({ id, method }: Message): boolean {
  return method !== undefined && id !== undefined && id !== null
}

/** 1 and "1" are two ids. */
export function nameOf(id: unknown): string {
  return JSON.stringify(id) ?? ''
}

/** Line breaks in JSON are white space: those in its strings are written as \n. */
export function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

export function errorText(id: unknown, code: number, message: string, data?: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data && { data }) } })
}

export function refusalIn(text: string): string {
  const { error } = (parsed(text) ?? {}) as { error?: { message?: unknown } }
  return typeof error?.message === 'string' ? error.message : 'Claviger refuses this.'
}
