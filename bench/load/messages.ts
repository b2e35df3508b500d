import type { Era, Plan } from './plan.ts'

const CLIENT = { name: 'bench', version: '1.0.0' }

/** One JSON-RPC request in its era; what repeats is written once, so that the loader stays cheap. */
export function requestWriter(era: Era, ask: Plan['ask']): (id: number, token: string) => string {
  const meta = era === '2026-07-28' ? { _meta: envelope() } : {}
  const params = 'tool' in ask ? { name: ask.tool, arguments: { text: 'TOKEN' }, ...meta } : meta
  const [start, middle, end = ''] = JSON.stringify({ jsonrpc: '2.0', id: 'ID', method: methodOf(ask), params }).split(
    /"ID"|TOKEN/,
  )
  return end === '' ? (id) => `${start}${id}${middle}` : (id, token) => `${start}${id}${middle}${token}${end}`
}

export function methodOf(ask: Plan['ask']): string {
  return 'tool' in ask ? 'tools/call' : 'tools/list'
}

export function initialize(): string {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: CLIENT }
  return JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
}

export function initialized(): string {
  return JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })
}

function envelope(): object {
  return {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': CLIENT,
  }
}

/** What is wrong with an answer; null if it is the one asked for. */
export function faultOf(ask: Plan['ask'], id: number, token: string, body: string): string | null {
  if (!body.includes(`"id":${id},`) && !body.includes(`"id":${id}}`)) return 'the answer carries another id'
  if ('tool' in ask) return body.includes(`"text":"${token}"`) ? null : 'the answer carries another token'
  const listed = body.split('"inputSchema"').length - 1
  return listed === ask.listed ? null : `the answer lists ${listed} tools, not ${ask.listed}`
}
