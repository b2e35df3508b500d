import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventTooLarge, sseReader } from '../../src/upstreams/sse.ts'

function read(pieces: (string | Uint8Array)[], limit = 1_000) {
  const heard: unknown[] = []
  const hear = sseReader(limit, {
    event: ({ type, data, id }) =>
      heard.push(type === 'message' ? (id === null ? data : { data, id }) : { type, data }),
    retry: (retry) => heard.push({ retry }),
  })
  for (const piece of pieces) hear(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece)
  return heard
}

describe('an event stream', () => {
  it.each([
    ['LF', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['all three', 'data: a\r\n\ndata: b\n\rdata: c\r\n\r\n', ['a', 'b', 'c']],
    ['data on several lines', 'data: a\ndata:\ndata: b\n\n', ['a\n\nb']],
    ['comments', ': keep-alive\n\ndata: a\n:\n\n', ['a']],
    ['no space after the colon', 'data:a\n\ndata:  b\n\n', ['a', ' b']],
    ['a byte order mark', '\uFEFFdata: a\n\n', ['a']],
    ['types', 'event: endpoint\ndata: /x\n\ndata: a\n\n', [{ type: 'endpoint', data: '/x' }, 'a']],
    [
      'ids that last',
      'id: 1\ndata: a\n\ndata: b\n\n',
      [
        { data: 'a', id: '1' },
        { data: 'b', id: '1' },
      ],
    ],
    ['an id with a zero', 'id: 1\0\ndata: a\n\n', ['a']],
    ['an event without data', 'id: 1\n\nevent: x\n\ndata: a\n\n', [{ data: 'a', id: '1' }]],
    ['retry', 'retry: 250\nretry: soon\ndata: a\n\n', [{ retry: 250 }, 'a']],
    ['fields nobody knows', 'datum: x\ndata: a\nnonsense\n\n', ['a']],
    ['an unfinished end', 'data: a\n\ndata: b\n', ['a']],
  ])('with %s', (_, text, expected) => {
    expect(read([text])).toEqual(expected)
  })

  it('means the same however it is cut', () => {
    const text = 'id: 7\r\ndata: grüße 🗝️\r\n\r\n: x\n\nevent: e\rdata: 日本\rdata:\r\rretry: 5\ndata: {"a":"\\r"}\n\n'
    const whole = read([text])
    fc.assert(
      fc.property(fc.array(fc.nat(new TextEncoder().encode(text).length)), (cuts) => {
        const bytes = new TextEncoder().encode(text)
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        expect(read(at.slice(1).map((end, i) => bytes.slice(at[i], end)))).toEqual(whole)
      }),
    )
  })

  it('stops at an event that is too large, in one line or many', () => {
    expect(() => read([`data: ${'x'.repeat(2_000)}`])).toThrow(EventTooLarge)
    expect(() => read(Array(50).fill(`data: ${'x'.repeat(40)}\n`))).toThrow(EventTooLarge)
    expect(read(Array(50).fill(`data: ${'x'.repeat(40)}\n\n`))).toHaveLength(50)
  })

  it('reads a large event in small pieces without delay', () => {
    const started = performance.now()
    const pieces = Array(4_000).fill('x'.repeat(4_096))
    expect(read(['data: ', ...pieces, '\n\n'], 32_000_000)).toHaveLength(1)
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})
