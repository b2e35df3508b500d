import * as z from 'zod'
import type { ShownRepo } from '../core/repos/shown.ts'
import { READ_ONLY } from './parse.ts'

const environment = z.enum(['live', 'test'])
const time = z.string().meta({ format: 'date-time' })
const name = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/, { error: 'A name is 1 to 64 of a-z, 0-9 and -.' })
  .meta({ description: 'One of its kind in the workspace; part of `docs://name/path`.', example: 'handbook' })
const path = z.string().min(1).max(4000).meta({
  description: 'A folder on the server’s disk, inside `CLAVIGER_DOCS_ROOTS`.',
  example: '/srv/docs/handbook',
})
const environments = z
  .array(environment)
  .min(1)
  .max(2)
  .meta({ description: 'Which keys find it.', example: ['live'] })

const FIXED = Object.fromEntries(
  ['id', 'created_at', 'workspace_id', 'revision', 'documents', 'sections', 'updated_at'].map((member) => [
    member,
    'This is set by Claviger and cannot be given.',
  ]),
)

export const newRepoBody = () =>
  z
    .strictObject({
      name,
      path: path.nullish().meta({ description: 'Left out: a repo of files, which are sent to it.' }),
      environments: environments.nullish().meta({ description: 'Left out: the environment of the calling key.' }),
    })
    .register(READ_ONLY, { ...FIXED, source: 'With a path it is a folder, without one it takes files.' })

export const repoChangeBody = () =>
  z
    .strictObject({ name: name.optional(), path: path.optional(), environments: environments.optional() })
    .register(READ_ONLY, { ...FIXED, source: 'A repo keeps its source. Add another repo instead.' })

/** Of a file in a folder of the server, whose system allows no more. */
const LONGEST_PATH = 4096

const paging = {
  limit: z.int().min(1).max(200).default(50).meta({ description: 'Most entries of one answer.' }),
  cursor: z.string().max(500).optional().meta({ description: '`next_cursor` of the answer before.' }),
}

export const repoQuery = z.strictObject(paging)

export const fileListQuery = z.strictObject({
  prefix: z.string().max(LONGEST_PATH).optional().meta({ description: 'Those whose path begins with this.' }),
  ...paging,
  cursor: z.string().max(LONGEST_PATH).optional().meta({ description: '`next_cursor` of the answer before.' }),
})

export const fileQuery = z.strictObject({
  section: z.string().max(500).optional().meta({ description: 'A heading: that section alone.' }),
  offset: z.int().min(0).optional().meta({ description: '`next_offset` of the answer before.' }),
})

const skipped = z
  .array(z.object({ path: z.string(), why: z.string() }))
  .meta({ description: 'Files that are not searchable, 100 at most, each with the reason.' })

export const Repo = z
  .object({
    id: z.string(),
    name: z.string(),
    source: z.enum(['manual', 'folder', 'files']),
    path: z.string().nullable(),
    environments: z.array(environment),
    documents: z.int(),
    sections: z.int(),
    updated_at: time.nullable().meta({ description: 'When what can be found last changed.' }),
    indexing: z
      .object({ done: z.int(), total: z.int().nullable() })
      .nullable()
      .meta({ description: 'While its files are being read.' }),
    skipped,
    skipped_count: z.int(),
    failure: z.string().nullable().meta({ description: 'Why the whole of it cannot be read just now.' }),
    created_at: time,
  } satisfies { [member in keyof ShownRepo]: z.ZodType<ShownRepo[member]> })
  .meta({ id: 'Repo', description: 'Documentation that the workspace makes searchable.' })

export const RepoFile = z
  .object({ id: z.string(), path: z.string(), title: z.string(), bytes: z.int() })
  .meta({ id: 'RepoFile', description: 'A document of a repo.' })

export const RepoDocument = z
  .object({
    id: z.string(),
    repo: z.string(),
    path: z.string(),
    title: z.string(),
    content: z.string(),
    next_offset: z.int().nullable().meta({ description: 'Where the rest begins; null: this is the end.' }),
    sections: z.array(z.string()),
  })
  .meta({ id: 'RepoDocument', description: 'A document as text.' })

export const ZipTaken = z
  .object({ added: z.int().meta({ description: 'How many files were taken.' }), skipped, skipped_count: z.int() })
  .meta({ id: 'ZipTaken' })
