export type Client = {
  /** `heard` learns what is wrong with the answer, or null. */
  ask(id: number, token: string, heard: (fault: string | null) => void): void
  close(): Promise<void>
}
