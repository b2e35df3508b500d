import type { ActivityLine } from '../core/activity.ts'

/** How a request went, by the text of its answer. */
export function outcomeOf(text: string, method: string): ActivityLine['outcome'] {
  if (isError(text)) return 'upstream_error'
  return method === 'tools/call' && saysToolError(text) ? 'tool_error' : 'ok'
}

const ERROR = /^\{(?:"jsonrpc":"2\.0","id":(?:"(?:[^"\\]|\\.){0,500}"|[^",{]{1,40}),)?"error":\s*\{/

/** The error stands in front, or next to the id: `withId` sees to it. */
export function isError(text: string): boolean {
  return ERROR.test(text.slice(0, 600))
}

/** What a line of activity says is not worth more: in an answer with more parts than these the flag is not looked for. */
const MOST_STEPS = 100_000

/** `result.isError`, and no member of that name elsewhere. Steps from bracket to bracket and over strings whole. */
function saysToolError(text: string): boolean {
  if (!text.includes('"isError"')) return false
  const mark = /["{}[\]]/g
  const colon = /\s*:\s*/y
  let depth = 0
  let inResult = false
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const found = mark.exec(text)
    if (!found) return false
    if (found[0] !== '"') {
      depth += found[0] === '{' || found[0] === '[' ? 1 : -1
      continue
    }
    const end = endOfString(text, found.index)
    mark.lastIndex = colon.lastIndex = end + 1
    if ((depth !== 1 && !(depth === 2 && inResult)) || !colon.test(text)) continue
    const name = text.slice(found.index + 1, end)
    if (depth === 1) inResult = name === 'result'
    else if (name === 'isError') return text.startsWith('true', colon.lastIndex)
  }
  return false
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    if (end < 0) return text.length
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return end
  }
}
