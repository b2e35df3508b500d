import type { Environment } from './keys/key.ts'
import type { Mcp } from './mcps/mcp.ts'
import type { KnownOffer } from './mcps/state.ts'

/** Why a server could not be reached when it was last tried. */
export type Trouble = { message: string; at: Date }

/** One tool call onward, for the doors that do not speak MCP, and what a server offers. */
export type Tools = {
  /** As last heard; null if it never was. */
  known(mcp: Mcp, environment: Environment): Promise<KnownOffer | null>
  /** Null while nothing is wrong, or nothing was tried. */
  trouble(mcp: Mcp, environment: Environment): Trouble | null
  /** Asks the server now. Throws a Refusal that says why it cannot be asked. */
  refresh(mcp: Mcp, environment: Environment): Promise<KnownOffer>
  /** The tool's result as it came; a Refusal if there is none. */
  call(
    keyId: string,
    mcp: Mcp,
    environment: Environment,
    tool: string,
    args: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>>
}
