import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerReader } from '../../src/upstreams/http-answer.ts'
import { BrokenAnswer, type Head } from '../../src/upstreams/http-head.ts'

type Read = { head: Head | null; body: Buffer; isOver: boolean; rest: string; broke: boolean }

/** What is understood of an answer that comes in these pieces, and then `ends` with the connection or stays open. */
function read(pieces: Buffer[], ends = false): Read {
  const got: Read = { head: null, body: Buffer.alloc(0), isOver: false, rest: '', broke: false }
  const body: Buffer[] = []
  const reader = new AnswerReader({
    head(head) {
      expect(got.head).toBeNull()
      got.head = head
    },
    piece: (bytes) => void body.push(Buffer.from(bytes)),
  })
  const rest: Buffer[] = []
  try {
    for (const piece of pieces) rest.push(piece.subarray(reader.hear(piece)))
    if (ends && !reader.isOver) reader.end()
  } catch (error) {
    expect(error).toBeInstanceOf(BrokenAnswer)
    got.broke = true
  }
  return { ...got, body: Buffer.concat(body), isOver: reader.isOver, rest: Buffer.concat(rest).toString('latin1') }
}

const bytes = (text: string) => Buffer.from(text, 'latin1')
const byByte = (all: Buffer) => Array.from(all, (_, at) => all.subarray(at, at + 1))
const inTwo = (all: Buffer, at: number) => [all.subarray(0, at), all.subarray(at)]

