import * as z from 'zod'
import { nearest } from '../core/nearest.ts'
import { type FieldError, Refusal } from '../core/refusal.ts'

type CamelName<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelName<Tail>>}` : S
export type Camel<T> = { [Name in keyof T as Name extends string ? CamelName<Name> : Name]: T[Name] }

/** Members that an object shows but nobody may set, each with the sentence that says so. */
export const READ_ONLY = z.registry<Record<string, string>>()

/** Enough to mend by; naming thousands would keep everybody else waiting. */
const MOST_ERRORS = 50

/** What was sent, checked whole and under the names used inside; or one refusal that lists all that is wrong. */
export function parse<S extends z.ZodType<object>>(schema: S, sent: unknown, whole = 'body'): Camel<z.output<S>> {
  const result = schema.safeParse(sent, { error: (issue) => sentenceFor(issue) })
  if (result.success) return camel(result.data) as Camel<z.output<S>>
  const errors = result.error.issues.slice(0, MOST_ERRORS).flatMap((issue) => errorsOf(issue, schema, whole))
  throw refusalFor(errors.filter(({ field }) => !errors.some((other) => other.field.startsWith(`${field}.`))))
}

export function refusalFor(errors: FieldError[]): Refusal {
  const [first] = errors
  const message =
    errors.length === 1
      ? first!.message
      : `${errors.length} fields are wrong: ${errors.map((e) => e.field).join(', ')}.`
  return new Refusal('validation_failed', message, { errors })
}

/** The first level alone: below it, names may be the sender's own. */
function camel(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      one,
    ]),
  )
}

function errorsOf(issue: z.core.$ZodIssue, schema: z.ZodType, whole: string): FieldError[] {
  const field = issue.path.join('.')
  if (issue.code !== 'unrecognized_keys')
    return [
      field
        ? { field, message: issue.message }
        : { field: whole, message: issue.code === 'custom' ? issue.message : 'Send a JSON object.' },
    ]
  const known = namesAt(schema, issue.path)
  return issue.keys.slice(0, MOST_ERRORS).map((key) => ({
    field: field ? `${field}.${key}` : key,
    message: (field ? undefined : readOnly(schema, key)) ?? unknownMember(key, known),
  }))
}

function readOnly(schema: z.ZodType, key: string): string | undefined {
  const sentences = READ_ONLY.get(schema)
  return sentences && Object.hasOwn(sentences, key) ? sentences[key] : undefined
}

function unknownMember(key: string, known: string[]): string {
  return `"${key}" is not known here.${known.length > 0 ? ` Did you mean "${nearest(key, known)}"?` : ''}`
}

/** The members that an object at this place may have, whichever alternative was meant. */
function namesAt(schema: z.ZodType, path: PropertyKey[]): string[] {
  let places: Def[] = [schema._zod.def as Def]
  for (const step of [...path, null]) {
    places = places.flatMap(unwrapped)
    if (step === null) break
    places = places.flatMap((def) => {
      const inner = def.type === 'object' ? def.shape?.[String(step)] : def.type === 'array' ? def.element : undefined
      return inner ? [inner._zod.def] : []
    })
  }
  return [...new Set(places.flatMap((def) => Object.keys(def.shape ?? {})))]
}

type Inner = { _zod: { def: Def } }
type Def = {
  type: string
  shape?: Record<string, Inner>
  element?: Inner
  innerType?: Inner
  out?: Inner
  options?: Inner[]
}

function unwrapped(def: Def): Def[] {
  const inside = def.innerType ? [def.innerType] : def.type === 'pipe' && def.out ? [def.out] : def.options
  return inside ? inside.flatMap((one) => unwrapped(one._zod.def)) : [def]
}

const KINDS: Record<string, string> = {
  string: 'a text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a JSON object',
}

function sentenceFor(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'This is required.' : `Write ${KINDS[issue.expected] ?? issue.expected} here.`
    case 'too_small':
      return `${amount(issue.origin, issue.minimum)} at least.`
    case 'too_big':
      return `${amount(issue.origin, issue.maximum)} at most.`
    case 'invalid_value':
      return `Write ${oneOf(issue.values)}.`
    case 'invalid_union':
      return 'This has none of the forms that are allowed here.'
    default:
      return 'This is not valid.'
  }
}

function amount(origin: string, bound: number | bigint): string {
  if (origin === 'string') return `${bound} ${bound === 1 ? 'character' : 'characters'}`
  if (origin === 'array') return `${bound} ${bound === 1 ? 'entry' : 'entries'}`
  return String(bound)
}

function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) => JSON.stringify(value))
  return texts.length === 1 ? texts[0]! : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`
}
