import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { withoutSecretsIn } from './address.ts'
import { withoutSecrets } from './arguments.ts'
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
  return sealShown(
    key,
    withValues(target, (value) => seal(key, value)),
  )
}

/** An address and arguments are shown, but for what may be secret in them. They were once kept as they are. */
export function sealShown(key: KeyObject, target: Target): Target {
  if (target.kind === 'http' && target.sealedUrl === undefined) {
    const url = withoutSecretsIn(target.url)
    return url === target.url ? target : { ...target, url, sealedUrl: seal(key, target.url) }
  }
  if (target.kind === 'stdio' && target.sealedArgs === undefined) {
    const args = withoutSecrets(target.args)
    const isSame = args.every((arg, at) => arg === target.args[at])
    return isSame ? target : { ...target, args, sealedArgs: seal(key, JSON.stringify(target.args)) }
  }
  return target
}

export function unsealTarget(key: KeyObject, target: Target): Target {
  const unsealed = withValues(target, (value) => unseal(key, value))
  if (unsealed.kind === 'http' && unsealed.sealedUrl !== undefined) {
    const { sealedUrl, ...rest } = unsealed
    return { ...rest, url: unseal(key, sealedUrl) }
  }
  if (unsealed.kind === 'stdio' && unsealed.sealedArgs !== undefined) {
    const { sealedArgs, ...rest } = unsealed
    return { ...rest, args: JSON.parse(unseal(key, sealedArgs)) }
  }
  return unsealed
}

function withValues(target: Target, change: (value: string) => string): Target {
  const changed = (values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
  if (target.kind === 'http') return { ...target, headers: changed(target.headers) }
  if (target.kind === 'stdio') return { ...target, env: changed(target.env) }
  return target
}
