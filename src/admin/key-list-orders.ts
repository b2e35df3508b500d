import type { KeyQuery } from '../core/store.ts'

type Column = 'name' | 'created' | 'last_used' | 'expires'
type Order = Required<Pick<KeyQuery, 'sort' | 'order'>> & { value: string; label: string }

/** For each column first as people want to see it, then the other way round. */
export const ORDERS: readonly [Order, ...Order[]] = [
  { value: '', label: 'Newest first', sort: 'created', order: 'desc' },
  { value: 'oldest', label: 'Oldest first', sort: 'created', order: 'asc' },
  { value: 'name', label: 'Name, A to Z', sort: 'name', order: 'asc' },
  { value: 'name-back', label: 'Name, Z to A', sort: 'name', order: 'desc' },
  { value: 'used', label: 'Last used first', sort: 'last_used', order: 'desc' },
  { value: 'unused', label: 'Longest unused first', sort: 'last_used', order: 'asc' },
  { value: 'ending', label: 'First to expire', sort: 'expires', order: 'asc' },
  { value: 'lasting', label: 'Last to expire', sort: 'expires', order: 'desc' },
]

type Head = { name: string; label: string; minor?: boolean; href?: string; sorted?: 'ascending' | 'descending' }

const HEADS: Head[] = [
  { name: 'name', label: 'Key' },
  { name: 'environment', label: 'Environment' },
  { name: 'type', label: 'Type', minor: true },
  { name: 'created', label: 'Created', minor: true },
  { name: 'last_used', label: 'Last used' },
  { name: 'expires', label: 'Expires' },
  { name: 'status', label: 'Status' },
]

export function orderNamed(value: string): Order {
  return ORDERS.find((order) => order.value === value) ?? ORDERS[0]
}

/** A click on the column that a list is sorted by turns it round. */
export function headsFor(sort: string, addressOf: (sort: string) => string): Head[] {
  const now = orderNamed(sort)
  return HEADS.map((head) => {
    const [usual, reverse] = ORDERS.filter((order) => order.sort === (head.name as Column))
    if (!usual || !reverse) return head
    const href = addressOf((now === usual ? reverse : usual).value)
    if (now.sort !== head.name) return { ...head, href }
    return { ...head, href, sorted: now.order === 'asc' ? 'ascending' : 'descending' }
  })
}
