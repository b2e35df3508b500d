import type * as z from 'zod'
import { refusalFor } from './parse.ts'

/** The query of an address as an object; a name given twice is refused. Numbers become numbers where `schema` wants one. */
export function queryOf(url: string, schema: z.ZodObject): Record<string, unknown> {
  const start = url.indexOf('?')
  const given = new URLSearchParams(start < 0 ? '' : url.slice(start))
  const repeated = [...new Set([...given.keys()].filter((name) => given.getAll(name).length > 1))]
  if (repeated.length > 0) throw refusalFor(repeated.map((field) => ({ field, message: 'Give this once.' })))
  return Object.fromEntries([...given].map(([name, text]) => [name, readAs(schema.shape[name], text)]))
}

function readAs(schema: z.core.$ZodType | undefined, text: string): unknown {
  return schema && isNumber(schema) && /^-?\d{1,15}$/.test(text) ? Number(text) : text
}

function isNumber(schema: z.core.$ZodType): boolean {
  const def = schema._zod.def as { type: string; innerType?: z.core.$ZodType }
  return def.type === 'number' || (def.innerType !== undefined && isNumber(def.innerType))
}
