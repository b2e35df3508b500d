import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { jsonOf } from '../support/json.ts'
import { start } from '../support/start.ts'

async function managed() {
  const app = await start()
  const { fullKey } = await app.key({ scopes: ['mcp:*', 'keys:read', 'keys:write'] })
  const send = async (
    body: string | Uint8Array | undefined,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ) => {
    const response = await fetch(`${app.origin}/api/v1/keys`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${fullKey}`, ...headers },
    })
    return { status: response.status, ...(await jsonOf(response)) }
  }
  return { ...app, fullKey, send }
}

describe('a body', () => {
  it.each([
    ['broken JSON', '{"name": ', 400, 'bad_request'],
    ['two values', '{} {}', 400, 'bad_request'],
    ['a comment', '{"name": "x"} // mine', 400, 'bad_request'],
    ['bytes that are no UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'bad_request'],
    ['65 levels', `{"name": ${'['.repeat(64)}${']'.repeat(64)}}`, 400, 'bad_request'],
    ['a million levels', '['.repeat(900_000), 400, 'bad_request'],
    ['a list', '[]', 422, 'validation_failed'],
    ['a text', '"name"', 422, 'validation_failed'],
    ['null', 'null', 422, 'validation_failed'],
    ['nothing', undefined, 422, 'validation_failed'],
    ['more than a megabyte', JSON.stringify({ name: 'x'.repeat(1_000_000) }), 413, 'payload_too_large'],
  ])('of %s is refused', async (_what, body, status, code) => {
    const { send } = await managed()
    expect(await send(body)).toMatchObject({ status, code })
  })

  it('of 64 levels is judged by its members', async () => {
    const { send } = await managed()
    const answer = await send(`{"name": "]}", "deep": ${'['.repeat(63)}${']'.repeat(63)}}`)
    expect(answer).toMatchObject({ code: 'validation_failed', errors: [{ field: 'deep' }] })
  })

  it('names the whole where no field is to blame', async () => {
    const { send } = await managed()
    expect((await send('[]')).errors).toEqual([{ field: 'body', message: 'Send a JSON object.' }])
    expect((await send(undefined)).errors).toEqual([{ field: 'body', message: 'Send a JSON object.' }])
  })

  it.each([
    ['text/plain', {}],
    ['application/x-www-form-urlencoded', {}],
    ['application/json; charset=latin1', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
  ])('sent as %s %o is refused', async (type, more) => {
    const { send } = await managed()
    const body = '{"name": "x"}'
    expect(await send(body, { 'content-type': type, ...more })).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    })
  })

  it('may name its character set', async () => {
    const { send } = await managed()
    expect((await send('{"name": "x"}', { 'content-type': 'Application/JSON; charset="UTF-8"' })).hint).toMatch(
      /^clv_live_/,
    )
  })

  it('with a member twice means the last', async () => {
    const { send } = await managed()
    expect((await send('{"name": "a", "name": "b"}')).name).toBe('b')
  })

  it('with GET and DELETE is not read', async () => {
    const { key, fullKey, origin } = await managed()
    const { key: other } = await key()
    const ask = (method: string) =>
      raw(origin, `${method} /api/v1/keys/${other.id} HTTP/1.1\r\nAuthorization: Bearer ${fullKey}\r\n`, '{broken')
    expect(await ask('GET')).toMatch(/^HTTP\/1\.1 200 /)
    expect(await ask('DELETE')).toMatch(/^HTTP\/1\.1 204 /)
  })

  it('larger than announced by nobody is cut off', async () => {
    const { fullKey, origin } = await managed()
    const head = `POST /api/v1/keys HTTP/1.1\r\nAuthorization: Bearer ${fullKey}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n`
    const chunk = 'x'.repeat(0x20000)
    const chunks = Array.from({ length: 9 }, () => `20000\r\n${chunk}\r\n`).join('')
    expect(await raw(origin, head, `${chunks}0\r\n\r\n`, false)).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('of a stranger is not waited for', async () => {
    const { origin } = await managed()
    const head = 'POST /api/v1/keys HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n'
    expect(await raw(origin, head, '{', false)).toMatch(/^HTTP\/1\.1 401 /)
  })
})

describe('an address', () => {
  it('asked in the wrong way names the right ones', async () => {
    const { call, fullKey } = await managed()
    const asked = [
      ['PUT', '/keys/key_x', 'GET, PATCH, DELETE'],
      ['DELETE', '/keys', 'GET, POST'],
      ['GET', '/keys/key_x/disable', 'POST'],
      ['POST', '/openapi.json', 'GET'],
    ]
    for (const [method, path, allow] of asked) {
      const response = await call(method!, `/api/v1${path}`, { key: fullKey })
      expect([path, response.status, response.headers.get('allow')]).toEqual([path, 404, allow])
      expect((await jsonOf(response)).detail).toBe(
        `There is no ${method} here. Use ${allow!.replaceAll(', ', ' or ')}.`,
      )
    }
  })

  it('that is none says where all are listed', async () => {
    const { get, fullKey } = await managed()
    for (const path of ['/api/v1/nothing', '/api/v2/keys', '/api/v1', '/api']) {
      const response = await get(path, fullKey)
      expect([response.status, response.headers.get('allow')]).toEqual([404, null])
      expect((await jsonOf(response)).detail).toContain('/api/docs')
    }
  })

  it('tells strangers nothing', async () => {
    const { get, call } = await managed()
    for (const path of ['/api/v1/nothing', '/api/v1/keys', '/api/v1/keys/key_x'])
      expect((await get(path)).status).toBe(401)
    expect((await call('PUT', '/api/v1/keys')).headers.get('allow')).toBeNull()
  })

  it('that cannot be decoded is refused', async () => {
    const { get, fullKey } = await managed()
    expect(await jsonOf(get('/api/v1/keys/%E0%A4%A', fullKey))).toMatchObject({
      status: 400,
      code: 'bad_request',
    })
  })
})

/** One request over a socket of its own; the first of what comes back. */
function raw(origin: string, head: string, body: string, announce = true): Promise<string> {
  const { hostname, port, host } = new URL(origin)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      const length = announce ? `Content-Length: ${body.length}\r\n` : ''
      socket.write(`${head}Host: ${host}\r\n${length}\r\n${body}`)
    })
    socket.once('data', (data) => {
      resolve(data.toString())
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('end', () => reject(new Error('closed without an answer')))
  })
}
