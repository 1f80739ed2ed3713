/** A directed graph: for each node, the nodes its arrows point to. */
export type Graph = Map<string, Set<string>>

/**
 * One circle for each group of nodes that can all reach one another, as the nodes on the shortest way round from the
 * group's first node in alphabetical order; `[a]` is a node with an arrow to itself. Sorted, so that two runs agree.
 */
export function findCycles(graph: Graph): string[][] {
  const cycles: string[][] = []
  const covered = new Set<string>()
  for (const node of [...graph.keys()].sort()) {
    if (covered.has(node)) continue
    const cycle = shortestWayRound(graph, node)
    if (cycle === undefined) continue
    cycles.push(cycle)
    const reachable = reachableFrom(graph, node)
    for (const other of reachable) if (reachableFrom(graph, other).has(node)) covered.add(other)
  }
  return cycles
}

function reachableFrom(graph: Graph, start: string): Set<string> {
  const reached = new Set<string>()
  const queue = [start]
  for (const node of queue) {
    for (const next of graph.get(node) ?? []) {
      if (reached.has(next)) continue
      reached.add(next)
      queue.push(next)
    }
  }
  return reached
}

function shortestWayRound(graph: Graph, start: string): string[] | undefined {
  const ways = [[start]]
  const seen = new Set<string>()
  for (const way of ways) {
    for (const next of [...(graph.get(way.at(-1) ?? start) ?? [])].sort()) {
      if (next === start) return way
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return undefined
}