/** The same, however it is cut: whole, byte by byte, and in every two pieces. */
function everyWay(text: string, ends = false): Read {
  const all = bytes(text)
  const whole = read([all], ends)
  expect(read(byByte(all), ends)).toEqual(whole)
  for (let at = 1; at < all.length; at++) expect(read(inTwo(all, at), ends)).toEqual(whole)
  return whole
}

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`

describe('an answer', () => {
  it.each([
    ['with a length', `${OK}Content-Length: 5\r\n\r\nhello`, 'hello'],
    ['with no body', `${OK}Content-Length: 0\r\n\r\n`, ''],
    ['without a reason', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi', 'hi'],
    ['with a length of many zeros', `${OK}Content-Length: 0000002\r\n\r\nhi`, 'hi'],
    ['with white space about values', `${OK}content-LENGTH: \t 2 \t\r\nX:\r\n\r\nhi`, 'hi'],
    ['of bytes that are no text', `${OK}Content-Length: 4\r\n\r\n\0\xff\r\n`, '\0\xff\r\n'],
    ['that has none', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
    ['that has none, whatever it says', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n', ''],
    ['in chunks', `${CHUNKED}5\r\nhello\r\n1\r\n \r\n00A\r\n0123456789\r\n0\r\n\r\n`, 'hello 0123456789'],
    ['in no chunk', `${CHUNKED}0\r\n\r\n`, ''],
    ['in chunks with extensions', `${CHUNKED}2;a=b;c="d"\r\nhi\r\n3 ; x\r\nyou\r\n0;z\r\n\r\n`, 'hiyou'],
    ['in chunks with trailers', `${CHUNKED}2\r\nhi\r\n0\r\nExpires: never\r\nX: y\r\n\r\n`, 'hi'],
    ['in chunks named in capitals', `${OK}TRANSFER-ENCODING: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`, 'x'],
    ['of chunks that hold CRLF', `${CHUNKED}4\r\n\r\n\r\n\r\n0\r\n\r\n`, '\r\n\r\n'],
    [
      'after interim ones',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}Content-Length: 2\r\n\r\nhi`,
      'hi',
    ],
  ])('%s is read however it is cut', (_, text, body) => {
    const { rest, ...got } = everyWay(`${text}`)
    expect(got).toMatchObject({ isOver: true, broke: false })
    expect(got.body.toString('latin1')).toBe(body)
    expect(rest).toBe('')
    expect(everyWay(`${text}HTTP/1.1 200 OK\r\n\r\n`).rest).toBe('HTTP/1.1 200 OK\r\n\r\n') // none of ours
  })

  it.each([
    ['without a length', `${OK}X: y\r\n\r\nall of it`],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nall of it'],
  ])('%s ends with the connection', (_, text) => {
    expect(everyWay(text)).toMatchObject({ isOver: false, broke: false })
    const ended = everyWay(text, true)
    expect(ended).toMatchObject({ isOver: true, broke: false, head: { idleMs: 0 } })
    expect(ended.body.toString()).toBe('all of it')
  })

  it.each([
    '',
    'HTTP/1.1 20',
    `${OK}Content-Length: 5\r\n`,
    `${OK}Content-Length: 5\r\n\r\nhell`,
    `${CHUNKED}5\r\nhel`,
    `${CHUNKED}5\r\nhello`,
    `${CHUNKED}5\r\nhello\r\n`,
    `${CHUNKED}5\r\nhello\r\n0\r\n`,
    'HTTP/1.1 100 Continue\r\n\r\n',
  ])('that is cut off is broken: %j', (text) => {
    expect(everyWay(text)).toMatchObject({ isOver: false, broke: false })
    expect(everyWay(text, true)).toMatchObject({ isOver: false, broke: true })
  })

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.7\r\n\r\n'],
    ['HTTP/0.9', '<html>hello</html>\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['white space ahead', ' HTTP/1.1 200 OK\r\n\r\n'],
    ['an empty line ahead', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status of none', 'HTTP/1.1  OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 Low\r\n\r\n'],
    ['a change of protocol', 'HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n'],
    ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['a line feed alone', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['a carriage return alone', `${OK}X: a\rY: b\r\n\r\n`],
    ['white space before a colon', `${OK}Content-Length : 0\r\n\r\n`],
    ['no colon', `${OK}Content-Length\r\n\r\n`],
    ['no name', `${OK}: x\r\n\r\n`],
    ['a line that goes on', `${OK}X: a\r\n b\r\n\r\n`],
    ['a NUL in a value', `${OK}X: a\0b\r\n\r\n`],
    ['a form feed about a value', `${OK}X: a\f\r\n\r\n`],
    ['a name that is no token', `${OK}X(a): b\r\n\r\n`],
    ['two lengths', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
    ['the same length twice', `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
    ['two lengths in one', `${OK}Content-Length: 5, 5\r\n\r\nhello`],
    ['a length below nothing', `${OK}Content-Length: -1\r\n\r\n`],
    ['a length with a sign', `${OK}Content-Length: +5\r\n\r\nhello`],
    ['a length in hex', `${OK}Content-Length: 0x5\r\n\r\nhello`],
    ['an empty length', `${OK}Content-Length:\r\n\r\n`],
    ['a length beyond counting', `${OK}Content-Length: 9999999999999999999\r\n\r\n`],
    ['a length and chunks', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks and a length', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
    ['a length that means nothing, and chunks', `HTTP/1.1 204 No\r\nContent-Length: 0\r\nTransfer-Encoding: x\r\n\r\n`],
    ['chunks twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['another transfer coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunks that come not last', `${OK}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['a name alike', `${OK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a chunk without a size', `${CHUNKED}\r\nhello\r\n0\r\n\r\n`],
    ['a chunk of no number', `${CHUNKED}g\r\nhello\r\n0\r\n\r\n`],
    ['a chunk with a prefix', `${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n`],
    ['a chunk with a sign', `${CHUNKED}-5\r\nhello\r\n0\r\n\r\n`],
    ['a chunk beyond counting', `${CHUNKED}10000000000000000\r\nhello\r\n0\r\n\r\n`],
    ['a chunk longer than it says', `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`],
    ['a chunk that ends in a line feed alone', `${CHUNKED}5\r\nhello\n0\r\n\r\n`],
    ['a size that ends in a line feed alone', `${CHUNKED}5\nhello\r\n0\r\n\r\n`],
    ['a carriage return in an extension', `${CHUNKED}5;a\rb\r\nhello\r\n0\r\n\r\n`],
    ['a trailer that is no field', `${CHUNKED}0\r\nnonsense\r\n\r\n`],
  ])('with %s is broken, however it is cut', (_, text) => {
    expect(everyWay(text)).toMatchObject({ broke: true, isOver: false, rest: '' })
  })

  it.each([
    ['a head', 'HTTP/1.1 200 OK\r\nX: ', 64 * 1024],
    ['a reason', 'HTTP/1.1 200 ', 64 * 1024],
    ['interim answers without end', 'HTTP/1.1 100 Continue\r\n\r\n', 64 * 1024],
    ['the start of a chunk', `${CHUNKED}1;`, 4 * 1024],
    ['trailers without end', `${CHUNKED}0\r\nX: y\r\n`, 64 * 1024],
  ])('is broken by %s that grows too large', (_, start, most) => {
    const again = /\n$/.test(start) ? start.slice(start.lastIndexOf('\r\n', start.length - 3) + 2) : 'x'
    const part = start.startsWith('HTTP/1.1 100') ? start : again
    for (const size of [1, 1_000, 1_000_000]) {
      const filler = bytes(part.repeat(Math.ceil((2 * most) / part.length)))
      const pieces = [bytes(start)]
      for (let at = 0; at < filler.length; at += size) pieces.push(filler.subarray(at, at + size))
      expect(read(pieces)).toMatchObject({ broke: true })
    }
    const small = bytes(part.repeat(Math.floor((most - start.length - 100) / part.length)))
    expect(read([bytes(start), small])).toMatchObject({ broke: false })
  })

  it('is read in time that grows with its size alone', () => {
    const spaces = `${OK}X:${' '.repeat(60_000)}\x01\r\n\r\n`
    expect(read([bytes(spaces)]).broke).toBe(true) // for a minute, if it went back at each space
    expect(read(byByte(bytes(`${OK}X: ${'y'.repeat(60_000)}\r\nContent-Length: 0\r\n\r\n`))).isOver).toBe(true)
  })

  it('joins what is said several times, whatever the case', () => {
    const { head } = everyWay(`${OK}Vary: a\r\nvary: b\r\nVARY:c\r\n__proto__: x\r\nContent-Length: 0\r\n\r\n`)
    const said = ['vary', '__proto__', 'content-length', 'length'].map((name) => head!.fields.get(name))
    expect(said).toEqual(['a, b, c', 'x', '0', undefined])
  })
})

describe('a connection', () => {
  const idle = (head: string) => everyWay(`${head}Content-Length: 0\r\n\r\n`).head!.idleMs

  it.each([
    [OK, 4_000],
    [`${OK}Connection: keep-alive\r\n`, 4_000],
    [`${OK}Keep-Alive: timeout=120, max=5\r\n`, 4_000],
    [`${OK}Keep-Alive: max=5, timeout=3\r\n`, 2_000],
    [`${OK}Keep-Alive: timeout=1\r\n`, 0],
    [`${OK}Keep-Alive: timeout=0\r\n`, 0],
    [`${OK}Connection: close\r\n`, 0],
    [`${OK}Connection: x,\tClose , y\r\n`, 0],
    [`${OK}Connection: x\r\nConnection: close\r\n`, 0],
    [`${OK}Connection: closed\r\n`, 4_000],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n', 0],
  ])('after %j may idle for %i ms', (head, milliseconds) => {
    expect(idle(head)).toBe(milliseconds)
  })
})

describe('any bytes at all', () => {
  const line = fc.oneof(
    fc.constantFrom(OK, 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.0 200\r\n', '\r\n', '\n', '\r', ' ', '0\r\n', '5\r\n'),
    fc.constantFrom('Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n', 'hello'),
    fc.string({ unit: 'binary-ascii', maxLength: 12 }),
  )

  it('mean the same in any pieces', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 6 }), (lines, cuts) => {
        const all = bytes(lines.join(''))
        const pieces: Buffer[] = []
        let from = 0
        for (const at of [...cuts, all.length].sort((a, b) => a - b)) {
          if (at <= from || at > all.length) continue
          pieces.push(all.subarray(from, at))
          from = at
        }
        expect(read(pieces, true)).toEqual(read([all], true))
      }),
      { numRuns: 2_000 },
    )
  })
})
