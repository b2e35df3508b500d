import type { ActivityFile } from './activity-file.ts'

/** What is asked of the thread that holds the file of activity, one answer each, in any order. */
export type Asked = { id: number; name: keyof ActivityFile; args: unknown[] }

export type Answered = { id: number; value: unknown } | { id: number; failed: string }
