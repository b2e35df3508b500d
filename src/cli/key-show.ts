import { overlapIsOpen, stateOf } from '../core/keys/key.ts'
import { shown } from '../core/keys/shown.ts'
import type { KeyWithUse } from '../core/store.ts'
import type { Command } from './command.ts'
import { lastUse, NAMING, OPTIONS, withKey } from './key-act.ts'
import { printFields, printJson } from './print.ts'

export const showCommand: Command = {
  name: 'keys show',
  args: 'KEY',
  about: 'Show everything about a key but the key itself.',
  options: OPTIONS,
  notes: [NAMING],
  run: (input) =>
    withKey(input, async (ctx, _caller, key) => {
      if (input.on('json')) printJson(input, shown(key, ctx.now()))
      else printFields(input, fieldsOf(key, ctx.now()))
    }),
}

function fieldsOf(key: KeyWithUse, now: Date): [string, string | number | Date | null][] {
  const { mcpAccess } = key
  return [
    ['Name', key.name],
    ['Id', key.id],
    ['Hint', key.hint],
    ['Status', [stateOf(key, now), key.revokedReason].filter(Boolean).join(': ')],
    ['Description', key.description],
    ['Environment', key.environment],
    ['Type', key.type],
    ['Scopes', key.scopes.join(' ')],
    [
      'MCPs',
      mcpAccess.mode === 'all'
        ? 'all, those added later too'
        : mcpAccess.mcps.map(({ slug, tools }) => (tools ? `${slug}:${tools.join(',')}` : slug)).join(' '),
    ],
    ['Addresses', key.ipAllow.join(' ') || 'any'],
    ['Requests a minute', key.rateLimitPerMinute],
    ['Calls a day', key.quotaPerDay ?? 'no limit'],
    ['In URLs', key.allowInUrl ? 'allowed' : 'refused'],
    ['Not before', key.notBefore],
    ['Expires', key.expiresAt ?? 'never'],
    ['Created', `${key.createdAt.toISOString()} by ${key.createdBy.label}`],
    ['Last used', lastUse(key)],
    ['Requests', key.requestCount],
    ...(overlapIsOpen(key, now) ? [['Rotation', rotation(key)] as [string, string]] : []),
  ]
}

function rotation({ overlapEndsAt, oldLastUsedAt }: KeyWithUse & { overlapEndsAt: Date }): string {
  const used = oldLastUsedAt ? `was last used ${oldLastUsedAt.toISOString()}` : 'was never used'
  return `The older key works until ${overlapEndsAt.toISOString()}; it ${used}.`
}
