export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

export function megabytes(bytes: number): number {
  return bytes / 1024 / 1024
}
