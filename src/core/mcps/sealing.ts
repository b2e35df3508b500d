import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Target } from './mcp.ts'
import { told } from './told.ts'

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
  return sealShown(
    key,
    withValues(target, (value) => seal(key, value)),
  )
}

/**
 * An address and arguments are shown, but for what may be secret in them: then the whole are sealed beside them. They
 * were once kept as they are, and what counts as secret may grow.
 */
export function sealShown(key: KeyObject, target: Target): Target {
  const whole = unsealShown(key, target)
  const shown = told(whole)
  if (isDeepStrictEqual(shown, whole)) return whole
  if (whole.kind === 'http') return { ...shown, sealedUrl: seal(key, whole.url) } as Target
  if (whole.kind === 'stdio') return { ...shown, sealedArgs: seal(key, JSON.stringify(whole.args)) } as Target
  return whole
}

export function unsealTarget(key: KeyObject, target: Target): Target {
  return withValues(unsealShown(key, target), (value) => unseal(key, value))
}

function unsealShown(key: KeyObject, target: Target): Target {
  if (target.kind === 'http' && target.sealedUrl !== undefined) {
    const { sealedUrl, ...rest } = target
    return { ...rest, url: unseal(key, sealedUrl) }
  }
  if (target.kind === 'stdio' && target.sealedArgs !== undefined) {
    const { sealedArgs, ...rest } = target
    return { ...rest, args: JSON.parse(unseal(key, sealedArgs)) }
  }
  return target
}

function withValues(target: Target, change: (value: string) => string): Target {
  const changed = (values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
  if (target.kind === 'http') return { ...target, headers: changed(target.headers) }
  if (target.kind === 'stdio') return { ...target, env: changed(target.env) }
  return target
}
