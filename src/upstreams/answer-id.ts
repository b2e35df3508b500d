const AT_START = /^\{"jsonrpc":"2\.0","id":(\d{1,15}),"(?:result|error)":/
const AT_END = /"jsonrpc":"2\.0","id":(\d{1,15})\}$/
const LONGEST_END = 60

/**
 * The id of a response without reading the response: servers write it first or last. A match at the start is the
 * top level's for sure, and so is one before the final brace. Null: only parsing can tell. `end`: where the text was cut.
 */
export function answerId(text: string, end = text): number | null {
  const first = AT_START.exec(text)
  if (first) return Number(first[1])
  if (!text.startsWith('{"result":') && !text.startsWith('{"error":')) return null
  const last = AT_END.exec(end.slice(-LONGEST_END))
  return last ? Number(last[1]) : null
}

/** Whether this text answers the request of that id. Parses only what servers rarely write. */
export function isAnswerTo(id: number, text: string): boolean {
  const quick = answerId(text)
  if (quick !== null) return quick === id
  if (text.startsWith('{"jsonrpc":"2.0","method":') || text.startsWith('{"method":')) return false
  try {
    const message: unknown = JSON.parse(text)
    return (Array.isArray(message) ? message : [message]).some((one) => one?.id === id && one.method === undefined)
  } catch {
    return false
  }
}

/** Whose answer this is, by what stands outside of all inner brackets, for a text that nobody parses; null: nobody's. */
export function answerIdBeside(text: string, exchange: number | null): number | null {
  const head = text.trimStart().slice(1, 200).split(/[{[]/)[0]
  const tail = text.trimEnd().slice(-200, -1).split(/[}\]]/).at(-1)
  const beside = `${head} ${tail}`
  if (/"method"\s*:/.test(beside)) return null
  const id = /"id"\s*:\s*(\d{1,15})\b/.exec(beside)
  return id ? Number(id[1]) : exchange
}
