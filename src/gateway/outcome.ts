import type { ActivityLine } from '../core/activity.ts'

/** How a call went, by the text of its answer. */
export function outcomeOf(text: string): ActivityLine['outcome'] {
  if (/^\{("error":|"jsonrpc":"2\.0","id":[^{]{1,200}?,"error":)/.test(text.slice(0, 300))) return 'upstream_error'
  return text.includes('"isError":true') ? 'tool_error' : 'ok'
}
