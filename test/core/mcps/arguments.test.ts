import { describe, expect, it } from 'vitest'
import { secretsIn, withoutSecrets } from '../../../src/core/mcps/arguments.ts'

const RANDOM = 'AbCdEfGh1234567890xyzXYZ'

describe('what may be secret in the arguments of a command', () => {
  it.each([
    [
      ['--token', 'hunter2'],
      ['--token', '…'],
    ],
    [['--token=hunter2'], ['--token=…']],
    [
      ['--token', '-hunter2'],
      ['--token', '…'],
    ],
    [
      ['--private-key', '-----BEGIN PRIVATE KEY-----\nhunter2'],
      ['--private-key', '…'],
    ],
    [['--spring.datasource.password=hunter2'], ['--spring.datasource.password=…']],
    [['-Dspring.ai.openai.api-key=hunter2'], ['-Dspring.ai.openai.api-key=…']],
    [
      ['--api-key', 'hunter2', '--verbose'],
      ['--api-key', '…', '--verbose'],
    ],
    [
      ['--pass', 'hunter2', '--pat', 'hunter2', '--oauth2Bearer', 'hunter2'],
      ['--pass', '…', '--pat', '…', '--oauth2Bearer', '…'],
    ],
    [
      ['run', '-e', 'GITHUB_TOKEN=hunter2', '-e', 'LEVEL=hunter2', '-e', 'HOME', 'ghcr.io/a/b'],
      ['run', '-e', 'GITHUB_TOKEN=…', '-e', 'LEVEL=…', '-e', 'HOME', 'ghcr.io/a/b'],
    ],
    [
      ['-eLEVEL=hunter2', '--env=LEVEL=hunter2'],
      ['-eLEVEL=…', '--env=LEVEL=…'],
    ],
    [
      ['-e', 'API_ACCESS_TOKEN', 'hunter2'],
      ['-e', 'API_ACCESS_TOKEN', '…'],
    ],
    [
      ['API_KEY=hunter2', 'DB_PASS=hunter2', 'node', 'server.js'],
      ['API_KEY=…', 'DB_PASS=…', 'node', 'server.js'],
    ],
    [
      ['--header', 'Authorization: Bearer hunter2'],
      ['--header', 'Authorization:…'],
    ],
    [
      ['--header=X-Any: hunter2', '-HX-Any: hunter2'],
      ['--header=X-Any:…', '-HX-Any:…'],
    ],
    [
      ['--headers', 'Authorization', 'Bearer hunter2'],
      ['--headers', 'Authorization', '…'],
    ],
    [
      ['--headers', '{"Any":"hunter2"}'],
      ['--headers', '{"Any":…'],
    ],
    [['{"url":"https://a.example","apiToken":"hunter2"}'], ['{"url":"https://a.example","apiToken":"…"}']],
    [['{\\"apiKey\\":\\"hunter2\\"}'], ['{\\"apiKey\\":\\"…\\"}']],
    [['postgresql://ana:hunter2@db.example:5432/shop'], ['postgresql://ana:…@db.example:5432/shop']],
    [['redis://:hunter2@cache.example'], ['redis://:…@cache.example']],
    [['https://hunter2@git.example/repo'], ['https://…@git.example/repo']],
    [['root:hunter2@tcp(localhost:3306)/shop'], ['root:…@tcp(localhost:3306)/shop']],
    [['--url=https://a.example/mcp?apiKey=hunter2&b=c3'], ['--url=https://a.example/mcp?apiKey=…&b=…']],
    [
      ['mongodb://ana:p%40hunter2@h1:27017,h2:27017/db?authSource=admin2'],
      ['mongodb://ana:…@h1:27017,h2:27017/db?authSource=…'],
    ],
    [
      ['jdbc:sqlserver://db;user=ana;password=hunter2;encrypt=true'],
      ['jdbc:sqlserver://db;user=ana;password=…;encrypt=true'],
    ],
    [['host=localhost password=hunter2 dbname=shop'], ['host=localhost password=… dbname=shop']],
    [
      ['--stdio', 'npx -y s --api-key hunter2 --port 80'],
      ['--stdio', 'npx -y s --api-key … --port 80'],
    ],
    [
      ['-c', 'DATABASE_URL=postgres://u:hunter2@h/d API_KEY=hunter2 node x'],
      ['-c', 'DATABASE_URL=postgres://u:…@h/d API_KEY=… node x'],
    ],
    [
      ['-c', 'curl -H "Authorization: Bearer hunter2" x'],
      ['-c', 'curl -H "Authorization: …" x'],
    ],
    [['ghp_hunter2hunter2hunter2'], ['ghp_…']],
    [
      [`ghp-${RANDOM}`, `AC${RANDOM}/SK${RANDOM}:${RANDOM}`],
      ['ghp-…', '…/…:…'],
    ],
    [['3f2504e0-4f89-11d3-9a0c-0305e82c3301'], ['…']],
  ])('is not told: %j', (args, told) => {
    expect(withoutSecrets(args)).toEqual(told)
    expect(withoutSecrets(told)).toEqual(told)
  })

  it.each([
    ['-y', '@modelcontextprotocol/server-filesystem@2026.1.14', '/srv/files'],
    ['-y', 'k8s-mcp-server-extended', '--port', '8080', '--host', '127.0.0.1', '-H', '0.0.0.0'],
    ['run', '-v', '~/.secrets:/x', `mcp/time@sha256:${'0123456789abcdef'.repeat(4)}`],
    ['https://mcp.example.com/mcp', '--transport', 'http-only'],
    ['-m', 'mcp_server_time', '--local-timezone=Europe/Berlin', '--author', 'ana', '--tokenizer', 'bpe'],
    ['http://keycloak:8080/mcp', '--no-auth', 'stdio', '--skip-auth', 'https://a.example', '--max-tokens', '4096'],
    ['--password', '--verbose', '', '-experimental=true'],
  ])('is looked for, and everything else is told as it is: %j', (...args) => {
    expect(withoutSecrets(args)).toEqual(args)
    expect(secretsIn(args)).toEqual([])
  })

  it('is known by itself, for whoever must not repeat it', () => {
    const args = [
      '-c',
      'API_KEY=one1 node s.js',
      '{"token":"two2"}',
      '--header',
      'Authorization: Bearer three3',
      'x?a[]=1&key=four4',
    ]
    expect(secretsIn(args)).toEqual(['one1', 'two2', 'three3', 'four4'])
  })

  it.each(['a1B2-_', 'key', 'f0', '://', 'a:', '?a', ' -a'])('is looked for in very long arguments too: %j', (part) => {
    const long = part.repeat(100_000)
    expect(withoutSecrets([`${long} password=hunter2`, `-${long}`, `${long}`]).join()).not.toContain('hunter2')
  })
})
