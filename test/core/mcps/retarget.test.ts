import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { withoutSecretsIn } from '../../../src/core/mcps/address.ts'
import { withoutSecrets } from '../../../src/core/mcps/arguments.ts'
import type { HttpTarget, StdioTarget } from '../../../src/core/mcps/mcp.ts'
import { retarget } from '../../../src/core/mcps/retarget.ts'
import { sealTarget } from '../../../src/core/mcps/sealing.ts'

const sealing = createSecretKey(Buffer.alloc(32, 7))
const ctx = { secrets: { sealing } } as never

describe('a target that a form brings back as it was shown', () => {
  it.each([
    [['-y', 'server', '--token', 'hunter2']],
    [['{"token": "hunter2", "a": 1}']],
    [['-c', 'curl -H "Authorization: Bearer hunter2"']],
    [['mongodb://ana:hunter2@h1:1,h2:1/db?authSource=admin']],
    [['-c', 'node x\n--api-key hunter2\r\n']],
    [['AbCdEf1234567890abcdefAPI_KEY=x', '']],
  ])('keeps its command: %j', (args) => {
    const whole: StdioTarget = { kind: 'stdio', command: 'npx', args, env: { A: 'b' }, cwd: null }
    const kept = sealTarget(sealing, whole) as StdioTarget
    const typed = withoutSecrets(kept.args).map((arg) => arg.replace(/[\r\n]/g, '')) // as a field has it
    const given = { kind: 'stdio' as const, command: 'npx', args: typed, cwd: null, env: null }
    expect(retarget(ctx, kept, given)).toBeUndefined()
    expect(retarget(ctx, kept, { ...given, cwd: '/srv' })).toEqual({ ...whole, cwd: '/srv' })
    expect(retarget(ctx, kept, { ...given, env: { C: 'd' } })).toEqual({ ...whole, env: { C: 'd' } })
  })

  it.each(['https://a.example?key=hunter2', 'HTTPS://A.example:443/mcp?key=hunter2', 'https://a.example/mcp'])(
    'keeps its address: %s',
    (url) => {
      const whole: HttpTarget = { kind: 'http', url, headers: { A: 'b' } }
      const kept = sealTarget(sealing, whole) as HttpTarget
      const given = { kind: 'http' as const, url: withoutSecretsIn(kept.url), headers: null }
      expect(retarget(ctx, kept, given)).toBeUndefined()
      expect(retarget(ctx, kept, { ...given, headers: { C: 'd' } })).toEqual({ ...whole, headers: { C: 'd' } })
    },
  )
})
