import type { Asked, addressFor } from './key-list-asked.ts'

type Head = { name: string; label: string; href?: string; sorted?: 'ascending' | 'descending'; minor?: boolean }

const COLUMNS: Head[] = [
  { name: 'name', label: 'Key' },
  { name: 'environment', label: 'Environment' },
  { name: 'type', label: 'Type', minor: true },
  { name: 'created', label: 'Created', minor: true },
  { name: 'last_used', label: 'Last used' },
  { name: 'expires', label: 'Expires' },
  { name: 'status', label: 'Status' },
]

export function headsFor(_asked: Asked, _address: ReturnType<typeof addressFor>): { heads: Head[] } {
  return { heads: COLUMNS }
}
