import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { getDefaultEnvironment } from '@modelcontextprotocol/client/stdio'
import type { Target } from '../../../src/core/mcps/mcp.ts'
import type { JsonObject, Place } from './clients.ts'

type Ask = { method: string; params: JsonObject }
export type Started = { target: Target; place: Place; close(): Promise<void> }
export type RealServer = {
  name: string
  /** By default Claviger gives each session a connection of its own over HTTP, and shares a process. */
  isShared: boolean
  /** A process of its own, working in a folder of its own: how Claviger reaches it, and how a client does. */
  start(folder: string): Promise<Started>
  /** What is asked, in this order; a name or URI stands as the server knows it. */
  asks(folder: string): Ask[]
  /** Makes the server say that this resource has changed: the client's subscription must bring it. */
  watched?: { uri: string; begin: Ask; end?: Ask }
  /** Makes the server log something, once the client has set a level. */
  logging?: { begin: Ask; end: Ask }
  /** Asks the client something back. */
  questions?: Ask[]
  /** Answered in this way once the client's roots have arrived, which happens some time after the handshake. */
  settled?: { method: string; fits?(params: JsonObject): boolean }
}

const call = (name: string, args: JsonObject = {}): Ask => ({ method: 'tools/call', params: { name, arguments: args } })
const prompt = (name: string, args?: Record<string, string>): Ask => ({
  method: 'prompts/get',
  params: { name, ...(args && { arguments: args }) },
})
const read = (uri: string): Ask => ({ method: 'resources/read', params: { uri } })
const complete = (ref: JsonObject, name: string, value: string, context?: Record<string, string>): Ask => ({
  method: 'completion/complete',
  params: { ref, argument: { name, value }, ...(context && { context: { arguments: context } }) },
})

function program(name: string): string {
  const manifest = createRequire(import.meta.url).resolve(`@modelcontextprotocol/${name}/package.json`)
  return join(dirname(manifest), 'dist/index.js')
}

/** Whoever connects starts it. */
async function overStdio(name: string, args: string[], env: Record<string, string> = {}): Promise<Started> {
  const [command, all] = [process.execPath, [program(name), ...args]]
  return {
    target: { kind: 'stdio', command, args: all, env, cwd: null },
    place: { command, args: all, env: { ...getDefaultEnvironment(), ...env } },
    close: async () => {},
  }
}

