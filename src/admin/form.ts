import express, { type Request, type RequestHandler } from 'express'
import { invalid, Refusal } from '../core/refusal.ts'
import { Secret } from '../core/secret.ts'
import { declaredBytes, readBytes, readDeclared, roomFor } from '../http/body.ts'

const parse = express.urlencoded({ extended: false, limit: '256kb', parameterLimit: 500 })

/** Reads a form as browsers send it; anything else is refused before it is read. */
export const readForm: RequestHandler = (req, res, next) => {
  if (req.headers['content-type'] !== undefined && !req.is('application/x-www-form-urlencoded'))
    throw new Refusal('unsupported_media_type', 'This address takes a form. Programs use /api/v1.')
  parse(req, res, next)
}

export type SentFile = { name: string; bytes: () => Promise<Uint8Array> }

/** The files of a form, whatever its fields are called. A field left empty is sent as a file without a name. */
export async function filesIn(req: Request, most: number): Promise<SentFile[]> {
  const type = req.headers['content-type'] ?? ''
  if (!req.is('multipart/form-data'))
    throw new Refusal('unsupported_media_type', 'This address takes files. Programs use /api/v1/repos.')
  const declared = declaredBytes(req, most)
  await roomFor(req, 2 * (declared ?? most)) // once as it is sent, once in parts
  const form = await formIn(declared === null ? await readBytes(req, most) : await readDeclared(req, declared), type)
  const files = [...form.values()].filter((value) => typeof value !== 'string')
  return files
    .filter(({ name }) => Boolean(name)) // Bun 1.4.5 leaves an empty one undefined
    .map((file) => ({ name: file.name, bytes: async () => new Uint8Array(await file.arrayBuffer()) }))
}

function formIn(body: Buffer, type: string) {
  return new Response(body, { headers: { 'content-type': type } }).formData().catch(() => {
    throw new Refusal('bad_request', 'The form cannot be read. Choose the files again.')
  })
}

/** The field as typed, without white space around it; absent counts as empty, sent twice as its first. */
export function text({ body }: Request, name: string): string {
  return all(body, name)[0]?.trim() ?? ''
}

/** Taken as it is: a password may begin or end with a space. */
export function secret({ body }: Request, name: string): Secret {
  return new Secret(all(body, name)[0] ?? '')
}

export function ticked({ body }: Request, name: string): boolean {
  return all(body, name).length > 0
}

export function several({ body }: Request, name: string): string[] {
  return all(body, name)
    .map((value) => value.trim())
    .filter(Boolean)
}

/** Left empty: null. */
export function whole(req: Request, name: string): number | null {
  const typed = text(req, name)
  if (typed === '') return null
  const digits = typed.replace(/[\s,]/g, '')
  if (!/^\d{1,15}$/.test(digits)) throw invalid(name, `"${typed}" is no whole number.`)
  return Number(digits)
}

/** Left out: the usual one. */
export function oneOf<T extends string>(req: Request, name: string, choices: readonly T[], usual: T): T {
  const typed = text(req, name) || usual
  const found = choices.find((choice) => choice === typed)
  if (!found) throw invalid(name, `Choose one of ${choices.join(', ')}.`)
  return found
}

function all(body: unknown, name: string): string[] {
  const value = body && Object.hasOwn(body, name) ? (body as Record<string, unknown>)[name] : undefined
  return Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)]
}
