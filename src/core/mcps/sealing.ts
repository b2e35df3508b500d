import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { withoutSecretsIn } from './address.ts'
import type { Target } from './mcp.ts'

/** AES-256-GCM under a key of the instance's secret: what a copied database holds of an upstream's credentials. */
export function seal(key: KeyObject, text: string): string {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return `sealed:${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`
}

export function unseal(key: KeyObject, sealed: string): string {
  const bytes = Buffer.from(sealed.slice('sealed:'.length), 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
  decipher.setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
}

export function sealTarget(key: KeyObject, target: Target): Target {
  return sealAddress(
    key,
    withValues(target, (value) => seal(key, value)),
  )
}

/** Addresses were once kept as they are. */
export function sealAddress(key: KeyObject, target: Target): Target {
  if (target.kind !== 'http' || target.sealedUrl !== undefined) return target
  const url = withoutSecretsIn(target.url)
  return url === target.url ? target : { ...target, url, sealedUrl: seal(key, target.url) }
}

export function unsealTarget(key: KeyObject, target: Target): Target {
  const unsealed = withValues(target, (value) => unseal(key, value))
  if (unsealed.kind !== 'http' || unsealed.sealedUrl === undefined) return unsealed
  const { sealedUrl, ...rest } = unsealed
  return { ...rest, url: unseal(key, sealedUrl) }
}

function withValues(target: Target, change: (value: string) => string): Target {
  const changed = (values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
  if (target.kind === 'http') return { ...target, headers: changed(target.headers) }
  if (target.kind === 'stdio') return { ...target, env: changed(target.env) }
  return target
}
