/** What an MCP offers, as last heard: shown when it is down, and never taken for a sign of life. */
export type Offer = {
  tools: NamedThing[]
  prompts: NamedThing[]
  resources: NamedThing[]
  templates: NamedThing[]
}

export type NamedThing = { name: string; [member: string]: unknown }

export type KnownOffer = { offer: Offer; heardAt: Date }
