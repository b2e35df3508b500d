import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { connectionFor, targetFor } from '../../src/core/connect/connection.ts'
import { offering, overHttp } from '../support/mcp.ts'
import { start } from '../support/start.ts'

/** What the helper offers as code, run as it stands. */
async function world() {
  const app = await start()
  await offering(app, 'fix', { live: await overHttp() })
  const { fullKey } = await app.key()
  return { app, fullKey, target: targetFor(app.origin, 'fix', fullKey) }
}

async function ran(program: string, args: string[], env: Record<string, string>, cwd: string) {
  const child = spawn(program, args, { cwd, env: { PATH: process.env.PATH ?? '', HOME: cwd, ...env } })
  let out = ''
  child.stdout.on('data', (text: Buffer) => {
    out += text
  })
  child.stderr.on('data', (text: Buffer) => {
    out += text
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  return { code, out }
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'claviger-code-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

it('lists the tools in TypeScript, with the key in it and in its variable', { timeout: 30_000 }, async () => {
  const { target, fullKey } = await world()
  const cwd = folder()
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(cwd, 'node_modules'))
  for (const { title, content } of connectionFor('typescript', target).variants) {
    writeFileSync(join(cwd, 'program.ts'), content)
    const env: Record<string, string> = title === 'Key in a variable' ? { [target.variable]: fullKey } : {}
    const { code, out } = await ran(process.execPath, ['program.ts'], env, cwd)
    expect([title, code, out.split('\n').includes('echo')]).toEqual([title, 0, true])
  }
})

it('asks with curl what curl is told to ask', { timeout: 30_000 }, async () => {
  const { target } = await world()
  for (const { title, content } of connectionFor('curl', target).variants) {
    const { code, out } = await ran('bash', ['-c', `curl() { printf '%s\\0' "$@"; }\n${content}`], {}, folder())
    expect(code).toBe(0)
    const answer = await asCurlWould(out.split('\0').slice(0, -1))
    expect([title, answer.status]).toEqual([title, 200])
    expect(await answer.text()).toContain(title === 'List the tools' ? '"name":"echo"' : '"status":"active"')
  }
})

/** The few options of curl that the snippets use: -s, -H and -d. */
function asCurlWould(words: string[]): Promise<Response> {
  const headers = new Headers()
  let url = ''
  let body: string | undefined
  for (let at = 0; at < words.length; at++) {
    if (words[at] === '-H') {
      const [name, ...value] = words[++at]!.split(': ')
      headers.set(name!, value.join(': '))
    } else if (words[at] === '-d') body = words[++at]
    else if (words[at] !== '-s') url = words[at]!
  }
  return fetch(url, { method: body === undefined ? 'GET' : 'POST', headers, body })
}
