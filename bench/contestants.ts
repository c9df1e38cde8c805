/** Who is measured, and what must be installed for it. A peer is loaded by name, so that Varve alone needs nothing of theirs. */
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import type { Contestant } from './contestant.ts'

/** The name of each peer's file in `peers/`, and its packages. */
const peerPackages = {
  lmdb: ['lmdb'],
  sqlite: ['better-sqlite3'],
  'classic-level': ['classic-level'],
  lancedb: ['@lancedb/lancedb', 'apache-arrow'],
  llamaindex: ['llamaindex'],
  usearch: ['usearch'],
} as const satisfies Record<string, readonly string[]>

const require = createRequire(import.meta.url)

export type PeerName = keyof typeof peerPackages
export type ContestantName = PeerName | 'varve' | 'bound'

export const peerNames = Object.keys(peerPackages) as PeerName[]

/** The packages of `bench/package.json` that are not there. */
export function missingPackages(peer: PeerName): string[] {
  return ['msgpackr', ...peerPackages[peer]].filter((name) => {
    try {
      require.resolve(name)
      return false
    } catch {
      return true
    }
  })
}

export async function contestantNamed(name: ContestantName): Promise<Contestant> {
  const folder = name in peerPackages ? 'peers' : 'contestants'
  const file = new URL(`./${folder}/${name}${extname(import.meta.filename)}`, import.meta.url)
  return ((await import(/* @vite-ignore */ file.href)) as { contestant: Contestant }).contestant
}
