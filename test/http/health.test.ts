import { expect, it } from 'vitest'
import { start } from '../support/start.ts'

it('answers both probes before the set-up', async () => {
  const { get } = await start({ setUp: false })
  expect((await get('/healthz')).status).toBe(200)
  expect((await get('/readyz')).status).toBe(200)
})

it('answers not_set_up everywhere else', async () => {
  const { get, post } = await start({ setUp: false })
  expect(await (await get('/api/v1/whoami')).json()).toMatchObject({ status: 503, code: 'not_set_up' })
  expect(await (await post('/mcp', {})).json()).toMatchObject({ error: { code: -32053, data: { code: 'not_set_up' } } })
})