async function overHttp(name: string, transport: 'streamableHttp' | 'sse', env: Record<string, string>) {
  const port = await freePort()
  const child = spawn(process.execPath, [program(name), transport], {
    env: { ...getDefaultEnvironment(), ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  const [url, path] = [`http://127.0.0.1:${port}`, transport === 'sse' ? '/sse' : '/mcp']
  await printed(child.stderr, /port \d+/)
  const started: Started = {
    target: { kind: 'http', url: url + path, headers: {} },
    place: { url: url + path, headers: {}, old: transport === 'sse' },
    async close() {
      child.kill('SIGKILL')
      await ended
    },
  }
  return started
}

/** It is told its port and prints none that it chose itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function printed(stream: Readable, pattern: RegExp): Promise<void> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk
    if (pattern.test(text)) return void stream.resume()
  }
  throw new Error(`It ended before it printed ${pattern}: ${text}`)
}

const TEAM = { type: 'ref/prompt', name: 'completable-prompt' }
const NUMBERED = 'demo://resource/dynamic/text/{resourceId}'
const NUMBER_TWO = 'demo://resource/dynamic/text/2'
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

export const everything: RealServer = {
  name: 'everything',
  isShared: true,
  start: (folder) => overStdio('server-everything', ['stdio'], { FROM_CONFIGURATION: folder }),
  asks: () => [
    call('echo', { message: 'Grüße, 世界 🔑' }),
    call('echo'),
    call('get-annotated-message', { messageType: 'error', includeImage: true }),
    call('get-env'),
    call('get-resource-links', { count: 4 }),
    call('get-resource-reference', { resourceType: 'Text', resourceId: 2 }),
    call('get-resource-reference', { resourceType: 'Blob', resourceId: 3 }),
    call('get-structured-content', { location: 'Chicago' }),
    call('get-sum', { a: 2, b: 40 }),
    call('get-tiny-image'),
    call('gzip-file-as-resource', { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resourceLink' }),
    read('demo://resource/session/a.gz'),
    call('trigger-long-running-operation', { duration: 1.2, steps: 4 }),
    call('simulate-research-query', { topic: 'keys' }),
    call('no-such-tool'),
    prompt('simple-prompt'),
    prompt('args-prompt', { city: 'Rome', state: 'Lazio' }),
    prompt('args-prompt'),
    prompt('completable-prompt', { department: 'Sales', name: 'Eve' }),
    prompt('resource-prompt', { resourceType: 'Text', resourceId: '2' }),
    prompt('no-such-prompt'),
    read('demo://resource/static/document/features.md'),
    read(NUMBER_TWO),
    read('demo://resource/dynamic/blob/3'),
    read('demo://resource/dynamic/text/none'),
    complete(TEAM, 'department', 'S'),
    complete(TEAM, 'name', 'E', { department: 'Sales' }),
    complete({ type: 'ref/resource', uri: NUMBERED }, 'resourceId', '7'),
  ],
  watched: {
    uri: NUMBER_TWO,
    begin: call('toggle-subscriber-updates'),
    end: call('toggle-subscriber-updates'),
  },
  logging: { begin: call('toggle-simulated-logging'), end: call('toggle-simulated-logging') },
  questions: [
    call('trigger-sampling-request', { prompt: 'Say something.', maxTokens: 20 }),
    call('trigger-elicitation-request'),
    call('trigger-url-elicitation', { url: 'https://example.com/consent', elicitationId: 'one' }),
    call('trigger-url-elicitation', { url: 'https://example.com/two', elicitationId: 'two', errorPath: true }),
    call('get-roots-list'),
  ],
  settled: { method: 'notifications/message', fits: ({ data }) => String(data).startsWith('Roots updated') },
}

const filesystem: RealServer = {
  name: 'filesystem',
  isShared: true,
  start: (folder) => overStdio('server-filesystem', [folder]),
  asks(folder) {
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'notes.txt'), 'one\ntwo\nthree\n')
    writeFileSync(join(folder, 'sub/pixel.png'), Buffer.from(PIXEL, 'base64'))
    const at = (path: string) => ({ path: join(folder, path) })
    return [
      call('list_allowed_directories'),
      call('list_directory', at('')),
      call('directory_tree', at('')),
      call('read_text_file', { ...at('notes.txt'), head: 2 }),
      call('read_media_file', at('sub/pixel.png')),
      call('read_multiple_files', { paths: [join(folder, 'notes.txt'), join(folder, 'none.txt')] }),
      call('write_file', { ...at('new.txt'), content: 'new\n' }),
      call('edit_file', { ...at('notes.txt'), edits: [{ oldText: 'two', newText: 'zwei' }], dryRun: true }),
      call('search_files', { ...at(''), pattern: '**/*.txt' }),
      call('get_file_info', at('new.txt')),
      call('read_text_file', { path: '/etc/hostname' }),
      call('write_file', { path: 7 }),
      call('no_such_tool'),
    ]
  },
  settled: { method: 'roots/list' },
}

const memory: RealServer = {
  name: 'memory',
  isShared: true,
  start: (folder) => overStdio('server-memory', [], { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') }),
  asks: () => [
    call('create_entities', {
      entities: [
        { name: 'Ana', entityType: 'person', observations: ['holds keys'] },
        { name: 'Door', entityType: 'thing', observations: [] },
      ],
    }),
    call('create_relations', { relations: [{ from: 'Ana', to: 'Door', relationType: 'opens' }] }),
    call('add_observations', { observations: [{ entityName: 'Door', contents: ['is green'] }] }),
    call('add_observations', { observations: [{ entityName: 'Nobody', contents: ['is there'] }] }),
    call('search_nodes', { query: 'green' }),
    call('open_nodes', { names: ['Ana'] }),
    call('read_graph'),
    read('memory://knowledge-graph'),
    read('memory://nothing'),
    call('delete_entities', { entityNames: ['Door'] }),
    call('read_graph'),
  ],
  watched: {
    uri: 'memory://knowledge-graph',
    begin: call('create_entities', { entities: [{ name: 'Late', entityType: 'person', observations: [] }] }),
  },
}

const everythingOverHttp: RealServer = {
  ...everything,
  name: 'everything over HTTP',
  isShared: false,
  start: (folder) => overHttp('server-everything', 'streamableHttp', { FROM_CONFIGURATION: folder }),
}

export const everythingOverSse: RealServer = {
  ...everything,
  name: 'everything over HTTP+SSE',
  isShared: false,
  start: (folder) => overHttp('server-everything', 'sse', { FROM_CONFIGURATION: folder }),
}

export const SERVERS = [everything, everythingOverHttp, filesystem, memory]
