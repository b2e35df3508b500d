import { describe, expect, it } from 'vitest'
import { secretsIn, withoutSecrets } from '../../../src/core/mcps/arguments.ts'

describe('arguments of a command', () => {
  it.each([
    ['--token hunter2', '--token …'],
    ['--token=hunter2', '--token=…'],
    ['--api-key hunter2 --verbose', '--api-key … --verbose'],
    ['--password --verbose', '--password --verbose'],
    [
      'run -i --rm -e GITHUB_TOKEN=hunter2 -e LEVEL=hunter2 -e HOME image',
      'run -i --rm -e GITHUB_TOKEN=… -e LEVEL=… -e HOME image',
    ],
    ['--env=LEVEL=hunter2', '--env=LEVEL=…'],
    ['API_KEY=hunter2 node server.js', 'API_KEY=… node server.js'],
    [
      '-y mcp-remote https://a.example/mcp --header Authorization:hunter2',
      '-y mcp-remote https://a.example/mcp --header Authorization:…',
    ],
    ['-H hunter2', '-H …'],
    ['--headers {"A":"hunter2"}', '--headers …'],
    ['{"url":"https://a.example","apiToken":"hunter2"}', '{"url":"https://a.example","apiToken":…'],
    ['postgresql://ana:hunter2@db.example:5432/shop', 'postgresql://ana:…@db.example:5432/shop'],
    ['redis://:hunter2@cache.example', 'redis://:…@cache.example'],
    ['https://hunter2@git.example/repo', 'https://…@git.example/repo'],
    ['--url=https://a.example/mcp?apiKey=hunter2&b=c', '--url=https://a.example/mcp?apiKey=…&b=…'],
    ['mongodb+srv://ana:p%40hunter2@db.example/?w=1', 'mongodb+srv://ana:…@db.example/?w=…'],
    ['jdbc:sqlserver://db.example;user=ana;password=hunter2', 'jdbc:sqlserver://db.example;user=ana;password=…'],
    ['host=localhost;password=hunter2;db=shop', 'host=localhost;password=…'],
    ['ghp_hunter2hunter2hunter2', '…'],
    ['sk-ant-hunter2hunter2hunter2', '…'],
  ])('are told without what may be secret: %s', (args, told) => {
    const shown = withoutSecrets(args.split(' '))
    expect(shown.join(' ')).toBe(told)
    expect(withoutSecrets(shown)).toEqual(shown)
    for (const secret of told.includes('…') ? ['hunter2'] : [])
      expect(secretsIn(args.split(' ')).join()).toContain(secret)
  })

  it.each([
    '-y @modelcontextprotocol/server-filesystem@2026.1.14 /srv/files',
    '-y k8s-mcp-server-extended --port 8080 --host 127.0.0.1',
    'run -i --rm mcp/time@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    'https://mcp.example.com/mcp --transport http-only',
    '-m mcp_server_time --local-timezone=Europe/Berlin',
    'http://keycloak:8080/mcp',
    '',
  ])('are told as they are where nothing is secret: %s', (args) => {
    expect(withoutSecrets(args.split(' '))).toEqual(args.split(' '))
    expect(secretsIn(args.split(' '))).toEqual([])
  })
})
