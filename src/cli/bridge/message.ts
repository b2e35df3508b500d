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
    return typeof message === 'object' && message !== null ? (message as Message) : null
  } catch {
    return null
  }
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
