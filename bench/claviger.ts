import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../src/config.ts'
import { openContext } from '../src/context.ts'
import type { Actor } from '../src/core/audit.ts'
import type { Caller } from '../src/core/caller.ts'
import type { Context } from '../src/core/context.ts'
import { issue } from '../src/core/keys/issuing.ts'
import { MOST_RATE } from '../src/core/keys/wishes.ts'
import { addMcp, removeMcp } from '../src/core/mcps/edit.ts'
import { DOCS, type StdioTarget, type Target } from '../src/core/mcps/mcp.ts'
import { Secret } from '../src/core/secret.ts'
import { setUp } from '../src/core/workspaces/setup.ts'
import { type Started, start } from './processes.ts'

const bench: Actor = { kind: 'cli', id: null, label: 'bench', address: null, requestId: null }
export const operator: Caller = { kind: 'operator', actor: bench }

const root = join(import.meta.dir, '..')
const folders: string[] = []

/** An empty folder on the disk, as an instance has it; gone with the bench. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  folders.push(folder)
  return folder
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

export function openIn(folder: string): Context {
  const { config } = readConfig({ env: { CLAVIGER_DATA_DIR: folder } })
  return openContext(config, () => new Date()).ctx
}

/** An owner, MCPs and keys, made by the same code that the command line runs. */
export async function furnish(
  folder: string,
  mcps: Record<string, Target>,
  keys: number,
): Promise<{ workspaceId: string; fullKeys: string[] }> {
  const ctx = openIn(folder)
  try {
    const { workspace } = await setUp(ctx, bench, null, {
      email: 'bench@example.com',
      name: 'Bench',
      password: new Secret(randomBytes(24).toString('base64url')),
      workspace: 'Main',
    })
    await removeMcp(ctx, operator, workspace.id, DOCS) // what is listed is what the bench has added
    for (const [slug, live] of Object.entries(mcps)) await addMcp(ctx, operator, workspace.id, { slug, live })
    const fullKeys: string[] = []
    for (let i = 0; i < keys; i++) {
      const wanted = { name: `client ${i}`, rateLimitPerMinute: MOST_RATE }
      fullKeys.push((await issue(ctx, operator, workspace.id, wanted)).fullKey.reveal())
    }
    return { workspaceId: workspace.id, fullKeys }
  } finally {
    await ctx.store.close()
  }
}

export function serve(folder: string, executable: string | null): Promise<Started> {
  const program = executable ? [join(root, executable)] : [process.execPath, '--no-env-file', join(root, 'src/main.ts')]
  return start([...program, 'serve', '--port', '0', '--data-dir', folder])
}

export function stdioTarget([command, ...args]: string[]): StdioTarget {
  return { kind: 'stdio', command: command!, args, env: {}, cwd: null }
}
