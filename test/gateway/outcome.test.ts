import { describe, expect, it } from 'vitest'
import { outcomeOf } from '../../src/gateway/outcome.ts'
import { withId } from '../../src/upstreams/connection.ts'

const of = (answer: object | string, method = 'tools/call') =>
  outcomeOf(typeof answer === 'string' ? answer : JSON.stringify(answer), method)
const answer = (result: object) => ({ jsonrpc: '2.0', id: 1, result })

describe('the outcome of a call', () => {
  it.each([
    ['the flag at the end', { content: [{ type: 'text', text: 'no' }], isError: true }],
    ['the flag in front', { isError: true, content: [] }],
    ['a text that ends with a backslash before it', { content: [{ type: 'text', text: 'C:\\' }], isError: true }],
  ])('is a tool’s error with %s', (_, result) => {
    expect(of(answer(result))).toBe('tool_error')
  })

  it('is a tool’s error however the answer is written', () => {
    expect(of('{ "id": 1, "jsonrpc": "2.0",\n "result": { "content": [], "isError" : true } }')).toBe('tool_error')
  })

  it.each([
    ['in a text', { content: [{ type: 'text', text: '"isError":true' }] }],
    ['in a text with the flag unset', { content: [{ type: 'text', text: '{"isError":true}' }], isError: false }],
    ['in the structured content', { content: [], structuredContent: { isError: true } }],
    ['in the content', { content: [{ type: 'text', text: 'x', isError: true }] }],
    ['as a text', { content: [], isError: 'true' }],
  ])('is none with those words %s', (_, result) => {
    expect(of(answer(result))).toBe('ok')
  })

  it('is none beside the result, and none of another method', () => {
    expect(of({ jsonrpc: '2.0', id: 1, isError: true, result: { content: [] } })).toBe('ok')
    expect(of(answer({ isError: true }), 'resources/read')).toBe('ok')
  })

  it('is the server’s when it answers with an error', () => {
    expect(of({ jsonrpc: '2.0', id: 1, error: { code: 1, message: '"isError":true' } })).toBe('upstream_error')
  })

  const error = { code: -32602, message: 'no' }

  it.each([
    ['the specification’s own order', { jsonrpc: '2.0', error, id: 5 }],
    ['the error in front', { error, jsonrpc: '2.0', id: 5 }],
    ['the error at the end', { id: 5, jsonrpc: '2.0', error }],
    ['something else after the id', { jsonrpc: '2.0', id: 5, extra: [1], error }],
    ['something else in front', { extra: { a: 1 }, jsonrpc: '2.0', id: 5, error }],
  ])('is the server’s with %s', (_, answered) => {
    for (const id of [0, 'a "quoted" {id}', 'long '.repeat(80), 1.5e-7]) {
      const text = withId({ text: JSON.stringify(answered), ownId: 5 }, id)
      expect(of(text)).toBe('upstream_error')
      expect(JSON.parse(text)).toEqual({ ...answered, id })
    }
  })

  it.each([
    ['with no error beside it', { jsonrpc: '2.0', error: null, id: 5, result: { content: [] } }],
    ['with one in its result', { jsonrpc: '2.0', id: 5, result: { error } }],
    ['after its id', { jsonrpc: '2.0', id: 5, error: null, result: { content: [] } }],
    ['with one among other things', { jsonrpc: '2.0', extra: { error }, result: {}, id: 5 }],
  ])('is fine for a result %s', (_, answered) => {
    expect(of(withId({ text: JSON.stringify(answered), ownId: 5 }, 'x'))).toBe('ok')
  })
})
