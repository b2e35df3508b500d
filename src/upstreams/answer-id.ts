const AT_START = /^\{"jsonrpc":"2\.0","id":(\d{1,15}),"(?:result|error)":/
const AT_END = /"jsonrpc":"2\.0","id":(\d{1,15})\}$/

/**
 * The id of a response without reading the response: servers write it first or last. A match at the start is the
 * top level's for sure, and so is one before the final brace. Null: only parsing can tell.
 */
export function answerId(start: string, end: string): number | null {
  const first = AT_START.exec(start)
  if (first) return Number(first[1])
  if (!start.startsWith('{"result":') && !start.startsWith('{"error":')) return null
  const last = AT_END.exec(end)
  return last ? Number(last[1]) : null
}

/** Whether this text answers the request of that id. Parses only what servers rarely write. */
export function isAnswerTo(id: number, text: string): boolean {
  const quick = answerId(text.slice(0, 60), text.slice(-60))
  if (quick !== null) return quick === id
  if (text.startsWith('{"jsonrpc":"2.0","method":') || text.startsWith('{"method":')) return false
  try {
    const message: unknown = JSON.parse(text)
    return (Array.isArray(message) ? message : [message]).some((one) => one?.id === id && one.method === undefined)
  } catch {
    return false
  }
}
