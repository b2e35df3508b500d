/** As much of JSON Schema as the contract uses. */
export type Schema = {
  $ref?: string
  type?: string | string[]
  description?: string
  enum?: unknown[]
  const?: unknown
  default?: unknown
  format?: string
  minimum?: number
  maximum?: number
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
}

export type Field = { name: string; type: string; required: boolean; about: string }

/** The members of an object, those of objects inside under their full names. */
export function fieldsOf(schema: Schema, schemas: Record<string, Schema>, prefix = ''): Field[] {
  const { properties = {}, required = [] } = resolved(schema, schemas)
  return Object.entries(properties).flatMap(([name, member]) => {
    const inner = resolved(member, schemas)
    const field = {
      name: prefix + name,
      type: typeOf(member, schemas),
      required: required.includes(name),
      about: [describedIn(member), standing(inner)].filter(Boolean).join(' '),
    }
    return inner.properties && !member.$ref ? [field, ...fieldsOf(inner, schemas, `${prefix}${name}.`)] : [field]
  })
}

function resolved(schema: Schema, schemas: Record<string, Schema>): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return name ? schemas[name]! : schema
}

/** What may be null carries its description in one of its forms. */
function describedIn({ description, anyOf = [] }: Schema): string {
  return description ?? anyOf.map(describedIn).find(Boolean) ?? ''
}

function standing({ default: standard }: Schema): string {
  return standard === undefined || standard === null ? '' : `Default \`${JSON.stringify(standard)}\`.`
}

function typeOf(schema: Schema, schemas: Record<string, Schema>): string {
  if (schema.$ref) return schema.$ref.split('/').at(-1)!
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const values = schema.enum
  if (values)
    return values.length > 12 ? 'text, one of a closed list' : values.map((value) => JSON.stringify(value)).join(', ')
  const forms = schema.anyOf ?? schema.oneOf
  if (forms) return [...new Set(forms.map((form) => typeOf(form, schemas)))].join(' or ')
  const types = [schema.type ?? 'object'].flat()
  return types.map((type) => wordFor(type, schema, schemas)).join(' or ')
}

function wordFor(type: string, schema: Schema, schemas: Record<string, Schema>): string {
  if (type === 'array') return `list of ${schema.items ? typeOf(schema.items, schemas) : 'anything'}`
  if (type === 'string') return schema.format === 'date-time' ? 'time' : 'text'
  if (type === 'boolean') return 'true or false'
  if (type === 'object') return modeOf(schema)
  if (type !== 'integer') return type
  const { minimum, maximum } = schema
  return minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
    ? `whole number, ${minimum} to ${maximum}`
    : 'whole number'
}

/** An object that one member tells apart from its alternatives is called by it. */
function modeOf({ properties = {} }: Schema): string {
  const [name, value] = Object.entries(properties).find(([, member]) => member.const !== undefined) ?? []
  if (!name) return 'object'
  const others = Object.keys(properties).filter((other) => other !== name)
  return `{"${name}": ${JSON.stringify(value!.const)}${others.map((other) => `, "${other}": …`).join('')}}`
}
